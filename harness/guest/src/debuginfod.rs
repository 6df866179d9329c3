// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debug files by build-id, from servers that speak debuginfod's protocol: `GET
//! URL/buildid/HEX/debuginfo` and `…/executable` (debuginfod(8), "WEBAPI").
//!
//! Nobody signs what comes: the caller says whether a file is the one that was asked for. What came is kept in
//! the cache, below `debuginfod/`.

use std::fmt;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::fetch::{locked, watched};
use crate::files::{Phase, Progress};
use crate::meter::Meter;
use crate::site::Site;
use crate::site_error::SiteError;
use crate::store::{Lock, Store, discard_file, hex};
use crate::transport::{Manners, Transport};
use crate::{FetchError, StoreError};

/// Folder of the cache.
const FOLDER: &str = "debuginfod";
/// Longest silence of a server where nobody says otherwise (`DEBUGINFOD_TIMEOUT` has this default): it may have to
/// unpack a large package first.
const SILENCE: Duration = Duration::from_secs(90);
/// Bytes that have to come within that time, as debuginfod's own client has it.
const LEAST: u64 = 100 << 10;
/// Longest time for one file where nobody says otherwise.
const WHOLE: Duration = Duration::from_secs(60 * 60);
/// Bytes of a file where nobody says otherwise; a kernel with debug information has less than 1 GiB.
const MOST: u64 = 4 << 30;

/// Which file of a build is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildFile {
    /// The one with the debug information.
    DebugInfo,
    /// The one with the code.
    Executable,
}

impl fmt::Display for BuildFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DebugInfo => "debuginfo",
            Self::Executable => "executable",
        })
    }
}

/// What servers may take, in time and room; what is not said has debuginfod's defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Longest silence of a server.
    pub silence: Option<Duration>,
    /// Longest time for one file.
    pub whole: Option<Duration>,
    /// Bytes of one file.
    pub bytes: Option<u64>,
}

/// Servers, in the order in which they are asked.
#[derive(Debug)]
pub struct Debuginfod {
    servers: Vec<Server>,
    manners: Manners,
}

/// One of them.
#[derive(Debug)]
struct Server {
    site: Site,
    /// Whether it did not answer: it is not asked, and waited for, again.
    is_silent: AtomicBool,
    /// Whether it was told of that it failed.
    is_told: AtomicBool,
}

/// What came of asking servers for a file.
#[derive(Debug, Default)]
pub struct Answer {
    /// The file.
    pub file: Option<PathBuf>,
    /// Why servers could not be asked, or what was wrong with what they gave: of each the first time.
    pub failures: Vec<FetchError>,
    /// Whether all servers say that they do not have it.
    pub is_nowhere: bool,
}

impl From<PathBuf> for Answer {
    fn from(file: PathBuf) -> Self {
        Self { file: Some(file), ..Self::default() }
    }
}

/// Whether a word of `DEBUGINFOD_URLS` is the address of a server.
fn is_url(word: &str) -> bool {
    ["http://", "https://", "file://"].iter().any(|scheme| word.starts_with(scheme))
}

/// The words of a list as `DEBUGINFOD_URLS` has it that are neither the address of a server nor a setting of
/// elfutils' own client, such as Fedora's `ima:enforcing`.
#[must_use]
pub fn no_servers(urls: &str) -> Vec<&str> {
    let is_setting = |word: &str| word.contains(':') && !word.contains("://");
    urls.split_whitespace().filter(|word| !is_url(word) && !is_setting(word)).collect()
}

impl Debuginfod {
    /// The servers of a list as `DEBUGINFOD_URLS` has it: URLs with blanks between them, `file://` ones too. None
    /// if the list is empty.
    #[must_use]
    pub fn of(urls: &str, limits: Limits) -> Option<Self> {
        let server = |url| Server {
            site: Site::of(url),
            is_silent: AtomicBool::new(false),
            is_told: AtomicBool::new(false),
        };
        let urls = urls.split_whitespace().filter(|word| is_url(word));
        let servers: Vec<Server> = urls.map(server).collect();
        let manners = Manners {
            tries: 2,
            silence: limits.silence.unwrap_or(SILENCE),
            whole: Some(limits.whole.unwrap_or(WHOLE)),
            most: limits.bytes.unwrap_or(MOST),
            least: LEAST,
            learns_size: true,
        };
        (!servers.is_empty()).then_some(Self { servers, manners })
    }

