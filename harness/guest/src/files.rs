// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest is made of once it is fetched.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The files of one guest, all inside the cache and read-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestFiles {
    /// The kernel's release, as `uname -r` prints it.
    pub release: String,
    /// The bootable kernel.
    pub vmlinuz: PathBuf,
    /// The kernel with symbols and debug information.
    pub vmlinux: PathBuf,
    /// `…/lib/modules/<release>`.
    pub modules_dir: PathBuf,
    /// The folder for `make -C`.
    pub build_dir: PathBuf,
    /// The root folder of the system that modules are built in; none for this machine's.
    #[serde(default)]
    pub build_root: Option<PathBuf>,
    /// Major version of the GCC the kernel was compiled with.
    pub gcc_major: Option<u32>,
    /// `makedumpfile`.
    pub makedumpfile: GuestFile,
    /// The program loader and shared libraries that `makedumpfile` needs.
    pub libraries: Vec<GuestFile>,
    /// A static busybox.
    pub busybox: GuestFile,
    /// kexec(8), then the loader and libraries that it needs, for kernels that load no capture kernel by
    /// themselves; empty where the guest's file does not ask for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kexec: Vec<GuestFile>,
    /// Hash of the package with the debug information of the kernel and its modules, which the cache
    /// keeps; none where the files came without.
    #[serde(default)]
    pub debug_package: Option<String>,
    /// The packages all this came from, by name.
    pub packages: Vec<Package>,
    /// What the user should know: that the archive could not be asked for newer packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl GuestFiles {
    /// The same with every host path changed.
    pub(super) fn map_paths(mut self, change: impl Fn(&Path) -> PathBuf) -> Self {
        let files = [&mut self.makedumpfile, &mut self.busybox];
        for file in files.into_iter().chain(&mut self.libraries).chain(&mut self.kexec) {
            file.host = change(&file.host);
        }
        let folders = [&mut self.modules_dir, &mut self.build_dir];
        let folders = folders.into_iter().chain(&mut self.build_root);
        for path in folders.chain([&mut self.vmlinuz, &mut self.vmlinux]) {
            *path = change(path);
        }
        self
    }

    /// Whether all of it is there.
    pub(super) fn exist(&self) -> bool {
        let mut files = vec![&self.vmlinuz, &self.vmlinux, &self.busybox.host];
        files.push(&self.makedumpfile.host);
        files.extend(self.libraries.iter().chain(&self.kexec).map(|file| &file.host));
        files.iter().all(|file| file.is_file())
            && self.modules_dir.is_dir()
            && self.build_dir.is_dir()
            && self.build_root.as_ref().is_none_or(|root| root.is_dir())
    }
}

/// A file for the guest's root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestFile {
    /// Where it is on the host.
    pub host: PathBuf,
    /// Absolute path it has in the guest.
    pub guest: PathBuf,
}

/// A distribution's package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Name, without architecture.
    pub name: String,
    /// Version as the distribution writes it.
    pub version: String,
    /// Hash of the package file, in hex.
    pub sha256: String,
}

/// What [`fetch`](super::fetch()) is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The step.
    pub phase: Phase,
    /// What it works on: a suite, a package.
    pub what: String,
    /// Bytes done so far.
    pub done: u64,
    /// Bytes in all, where known.
    pub total: Option<u64>,
}

/// A step of [`fetch`](super::fetch()).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for another run that changes the cache.
    Waiting,
    /// Asking the archive what there is.
    Lists,
    /// Getting packages.
    Download,
    /// Unpacking them.
    Extract,
}
