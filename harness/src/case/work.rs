// SPDX-License-Identifier: MIT OR Apache-2.0
//! The folder that a case's modules are built in. It stays from build to build, so that make
//! compiles only what changed.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::build_error::BuildError;
use super::copy::copy_error;
use guest::hex;

/// Name of the list of what is there, each with its hash.
const LIST: &str = ".sources.json";

/// The sources at their places, and what each was made from.
type Hashes = BTreeMap<PathBuf, String>;

/// Brings sources to their places in `folder`. A file that did not change is not touched; where
/// one came or went, everything is built anew: make does not know that an object's source is gone.
///
/// # Errors
/// A file cannot be read or written.
pub(super) fn bring(folder: &Path, sources: &BTreeMap<PathBuf, PathBuf>) -> Result<(), BuildError> {
    let mut contents = BTreeMap::new();
    let mut hashes = Hashes::new();
    for (place, path) in sources.iter().filter(|(place, _)| is_inside(place)) {
        let content = fs::read(path).map_err(copy_error(path))?;
        hashes.insert(place.clone(), hex(&Sha256::digest(&content)));
        contents.insert(place, (path, content));
    }
    let list = folder.join(LIST);
    let known = known(&list).filter(|known| known.keys().eq(hashes.keys()));
    if known.is_none() {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(copy_error(folder)(error));
            }
            _ => {}
        }
        fs::create_dir_all(folder).map_err(copy_error(folder))?;
    }
    // A build that is killed half way through must not be taken for a whole one.
    let _ = fs::remove_file(&list);
    let known = known.unwrap_or_default();
    for (place, (path, content)) in contents {
        let target = folder.join(place);
        if known.get(place) == hashes.get(place) && target.is_file() {
            continue;
        }
        write(path, &content, &target)?;
    }
    let text = serde_json::to_vec(&hashes).unwrap_or_default();
    fs::write(&list, text).map_err(copy_error(&list))
}

fn write(from: &Path, content: &[u8], target: &Path) -> Result<(), BuildError> {
    let above = target.parent().unwrap_or(target);
    fs::create_dir_all(above).map_err(copy_error(above))?;
    fs::write(target, content).map_err(copy_error(target))?;
    let mode = fs::metadata(from).map_err(copy_error(from))?.permissions().mode();
    let mode = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
    fs::set_permissions(target, Permissions::from_mode(mode)).map_err(copy_error(target))
}

fn known(list: &Path) -> Option<Hashes> {
    serde_json::from_slice(&fs::read(list).ok()?).ok()
}

fn is_inside(place: &Path) -> bool {
    place.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World(tempfile::TempDir);

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("from")).unwrap();
            Self(folder)
        }

        fn bring(&self, files: &[(&str, &str)]) -> PathBuf {
            let mut sources = BTreeMap::new();
            for (name, text) in files {
                let path = self.0.path().join("from").join(name.replace('/', "_"));
                fs::write(&path, text).unwrap();
                sources.insert(PathBuf::from(name), path);
            }
            let work = self.0.path().join("work");
            bring(&work, &sources).unwrap();
            work
        }
    }

    #[test]
    fn only_what_changed_is_touched_and_what_was_built_stays() {
        let world = World::new();
        let work = world.bring(&[("a.c", "one"), ("b/b.c", "two")]);
        let time = |name: &str| fs::metadata(work.join(name)).unwrap().modified().unwrap();
        let (a, b) = (time("a.c"), time("b/b.c"));
        fs::write(work.join("a.o"), "built").unwrap();
        // What a configure script made of a source is not undone.
        fs::write(work.join("b/b.c"), "configured").unwrap();
        let b_now = time("b/b.c");
        world.bring(&[("a.c", "other"), ("b/b.c", "two")]);
        assert_eq!(fs::read_to_string(work.join("a.c")).unwrap(), "other");
        assert_eq!(fs::read_to_string(work.join("b/b.c")).unwrap(), "configured");
        assert!(time("a.c") >= a && b_now >= b && time("b/b.c") == b_now);
        assert!(work.join("a.o").is_file());
    }

    #[test]
    fn a_source_that_is_gone_takes_everything_with_it() {
        let world = World::new();
        let work = world.bring(&[("a.c", "one"), ("b.c", "two")]);
        fs::write(work.join("b.o"), "built").unwrap();
        world.bring(&[("a.c", "one")]);
        assert!(!work.join("b.o").exists() && !work.join("b.c").exists());
        fs::remove_file(work.join(LIST)).unwrap();
        fs::write(work.join("a.o"), "half").unwrap();
        world.bring(&[("a.c", "one")]);
        assert!(!work.join("a.o").exists(), "nobody knows what is there");
    }

    #[test]
    fn a_script_stays_one() {
        let world = World::new();
        let path = world.0.path().join("from/configure");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o555)).unwrap();
        let sources = BTreeMap::from([(PathBuf::from("configure"), path)]);
        let work = world.0.path().join("work");
        bring(&work, &sources).unwrap();
        let mode = fs::metadata(work.join("configure")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }
}
