// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every snapshot is reviewed and belongs to a test that is there; no file is a burden for git.

use crate::{none, tree};

/// No file is larger: 512 KiB.
const MOST_BYTES: u64 = 512 << 10;

#[test]
fn no_snapshot_waits_for_review() {
    let waiting: Vec<_> =
        [".snap.new", ".pending-snap"].into_iter().flat_map(tree::ending).collect();
    none("run `cargo xtask review`", &waiting);
}

/// What is recorded stays small enough for git.
#[test]
fn recordings_are_small() {
    let large: Vec<_> = tree::files()
        .into_iter()
        .map(|path| (tree::size(&path), path))
        .filter(|(size, _)| *size > MOST_BYTES)
        .map(|(size, path)| format!("{path}: {size} bytes"))
        .collect();
    none(&format!("files of more than {MOST_BYTES} bytes"), &large);
}

#[test]
fn every_snapshot_has_its_test() {
    let orphans: Vec<_> = tree::ending(".snap")
        .into_iter()
        .filter_map(|path| orphan(&path, &tree::read(&path)).map(|why| format!("{path}: {why}")))
        .collect();
    none("snapshots whose test or guest is gone", &orphans);
}

/// Why nothing asserts the snapshot.
///
/// insta names a snapshot `<module>__<name>.snap`, where the name is the test's without `test_` or
/// the one given; it writes the path of the test's source into the header. A case's snapshots lie in
/// `modules/<case>/snapshots/<guest>/`, those of its recordings in `modules/<case>/recordings/`.
fn orphan(path: &str, text: &str) -> Option<&'static str> {
    let header = text.split("---\n").nth(1)?;
    let Some(source) = header.lines().find_map(|line| line.strip_prefix("source: ")) else {
        return Some("the header names no source");
    };
    if !tree::root().join(source).is_file() {
        return Some("the source that the header names does not exist");
    }
    if let Some(place) = path.strip_prefix("modules/") {
        let (case, guest) = match place.split('/').collect::<Vec<_>>()[..] {
            [case, "snapshots", guest, _] => (case, guest),
            // `debian-12.txt.snap` beside `debian-12.recording`.
            [case, "recordings", name] => (case, name.split('.').next().unwrap_or(name)),
            _ => return Some("it is not in the folder of a guest"),
        };
        let files = [format!("modules/{case}/case.toml"), format!("guests/{guest}.toml")];
        let there = files.iter().all(|file| tree::root().join(file).is_file());
        return (!there).then_some("its case or guest is gone");
    }
    let stem = path.rsplit('/').next()?.strip_suffix(".snap")?;
    let name = stem.rsplit("__").next()?;
    // The second snapshot of one test has the name with `-2`.
    let name = name.trim_end_matches(|letter: char| letter == '-' || letter.is_ascii_digit());
    (!tree::read(source).contains(name)).then_some("its name does not occur in the source")
}
