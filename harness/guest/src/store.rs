// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cache: content-addressed, read-only, safe with several runs at once.
//!
//! ```text
//! <sha256>/<sha256>     what was downloaded, checked when it came in
//! trees/<key>/          what was unpacked or built from it
//! records/<name>.json   what was decided (which packages a guest is made of)
//! apt/<name>/           apt's own lists
//! rpm/<hash of a URL>/  metadata of a repository
//! rpm/downloads/        packages of which a part has come in
//! locks/<name>          empty files that runs lock
//! ```
//! Everything is made under a name that ends in `.partial` and renamed when complete. Such a name
//! is only used by the one who holds the lock, so whatever a killed run left there is removed by
//! the next one that makes the same thing.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// How often a lock that another run holds is tried again.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Neither of the environment's variables says where the cache is.
    #[error("no place for the cache: none of REPRO_CACHE, XDG_CACHE_HOME and HOME is set")]
    NoPlace,
    /// Something in the cache cannot be made or changed.
    #[error("cannot write {path} in the cache{}", advice(source))]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something in the cache cannot be read.
    #[error("cannot read {path} in the cache")]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} has SHA-256 {actual} instead of {expected}")]
    Checksum {
        /// The file.
        path: PathBuf,
        /// What it should have.
        expected: String,
        /// What it has.
        actual: String,
    },
    /// The caller asked to stop while another run held the lock.
    #[error("cancelled")]
    Cancelled,
}

/// What helps against the two errors that are nobody's bug.
pub(super) fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (make room, or set REPRO_CACHE to a folder that has some)"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            " (set REPRO_CACHE to a folder that you can write)"
        }
        _ => "",
    }
}

/// The cache folder.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    offline: bool,
    refresh: bool,
}

impl Store {
    /// Opens the cache in `root`, made if need be. With `offline`, nothing is fetched into it.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(root: &Path, offline: bool) -> Result<Self, StoreError> {
        let write = |source| StoreError::Write { path: root.to_owned(), source };
        fs::create_dir_all(root).map_err(write)?;
        let store = Self { root: fs::canonicalize(root).map_err(write)?, offline, refresh: false };
        for folder in ["locks", "trees", "records"] {
            let path = store.root.join(folder);
            fs::create_dir_all(&path).map_err(|source| StoreError::Write { path, source })?;
        }
        // A folder that exists may still refuse: find out now, not after a download.
        tempfile::tempfile_in(store.root.join("locks")).map_err(write)?;
        Ok(store)
    }

    /// Where the cache is: `$REPRO_CACHE`, else `$XDG_CACHE_HOME/repro`, else `~/.cache/repro`.
    ///
    /// # Errors
    /// None of the variables is set.
    pub fn default_root() -> Result<PathBuf, StoreError> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = PathBuf::from;
        set("REPRO_CACHE")
            .map(path)
            .or_else(|| set("XDG_CACHE_HOME").map(|base| path(base).join("repro")))
            .or_else(|| set("HOME").map(|home| path(home).join(".cache/repro")))
            .ok_or(StoreError::NoPlace)
    }

    /// The same cache, but what was decided earlier is decided again.
    #[must_use]
    pub fn with_refresh(mut self, refresh: bool) -> Self {
        self.refresh = refresh;
        self
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether only what is already here may be used.
    #[must_use]
    pub fn offline(&self) -> bool {
        self.offline
    }

    /// Whether records of earlier decisions are to be ignored.
    #[must_use]
    pub fn refresh(&self) -> bool {
        self.refresh
    }

    /// Waits until no other run holds the lock `name`, and holds it.
    ///
    /// `go_on` is asked while waiting.
    pub fn lock(
        &self,
        name: &str,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Lock<'_>, StoreError> {
        let path = self.root.join("locks").join(name);
        let write = |source| StoreError::Write { path: path.clone(), source };
        let file = File::create(&path).map_err(write)?;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { store: self, _file: file }),
                Err(Errno::WOULDBLOCK | Errno::INTR) if go_on() => std::thread::sleep(LOCK_POLL),
                Err(Errno::WOULDBLOCK | Errno::INTR) => return Err(StoreError::Cancelled),
                Err(errno) => return Err(write(errno.into())),
            }
        }
    }

    /// Path of a tree, whether or not it is there.
    pub fn tree(&self, key: &str) -> PathBuf {
        self.root.join("trees").join(key)
    }

    /// Reads a record; one that is absent or of another form is none.
    pub fn record<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        record(&self.root, name)
    }
}

/// The right to change the cache; given back when dropped, also when the process dies.
#[derive(Debug)]
pub struct Lock<'s> {
    store: &'s Store,
    _file: File,
}

