// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loading the capture kernel, as a server's kdump service does.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;

use crate::{syscall, sysctl};

const KERNEL: &str = "/kexec/vmlinuz";
const INITRD: &str = "/kexec/initrd";
const RESERVED: &str = "/sys/kernel/kexec_crash_size";
const LOADED: &str = "/sys/kernel/kexec_crash_loaded";

/// Loads the capture kernel and makes an oops enter it.
///
/// # Errors
/// In words: nothing reserved, the kernel refuses the image or cannot load any.
pub(crate) fn arm(method: &str, command_line: &str) -> Result<String, String> {
    if method != "file" {
        return Err(format!("no method `{method}`: this init loads by `file` (kexec_file_load)"));
    }
    let reserved = reserved_bytes()?;
    let command_line = CString::new(command_line)
        .map_err(|_| "the capture kernel's command line holds a zero byte".to_owned())?;
    let open = |path| File::open(path).map_err(|error| format!("cannot open {path}: {error}"));
    let (kernel, initrd) = (open(KERNEL)?, open(INITRD)?);
    syscall::kexec_file_load_on_crash(kernel.as_fd(), initrd.as_fd(), &command_line)
        .map_err(|error| refused(&error, reserved))?;
    match fs::read_to_string(LOADED) {
        Ok(text) if text.trim() == "1" => {}
        Ok(text) => return Err(format!("loaded, but {LOADED} is {}", text.trim())),
        Err(error) => return Err(format!("cannot read {LOADED}: {error}")),
    }
    // Without it an oops only ends the task it happened in.
    sysctl::set("kernel.panic_on_oops", "1")?;
    Ok(format!("{} MiB reserved", reserved >> 20))
}

/// Memory kept for the capture kernel.
fn reserved_bytes() -> Result<u64, String> {
    let text = fs::read_to_string(RESERVED).map_err(|error| {
        format!("cannot read {RESERVED}: {error}: this kernel is built without kdump")
    })?;
    match text.trim().parse() {
        Ok(0) => Err("no memory is reserved for a capture kernel: no crashkernel= on the command \
                      line, or no room for it"
            .to_owned()),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(format!("{RESERVED} is `{}`: {error}", text.trim())),
    }
}

fn refused(error: &io::Error, reserved: u64) -> String {
    let hint = match Errno::from_io_error(error) {
        Some(Errno::NOSYS) => ": this kernel has no kexec_file_load",
        Some(Errno::PERM) => ": locked down, or kexec_load_disabled is set",
        Some(Errno::NOEXEC) => ": it does not take the file for a kernel",
        Some(Errno::ADDRNOTAVAIL | Errno::NOMEM) => ": too little memory is reserved",
        Some(Errno::BUSY) => ": another kexec is under way",
        Some(Errno::KEYREJECTED | Errno::NOKEY) => ": the kernel's signature is not accepted",
        _ => "",
    };
    format!("kexec_file_load with {} MiB reserved: {error}{hint}", reserved >> 20)
}
