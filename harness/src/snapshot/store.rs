// SPDX-License-Identifier: MIT OR Apache-2.0
//! The folder of the snapshots.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::sparse;
use crate::compose::Ram;
use protocol::Memory;

/// How often a lock that another run holds is tried again.
const LOCK_POLL: Duration = Duration::from_millis(20);
/// Snapshots that were not used for so long are removed.
const UNUSED: Duration = Duration::from_secs(14 * 24 * 3600);
/// Snapshots kept, the ones used last.
const MOST: usize = 24;
/// Most bytes of a machine's state without its RAM; a real one has less than a megabyte.
const MOST_STATE: u64 = 256 << 20;

const RAM: &str = "ram";
const STATE: &str = "state";
const ABOUT: &str = "about.json";
/// Ends the name of a folder that is being made.
const PARTIAL: &str = ".partial";
const LOCK: &str = ".lock";

/// Why a snapshot cannot be used or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A file cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not what it was when it was made.
    #[error("the snapshot is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Cancelled,
}

/// What a snapshot is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// QEMU's version.
    pub qemu: String,
    /// The guest's kernel.
    pub kernel: String,
    /// What the guest told when its crash stub was loaded.
    pub memory: Memory,
    /// What the guest printed until then: milliseconds since QEMU's start, line.
    pub console: Vec<(u64, String)>,
    /// Bytes of RAM.
    pub ram_bytes: u64,
    /// Bytes of RAM that are not zero pages.
    pub ram_filled: u64,
    /// Bytes of the machine's state.
    pub state_bytes: u64,
}

/// A machine that was saved.
#[derive(Debug)]
pub struct Saved<'a> {
    /// Its RAM.
    pub ram: &'a Ram,
    /// Its state.
    pub state: &'a [u8],
    /// What it is; sizes are filled in.
    pub about: About,
}

/// A snapshot, out of its folder.
#[derive(Debug)]
pub struct Found {
    /// A copy of the RAM.
    pub ram: Ram,
    /// The machine's state.
    pub state: Vec<u8>,
    /// What it is.
    pub about: About,
}

/// The snapshots of a cache.
#[derive(Debug, Clone)]
pub struct Snapshots {
    folder: PathBuf,
}

impl Snapshots {
    /// The snapshots in a cache's folder.
    ///
    /// # Errors
    /// Their folder cannot be made.
    pub fn open(cache: &Path) -> Result<Self, SnapshotError> {
        let folder = cache.join("snapshots");
        fs::create_dir_all(&folder).map_err(|source| file_error(&folder, source))?;
        Ok(Self { folder })
    }

    /// Waits until no other run holds this snapshot, and holds it; `go_on` is asked while waiting.
    ///
    /// # Errors
    /// The lock cannot be made, or the user asked to stop.
    pub fn lock(
        &self,
        key: &Key,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Locked<'_>, SnapshotError> {
        let path = self.folder.join(format!("{key}{LOCK}"));
        let file = File::create(&path).map_err(|source| file_error(&path, source))?;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK | Errno::INTR) if go_on() => thread::sleep(LOCK_POLL),
                Err(Errno::WOULDBLOCK | Errno::INTR) => return Err(SnapshotError::Cancelled),
                Err(error) => return Err(file_error(&path, error.into())),
            }
        }
        Ok(Locked { snapshots: self, folder: self.folder.join(key.to_string()), _lock: file })
    }

    /// Removes what was not used for long, what is too much, and what killed runs left half made.
    /// What another run holds stays.
    pub fn sweep(&self) {
        let mut whole = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if name.ends_with(PARTIAL) {
                self.remove(name.trim_end_matches(PARTIAL), &path);
            } else if !name.ends_with(LOCK) {
                let used = fs::metadata(path.join(ABOUT)).and_then(|about| about.modified());
                whole.push((used.unwrap_or(SystemTime::UNIX_EPOCH), name, path));
            }
        }
        whole.sort();
        let surplus = whole.len().saturating_sub(MOST);
        for (index, (used, name, path)) in whole.into_iter().enumerate() {
            let unused = used.elapsed().is_ok_and(|unused| unused > UNUSED);
            if index < surplus || unused {
                self.remove(&name, &path);
            }
        }
    }

    fn remove(&self, key: &str, path: &Path) {
        let lock = self.folder.join(format!("{key}{LOCK}"));
        let Ok(file) = File::create(&lock) else { return };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // What cannot be removed now is tried again by the next run.
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// A snapshot that no other run touches meanwhile.
#[derive(Debug)]
pub struct Locked<'s> {
    snapshots: &'s Snapshots,
    folder: PathBuf,
    _lock: File,
}

