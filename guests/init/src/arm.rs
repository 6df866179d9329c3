// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loading the capture kernel, as a server's kdump service does.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;

use rustix::io::Errno;

use crate::stub;
use crate::{syscall, sysctl};
use protocol::Memory;

const KERNEL: &str = "/kexec/vmlinuz";
const INITRD: &str = "/kexec/initrd";
/// kexec(8), where the guest has it: it puts the pieces of a capture kernel together itself.
const KEXEC: &str = "/bin/kexec";
const RESERVED: &str = "/sys/kernel/kexec_crash_size";
const LOADED: &str = "/sys/kernel/kexec_crash_loaded";

/// Loads the capture kernel and makes an oops enter it: by `file` (`kexec_file_load`) or by
/// `memory` (`kexec_load`, which all kernels with kdump have). A kernel without the first one is
/// loaded by the second, as the kdump service of its distribution does it.
///
/// # Errors
/// In words: nothing reserved, the kernel refuses the image or cannot load any.
pub(crate) fn arm(method: &str, command_line: &str) -> Result<String, String> {
    if !["file", "memory"].contains(&method) {
        return Err(format!("no method `{method}`: there are `file`, `memory` and `stub`"));
    }
    let reserved = reserved_bytes()?;
    let how = match method {
        "file" => match by_file(command_line)? {
            Ok(()) => "kexec_file_load",
            Err(error) if is_unknown_call(&error) && Path::new(KEXEC).exists() => {
                by_memory(command_line)?
            }
            Err(error) => return Err(refused(&error, reserved)),
        },
        _ => by_memory(command_line)?,
    };
    loaded()?;
    Ok(format!("by {how}, {} MiB reserved", reserved >> 20))
}

/// Loads the crash stub instead and makes an oops enter it.
///
/// # Errors
/// In words, as of [`arm`].
pub(crate) fn stub() -> Result<Memory, String> {
    reserved_bytes()?;
    let memory = stub::load()?;
    loaded()?;
    Ok(memory)
}

/// Looks whether the kernel has something to enter, and makes an oops enter it.
fn loaded() -> Result<(), String> {
    match fs::read_to_string(LOADED) {
        Ok(text) if text.trim() == "1" => {}
        Ok(text) => return Err(format!("loaded, but {LOADED} is {}", text.trim())),
        Err(error) => return Err(format!("cannot read {LOADED}: {error}")),
    }
    // Without it an oops only ends the task it happened in.
    sysctl::set("kernel.panic_on_oops", "1")
}

/// Lets the kernel load the capture kernel; the inner result is what it says.
fn by_file(command_line: &str) -> Result<io::Result<()>, String> {
    let command_line = CString::new(command_line)
        .map_err(|_| "the capture kernel's command line holds a zero byte".to_owned())?;
    let open = |path| File::open(path).map_err(|error| format!("cannot open {path}: {error}"));
    let (kernel, initrd) = (open(KERNEL)?, open(INITRD)?);
    Ok(syscall::kexec_file_load_on_crash(kernel.as_fd(), initrd.as_fd(), &command_line))
}

fn is_unknown_call(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::NOSYS)
}

/// Lets kexec(8) load it by `kexec_load`.
fn by_memory(command_line: &str) -> Result<&'static str, String> {
    let output = Command::new(KEXEC)
        .args(["--load-panic", "--kexec-syscall"])
        .args([format!("--command-line={command_line}"), format!("--initrd={INITRD}")])
        .arg(KERNEL)
        .output()
        .map_err(|error| format!("cannot run {KEXEC}, which kexec_load needs: {error}"))?;
    if output.status.success() {
        return Ok("kexec_load");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    Err(format!("kexec ended with {}: {last}", output.status))
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