impl<'s> Lock<'s> {
    /// The cache it locks.
    pub fn store(&self) -> &'s Store {
        self.store
    }

    /// The artefact with this hash, checked; one that was damaged is removed.
    pub fn find(&self, sha256: &str) -> Option<PathBuf> {
        let folder = self.store.root.join(sha256);
        let path = fs::read_dir(&folder).ok()?.flatten().next()?.path();
        if hash_file(&path).is_ok_and(|actual| actual == sha256) {
            return Some(path);
        }
        discard(&folder);
        None
    }

    /// Takes a downloaded file into the cache after checking it.
    pub fn keep(&self, file: &Path, sha256: &str) -> Result<PathBuf, StoreError> {
        let actual = hash_file(file)?;
        if actual != sha256 {
            let (path, expected) = (file.to_owned(), sha256.to_owned());
            return Err(StoreError::Checksum { path, expected, actual });
        }
        let folder = self.store.root.join(sha256);
        // What a site calls it is not asked.
        let target = folder.join(sha256);
        let write = |source| StoreError::Write { path: target.clone(), source };
        fs::create_dir_all(&folder).map_err(write)?;
        fs::set_permissions(file, Permissions::from_mode(0o444)).map_err(write)?;
        fs::rename(file, &target).map_err(write)?;
        Ok(target)
    }

    /// The tree `key`, made by `fill` in an empty folder unless it is there.
    pub fn make_tree<E: From<StoreError>>(
        &self,
        key: &str,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        let tree = self.store.tree(key);
        if !tree.is_dir() {
            let partial = partial(&tree);
            empty(&partial)?;
            fill(&partial).inspect_err(|_| discard(&partial))?;
            fs::rename(&partial, &tree)
                .map_err(|source| StoreError::Write { path: tree.clone(), source })?;
        }
        Ok(tree)
    }

    /// Removes what runs that were killed left half made of trees whose names begin with none of
    /// `others`, which have locks of their own.
    pub fn sweep(&self, others: &[&str]) {
        for folder in [self.store.root.clone(), self.store.root.join("trees")] {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let other = others.iter().any(|other| name.starts_with(other));
                if name.ends_with(".partial") && !other {
                    discard(&entry.path());
                }
            }
        }
    }

    /// An empty folder for work in progress; a later run empties it again.
    pub fn workspace(&self, name: &str) -> Result<PathBuf, StoreError> {
        let path = self.store.root.join(format!("{name}.partial"));
        empty(&path)?;
        Ok(path)
    }

    /// A folder that stays as it is from run to run.
    pub fn folder(&self, name: &str) -> Result<PathBuf, StoreError> {
        let path = self.store.root.join(name);
        fs::create_dir_all(&path)
            .map_err(|source| StoreError::Write { path: path.clone(), source })?;
        Ok(path)
    }

    /// Removes a record.
    pub fn remove_record(&self, name: &str) {
        discard_file(&self.store.root.join("records").join(format!("{name}.json")));
    }

    /// Writes a record.
    pub fn write_record(&self, name: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let path = self.store.root.join("records").join(format!("{name}.json"));
        let write = |source| StoreError::Write { path: path.clone(), source };
        let text = serde_json::to_vec_pretty(value).map_err(|error| write(error.into()))?;
        let partial = partial(&path);
        fs::write(&partial, text).map_err(write)?;
        fs::rename(&partial, &path).map_err(write)
    }
}

/// A record of the cache in `root`, which need not be there.
pub fn record<T: DeserializeOwned>(root: &Path, name: &str) -> Option<T> {
    let text = fs::read(root.join("records").join(format!("{name}.json"))).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Names of all records of the cache in `root`, sorted.
pub fn record_names(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("records")).into_iter().flatten().flatten();
    let name =
        |entry: fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned());
    let mut names: Vec<String> = entries.filter_map(name).collect();
    names.sort();
    names
}

fn partial(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".partial");
    name.into()
}

/// Makes `path` an empty folder, whatever an earlier run left there.
fn empty(path: &Path) -> Result<(), StoreError> {
    let write = |source| StoreError::Write { path: path.to_owned(), source };
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(write(error)),
        _ => fs::create_dir_all(path).map_err(write),
    }
}

/// Removes what is of no use; a failure only leaves it for the next run to remove.
pub fn discard(path: &Path) {
    let _ = fs::remove_dir_all(path);
}

/// The same for a file.
pub(super) fn discard_file(path: &Path) {
    let _ = fs::remove_file(path);
}

/// SHA-256 of a file, in hex.
pub fn hash_file(path: &Path) -> Result<String, StoreError> {
    let read = |source| StoreError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(read)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(read)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