impl Locked<'_> {
    /// What the snapshot is; none if there is none.
    ///
    /// # Errors
    /// It is damaged. Then it is removed.
    pub fn about(&self) -> Result<Option<About>, SnapshotError> {
        let path = self.folder.join(ABOUT);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file_error(&path, source)),
        };
        let about: About = serde_json::from_slice(&text)
            .map_err(|error| self.damaged(format!("{}: {error}", path.display())))?;
        for (name, bytes) in [(RAM, about.ram_bytes), (STATE, about.state_bytes)] {
            let is = fs::metadata(self.folder.join(name)).map_or(0, |metadata| metadata.len());
            if is != bytes {
                return Err(self.damaged(format!("{name} has {is} bytes instead of {bytes}")));
            }
        }
        Ok(Some(about))
    }

    /// Copies the snapshot, to start a machine from.
    ///
    /// # Errors
    /// It is damaged (then it is removed), or there is no room for the copy.
    pub fn copy(&self, about: About) -> Result<Found, SnapshotError> {
        let open = |name: &str| {
            let path = self.folder.join(name);
            File::open(&path).map_err(|source| file_error(&path, source))
        };
        let of = |name: &str, source| file_error(&self.folder.join(name), source);
        let mut state = Vec::new();
        open(STATE)?
            .take(MOST_STATE)
            .read_to_end(&mut state)
            .map_err(|source| of(STATE, source))?;
        let ram = Ram::create(about.ram_bytes).map_err(|source| of(RAM, source))?;
        let copied = sparse::copy(&open(RAM)?, &ram.file).map_err(|source| of(RAM, source))?;
        if copied != about.ram_filled {
            let filled = about.ram_filled;
            return Err(self.damaged(format!("{RAM} holds {copied} bytes instead of {filled}")));
        }
        // When it was used last.
        let _ = File::options()
            .write(true)
            .open(self.folder.join(ABOUT))
            .and_then(|file| file.set_modified(SystemTime::now()));
        Ok(Found { ram, state, about })
    }

    /// Keeps a machine that was saved.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, saved: Saved<'_>) -> Result<About, SnapshotError> {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let partial = self.snapshots.folder.join(format!("{name}{PARTIAL}"));
        let kept = self.write(saved, &partial);
        if kept.is_err() {
            let _ = fs::remove_dir_all(&partial);
        }
        kept
    }

    fn write(&self, saved: Saved<'_>, partial: &Path) -> Result<About, SnapshotError> {
        let failed = |source| file_error(partial, source);
        self.discard();
        let _ = fs::remove_dir_all(partial);
        fs::create_dir(partial).map_err(failed)?;
        let ram = File::create_new(partial.join(RAM)).map_err(failed)?;
        let filled = sparse::copy(&saved.ram.file, &ram).map_err(failed)?;
        fs::write(partial.join(STATE), saved.state).map_err(failed)?;
        let about = About {
            ram_bytes: saved.ram.bytes,
            ram_filled: filled,
            state_bytes: u64::try_from(saved.state.len()).unwrap_or(u64::MAX),
            ..saved.about
        };
        let text = serde_json::to_vec_pretty(&about).map_err(|error| failed(error.into()))?;
        File::create_new(partial.join(ABOUT))
            .and_then(|mut file| file.write_all(&text))
            .map_err(failed)?;
        fs::rename(partial, &self.folder).map_err(failed)?;
        Ok(about)
    }

    /// Removes the snapshot, which turned out to be of no use.
    pub fn discard(&self) {
        // What is left is damaged, and tried again.
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn damaged(&self, what: String) -> SnapshotError {
        self.discard();
        SnapshotError::Damaged { what }
    }
}

