// SPDX-License-Identifier: MIT OR Apache-2.0
//! The artefact folder: `<out>/<UTC time>/`, with a file `incomplete` in it until it is complete.
//!
//! It never changes its name, so that paths which a run tells while it goes on stay right. A folder
//! whose owner was ended before it could finish keeps its `incomplete`; the next invocation removes
//! it. Whether the owner lives is told by a lock on that file, which the kernel gives back however
//! the owner ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

/// Folders of one second that are tried before giving up.
const TRIES: u32 = 100;

/// Name of the file that is in a folder which is not complete.
const INCOMPLETE: &str = "incomplete";

/// Why there is no artefact folder.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the artefact folder {path}")]
pub struct FolderError {
    /// The folder.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// The artefact folder of an invocation.
#[derive(Debug)]
pub struct Folder {
    out: PathBuf,
    name: String,
    _lock: File,
}

impl Folder {
    /// Makes a folder in `out`, named by a time, and removes what dead invocations left there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(out: &Path, time: jiff::Timestamp) -> Result<Self, FolderError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FolderError { path, source }
        };
        fs::create_dir_all(out).map_err(failed(out))?;
        let out = fs::canonicalize(out).map_err(failed(out))?;
        sweep(&out);
        let stamp = time.strftime("%Y-%m-%dT%H%M%SZ").to_string();
        for number in 1..=TRIES {
            let name = if number == 1 { stamp.clone() } else { format!("{stamp}.{number}") };
            let path = out.join(&name);
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(failed(&path)(error)),
            }
            let mark = path.join(INCOMPLETE);
            let lock = File::create(&mark).map_err(failed(&path))?;
            // Between the two calls another invocation may take the folder for an abandoned one.
            if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
                && mark.exists()
            {
                return Ok(Self { out, name, _lock: lock });
            }
        }
        Err(failed(&out.join(stamp))(io::ErrorKind::AlreadyExists.into()))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.out.join(&self.name)
    }

    /// Makes the folder of one run, by the run's name.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn run(&self, name: &str) -> Result<PathBuf, FolderError> {
        let path = self.path().join(run_folder(name));
        fs::create_dir(&path).map_err(|source| FolderError { path: path.clone(), source })?;
        Ok(path)
    }

    /// Marks the folder as complete and points `latest` at it.
    ///
    /// # Errors
    /// It cannot be marked. That `latest` cannot be set is none.
    pub fn complete(self) -> Result<PathBuf, FolderError> {
        let path = self.path();
        fs::remove_file(path.join(INCOMPLETE))
            .map_err(|source| FolderError { path: path.clone(), source })?;
        // Set by a rename, so that there is always one; two invocations may do it at once.
        let link = self.out.join(format!("latest.{}", std::process::id()));
        if std::os::unix::fs::symlink(&self.name, &link).is_ok()
            && fs::rename(&link, self.out.join("latest")).is_err()
        {
            let _ = fs::remove_file(&link);
        }
        Ok(path)
    }
}

/// Name of the folder of a run: `case--guest`. The run's own name, `case@guest`, would make every
/// path in it hold an `@`, by which crash(8) splits its arguments into a file and an address.
#[must_use]
pub fn run_folder(name: &str) -> String {
    name.replace('@', "--")
}

/// Removes folders that were never completed and whose owner is gone. What cannot be removed is
/// left for the next time.
fn sweep(out: &Path) {
    let Ok(entries) = fs::read_dir(out) else { return };
    for entry in entries.flatten().filter(|entry| !entry.path().is_symlink()) {
        if let Ok(mark) = File::open(entry.path().join(INCOMPLETE))
            && rustix::fs::flock(&mark, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time() -> jiff::Timestamp {
        "2026-11-22T08:21:52Z".parse().unwrap()
    }

    #[test]
    fn a_folder_keeps_its_name_and_latest_points_at_it_when_it_is_complete() {
        let out = tempfile::tempdir().unwrap();
        let folder = Folder::create(out.path(), time()).unwrap();
        let told = folder.path();
        assert!(told.ends_with("2026-11-22T082152Z"));
        assert!(told.join(INCOMPLETE).is_file());
        let run = folder.run("a@b.2").unwrap();
        assert!(!run.display().to_string().contains('@'), "crash(8) takes it for an address");
        assert!(!out.path().join("latest").exists(), "what is not complete is not the latest");
        let path = folder.complete().unwrap();
        assert_eq!(path, told);
        assert!(!path.join(INCOMPLETE).exists());
        assert!(out.path().join("latest/a--b.2").is_dir());
    }

    #[test]
    fn two_invocations_of_one_second_have_folders_of_their_own() {
        let out = tempfile::tempdir().unwrap();
        let first = Folder::create(out.path(), time()).unwrap();
        let second = Folder::create(out.path(), time()).unwrap();
        assert_ne!(first.path(), second.path());
        assert!(first.path().is_dir(), "the second does not sweep the first, whose owner lives");
        first.complete().unwrap();
        second.complete().unwrap();
        let third = Folder::create(out.path(), time()).unwrap();
        assert!(third.path().ends_with("2026-11-22T082152Z.3"));
    }

    #[test]
    fn what_a_dead_invocation_left_is_removed() {
        let out = tempfile::tempdir().unwrap();
        let [dead, complete] =
            ["2020-01-01T000000Z", "2020-01-02T000000Z"].map(|name| out.path().join(name));
        for folder in [&dead, &complete] {
            fs::create_dir_all(folder.join("case--guest")).unwrap();
        }
        fs::write(dead.join(INCOMPLETE), "").unwrap();
        let folder = Folder::create(out.path(), time()).unwrap();
        assert!(!dead.exists() && complete.exists());
        drop(folder);
    }
}
