// SPDX-License-Identifier: MIT OR Apache-2.0
//! The folder that a distribution's kdump makes of a crash, below /var/crash.
//!
//! kexec-tools of Red Hat's (`HOST-DATE/vmcore`, `vmcore-dmesg.txt`, `vmcore-incomplete`, `vmcore.flat` where it came
//! over ssh), kdump-tools of Debian's (`DATE/dump.DATE`, `dmesg.DATE`), SUSE's (`DATE/vmcore`); any of them may have
//! been compressed since.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::exit::Exit;

/// Crashes that are named where a folder has several.
const NAMED: usize = 5;

/// Endings of what people keep beside a dump: checksums, signatures, notes.
const BESIDE: [&str; 10] =
    ["md5", "sha1", "sha256", "sha512", "md5sum", "sha256sum", "asc", "sig", "log", "json"];

/// What a file of such a folder is, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The whole dump.
    Dump,
    /// As far as it was written.
    IncompleteDump,
    /// The kernel's log alone.
    Log,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let is = |beginnings: &[&str]| beginnings.iter().any(|it| name.starts_with(it));
        let ending = name.rsplit('.').next().unwrap_or_default();
        match () {
            () if BESIDE.contains(&ending) => None,
            () if is(&["vmcore-dmesg", "dmesg."]) => Some(Self::Log),
            () if name.contains("incomplete") && is(&["vmcore", "dump"]) => {
                Some(Self::IncompleteDump)
            }
            () if name == "vmcore" || is(&["vmcore.", "vmcore-", "dump."]) => Some(Self::Dump),
            () => None,
        }
    }
}

/// A file of a crash. A vmcore's own name comes before longer ones, such as of copies of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CrashFile {
    kind: Kind,
    length_of_name: usize,
    path: PathBuf,
}

/// Names as they are, a crash's folder replaced by its file.
///
/// # Errors
/// A folder has no crash in it, or several.
pub(crate) fn expanded(paths: &[impl AsRef<Path>]) -> Result<Vec<PathBuf>, Failure> {
    let of = |path: &Path| match path.is_dir() {
        true => file_of(path),
        false => Ok(path.to_owned()),
    };
    paths.iter().map(|path| of(path.as_ref())).collect()
}

/// The log in a folder that has the dump of the same crash.
pub(crate) fn log_in(folder: &Path) -> Option<PathBuf> {
    let mut logs = files(folder).ok()?;
    logs.retain(|file| file.kind == Kind::Log);
    logs.into_iter().min().map(|file| file.path)
}

/// The dump in a folder, else the log.
fn file_of(folder: &Path) -> Result<PathBuf, Failure> {
    if let Some(first) = files(folder)?.into_iter().min() {
        return Ok(first.path);
    }
    let (crashes, hidden) = crashes(folder);
    let what = format!("{} is a folder without a vmcore", folder.display());
    let failure = Failure::new(Exit::AnalysisFailed, what);
    if crashes.is_empty() && hidden > 0 {
        return Err(failure.hint(format!("{hidden} folders in it cannot be read: try it as root")));
    }
    if crashes.is_empty() {
        return Err(
            failure.hint("a crash's folder has a file vmcore, dump.DATE or vmcore-dmesg.txt")
        );
    }
    let names: Vec<String> =
        crashes.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    let more = crashes.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let all = format!("all of them together: repro analyze --group {}", folder.display());
    Err(failure.hint(format!("name a crash, the newest first: {}{more}; {all}", names.join(" "))))
}

/// Files of a crash in a folder.
fn files(folder: &Path) -> Result<Vec<CrashFile>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| {
        Failure::new(Exit::AnalysisFailed, format!("cannot read {}", folder.display()))
            .caused_by(&error)
    })?;
    let paths = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let of_crash = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        Some(CrashFile { kind: Kind::of(name)?, length_of_name: name.len(), path })
    };
    Ok(paths.filter_map(of_crash).collect())
}

/// Folders with a crash in a folder, the newest first, and how many cannot be read.
fn crashes(folder: &Path) -> (Vec<PathBuf>, usize) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
    let read: Vec<_> = folders.map(|path| (files(&path), path)).collect();
    let hidden = read.iter().filter(|(files, _)| files.is_err()).count();
    let with_crash =
        read.into_iter().filter(|(files, _)| files.as_ref().is_ok_and(|it| !it.is_empty()));
    let mut dated: Vec<_> = with_crash
        .map(|(_, path)| path)
        .map(|path| (path.metadata().and_then(|folder| folder.modified()).ok(), path))
        .collect();
    dated.sort_by(|a, b| b.cmp(a));
    (dated.into_iter().map(|(_, path)| path).collect(), hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Result<String, Failure> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = expanded(&[folder.path()])?;
        Ok(found[0].strip_prefix(folder.path()).unwrap().display().to_string())
    }

    #[test]
    fn the_dump_comes_before_the_log_and_a_whole_one_before_what_is_incomplete() {
        let red_hat = ["kexec-dmesg.log", "vmcore", "vmcore-dmesg.txt"];
        assert_eq!(chosen(&red_hat).unwrap(), "vmcore");
        let incomplete = ["vmcore-dmesg.txt", "vmcore-incomplete"];
        assert_eq!(chosen(&incomplete).unwrap(), "vmcore-incomplete");
        assert_eq!(
            chosen(&["vmcore-dmesg-incomplete.txt"]).unwrap(),
            "vmcore-dmesg-incomplete.txt"
        );
        let debian = ["dmesg.202611301200", "dump.202611301200"];
        assert_eq!(chosen(&debian).unwrap(), "dump.202611301200");
        assert_eq!(
            chosen(&["vmcore.md5", "vmcore-20261130.kdump"]).unwrap(),
            "vmcore-20261130.kdump"
        );
        assert_eq!(chosen(&["vmcore.flat"]).unwrap(), "vmcore.flat");
        assert_eq!(chosen(&["README.txt", "vmcore.gz", "System.map-5.14"]).unwrap(), "vmcore.gz");
    }

    #[test]
    fn the_log_beside_a_dump_is_known_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("vmcore-incomplete"), "").unwrap();
        assert_eq!(log_in(folder.path()), None);
        for name in ["kexec-dmesg.log", "vmcore-dmesg.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(log_in(folder.path()), Some(folder.path().join("vmcore-dmesg.txt")));
    }

    #[test]
    fn a_folder_of_crashes_names_them_and_one_without_says_so() {
        let several = chosen(&["one/vmcore", "two/dump.1", "three/notes"]).unwrap_err();
        let hint = several.hint.unwrap();
        assert!(hint.contains("/one") && hint.contains("/two") && hint.contains("--group"));
        assert!(!hint.contains("/three"), "{hint}");
        let none = chosen(&["vmcore_notes", "other"]).unwrap_err();
        assert!(none.message.ends_with("is a folder without a vmcore"), "{none}");
    }
}
