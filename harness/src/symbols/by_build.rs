// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of modules that only a build-id leads to, each opened when it is first asked for.

use std::cell::OnceCell;
use std::path::PathBuf;

use super::Found;
use super::debug_file::{Facts, complete};
use super::open::open;

/// What was asked for so far, in its order: a list that only grows, so that what it gave out stays.
#[derive(Default)]
pub(super) struct ByBuild(OnceCell<Box<Entry>>);

struct Entry {
    build_id: Vec<u8>,
    found: Option<Found>,
    next: ByBuild,
}

impl ByBuild {
    /// The module of a build, out of the files that `places` names for it: the one with code before the one with
    /// debug information alone.
    pub(super) fn get(
        &self,
        build_id: &[u8],
        places: impl FnOnce() -> Vec<PathBuf>,
    ) -> Option<&Found> {
        let mut at = self;
        while let Some(entry) = at.0.get() {
            if entry.build_id == build_id {
                return entry.found.as_ref();
            }
            at = &entry.next;
        }
        let found = opened(build_id, &places());
        let entry = Entry { build_id: build_id.to_owned(), found, next: Self::default() };
        at.0.get_or_init(|| Box::new(entry)).found.as_ref()
    }
}

/// The first file of that build, with the others for its debug file.
fn opened(build_id: &[u8], paths: &[PathBuf]) -> Option<Found> {
    let (path, image) = paths.iter().find_map(|path| {
        let map = open(path).ok()?;
        let is_it = Facts::of(&map)?.build_id.as_deref() == Some(build_id);
        is_it.then_some((path, map))
    })?;
    let others: Vec<PathBuf> = paths.iter().filter(|other| *other != path).cloned().collect();
    Some(complete(path, image, &others))
}
