// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one system call that the libraries do not offer.

use std::ffi::{CStr, c_char, c_int, c_long, c_ulong};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Number of `kexec_file_load` on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl, 3.17 and later;
/// CentOS 7's 3.10 has it as well).
const SYS_KEXEC_FILE_LOAD: c_long = 320;

/// `KEXEC_FILE_ON_CRASH` (include/uapi/linux/kexec.h).
const KEXEC_FILE_ON_CRASH: c_ulong = 2;

unsafe extern "C" {
    /// The C library's raw system call: -1 and `errno` on failure.
    fn syscall(number: c_long, ...) -> c_long;
}

/// Loads the kernel that runs after a crash.
///
/// # Errors
/// What the running kernel says.
pub(crate) fn kexec_file_load_on_crash(
    kernel: BorrowedFd<'_>,
    initrd: BorrowedFd<'_>,
    command_line: &CStr,
) -> io::Result<()> {
    let text = command_line.to_bytes_with_nul();
    let length = c_ulong::try_from(text.len()).map_err(io::Error::other)?;
    let (kernel, initrd): (c_int, c_int) = (kernel.as_raw_fd(), initrd.as_raw_fd());
    // SAFETY: both descriptors stay open during the call; `text` is `length` bytes with the
    // terminating zero, of which the kernel makes a copy. It keeps no reference to any of them.
    let result = unsafe {
        syscall(
            SYS_KEXEC_FILE_LOAD,
            kernel,
            initrd,
            length,
            text.as_ptr().cast::<c_char>(),
            KEXEC_FILE_ON_CRASH,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
