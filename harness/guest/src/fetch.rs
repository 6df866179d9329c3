// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fetching of a guest, and the record that spares the next run from it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::FetchError;
use super::apt::Apt;
use super::apt_source::AptSource;
use super::files::{GuestFiles, Phase, Progress};
use super::manifest::{Manifest, Source};
use super::meter::Meter;
use super::plan::Plan;
use super::rpm::{self, RpmSource};
use super::store::{Lock, Store};
use super::tools::Tools;

/// How often the caller hears of progress.
const TICK: Duration = Duration::from_millis(100);
/// How long the archive is not asked again.
pub(super) const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// How names of trees begin that are made without this module's lock.
pub const BUILDS: &str = "build-";

/// What an earlier run decided a guest is made of.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// The part of the guest's file it was decided for.
    source: Source,
    /// Seconds since 1970.
    decided_at: u64,
    /// With host paths relative to the cache, so that it may be moved.
    files: GuestFiles,
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
    let imported = matches!(manifest.source, Source::Imported(_));
    if let Some(files) = recorded(manifest, store, store.offline() || imported) {
        return Ok(files);
    }
    if imported {
        return Err(FetchError::NotImported { guest: manifest.name.clone() });
    }
    if store.offline() {
        let (guest, cache) = (manifest.name.clone(), store.root().to_owned());
        return Err(FetchError::Offline { guest, cache });
    }
    let lock = locked(store, FETCH_LOCK, progress)?;
    // Another run may have fetched it while this one waited.
    if let Some(files) = recorded(manifest, store, false) {
        return Ok(files);
    }
    let meter = Meter::default();
    let files = watched(&meter, progress, || work(manifest, &lock, &meter));
    match (files, recorded(manifest, store, true)) {
        (Err(error), Some(mut files)) if error.is_of_site() && !store.refresh() => {
            files.notes.push(format!("packages of an earlier run are used, because {error}"));
            Ok(files)
        }
        (files, _) => files,
    }
}

/// What an earlier run decided, unless that was too long ago (`any_age` takes it then too).
fn recorded(manifest: &Manifest, store: &Store, any_age: bool) -> Option<GuestFiles> {
    if store.refresh() && !any_age {
        return None;
    }
    let record: Record = store.record(&record_name(manifest))?;
    // A record from the future is as good as none: some clock was wrong.
    let fresh = now().checked_sub(record.decided_at).is_some_and(|age| age < FRESH.as_secs());
    // Which packages a kernel named of a repository has does not change.
    let named = matches!(manifest.source, Source::Rpm(_)) && manifest.source.release().is_some();
    let usable = record.source == manifest.source && (fresh || any_age || named);
    let files = usable.then(|| record.files.map_paths(|path| store.root().join(path)))?;
    files.exist().then_some(files)
}

/// A kernel that was asked for by name has a record of its own.
fn record_name(manifest: &Manifest) -> String {
    let release = manifest.source.release().map(|release| format!("-{release}"));
    format!("guest-{}{}", manifest.name, release.unwrap_or_default())
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The lock that all hold that fetch.
pub(super) const FETCH_LOCK: &str = "fetch";

/// A lock of the cache, waited for as long as another run has it and `progress` goes on.
pub(super) fn locked<'s>(
    store: &'s Store,
    name: &str,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Lock<'s>, FetchError> {
    let waiting =
        Progress { phase: Phase::Waiting, what: "another run".into(), done: 0, total: None };
    Ok(store.lock(name, &mut || progress(waiting.clone()).is_continue())?)
}

/// Runs `work` in a thread of its own while the caller's thread shows how far it is.
pub(super) fn watched<T: Send>(
    meter: &Meter,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    work: impl FnOnce() -> Result<T, FetchError> + Send,
) -> Result<T, FetchError> {
    std::thread::scope(|scope| {
        let (finished, wait) = channel::<()>();
        let worker = scope.spawn(move || {
            // Dropped at the end of this thread, however it ends.
            let _finished = finished;
            work()
        });
        while wait.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            if progress(meter.progress()).is_break() {
                meter.cancel();
            }
        }
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn work(manifest: &Manifest, lock: &Lock<'_>, meter: &Meter) -> Result<GuestFiles, FetchError> {
    lock.sweep(&[BUILDS]);
    let files = match &manifest.source {
        Source::Apt(source) => from_apt(manifest, source, lock, meter)?,
        Source::Rpm(source) => from_rpm(manifest, source, lock, meter)?,
        Source::Imported(_) => {
            return Err(FetchError::NotImported { guest: manifest.name.clone() });
        }
    };
    keep_record(manifest, lock, &files)?;
    Ok(files)
}

/// Notes what a guest is made of.
pub(super) fn keep_record(
    manifest: &Manifest,
    lock: &Lock<'_>,
    files: &GuestFiles,
) -> Result<(), FetchError> {
    let store = lock.store();
    let relative = |path: &Path| path.strip_prefix(store.root()).unwrap_or(path).to_owned();
    let record = Record {
        source: manifest.source.clone(),
        decided_at: now(),
        files: files.clone().map_paths(relative),
    };
    Ok(lock.write_record(&record_name(manifest), &record)?)
}

fn from_apt(
    manifest: &Manifest,
    source: &AptSource,
    lock: &Lock<'_>,
    meter: &Meter,
) -> Result<GuestFiles, FetchError> {
    let apt = Apt::open(lock, source.place(), manifest.arch.of_debian(), meter)?;
    let note = apt.update()?;
    let plan = Plan::of(&apt, lock, manifest, source)?;
    let mut files = plan.files(lock.store())?;
    files.notes.extend(note);
    Ok(files)
}

pub(super) fn from_rpm(
    manifest: &Manifest,
    source: &RpmSource,
    lock: &Lock<'_>,
    meter: &Meter,
) -> Result<GuestFiles, FetchError> {
    let arch = manifest.arch.of_rpm();
    let repositories = rpm::Repositories::open(lock, &manifest.name, source, arch, meter)?;
    let plan = rpm::Plan::of(&repositories, &manifest.name, source)?;
    plan.carry_out(&repositories)?;
    let apt = Apt::open(lock, source.tools.place(), manifest.arch.of_debian(), meter)?;
    let note = apt.update()?;
    let tools = Tools::of(&apt, &source.tools.packages)?;
    tools.take(&apt, lock)?;
    let mut files = plan.files(&repositories, &tools)?;
    files.notes.extend(note);
    Ok(files)
}

#[cfg(test)]
mod tests;
