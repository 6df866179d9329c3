// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system calls that the libraries do not offer.

use std::ffi::{CStr, c_char, c_int, c_long, c_ulong, c_void};
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Number of `kexec_file_load` on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl, 3.17 and later;
/// CentOS 7's 3.10 has it as well).
const SYS_KEXEC_FILE_LOAD: c_long = 320;

/// `KEXEC_FILE_ON_CRASH` (include/uapi/linux/kexec.h).
const KEXEC_FILE_ON_CRASH: c_ulong = 2;

/// Number of `kexec_load` on x86-64.
const SYS_KEXEC_LOAD: c_long = 246;

/// `KEXEC_ON_CRASH` and `KEXEC_ARCH_X86_64` (include/uapi/linux/kexec.h).
const KEXEC_ON_CRASH: c_ulong = 1;
const KEXEC_ARCH_X86_64: c_ulong = 62 << 16;

/// Number of `sched_setscheduler` on x86-64.
const SYS_SCHED_SETSCHEDULER: c_long = 144;

/// `SCHED_OTHER`, `SCHED_FIFO` and `SCHED_RESET_ON_FORK` (include/uapi/linux/sched.h).
const SCHED_OTHER: c_int = 0;
const SCHED_FIFO: c_int = 1;
const SCHED_RESET_ON_FORK: c_int = 0x4000_0000;

/// A stretch of memory to fill at a crash (`struct kexec_segment`).
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Segment<'a> {
    buffer: *const c_void,
    buffer_bytes: usize,
    memory: c_ulong,
    memory_bytes: usize,
    content: PhantomData<&'a [u8]>,
}

impl<'a> Segment<'a> {
    /// Content for the physical address `memory`; both in whole pages.
    pub(crate) fn new(content: &'a [u8], memory: u64) -> Self {
        Self {
            buffer: content.as_ptr().cast(),
            buffer_bytes: content.len(),
            memory,
            memory_bytes: content.len(),
            content: PhantomData,
        }
    }
}

unsafe extern "C" {
    /// The C library's raw system call: -1 and `errno` on failure.
    fn syscall(number: c_long, ...) -> c_long;
}

/// Lets this program run before all ordinary ones, what it starts being ordinary; or as they do.
///
/// # Errors
/// What the running kernel says.
pub(crate) fn run_before_others(before: bool) -> io::Result<()> {
    let policy = if before { SCHED_FIFO | SCHED_RESET_ON_FORK } else { SCHED_OTHER };
    // `struct sched_param`.
    let priority = c_int::from(before);
    // SAFETY: the kernel reads one `int` at the address, which is that of a local, and keeps nothing.
    let result = unsafe {
        syscall(SYS_SCHED_SETSCHEDULER, 0 as c_int, policy, std::ptr::from_ref(&priority))
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
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

/// Loads what runs after a crash, piece by piece. `entry` is a physical address.
///
/// # Errors
/// What the running kernel says.
pub(crate) fn kexec_load_on_crash(entry: u64, segments: &[Segment<'_>]) -> io::Result<()> {
    let count = c_ulong::try_from(segments.len()).map_err(io::Error::other)?;
    // SAFETY: `segments` are `count` of `struct kexec_segment`, each with a pointer to content that
    // it borrows and that is as long as it says. The kernel makes copies and keeps no reference.
    let result = unsafe {
        syscall(SYS_KEXEC_LOAD, entry, count, segments.as_ptr(), KEXEC_ON_CRASH | KEXEC_ARCH_X86_64)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Numbers of `ioctl` and of two requests to `/dev/urandom` (include/uapi/linux/random.h).
const SYS_IOCTL: c_long = 16;
const RNDADDENTROPY: c_ulong = 0x4008_5203;
const RNDRESEEDCRNG: c_ulong = 0x5207;

/// Mixes bytes into the kernel's random pool and counts them as random.
///
/// # Errors
/// What the running kernel says.
pub(crate) fn add_entropy(random: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    // struct rand_pool_info: bits, bytes, content.
    let length = c_int::try_from(bytes.len()).map_err(io::Error::other)?;
    let bits = length.checked_mul(8).ok_or(io::ErrorKind::InvalidInput)?;
    let mut info = Vec::with_capacity(8 + bytes.len());
    info.extend(bits.to_ne_bytes());
    info.extend(length.to_ne_bytes());
    info.extend(bytes);
    // SAFETY: the descriptor is open during the call; `info` is a `struct rand_pool_info` with as
    // much content as it says. The kernel copies bytes, whatever their alignment.
    let result = unsafe { syscall(SYS_IOCTL, random.as_raw_fd(), RNDADDENTROPY, info.as_ptr()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes the kernel's generator use its pool now.
///
/// # Errors
/// What the running kernel says.
pub(crate) fn reseed(random: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the descriptor is open during the call, which takes no argument.
    let result = unsafe { syscall(SYS_IOCTL, random.as_raw_fd(), RNDRESEEDCRNG, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