fn file_error(path: &Path, source: io::Error) -> SnapshotError {
    SnapshotError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn key(word: &str) -> Key {
        Key::of(&[], b"", &[word]).unwrap()
    }

    fn saved(ram: &Ram) -> Saved<'_> {
        let about = About {
            qemu: "7.2.22".into(),
            kernel: "6.1.0".into(),
            memory: Memory::default(),
            console: vec![(3, "[    0.0] Linux version".into())],
            ram_bytes: 0,
            ram_filled: 0,
            state_bytes: 0,
        };
        Saved { ram, state: b"state", about }
    }

    fn ram() -> Ram {
        let ram = Ram::create(1 << 20).unwrap();
        ram.file.write_all_at(b"guest", 0x5000).unwrap();
        ram
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let cache = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(cache.path()).unwrap();
        let locked = snapshots.lock(&key("a"), &mut || false).unwrap();
        assert_eq!(locked.about().unwrap(), None);
        let about = locked.keep(saved(&ram())).unwrap();
        assert_eq!(locked.about().unwrap(), Some(about.clone()));
        let found = locked.copy(about).unwrap();
        let mut word = [0; 5];
        found.ram.file.read_exact_at(&mut word, 0x5000).unwrap();
        assert_eq!((&word, found.state.as_slice()), (b"guest", b"state".as_slice()));
        drop(locked);
        let other = snapshots.lock(&key("b"), &mut || false).unwrap();
        assert_eq!(other.about().unwrap(), None);
    }

    #[test]
    fn two_runs_do_not_hold_one_snapshot() {
        let cache = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(cache.path()).unwrap();
        let held = snapshots.lock(&key("a"), &mut || false).unwrap();
        let error = snapshots.lock(&key("a"), &mut || false).unwrap_err();
        assert!(matches!(error, SnapshotError::Cancelled));
        drop(held);
        snapshots.lock(&key("a"), &mut || false).unwrap();
    }

    #[test]
    fn a_damaged_snapshot_is_named_and_removed() {
        let cache = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(cache.path()).unwrap();
        let locked = snapshots.lock(&key("a"), &mut || false).unwrap();
        let path = |name: &str| locked.folder.join(name);
        let cut = |name: &str| File::options().write(true).open(path(name)).unwrap();
        let damages: [(&str, &dyn Fn()); 4] = [
            ("about.json", &|| fs::write(path(ABOUT), "{").unwrap()),
            ("ram has", &|| cut(RAM).set_len(4096).unwrap()),
            ("state has", &|| fs::remove_file(path(STATE)).unwrap()),
            ("ram holds 0", &|| {
                cut(RAM).set_len(0).unwrap();
                cut(RAM).set_len(1 << 20).unwrap();
            }),
        ];
        for (words, damage) in damages {
            locked.keep(saved(&ram())).unwrap();
            damage();
            let about = locked.about();
            let error = match about {
                Ok(Some(about)) => locked.copy(about).unwrap_err(),
                Ok(None) => panic!("{words}: gone"),
                Err(error) => error,
            };
            assert!(error.to_string().contains(words), "{error}");
            assert!(!locked.folder.exists(), "{words}");
        }
    }

    #[test]
    fn a_sweep_removes_what_is_old_or_half_made_and_nobody_holds() {
        let cache = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(cache.path()).unwrap();
        let names = || {
            let entries = fs::read_dir(&snapshots.folder).unwrap();
            entries.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
        };
        let old = SystemTime::now() - UNUSED - Duration::from_secs(60);
        for word in ["old", "held", "new"] {
            let locked = snapshots.lock(&key(word), &mut || false).unwrap();
            locked.keep(saved(&ram())).unwrap();
            if word != "new" {
                let about = File::options().write(true).open(locked.folder.join(ABOUT)).unwrap();
                about.set_modified(old).unwrap();
            }
        }
        fs::create_dir(snapshots.folder.join(format!("x{PARTIAL}"))).unwrap();
        let held = snapshots.lock(&key("held"), &mut || false).unwrap();
        snapshots.sweep();
        assert_eq!(names(), 2, "the new one and the one that is held");
        drop(held);
        snapshots.sweep();
        assert_eq!(names(), 1);
    }
}
