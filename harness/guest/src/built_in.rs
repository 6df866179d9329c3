// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guests that this program knows by itself: the files of `guests/` as they were when it was
//! built. Projects that are no checkout of this one run on them without a file of their own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::hex;

/// Path below `guests/` and content of each file.
const FILES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// The guest of a project that names none: that of this project.
pub const DEFAULT_GUEST: &str = include!(concat!(env!("OUT_DIR"), "/default-guest.rs"));

/// Folder of the cache.
const FOLDER: &str = "guests";
/// Characters of the hash that names a version of the files.
const HASH: usize = 16;

/// Writes the files into the cache, where they are read like those of a project.
///
/// # Errors
/// The cache cannot be written.
pub fn built_in(cache: &Path) -> io::Result<PathBuf> {
    let mut hash = Sha256::new();
    for (name, text) in FILES {
        hash.update(format!("{name} {}\n", text.len()));
        hash.update(text);
    }
    let mut name = hex(&hash.finalize());
    name.truncate(HASH);
    let above = cache.join(FOLDER);
    let folder = above.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&above)?;
    let made = tempfile::Builder::new().suffix(".partial").tempdir_in(&above)?;
    for (name, text) in FILES {
        let path = made.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(made.path()))?;
        fs::write(path, text)?;
    }
    match fs::rename(made.path(), &folder) {
        // Another run was faster; what it wrote is the same.
        Err(_) if folder.is_dir() => Ok(folder),
        Err(error) => Err(error),
        Ok(()) => {
            // There is nothing left for it to remove.
            let _ = made.keep();
            Ok(folder)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Manifest;

    #[test]
    fn the_files_are_those_of_the_checkout_and_can_be_read() {
        let cache = tempfile::tempdir().unwrap();
        let folder = built_in(cache.path()).unwrap();
        assert_eq!(built_in(cache.path()).unwrap(), folder, "written once");
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests");
        let mut seen = 0;
        for entry in fs::read_dir(&checkout).unwrap().flatten() {
            if entry.path().extension().is_some_and(|ending| ending == "toml") {
                let own = Manifest::load(&folder.join(entry.file_name())).unwrap();
                let theirs = Manifest::load(&entry.path()).unwrap();
                assert_eq!((own.name, own.summary), (theirs.name, theirs.summary));
                seen += 1;
            }
        }
        assert!(seen >= 4, "{seen} guests");
        assert_eq!(fs::read_dir(cache.path().join(FOLDER)).unwrap().count(), 1, "nothing is left");
    }
}