    /// The file of a build, out of the cache or from the first server that has it. `what` names it in progress, `is_right` says whether a file that came is the one.
    ///
    /// `progress` is called several times a second; when it breaks, the work ends with
    /// [`FetchError::Cancelled`].
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn file(
        &self,
        store: &Store,
        (build_id, part): (&[u8], BuildFile),
        what: &str,
        is_right: &(dyn Fn(&Path) -> bool + Sync),
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Answer, FetchError> {
        // Each build has a lock, so that a slow server holds up nobody who wants another one.
        let lock = locked(store, &format!("{FOLDER}-{}", hex(build_id)), progress)?;
        // Another run may have brought it while this one waited.
        if let Some(kept) = kept_build(store.root(), build_id, part) {
            if is_right(&kept) {
                return Ok(kept.into());
            }
            discard_file(&kept);
        }
        let meter = Meter::default();
        let mut shown = |_: Progress| {
            let done = meter.downloaded.load(Ordering::Relaxed);
            let total = Some(meter.to_download.load(Ordering::Relaxed));
            let total = total.filter(|total| *total > 0 && *total >= done);
            progress(Progress { phase: Phase::Download, what: what.to_owned(), done, total })
        };
        watched(&meter, &mut shown, || self.ask(&lock, build_id, part, is_right, &meter))
    }

    fn ask(
        &self,
        lock: &Lock<'_>,
        build_id: &[u8],
        part: BuildFile,
        is_right: &(dyn Fn(&Path) -> bool + Sync),
        meter: &Meter,
    ) -> Result<Answer, FetchError> {
        let hex = hex(build_id);
        let folder = lock.folder(&format!("{FOLDER}/{hex}"))?;
        let (target, partial) =
            (folder.join(part.to_string()), folder.join(format!("{part}.partial")));
        let transport = Transport::new(meter, self.manners.clone());
        let mut answer = Answer { is_nowhere: true, ..Answer::default() };
        for Server { site, is_silent, is_told } in &self.servers {
            let mut fails = |error: Option<FetchError>| {
                answer.is_nowhere = false;
                let is_new = error.is_some() && !is_told.swap(true, Ordering::Relaxed);
                answer.failures.extend(error.filter(|_| is_new));
            };
            if is_silent.load(Ordering::Relaxed) {
                fails(None);
                continue;
            }
            // What a killed run left may be of another server.
            discard_file(&partial);
            meter.restart();
            let inside = format!("buildid/{hex}/{part}");
            let mut more = |count| {
                meter.downloaded.fetch_add(count, Ordering::Relaxed);
            };
            match transport.get(site, &inside, &partial, None, &mut more) {
                Ok(()) if is_right(&partial) => {
                    fs::rename(&partial, &target)
                        .map_err(|source| StoreError::Write { path: target.clone(), source })?;
                    return Ok(Answer { file: Some(target), is_nowhere: false, ..answer });
                }
                Ok(()) => {
                    let url = site.of_file(&inside);
                    let why = "what came is not of the build that was asked for".to_owned();
                    fails(Some(SiteError::Refused { url, unknown: false, why }.into()));
                }
                Err(FetchError::Site(SiteError::Refused { unknown: true, .. })) => {}
                Err(error @ FetchError::Site(_)) => {
                    let silent = matches!(&error, FetchError::Site(SiteError::Unreachable { .. }));
                    is_silent.store(silent, Ordering::Relaxed);
                    fails(Some(error));
                }
                Err(error) => {
                    discard_file(&partial);
                    return Err(error);
                }
            }
        }
        discard_file(&partial);
        // Only an empty folder goes.
        let _ = fs::remove_dir(&folder);
        Ok(answer)
    }
}

impl fmt::Display for Debuginfod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.servers.iter().map(|it| it.site.to_string()).collect();
        f.write_str(&names.join(", "))
    }
}

