// SPDX-License-Identifier: MIT OR Apache-2.0
//! The root file systems of a guest: of the kernel under test and of its capture kernel.
//!
//! Both hold the same PID 1 (`guests/init`, built and embedded by `build.rs`) and the drivers it
//! loads first. The first one holds the second one, together with the kernel, for kdump, and what a
//! case wants in its guest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use guest::{GuestFile, GuestFiles};

use crate::module_disk::{ModuleDisk, ModuleDiskError};
use archive::Archive;

mod archive;
mod exec_paths;

pub use exec_paths::{EXEC_MODULES, EXEC_PATHS, exec_paths};

/// PID 1 of every guest: a static x86-64 program.
static INIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest-init.bin"));

/// Folder of a case's files in the guest.
pub const CASE_FOLDER: &str = "/case";

/// Where the guest looks for what it needs.
const INIT_PATH: &str = "/init";
const DRIVER_LIST: &str = "/etc/repro/modules";
const DRIVER_FOLDER: &str = "/lib/repro";
const CAPTURE_KERNEL: &str = "/kexec/vmlinuz";
const CAPTURE_INITRD: &str = "/kexec/initrd";
const MAKEDUMPFILE: &str = "/bin/makedumpfile";
const BUSYBOX: &str = "/bin/busybox";
const KEXEC: &str = "/bin/kexec";
/// The guest's modprobe(8).
pub(crate) const MODPROBE: &str = "/sbin/modprobe";

/// The port and the disks.
const DRIVERS: [&str; 3] = ["virtio_pci", "virtio_console", "virtio_blk"];
/// What a dump by QEMU needs when kdump fails: VMCOREINFO for QEMU and the news of a panic.
const OPTIONAL_DRIVERS: [&str; 3] = ["qemu_fw_cfg", "pvpanic", "pvpanic_pci"];

/// Programs of busybox that a trigger may use by name. Only names: one that a busybox does not
/// have says so when it is called.
const APPLETS: [&str; 56] = [
    "[", "ash", "awk", "base64", "basename", "cat", "chmod", "chroot", "cp", "cut", "date", "dd",
    "dmesg", "echo", "env", "expr", "false", "find", "free", "grep", "head", "hostname", "id",
    "insmod", "kill", "ln", "ls", "lsmod", "mkdir", "mknod", "mktemp", "mount", "mv", "nice",
    "nohup", "ps", "pwd", "readlink", "rm", "rmdir", "rmmod", "sed", "seq", "sh", "sleep", "sort",
    "sync", "tail", "test", "timeout", "touch", "tr", "true", "umount", "usleep", "wc",
];

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// Its path below [`CASE_FOLDER`], or an absolute one.
    pub name: String,
    /// What is there.
    pub content: CaseContent,
}

/// What is at a path of a case's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseContent {
    /// A copy of a file of the host.
    Copy(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
    /// A symbolic link to another path of the guest.
    Link(String),
}

impl CaseFile {
    /// A copy of a file of the host.
    #[must_use]
    pub const fn at(name: String, path: PathBuf) -> Self {
        Self { name, content: CaseContent::Copy(path) }
    }
}

