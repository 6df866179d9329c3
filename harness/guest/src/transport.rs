// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting files from a site: again when it fails, from where it stopped, through the proxy that
//! the environment names.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ureq::http::StatusCode;

use crate::FetchError;
use crate::meter::Meter;
use crate::site::{Site, without_password};
use crate::site_error::SiteError;
use crate::store::StoreError;

/// The pause before the second try; it doubles with each, up to the longest one.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How often a file is asked for in all, however little comes in each time.
const MOST_TRIES: u32 = 100;
/// Longest time until a site is found.
const CONNECT: Duration = Duration::from_secs(15);
/// What is copied at once.
const BLOCK: usize = 1 << 16;

/// How patient one is with a site.
#[derive(Debug, Clone)]
pub(super) struct Manners {
    /// How often a file is asked for without a single byte more of it coming in.
    pub(super) tries: u32,
    /// Longest silence of a site.
    pub(super) silence: Duration,
    /// Longest time for a whole file.
    pub(super) whole: Option<Duration>,
    /// Bytes that a file may have.
    pub(super) most: u64,
    /// Bytes that have to come within the time of the longest silence.
    pub(super) least: u64,
    /// Whether only the site's answer tells how much is to come.
    pub(super) learns_size: bool,
}

impl Default for Manners {
    fn default() -> Self {
        let silence = Duration::from_secs(30);
        Self { tries: 4, silence, whole: None, most: u64::MAX, least: 1, learns_size: false }
    }
}

/// Gets files; shared by threads.
#[derive(Debug)]
pub(super) struct Transport<'m> {
    agent: ureq::Agent,
    meter: &'m Meter,
    manners: Manners,
}

/// How one try ended.
enum Ended {
    Complete,
    /// It may work the next time.
    Failed(String),
    /// It would not get better.
    TooSlow,
    /// More came than is taken.
    TooLarge,
}

impl<'m> Transport<'m> {
    pub(super) fn new(meter: &'m Meter, manners: Manners) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(manners.silence))
            .timeout_global(manners.whole)
            .timeout_per_read(Some(manners.silence))
            .user_agent(concat!("repro/", env!("CARGO_PKG_VERSION")))
            // A package that says it is compressed is not to be unpacked on the way.
            .accept_encoding("identity")
            .build();
        Self { agent: config.new_agent(), meter, manners }
    }

