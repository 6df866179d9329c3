// SPDX-License-Identifier: MIT OR Apache-2.0
//! The separate debug file of a stripped kernel or module.
//!
//! By build-id (`.build-id/xx/yyyy.debug`) and by `.gnu_debuglink`, in the order and the places of
//! gdb's manual, "Debugging Information in Separate Files"; then `NAME.debug` beside the file.

use std::path::{Path, PathBuf};

use super::identity::{build_id_name, image_of};
use super::open::open;
use super::supplementary;
use super::{DEBUG_ROOT, Found};
use crate::map::Map;

/// What is asked of a file to choose it.
pub(super) struct Facts {
    pub(super) build_id: Option<Vec<u8>>,
    pub(super) link: Option<String>,
    pub(super) has_debug_info: bool,
}

impl Facts {
    /// Of a kernel or module; none if it is neither.
    pub(super) fn of(file: &[u8]) -> Option<Self> {
        let image = image_of(file)?;
        Some(Self {
            build_id: image.build_id(),
            link: image.debug_link().map(str::to_owned),
            has_debug_info: image.has_debug_info(),
        })
    }
}

/// The build-id of a kernel or module, or of its debug file.
pub(crate) fn build_id_of(path: &Path) -> Option<Vec<u8>> {
    Facts::of(&open(path).ok()?)?.build_id
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
    let debug = debug.map(|(_, map)| map);
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
            Some(theirs) if theirs.has_debug_info => {
                if theirs.build_id == facts.build_id {
                    return Some((place, map));
                }
                other.get_or_insert((place, map));
            }
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
    if let Some(link) = &facts.link {
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