/// Why an initramfs cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitramfsError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The kernel's modules lack one that the guest needs.
    #[error("the guest's kernel has no module {name}, which the harness needs to reach the guest")]
    NoDriver {
        /// Name of the module.
        name: String,
    },
    /// The disk with the kernel's modules is of no use.
    #[error(transparent)]
    Modules(#[from] ModuleDiskError),
    /// A path in the guest that is not absolute text.
    #[error("`{path}` is no path in a guest")]
    BadPath {
        /// The path.
        path: PathBuf,
    },
    /// A file of 4 GiB or more.
    #[error("a file is too large for an initramfs")]
    TooLarge(#[source] io::Error),
}

/// The initramfs of the kernel under test, as a cpio archive; with `kdump` the capture kernel and
/// its own are in it.
///
/// # Errors
/// A file of the guest or the case cannot be read, the kernel lacks a driver.
pub fn first(
    guest: &GuestFiles,
    modules: &ModuleDisk,
    kdump: bool,
    case: &[CaseFile],
) -> Result<Vec<u8>, InitramfsError> {
    let mut archive = base(modules, &OPTIONAL_DRIVERS)?;
    archive.program(BUSYBOX, read(&guest.busybox.host)?);
    // The kernel starts it by this name.
    archive.link(MODPROBE, INIT_PATH);
    for applet in APPLETS {
        archive.link(&format!("/bin/{applet}"), "busybox");
    }
    if kdump {
        archive.file(CAPTURE_KERNEL, read(&guest.vmlinuz)?);
        archive.file(CAPTURE_INITRD, capture(guest, modules)?);
        if let [program, libraries @ ..] = guest.kexec.as_slice()
            && !loads_kernels(&guest.build_dir)
        {
            archive.program(KEXEC, read(&program.host)?);
            add_libraries(&mut archive, libraries)?;
        }
    }
    add_case(&mut archive, case)?;
    archive.to_bytes().map_err(InitramfsError::TooLarge)
}

/// The files of a case alone, as a cpio archive for a guest that was started without them.
///
/// # Errors
/// A file cannot be read.
pub fn case(case: &[CaseFile]) -> Result<Vec<u8>, InitramfsError> {
    let mut archive = Archive::default();
    add_case(&mut archive, case)?;
    archive.to_bytes().map_err(InitramfsError::TooLarge)
}

fn add_case(archive: &mut Archive, case: &[CaseFile]) -> Result<(), InitramfsError> {
    archive.folder(CASE_FOLDER);
    for file in case {
        let path = match file.name.starts_with('/') {
            true => file.name.clone(),
            false => format!("{CASE_FOLDER}/{}", file.name),
        };
        match &file.content {
            CaseContent::Copy(host) => archive.program(&path, read(host)?),
            CaseContent::Bytes(bytes) => archive.program(&path, bytes.clone()),
            CaseContent::Link(target) => archive.link(&path, target),
        }
    }
    Ok(())
}

/// The initramfs of the capture kernel, as a cpio archive. It has no shell: memory is scarce.
///
/// # Errors
/// A file of the guest cannot be read, the kernel lacks a driver.
pub fn capture(guest: &GuestFiles, modules: &ModuleDisk) -> Result<Vec<u8>, InitramfsError> {
    let mut archive = base(modules, &[])?;
    archive.program(MAKEDUMPFILE, read(&guest.makedumpfile.host)?);
    add_libraries(&mut archive, &guest.libraries)?;
    archive.to_bytes().map_err(InitramfsError::TooLarge)
}

/// Puts libraries where programs look for them.
fn add_libraries(archive: &mut Archive, libraries: &[GuestFile]) -> Result<(), InitramfsError> {
    for GuestFile { host, guest } in libraries {
        let path = guest.to_str().filter(|path| path.starts_with('/'));
        let path = path.ok_or_else(|| InitramfsError::BadPath { path: guest.clone() })?;
        archive.program(path, read(host)?);
    }
    Ok(())
}

/// Whether the kernel loads a capture kernel by itself (`kexec_file_load`), as far as its
/// configuration tells.
fn loads_kernels(build_dir: &Path) -> bool {
    let config = fs::read_to_string(build_dir.join(".config")).unwrap_or_default();
    config.lines().any(|line| line == "CONFIG_KEXEC_FILE=y")
}

/// What both have: PID 1, its drivers, folders to mount on.
fn base(modules: &ModuleDisk, optional: &[&str]) -> Result<Archive, InitramfsError> {
    let mut archive = Archive::default();
    archive.program(INIT_PATH, INIT.to_vec());
    for folder in ["/dev", "/proc", "/sys", "/tmp", "/run"] {
        archive.folder(folder);
    }
    // PID 1 has no standard output without it, until it has mounted devtmpfs.
    archive.device("/dev/console", 5, 1);
    archive.device("/dev/null", 1, 3);
    let mut list = String::new();
    for driver in drivers(modules, optional)? {
        let path = format!("{DRIVER_FOLDER}/{driver}.ko");
        let Some(content) = modules.module(&driver)? else { continue };
        list.push_str(&path);
        list.push('\n');
        archive.file(&path, content);
    }
    archive.file(DRIVER_LIST, list.into_bytes());
    Ok(archive)
}

/// The drivers and all they depend on, each after what it needs. What is built into the kernel is left
/// out; of `optional` also what this kernel does not have.
fn drivers(modules: &ModuleDisk, optional: &[&str]) -> Result<Vec<String>, InitramfsError> {
    let index = modules.index();
    let there = |name: &&&str| index.modules.contains_key(**name);
    let mut all: Vec<String> = Vec::new();
    for name in DRIVERS.iter().chain(optional.iter().filter(there)) {
        let order = index.order(name).map_err(|name| InitramfsError::NoDriver { name })?;
        for driver in order {
            if !all.iter().any(|known| known == driver) {
                all.push(driver.to_owned());
            }
        }
    }
    Ok(all)
}

fn read(path: &Path) -> Result<Vec<u8>, InitramfsError> {
    fs::read(path).map_err(|source| InitramfsError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
