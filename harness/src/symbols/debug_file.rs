// SPDX-License-Identifier: MIT OR Apache-2.0
//! The separate debug file of a stripped kernel or module.
//!
//! By build-id (`.build-id/xx/yyyy.debug`) and by `.gnu_debuglink`, in the order and the places of
//! gdb's manual, "Debugging Information in Separate Files"; then `NAME.debug` beside the file.
//!
//! The link has a checksum of the whole file, which may have hundreds of megabytes. It is asked only
//! where build-ids do not tell: objects that were linked without one.

use std::path::{Path, PathBuf};

use super::identity::{build_id_name, image_of};
use super::open::open;
use super::supplementary;
use super::{DEBUG_ROOT, Found};
use crate::map::Map;

/// The link to a debug file.
struct Link {
    name: PathBuf,
    crc: Option<u32>,
}

impl Link {
    /// Whether a file of the link's name has the link's checksum; `None` if it is not found by it.
    fn holds(&self, place: &Path, file: &[u8]) -> Option<bool> {
        let crc = self.crc.filter(|_| place.file_name() == self.name.file_name())?;
        let mut sum = flate2::Crc::new();
        sum.update(file);
        Some(sum.sum() == crc)
    }
}

/// What a candidate is to a file.
enum Fit {
    /// Its debug file.
    Same,
    /// That of another build, or nothing tells.
    Other,
    /// Another file that only has the link's name.
    Namesake,
}

/// What is asked of a file to choose it.
pub(super) struct Facts {
    pub(super) build_id: Option<Vec<u8>>,
    link: Option<Link>,
    pub(super) has_debug_info: bool,
}

impl Facts {
    /// Of a kernel or module; none if it is neither.
    pub(super) fn of(file: &[u8]) -> Option<Self> {
        let image = image_of(file)?;
        Some(Self {
            build_id: image.build_id(),
            link: image.debug_link().map(|link| Link { name: link.name.into(), crc: link.crc }),
            has_debug_info: image.has_debug_info(),
        })
    }

    /// What a candidate is to the file that these are of.
    fn fit(&self, theirs: &Self, place: &Path, file: &[u8]) -> Fit {
        let by_id = if self.build_id == theirs.build_id { Fit::Same } else { Fit::Other };
        if self.build_id.is_some() && theirs.build_id.is_some() {
            return by_id;
        }
        match self.link.as_ref().and_then(|link| link.holds(place, file)) {
            Some(true) => Fit::Same,
            Some(false) => Fit::Namesake,
            None => by_id,
        }
    }
}

/// Whether a file is a kernel or module of a build, or its debug file. It is not unpacked: what a server gives is
/// not compressed, and might become anything.
pub(crate) fn is_of_build(path: &Path, build_id: &[u8], with_debug_info: bool) -> bool {
    let facts = Map::open(path).ok().and_then(|map| Facts::of(&map));
    facts.is_some_and(|facts| {
        facts.build_id.as_deref() == Some(build_id) && (facts.has_debug_info || !with_debug_info)
    })
}

/// The file with its debug file and the supplementary one, where it needs them and they are found.
/// `beside` are files that may be its debug file, such as one found under the same name.
pub(super) fn complete(path: &Path, image: Map, beside: &[PathBuf]) -> Found {
    let facts = Facts::of(&image);
    let debug = facts
        .as_ref()
        .filter(|facts| !facts.has_debug_info)
        .and_then(|facts| find(path, facts, beside));
    let (linking, file) = debug.as_ref().map_or((path, &image), |(path, map)| (path, map));
    let supplementary = supplementary::find(linking, file);
    let build_id = facts.and_then(|facts| facts.build_id);
    Found { path: path.to_owned(), build_id, image, debug, supplementary }
}

/// The first candidate of the same build; else the first of another one, which the report names.
fn find(path: &Path, facts: &Facts, beside: &[PathBuf]) -> Option<(PathBuf, Map)> {
    let mut other = None;
    let candidates = beside.iter().cloned().chain(places(path, facts));
    for place in candidates.filter(|place| place != path) {
        let Ok(map) = open(&place) else { continue };
        match Facts::of(&map) {
            Some(theirs) if theirs.has_debug_info => match facts.fit(&theirs, &place, &map) {
                Fit::Same => return Some((place, map)),
                Fit::Other => {
                    other.get_or_insert((place, map));
                }
                Fit::Namesake => {}
            },
            _ => {}
        }
    }
    other
}

fn places(path: &Path, facts: &Facts) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut places = Vec::new();
    if let Some(name) = facts.build_id.as_deref().and_then(build_id_name) {
        places.extend([Path::new(DEBUG_ROOT), folder].map(|root| root.join(&name)));
    }
    if let Some(Link { name: link, .. }) = &facts.link {
        places.extend([folder.join(link), folder.join(".debug").join(link)]);
        if let Ok(whole) = folder.canonicalize() {
            let inside = whole.strip_prefix("/").unwrap_or(&whole);
            places.push(Path::new(DEBUG_ROOT).join(inside).join(link));
        }
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".debug");
    places.push(name.into());
    places
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// A program and its debug file, split off as distributions do.
    struct Split {
        folder: tempfile::TempDir,
        program: PathBuf,
        debug: PathBuf,
    }

    fn run(command: &mut Command) {
        assert!(command.status().expect("it is installed").success(), "{command:?}");
    }

    fn split(build_id: &str) -> Split {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let (program, source, debug) = (at("program"), at("program.c"), at("program.dbg"));
        fs::write(&source, "int global; void _start(void) { global = 1; }").expect("a new file");
        let mut gcc = Command::new("gcc");
        gcc.args(["-g", "-static", "-nostdlib", &format!("-Wl,--build-id={build_id}"), "-o"]);
        run(gcc.arg(&program).arg(source));
        run(Command::new("objcopy").arg("--only-keep-debug").args([&program, &debug]));
        let mut link = std::ffi::OsString::from("--add-gnu-debuglink=");
        link.push(&debug);
        run(Command::new("objcopy").arg("--strip-debug").arg(link).arg(&program));
        Split { folder, program, debug }
    }

    impl Split {
        fn found(&self) -> Option<PathBuf> {
            let facts = Facts::of(&fs::read(&self.program).expect("it was written"))?;
            find(&self.program, &facts, &[]).map(|(path, _)| path)
        }

        /// Adds a byte behind the debug file: still an ELF file with the same build-id.
        fn change(&self) {
            let mut bytes = fs::read(&self.debug).expect("it was written");
            bytes.push(0);
            fs::write(&self.debug, bytes).expect("it is ours");
        }
    }

    #[test]
    fn without_build_ids_the_checksum_of_the_link_decides() {
        let split = split("none");
        assert_eq!(split.found().as_ref(), Some(&split.debug));
        split.change();
        assert_eq!(split.found(), None);
        // The true one is found behind the namesake.
        let hidden = split.folder.path().join(".debug");
        fs::create_dir(&hidden).expect("a new folder");
        let mut bytes = fs::read(&split.debug).expect("it was written");
        bytes.pop();
        let there = hidden.join("program.dbg");
        fs::write(&there, bytes).expect("a new file");
        assert_eq!(split.found(), Some(there));
    }

    /// A file with the same build-id is not read for its checksum.
    #[test]
    fn a_build_id_counts_more_than_the_checksum() {
        let split = split("sha1");
        split.change();
        assert_eq!(split.found().as_ref(), Some(&split.debug));
    }
}
