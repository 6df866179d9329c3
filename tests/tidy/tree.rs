// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of the project, read from the folder itself: a copy without git is checked as well.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The project's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/tidy is in it")
        .to_owned()
}

/// Every file, as a path below the root, in order. What builds and fuzzing leave is none of them.
#[must_use]
pub fn files() -> Vec<String> {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    let mut files: Vec<_> = files
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    files
}

/// The files whose names end so.
#[must_use]
pub fn ending(suffix: &str) -> Vec<String> {
    files().into_iter().filter(|path| path.ends_with(suffix)).collect()
}

/// The text of a file; empty for one that is not text.
#[must_use]
pub fn read(path: &str) -> String {
    String::from_utf8(fs::read(root().join(path)).unwrap()).unwrap_or_default()
}

/// Whether there is such a file.
#[must_use]
pub fn exists(path: &str) -> bool {
    root().join(path).is_file()
}

/// The size of a file in bytes.
#[must_use]
pub fn size(path: &str) -> u64 {
    fs::metadata(root().join(path)).unwrap().len()
}

/// Folders' names directly below a folder.
#[must_use]
pub fn folders(path: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(root().join(path))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !is_left_by_a_tool(&entry.file_name()) {
            collect(&entry.path(), files);
        } else if kind.is_file() && entry.file_name() != ".git" {
            files.push(entry.path());
        }
    }
}

fn is_left_by_a_tool(folder: &OsStr) -> bool {
    let name = folder.to_str().unwrap_or_default();
    name.starts_with("target") || [".git", "artifacts", "corpus"].contains(&name)
}
