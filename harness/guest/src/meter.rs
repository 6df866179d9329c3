// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counters that workers move and the caller's thread shows.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::FetchError;
use super::files::{Phase, Progress};

/// How far a fetch has come; shared by its threads.
#[derive(Debug, Default)]
pub(super) struct Meter {
    cancelled: AtomicBool,
    failed: AtomicBool,
    /// Bytes of packages that have come in, and that have to.
    pub(super) downloaded: AtomicU64,
    pub(super) to_download: AtomicU64,
    /// Bytes of packages that have been unpacked, and that have to be.
    pub(super) extracted: AtomicU64,
    pub(super) to_extract: AtomicU64,
}

impl Meter {
    /// Asks every worker to stop.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether nobody asked to stop.
    pub(super) fn go_on(&self) -> bool {
        let stop = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        !stop(&self.cancelled) && !stop(&self.failed)
    }

    /// Begins anew after a failure that does not end the work.
    pub(super) fn restart(&self) {
        for counter in [&self.downloaded, &self.to_download, &self.extracted, &self.to_extract] {
            counter.store(0, Ordering::Relaxed);
        }
        self.failed.store(false, Ordering::Relaxed);
    }

    /// Asks the other workers to stop, because this one failed.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// An error of a worker, or the cancellation that caused it.
    pub(super) fn or_cancelled(&self, error: FetchError) -> FetchError {
        if self.go_on() { error } else { FetchError::Cancelled }
    }

    /// Does two things at once; when one fails, the other one is asked to stop.
    pub(super) fn both(
        &self,
        large: impl FnOnce() -> Result<(), FetchError> + Send,
        small: impl FnOnce() -> Result<(), FetchError>,
    ) -> Result<(), FetchError> {
        let (large, small) = std::thread::scope(|scope| {
            let large = scope.spawn(|| large().inspect_err(|_| self.fail()));
            let small = small().inspect_err(|_| self.fail());
            (large.join(), small)
        });
        let large = large.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match (large, small) {
            (Err(FetchError::Cancelled), Err(error)) | (Err(error), _) | (Ok(()), Err(error)) => {
                Err(error)
            }
            (Ok(()), Ok(())) => Ok(()),
        }
    }

    /// What to show now.
    pub(super) fn progress(&self) -> Progress {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        if get(&self.to_extract) == 0 {
            return Progress {
                phase: Phase::Lists,
                what: "package lists".into(),
                done: 0,
                total: None,
            };
        }
        let (done, total) = (get(&self.downloaded), get(&self.to_download));
        if done < total {
            let what = "packages".into();
            return Progress { phase: Phase::Download, what, done, total: Some(total) };
        }
        let (done, total) = (get(&self.extracted), get(&self.to_extract));
        // More than all of it: a package that was asked of a site again, or is read a second time.
        let done = done.min(total);
        Progress { phase: Phase::Extract, what: "packages".into(), done, total: Some(total) }
    }
}

/// A reader that moves a counter and fails once the work is cancelled.
#[derive(Debug)]
pub(super) struct Metered<'m, R> {
    inner: R,
    meter: &'m Meter,
}

impl<'m, R> Metered<'m, R> {
    pub(super) fn new(inner: R, meter: &'m Meter) -> Self {
        Self { inner, meter }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.meter.go_on() {
            return Err(io::Error::other("cancelled"));
        }
        let count = self.inner.read(buffer)?;
        self.meter.extracted.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for Metered<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
