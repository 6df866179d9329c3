// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest is made of once it is fetched.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{FetchError, Manifest, Store};

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
    /// Major version of the GCC the kernel was compiled with.
    pub gcc_major: Option<u32>,
    /// `makedumpfile`.
    pub makedumpfile: GuestFile,
    /// The program loader and shared libraries that `makedumpfile` needs.
    pub libraries: Vec<GuestFile>,
    /// A static busybox.
    pub busybox: GuestFile,
    /// The packages all this came from, by name.
    pub packages: Vec<Package>,
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

/// What [`fetch`] is doing.
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

/// A step of [`fetch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Asking the archive what there is.
    Lists,
    /// Getting packages.
    Download,
    /// Unpacking them.
    Extract,
}

/// Brings a guest's files into the store; with everything there it takes milliseconds.
///
/// `progress` is called several times a second; when it breaks, the work ends with
/// [`FetchError::Cancelled`].
///
/// # Errors
/// The archive cannot be reached or lacks what the guest needs, a signature or checksum is wrong,
/// the cache cannot be written.
pub fn fetch(
    manifest: &Manifest,
    store: &Store,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<GuestFiles, FetchError> {
    let _ = (store, progress, Path::new("/"));
    Err(FetchError::NoKernel { guest: manifest.name.clone(), why: "not written yet".into() })
}
