// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host's apt with state and caches of our own: nothing on the host changes.
//!
//! Sites, proxies and keys are the host's; only the suites differ. Signatures are checked by apt.

mod index;
mod kernel;
mod room;
pub mod sites;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

pub(super) use index::Record;
pub(super) use kernel::KernelChoice;

use super::apt_source::Suite;
use super::meter::Meter;
use super::store::{Lock, StoreError};
use super::{FetchError, Package};
use process::helper;
use room::Room;
use sites::{Site, keyring};

/// What the host wants done around an update of its own lists (emptying its cache, telling its
/// desktop) is not for ours. Only a file can clear lists of options.
const CONFIGURATION: &str = "\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
";
/// Most lines of apt's complaints in an error.
const LINES: usize = 12;

/// apt, set up for one guest's suites.
#[derive(Debug)]
pub(super) struct Apt<'a> {
    folder: PathBuf,
    source: Suite,
    architecture: &'static str,
    meter: &'a Meter,
}

impl<'a> Apt<'a> {
    /// Sets up apt's folders inside the cache.
    pub(super) fn open(
        lock: &Lock<'_>,
        source: Suite,
        architecture: &'static str,
        meter: &'a Meter,
    ) -> Result<Self, FetchError> {
        let name = format!("apt/{}-{}", source.suite, source.component);
        let folder = lock.folder(&name)?;
        for inside in ["state/lists/partial", "cache/archives/partial"] {
            lock.folder(&format!("{name}/{inside}"))?;
        }
        let apt = Self { folder, source, architecture, meter };
        // No package counts as installed, and no preference of the host's is for these suites.
        apt.write("status", "")?;
        apt.write("preferences", "")?;
        apt.write("sources.list", "")?;
        apt.write("apt.conf", CONFIGURATION)?;
        Ok(apt)
    }

    /// The suite, by its code name.
    pub(super) fn suite(&self) -> &str {
        &self.source.suite
    }

