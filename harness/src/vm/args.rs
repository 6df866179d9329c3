// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's command line, by small pure functions that each return some arguments.
//!
//! Everything that is not the kernel is handed over as an open descriptor: no socket and no disk
//! has a name that could be left behind, and two runs cannot take each other's.

use std::os::fd::RawFd;
use std::path::Path;

use crate::events::Accel;
use crate::vm::Spec;
use protocol::MODULES_DISK;

/// File sets (`-add-fd`) by number.
const VMCORE_SET: u32 = 1;
const DMESG_SET: u32 = 2;
const CASE_SET: u32 = 4;
const MODULES_SET: u32 = 5;
/// The file set that QEMU's own dump goes to.
pub(crate) const DUMP_SET: u32 = 3;

/// Numbers of the descriptors that QEMU inherits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Descriptors {
    pub(crate) console: RawFd,
    pub(crate) agent: RawFd,
    pub(crate) qmp: RawFd,
    pub(crate) initrd: RawFd,
    pub(crate) vmcore: RawFd,
    pub(crate) dmesg: RawFd,
    pub(crate) dump: RawFd,
    pub(crate) ram: Option<RawFd>,
    pub(crate) case: Option<RawFd>,
    pub(crate) modules: Option<RawFd>,
}

impl Descriptors {
    pub(crate) fn all(self) -> Vec<RawFd> {
        let fds =
            [self.console, self.agent, self.qmp, self.initrd, self.vmcore, self.dmesg, self.dump];
        fds.into_iter().chain(self.ram).chain(self.case).chain(self.modules).collect()
    }

    /// What each one is, for the reader of `qemu.txt`.
    fn legend(self) -> String {
        let disks = match self.ram {
            Some(ram) => {
                let case = self.case.map_or(String::new(), |case| format!(", {case} case disk"));
                format!("{ram} RAM{case}")
            }
            None => format!("{} vmcore disk, {} dmesg disk", self.vmcore, self.dmesg),
        };
        let modules = self.modules.map_or(String::new(), |fd| format!(", {fd} modules disk"));
        format!(
            "# descriptors: {} console, {} agent, {} QMP (socket pairs), {} initramfs, \
             {disks}{modules}, {} QMP dump\n",
            self.console, self.agent, self.qmp, self.initrd, self.dump
        )
    }
}

/// The arguments of QEMU for a machine.
pub(crate) fn arguments(spec: &Spec<'_>, fds: Descriptors) -> Vec<String> {
    let mut arguments = base();
    arguments.extend(cpu_and_memory(spec));
    arguments.extend(boot(spec, fds));
    arguments.extend(channels(fds));
    match fds.ram {
        Some(ram) => {
            arguments.extend(shared_ram(spec, ram));
            arguments.extend(
                fds.case.iter().flat_map(|case| disk(protocol::CASE_DISK, *case, CASE_SET)),
            );
            if spec.ram.is_some_and(|ram| ram.incoming) {
                arguments.extend(words(&["-incoming", "defer"]));
            }
        }
        None => {
            arguments.extend(disk(protocol::VMCORE_DISK, fds.vmcore, VMCORE_SET));
            arguments.extend(disk(protocol::DMESG_DISK, fds.dmesg, DMESG_SET));
        }
    }
    arguments.extend(fds.modules.iter().flat_map(|fd| read_only(MODULES_DISK, *fd, MODULES_SET)));
    arguments.extend(words(&["-add-fd", &format!("fd={},set={DUMP_SET}", fds.dump)]));
    arguments
}

/// A machine with nothing in it but what follows, that stands still when the guest panics, resets
/// it or switches it off: a kernel that dies without a dump leaves its memory to QEMU's own dump.
fn base() -> Vec<String> {
    words(&[
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-action",
        "panic=pause,reboot=shutdown,shutdown=pause",
        "-machine",
        "pc",
        // Tells the guest where to put VMCOREINFO for QEMU's own dump.
        "-device",
        "vmcoreinfo",
        "-device",
        "pvpanic-pci",
    ])
}

/// RAM in a file, and the port that stops the machine when the crash stub writes to it.
fn shared_ram(spec: &Spec<'_>, ram: RawFd) -> Vec<String> {
    let memory = spec.memory_bytes >> 20;
    words(&[
        "-object",
        &format!("memory-backend-file,id=ram,size={memory}M,mem-path=/proc/self/fd/{ram},share=on"),
        "-machine",
        "memory-backend=ram",
        "-device",
        "pvpanic,ioport=0x505",
    ])
}

