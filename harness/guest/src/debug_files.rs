// SPDX-License-Identifier: MIT OR Apache-2.0
//! The debug information of one kernel of a guest's repositories, for a dump from elsewhere: nothing else of the
//! guest is fetched, so that a kernel whose other packages are gone will do.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::apt::Apt;
use crate::apt_source::AptSource;
use crate::fetch::{FETCH_LOCK, locked, watched};
use crate::files::Progress;
use crate::manifest::{Manifest, Source};
use crate::meter::Meter;
use crate::plan::{take_vmlinux, vmlinux_of};
use crate::rpm::{self, RpmSource};
use crate::store::{Lock, Store, record_names};
use crate::{FetchError, store};

/// How records of such kernels are called.
const RECORD: &str = "debug-";

/// The debug information of a kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebugFiles {
    /// The kernel's release, as `uname -r` prints it.
    pub release: String,
    /// The kernel with symbols and debug information.
    pub vmlinux: PathBuf,
    /// Hash of the package that it came from, which has that of its modules too and is in the cache.
    pub package: Option<String>,
}

/// Brings the debug information of the kernel that the guest's file names by its release.
///
/// `progress` is called several times a second; when it breaks, the work ends with
/// [`FetchError::Cancelled`].
///
/// # Errors
/// The archive cannot be reached or does not have it, a signature or checksum is wrong, the cache cannot be written.
pub fn debug_files(
    manifest: &Manifest,
    store: &Store,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<DebugFiles, FetchError> {
    let lock = locked(store, FETCH_LOCK, progress)?;
    let meter = Meter::default();
    let files = watched(&meter, progress, || match &manifest.source {
        Source::Apt(source) => from_apt(manifest, source, &lock, &meter),
        Source::Rpm(source) => from_rpm(manifest, source, &lock, &meter),
        Source::Imported(_) => Err(FetchError::NotImported { guest: manifest.name.clone() }),
    })?;
    let inside = |path: &Path| path.strip_prefix(store.root()).unwrap_or(path).to_owned();
    let kept = DebugFiles { vmlinux: inside(&files.vmlinux), ..files.clone() };
    lock.write_record(&format!("{RECORD}{}", files.release), &kept)?;
    Ok(files)
}

/// What was brought of a release earlier, whatever for.
pub(super) fn kept_debug_files(root: &Path, release: &str) -> Vec<DebugFiles> {
    let names = record_names(root).into_iter().filter(|name| name.starts_with(RECORD));
    let records = names.filter_map(|name| store::record::<DebugFiles>(root, &name));
    records
        .filter(|files| files.release == release)
        .map(|files| DebugFiles { vmlinux: root.join(&files.vmlinux), ..files })
        .filter(|files| files.vmlinux.is_file())
        .collect()
}

fn from_apt(
    manifest: &Manifest,
    source: &AptSource,
    lock: &Lock<'_>,
    meter: &Meter,
) -> Result<DebugFiles, FetchError> {
    let release = source.kernel.release.clone().unwrap_or_default();
    let apt = Apt::open(lock, source.place(), manifest.arch.of_debian(), meter)?;
    apt.update()?;
    let name = format!("linux-image-{release}-dbg");
    let records = apt.records(std::slice::from_ref(&name))?;
    let record = records.first().ok_or_else(|| FetchError::NoPackage {
        suite: apt.suite().to_owned(),
        package: name.clone(),
    })?;
    let vmlinux = vmlinux_of(lock.store(), record, &release);
    if !vmlinux.is_file() {
        meter.to_download.store(record.size, Ordering::Relaxed);
        meter.to_extract.store(record.size, Ordering::Relaxed);
        take_vmlinux(&apt, lock, record, &release)?;
    }
    Ok(DebugFiles { release, vmlinux, package: Some(record.sha256.clone()) })
}

fn from_rpm(
    manifest: &Manifest,
    source: &RpmSource,
    lock: &Lock<'_>,
    meter: &Meter,
) -> Result<DebugFiles, FetchError> {
    let arch = manifest.arch.of_rpm();
    let repositories = rpm::Repositories::open(lock, &manifest.name, source, arch, meter)?;
    rpm::bring_debug(&repositories, &manifest.name, &source.kernel)
}