    /// Where progress is counted.
    pub(super) fn meter(&self) -> &'a Meter {
        self.meter
    }

    fn write(&self, name: &str, text: &str) -> Result<(), FetchError> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|source| StoreError::Write { path, source }.into())
    }

    /// Brings the lists of the suites up to date; gives what the user should know about them.
    pub(super) fn update(&self) -> Result<Option<String>, FetchError> {
        let sites = self.configured()?;
        let mut why = String::new();
        for text in sites::source_lists(&sites, &self.source, self.architecture, keyring) {
            self.write("sources.list", &text)?;
            match self.run("apt-get", &["-q", "update"]) {
                Ok(_) => return Ok(self.without_security(&text)),
                Err(FetchError::Apt { output, .. }) => why = output,
                Err(other) => return Err(other),
            }
        }
        Err(FetchError::NoSite { suite: self.source.suite.clone(), why })
    }

    fn without_security(&self, list: &str) -> Option<String> {
        let security = self.source.security.as_ref()?;
        let absent = !list.contains(&format!(" {security} "));
        absent.then(|| format!("the host's apt has no site with {security}; the kernel may be old"))
    }

    /// The sites and suites that the host's apt is configured with.
    fn configured(&self) -> Result<Vec<Site>, FetchError> {
        let mut words = self.private_folders();
        words.extend(["update", "--print-uris"].map(str::to_owned));
        Ok(sites::parse_uris(&self.spawn("apt-get", words)?))
    }

    /// Names of the packages that begin with `prefix`.
    pub(super) fn names(&self, prefix: &str) -> Result<Vec<String>, FetchError> {
        let text = self.run("apt-cache", &["pkgnames", prefix])?;
        Ok(text.lines().filter_map(|line| index::plain(line.trim())).collect())
    }

    /// Every version of these packages, newest first within one name. Unknown names are left out.
    pub(super) fn records(&self, names: &[String]) -> Result<Vec<Record>, FetchError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut words = vec!["show"];
        words.extend(names.iter().map(String::as_str));
        match self.run("apt-cache", &words) {
            Ok(text) => Ok(index::parse(&text)),
            // It says so when it knows none of them.
            Err(FetchError::Apt { output, .. }) if output.contains("No packages found") => {
                Ok(Vec::new())
            }
            Err(other) => Err(other),
        }
    }

    /// The files of these packages, downloaded into the cache unless they are there. Each of
    /// several threads that download at once has a `lane` of its own.
    pub(super) fn download(
        &self,
        lock: &Lock<'_>,
        lane: &str,
        records: &[&Record],
    ) -> Result<Vec<PathBuf>, FetchError> {
        let kept: Vec<Option<PathBuf>> =
            records.iter().map(|record| lock.find(&record.sha256)).collect();
        let missing: Vec<&Record> =
            records.iter().zip(&kept).filter(|(_, kept)| kept.is_none()).map(|(r, _)| *r).collect();
        let here: u64 = records.iter().map(|r| r.size).sum::<u64>()
            - missing.iter().map(|r| r.size).sum::<u64>();
        self.meter.downloaded.fetch_add(here, Ordering::Relaxed);
        let mut fetched = self.download_missing(lock, lane, &missing)?.into_iter();
        Ok(kept.into_iter().filter_map(|kept| kept.or_else(|| fetched.next())).collect())
    }

    fn download_missing(
        &self,
        lock: &Lock<'_>,
        lane: &str,
        records: &[&Record],
    ) -> Result<Vec<PathBuf>, FetchError> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let workspace = lock.workspace(&format!("download-{lane}"))?;
        let kept = self.download_into(&workspace, lock, records);
        super::store::discard(&workspace);
        kept
    }

    fn download_into(
        &self,
        workspace: &Path,
        lock: &Lock<'_>,
        records: &[&Record],
    ) -> Result<Vec<PathBuf>, FetchError> {
        let total: u64 = records.iter().map(|record| record.size).sum();
        let mut words = self.options();
        words.extend(["-q".into(), "download".into()]);
        words.extend(records.iter().map(|record| record.pinned()));
        let expression = helper::tied("apt-get", words).dir(workspace);
        let mut seen = 0;
        self.finish("apt-get download", &expression, &mut || {
            let now = folder_size(workspace).clamp(seen, total);
            self.meter.downloaded.fetch_add(now - seen, Ordering::Relaxed);
            seen = now;
        })?;
        self.meter.downloaded.fetch_add(total - seen, Ordering::Relaxed);
        let mut kept = Vec::new();
        for record in records {
            let file = file_of(workspace, &record.package).ok_or_else(|| FetchError::NoFile {
                package: record.package.clone(),
                file: "file after its download".into(),
            })?;
            kept.push(lock.keep(&file, &record.sha256)?);
        }
        Ok(kept)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, FetchError> {
        let mut words = self.options();
        words.extend(arguments.iter().map(|&word| word.to_owned()));
        self.spawn(program, words)
    }

    fn spawn(&self, program: &str, words: Vec<String>) -> Result<String, FetchError> {
        let verb =
            words.iter().rev().find(|word| ["update", "show", "pkgnames"].contains(&&***word));
        let what = verb.map_or_else(|| program.to_owned(), |verb| format!("{program} {verb}"));
        let expression = helper::tied(program, words);
        self.finish(&what, &expression, &mut || ())
    }

    fn finish(
        &self,
        what: &str,
        expression: &duct::Expression,
        each: &mut dyn FnMut(),
    ) -> Result<String, FetchError> {
        let piped = expression.stdout_capture().stderr_capture();
        let mut room = Room::new(&self.folder);
        let ended = helper::wait(&piped, || {
            each();
            !room.is_long_gone() && self.meter.go_on()
        });
        let ended =
            ended.map_err(|source| FetchError::NoApt { program: what.to_owned(), source })?;
        let Some(output) = ended else {
            return Err(if room.is_long_gone() { self.full() } else { FetchError::Cancelled });
        };
        if !output.status.success() {
            let output = helper::tail(&output.stderr, LINES);
            if output.contains("No space left on device") {
                return Err(self.full());
            }
            return Err(FetchError::Apt { what: what.to_owned(), output });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn full(&self) -> FetchError {
        let path = self.folder.clone();
        StoreError::Write { path, source: rustix::io::Errno::NOSPC.into() }.into()
    }

    /// Options that keep apt out of the host's own folders.
    fn private_folders(&self) -> Vec<String> {
        let path = |inside: &str| self.folder.join(inside).display().to_string();
        let mut words = vec!["-c".to_owned(), path("apt.conf")];
        words.extend(options(&[
            ("Dir::State", path("state")),
            ("Dir::State::status", path("status")),
            ("Dir::Cache", path("cache")),
            // Images for containers switch it off; without it each query reads all lists.
            ("Dir::Cache::pkgcache", "pkgcache.bin".into()),
            ("Dir::Cache::srcpkgcache", String::new()),
            // The cache may be in a home folder that apt's own user cannot enter.
            ("APT::Sandbox::User", "root".into()),
        ]));
        words
    }

    /// Options for the guest's suites.
    fn options(&self) -> Vec<String> {
        let path = |inside: &str| self.folder.join(inside).display().to_string();
        let mut words = self.private_folders();
        words.extend(options(&[
            ("Dir::Etc::sourcelist", path("sources.list")),
            ("Dir::Etc::sourceparts", "/dev/null".into()),
            ("Dir::Etc::preferences", path("preferences")),
            ("Dir::Etc::preferencesparts", "/dev/null".into()),
            ("APT::Architecture", self.architecture.into()),
            ("APT::Architectures", self.architecture.into()),
            ("APT::Default-Release", String::new()),
            // A list that cannot be had is an error, not a warning.
            ("APT::Update::Error-Mode", "any".into()),
            ("Acquire::Languages", "none".into()),
            ("Acquire::Retries", "3".into()),
            // Lists of icons and of files, where the host has asked for them.
            ("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false".into()),
            ("Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled", "false".into()),
            ("Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled", "false".into()),
            ("Acquire::IndexTargets::deb::DEP-11-icons-hidpi::DefaultEnabled", "false".into()),
            ("Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled", "false".into()),
            ("Acquire::IndexTargets::deb::CNF::DefaultEnabled", "false".into()),
        ]));
        words
    }
}

fn options(pairs: &[(&str, String)]) -> Vec<String> {
    pairs.iter().flat_map(|(key, value)| ["-o".to_owned(), format!("{key}={value}")]).collect()
}

fn folder_size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}

/// The package's file: `<package>_<version>_<architecture>.deb`.
fn file_of(folder: &Path, package: &str) -> Option<PathBuf> {
    let is_its = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix(package).is_some_and(|rest| rest.starts_with('_'))
    };
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find(is_its)
}

impl From<&Record> for Package {
    fn from(record: &Record) -> Self {
        Self {
            name: record.package.clone(),
            version: record.version.clone(),
            sha256: record.sha256.clone(),
        }
    }
}