/// Emulated, a string instruction copies byte by byte: kernels and C libraries that see ERMS use
/// them for whole pages, and copying memory into the vmcore took twice as long.
const TCG_CPU: &str = "max,-erms,-fsrm";

fn cpu_and_memory(spec: &Spec<'_>) -> Vec<String> {
    let (accel, cpu) = match spec.accel {
        Accel::Kvm => ("kvm", "max"),
        Accel::Tcg => ("tcg,thread=multi", TCG_CPU),
    };
    let memory = format!("{}M", spec.memory_bytes >> 20);
    words(&["-accel", accel, "-cpu", cpu, "-smp", &spec.cpus.to_string(), "-m", &memory])
}

fn boot(spec: &Spec<'_>, fds: Descriptors) -> Vec<String> {
    words(&[
        "-kernel",
        &spec.kernel.to_string_lossy(),
        "-initrd",
        &format!("/proc/self/fd/{}", fds.initrd),
        "-append",
        &spec.command_line,
    ])
}

fn channels(fds: Descriptors) -> Vec<String> {
    let socket = |id: &str, fd: RawFd| format!("socket,id={id},fd={fd}");
    words(&[
        "-chardev",
        &socket("console", fds.console),
        "-serial",
        "chardev:console",
        "-chardev",
        &socket("qmp", fds.qmp),
        "-mon",
        "chardev=qmp,mode=control",
        "-chardev",
        &socket("agent", fds.agent),
        "-device",
        "virtio-serial-pci",
        // The id makes QEMU tell when the guest opens and closes the port.
        "-device",
        &format!("virtserialport,id=agent,chardev=agent,name={}", protocol::PORT),
    ])
}

/// A raw disk that the guest finds by its serial number. A write error goes to the guest, where
/// makedumpfile ends with it; the default would stop the machine when the host's disk is full.
fn disk(serial: &str, fd: RawFd, set: u32) -> Vec<String> {
    words(&[
        "-add-fd",
        &format!("fd={fd},set={set}"),
        "-blockdev",
        &format!(
            "driver=raw,node-name={serial},cache.no-flush=on,discard=unmap,file.driver=file,\
             file.filename=/dev/fdset/{set},file.locking=off,file.cache.no-flush=on,\
             file.discard=unmap"
        ),
        "-device",
        &format!("virtio-blk-pci,drive={serial},serial={serial},werror=report,rerror=report"),
    ])
}

/// A raw disk that the guest can only read.
fn read_only(serial: &str, fd: RawFd, set: u32) -> Vec<String> {
    words(&[
        "-add-fd",
        &format!("fd={fd},set={set}"),
        "-blockdev",
        &format!(
            "driver=raw,node-name={serial},read-only=on,file.driver=file,\
             file.filename=/dev/fdset/{set},file.locking=off"
        ),
        "-device",
        &format!("virtio-blk-pci,drive={serial},serial={serial},rerror=report"),
    ])
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A command line for `qemu.txt` and `--dry-run`: what each descriptor is, then the command.
pub(crate) fn describe(program: &Path, spec: &Spec<'_>, fds: Descriptors) -> String {
    let command = command_line(program, &arguments(spec, fds));
    format!("{}{command}\n", fds.legend())
}

/// A command line quoted for a shell, one option a line.
#[must_use]
pub fn command_line(program: &Path, arguments: &[String]) -> String {
    let mut line = quoted(&program.to_string_lossy());
    for argument in arguments {
        line.push_str(if argument.starts_with('-') { " \\\n  " } else { " " });
        line.push_str(&quoted(argument));
    }
    line
}

/// A word as a POSIX shell reads it back.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_reads_them() {
        assert_eq!(quoted("a=b,c"), "a=b,c");
        assert_eq!(quoted("console=ttyS0 quiet"), "'console=ttyS0 quiet'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        let shell = std::process::Command::new("sh")
            .args(["-c", &format!("printf %s {}", quoted("a 'b' $c \\ \"d\"\n;"))])
            .output()
            .unwrap();
        assert_eq!(shell.stdout, b"a 'b' $c \\ \"d\"\n;");
    }
}