/// The file of a build that the cache has.
#[must_use]
pub fn kept_build(cache: &Path, build_id: &[u8], part: BuildFile) -> Option<PathBuf> {
    let path = cache.join(FOLDER).join(hex(build_id)).join(part.to_string());
    (!build_id.is_empty() && path.is_file()).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;

    use super::*;

    const ID: [u8; 3] = [0xab, 0x0c, 0xde];

    /// A folder with what `file://` servers have, and a cache.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn store(&self) -> Store {
            Store::open(&self.0.path().join("cache"), false).unwrap()
        }

        /// A server that has `content` for the build-id, if there is one.
        fn server(&self, name: &str, content: Option<&[u8]>) -> String {
            let folder = self.0.path().join(name);
            let build = folder.join("buildid/ab0cde");
            fs::create_dir_all(&build).unwrap();
            if let Some(content) = content {
                fs::write(build.join("debuginfo"), content).unwrap();
            }
            format!("file://{}", folder.display())
        }

        fn asked(&self, urls: &str, limits: Limits) -> Result<Option<Vec<u8>>, FetchError> {
            let servers = Debuginfod::of(urls, limits).unwrap();
            let is_right = |path: &Path| fs::read(path).unwrap().starts_with(b"right");
            let wanted = (&ID[..], BuildFile::DebugInfo);
            let mut go_on = |_| ControlFlow::Continue(());
            let found = servers.file(&self.store(), wanted, "x", &is_right, &mut go_on)?;
            match (found.file, found.failures.into_iter().next()) {
                (Some(path), _) => Ok(Some(fs::read(path).unwrap())),
                (None, Some(failure)) => Err(failure),
                (None, None) => Ok(None),
            }
        }
    }

    /// A server that gives the same answer to every request.
    fn answering(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                // The request is read to its end, so that closing does not reset the connection.
                let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while std::io::BufRead::read_line(&mut reader, &mut line).unwrap_or(0) > 2 {
                    line.clear();
                }
                let _ = stream.write_all(answer);
            }
        });
        url
    }

    #[test]
    fn the_first_server_that_knows_the_build_gives_it_and_the_cache_keeps_it() {
        let place = Place::new();
        let urls = [place.server("a", None), place.server("b", Some(b"right one"))].join(" ");
        assert_eq!(place.asked(&urls, Limits::default()).unwrap().unwrap(), b"right one");
        fs::remove_dir_all(place.0.path().join("b")).unwrap();
        assert_eq!(place.asked(&urls, Limits::default()).unwrap().unwrap(), b"right one");
        let none = Place::new();
        let urls = none.server("a", None);
        assert_eq!(none.asked(&urls, Limits::default()).unwrap(), None);
        assert!(fs::read_dir(none.0.path().join("cache/debuginfod")).unwrap().next().is_none());
    }

    #[test]
    fn what_is_of_another_build_is_not_kept() {
        let place = Place::new();
        let urls = place.server("a", Some(b"wrong one"));
        let error = place.asked(&urls, Limits::default()).unwrap_err().to_string();
        assert!(error.contains("ab0cde/debuginfo: what came is not of the build"), "{error}");
        assert_eq!(kept_build(&place.0.path().join("cache"), &ID, BuildFile::DebugInfo), None);
        let urls = [urls, place.server("b", Some(b"right"))].join(" ");
        assert_eq!(place.asked(&urls, Limits::default()).unwrap().unwrap(), b"right");
    }

    #[test]
    fn more_than_is_taken_is_an_error_and_leaves_nothing() {
        let place = Place::new();
        let urls = place.server("a", Some(b"right, but long"));
        let limits = Limits { bytes: Some(8), ..Limits::default() };
        let error = place.asked(&urls, limits).unwrap_err().to_string();
        assert!(error.contains("has more than 8 bytes"), "{error}");
        assert!(fs::read_dir(place.0.path().join("cache/debuginfod")).unwrap().next().is_none());
    }

    #[test]
    fn a_server_that_does_not_answer_ends_in_time_and_is_told_of() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let limits = Limits { silence: Some(Duration::from_millis(50)), ..Limits::default() };
        let place = Place::new();
        let error = place.asked(&url, limits).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot fetch {url}/buildid/ab0cde")), "{error}");
        // It is waited for once, however many files are wanted.
        let servers = Debuginfod::of(&url, limits).unwrap();
        let ask = || {
            let mut go_on = |_| ControlFlow::Continue(());
            let wanted = (&ID[..], BuildFile::DebugInfo);
            servers.file(&place.store(), wanted, "x", &|_| true, &mut go_on).unwrap()
        };
        assert_eq!(ask().failures.len(), 1);
        let again = ask();
        assert!(again.file.is_none() && again.failures.is_empty() && !again.is_nowhere);
        // One of the others may have it.
        let both = format!("{url} {}", place.server("b", Some(b"right")));
        assert_eq!(place.asked(&both, limits).unwrap().unwrap(), b"right");
    }

    #[test]
    fn what_breaks_off_and_goes_on_is_counted_as_one_file() {
        let place = Place::new();
        let part = answering(
            b"HTTP/1.1 206 Partial Content\r\nContent-Length: 99\r\nConnection: close\r\n\r\nright",
        );
        let limits = Limits { bytes: Some(98), ..Limits::default() };
        let error = place.asked(&part, limits).unwrap_err().to_string();
        assert!(error.contains("has more than 98 bytes"), "{error}");
    }

    #[test]
    fn each_server_that_fails_is_told_of_once() {
        let place = Place::new();
        let refused =
            answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let urls = format!("{refused} {} http://127.0.0.1:1", place.server("a", Some(b"wrong")));
        let servers = Debuginfod::of(&urls, Limits::default()).unwrap();
        let ask = || {
            let is_right = |path: &Path| fs::read(path).unwrap().starts_with(b"right");
            let wanted = (&ID[..], BuildFile::DebugInfo);
            let mut go_on = |_| ControlFlow::Continue(());
            servers.file(&place.store(), wanted, "x", &is_right, &mut go_on).unwrap()
        };
        let told: Vec<String> = ask().failures.iter().map(ToString::to_string).collect();
        let [forbidden, wrong, closed] = told.as_slice() else { panic!("{told:?}") };
        assert!(forbidden.contains("403") && wrong.contains("not of the build"), "{told:?}");
        assert!(closed.contains("127.0.0.1:1/"), "{closed}");
        assert!(ask().failures.is_empty());
    }

    #[test]
    fn words_that_are_no_servers_are_told_apart_from_settings() {
        let urls = "ima:enforcing junk ftp://one.example https://two.example";
        assert_eq!(no_servers(urls), ["junk", "ftp://one.example"]);
    }

    #[test]
    fn settings_of_another_client_are_no_servers() {
        let servers =
            Debuginfod::of("ima:enforcing http://one.example ima:ignore", Limits::default());
        assert_eq!(servers.unwrap().to_string(), "http://one.example");
        assert!(Debuginfod::of("ima:ignore", Limits::default()).is_none());
    }

    #[test]
    fn what_the_cache_has_of_another_build_is_brought_anew() {
        let place = Place::new();
        let urls = place.server("a", Some(b"right"));
        let kept = place.0.path().join("cache/debuginfod/ab0cde");
        fs::create_dir_all(&kept).unwrap();
        fs::write(kept.join("debuginfo"), "wrong").unwrap();
        assert_eq!(place.asked(&urls, Limits::default()).unwrap().unwrap(), b"right");
    }

    #[test]
    fn answers_of_servers_are_told_apart() {
        let place = Place::new();
        let unknown =
            answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert_eq!(place.asked(&unknown, Limits::default()).unwrap(), None);
        let refused =
            answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let error = place.asked(&refused, Limits::default()).unwrap_err().to_string();
        assert!(error.contains("403"), "{error}");
        let cut =
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\nright");
        let error = place.asked(&cut, Limits::default()).unwrap_err().to_string();
        assert!(error.contains("cannot fetch"), "{error}");
        let whole =
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nright");
        assert_eq!(place.asked(&whole, Limits::default()).unwrap().unwrap(), b"right");
    }
}
