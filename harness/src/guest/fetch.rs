// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fetching of a guest, and the record that spares the next run from it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::FetchError;
use super::apt::Apt;
use super::files::{GuestFiles, Phase, Progress};
use super::manifest::{Arch, Manifest, Source};
use super::meter::Meter;
use super::plan::Plan;
use super::store::{Lock, Store};

/// How often the caller hears of progress.
const TICK: Duration = Duration::from_millis(100);
/// How long the archive is not asked again.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// How names of trees begin that are made without this module's lock.
pub(crate) const BUILDS: &str = "build-";

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
    if let Some(files) = recorded(manifest, store, store.offline()) {
        return Ok(files);
    }
    if store.offline() {
        let (guest, cache) = (manifest.name.clone(), store.root().to_owned());
        return Err(FetchError::Offline { guest, cache });
    }
    let waiting =
        Progress { phase: Phase::Lists, what: "another run".into(), done: 0, total: None };
    let lock = store.lock("fetch", &mut || progress(waiting.clone()).is_continue())?;
    // Another run may have fetched it while this one waited.
    if let Some(files) = recorded(manifest, store, false) {
        return Ok(files);
    }
    let meter = Meter::default();
    let files = watched(&meter, progress, || work(manifest, &lock, &meter));
    match (files, recorded(manifest, store, true)) {
        (Err(error @ (FetchError::NoSite { .. } | FetchError::Apt { .. })), Some(mut files))
            if !store.refresh() =>
        {
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
    let usable = record.source == manifest.source && (fresh || any_age);
    let files = usable.then(|| record.files.map_paths(|path| store.root().join(path)))?;
    files.exist().then_some(files)
}

fn record_name(manifest: &Manifest) -> String {
    format!("guest-{}", manifest.name)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Runs `work` in a thread of its own while the caller's thread shows how far it is.
fn watched<T: Send>(
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
    let store = lock.store();
    lock.sweep(&[BUILDS]);
    let Source::Apt(source) = &manifest.source;
    let architecture = match manifest.arch {
        Arch::X86_64 => "amd64",
    };
    let apt = Apt::open(lock, source, architecture, meter)?;
    let note = apt.update()?;
    let plan = Plan::of(&apt, lock, manifest, source)?;
    let mut files = plan.files(store)?;
    files.notes.extend(note);
    let relative = |path: &Path| path.strip_prefix(store.root()).unwrap_or(path).to_owned();
    let record = Record {
        source: manifest.source.clone(),
        decided_at: now(),
        files: files.clone().map_paths(relative),
    };
    lock.write_record(&record_name(manifest), &record)?;
    Ok(files)
}

#[cfg(test)]
mod tests;