    /// Where progress is counted.
    pub(super) fn meter(&self) -> &'m Meter {
        self.meter
    }

    /// Brings a file to `target`, or what is missing of it; `more` hears of every part that comes.
    /// A file of less than `size` bytes is not complete, whatever the site says.
    ///
    /// # Errors
    /// [`SiteError::Refused`] where the site says that it does not give it.
    pub(super) fn get(
        &self,
        site: &Site,
        inside: &str,
        target: &Path,
        size: Option<u64>,
        more: &mut dyn FnMut(u64),
    ) -> Result<(), FetchError> {
        match site {
            Site::Web(_) => self.download(&site.of_file(inside), target, size, more),
            Site::Folder(folder) => self.copy(&folder.join(inside), target, more),
        }
    }

    fn copy(
        &self,
        from: &Path,
        target: &Path,
        more: &mut dyn FnMut(u64),
    ) -> Result<(), FetchError> {
        let mut source = File::open(from).map_err(|error| SiteError::Refused {
            url: from.display().to_string(),
            unknown: error.kind() == io::ErrorKind::NotFound,
            why: error.to_string(),
        })?;
        let write = |source| StoreError::Write { path: target.to_owned(), source };
        let mut file = File::create(target).map_err(write)?;
        match self.pour(&mut source, &mut file, 0, more).map_err(write)? {
            Ended::Complete => Ok(()),
            Ended::TooLarge => Err(self.too_large(&from.display().to_string())),
            Ended::TooSlow => {
                Err(unreachable(&from.display().to_string(), "it is too slow".into()))
            }
            Ended::Failed(_) if !self.meter.go_on() => Err(FetchError::Cancelled),
            Ended::Failed(why) => {
                Err(SiteError::Unreachable { url: from.display().to_string(), why }.into())
            }
        }
    }

    fn download(
        &self,
        url: &str,
        target: &Path,
        size: Option<u64>,
        more: &mut dyn FnMut(u64),
    ) -> Result<(), FetchError> {
        let (mut tries, mut pause, mut all) = (0, PAUSE, 0);
        let length = || fs::metadata(target).map_or(0, |meta| meta.len());
        loop {
            if !self.meter.go_on() {
                return Err(FetchError::Cancelled);
            }
            let before = length();
            let why = match self.attempt(url, target, before, more)? {
                Ended::Complete => match size.filter(|size| length() < *size) {
                    None => return Ok(()),
                    Some(size) => format!("it ends after {} of {size} bytes", length()),
                },
                Ended::Failed(why) => why,
                Ended::TooSlow => {
                    let Manners { least, silence, .. } = self.manners;
                    let why = format!("less than {least} bytes came within {silence:?}");
                    return Err(unreachable(url, why));
                }
                Ended::TooLarge => return Err(self.too_large(url)),
            };
            // A connection that breaks again and again, but further on each time, gets there.
            if length() > before {
                (tries, pause) = (0, PAUSE);
            } else {
                tries += 1;
            }
            all += 1;
            if tries >= self.manners.tries || all >= MOST_TRIES {
                return Err(unreachable(url, why));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One request, for what comes after the first `have` bytes.
    fn attempt(
        &self,
        url: &str,
        target: &Path,
        have: u64,
        more: &mut dyn FnMut(u64),
    ) -> Result<Ended, FetchError> {
        let mut request = self.agent.get(url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let mut response = match request.call() {
            Ok(response) => response,
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::InvalidProxyUrl)) => {
                return Err(refused(url, false, &error.to_string()));
            }
            Err(error) => return Ok(Ended::Failed(error.to_string())),
        };
        let status = response.status();
        let write = |source| StoreError::Write { path: target.to_owned(), source };
        let append = status == StatusCode::PARTIAL_CONTENT;
        if status == StatusCode::RANGE_NOT_SATISFIABLE && have > 0 {
            // All of it is here, or it has become another file: the checksum tells.
            return Ok(Ended::Complete);
        }
        if !status.is_success() {
            let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
            if status.is_server_error() || busy.contains(&status) {
                return Ok(Ended::Failed(format!("the site answers {status}")));
            }
            let unknown = status == StatusCode::NOT_FOUND;
            return Err(refused(url, unknown, &format!("the site answers {status}")));
        }
        let have = if append { have } else { 0 };
        if let Some(length) = response.body().content_length() {
            let whole = have.saturating_add(length);
            if whole > self.manners.most {
                return Ok(Ended::TooLarge);
            }
            if self.manners.learns_size {
                self.meter.to_download.store(whole, Ordering::Relaxed);
            }
        }
        let mut options = File::options();
        options.create(true).write(true);
        let file = if append { options.append(true) } else { options.truncate(true) };
        let mut file = file.open(target).map_err(write)?;
        let mut body = response.body_mut().as_reader();
        Ok(self.pour(&mut body, &mut file, have, more).map_err(write)?)
    }

    fn too_large(&self, url: &str) -> FetchError {
        SiteError::TooLarge { url: without_password(url), most: self.manners.most }.into()
    }

    /// Copies to the end; an error is one of writing.
    fn pour(
        &self,
        from: &mut dyn Read,
        to: &mut File,
        have: u64,
        more: &mut dyn FnMut(u64),
    ) -> io::Result<Ended> {
        let mut buffer = vec![0; BLOCK];
        let mut room = self.manners.most.saturating_sub(have);
        let (mut since, mut came) = (Instant::now(), 0);
        loop {
            if !self.meter.go_on() {
                return Ok(Ended::Failed("cancelled".to_owned()));
            }
            match from.read(&mut buffer) {
                Ok(0) => return Ok(Ended::Complete),
                Ok(count) => {
                    let Some(rest) = room.checked_sub(count as u64) else {
                        return Ok(Ended::TooLarge);
                    };
                    room = rest;
                    came += count as u64;
                    if since.elapsed() >= self.manners.silence {
                        if came < self.manners.least {
                            return Ok(Ended::TooSlow);
                        }
                        (since, came) = (Instant::now(), 0);
                    }
                    to.write_all(&buffer[..count])?;
                    more(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Ended::Failed(error.to_string())),
            }
        }
    }
}

fn unreachable(url: &str, why: String) -> FetchError {
    SiteError::Unreachable { url: without_password(url), why }.into()
}

fn refused(url: &str, unknown: bool, why: &str) -> FetchError {
    SiteError::Refused { url: without_password(url), unknown, why: why.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A byte at a time, without an end.
    struct Drip;

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer[0] = b'x';
            Ok(1)
        }
    }

    #[test]
    fn what_comes_too_slowly_is_given_up() {
        let meter = Meter::default();
        let manners =
            |least| Manners { silence: Duration::ZERO, most: 1000, least, ..Manners::default() };
        let poured = |least| {
            let transport = Transport::new(&meter, manners(least));
            transport.pour(&mut Drip, &mut tempfile::tempfile().unwrap(), 0, &mut |_| ()).unwrap()
        };
        assert!(matches!(poured(2), Ended::TooSlow));
        assert!(matches!(poured(1), Ended::TooLarge), "a byte each time is enough");
    }
}
