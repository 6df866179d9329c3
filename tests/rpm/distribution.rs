// SPDX-License-Identifier: MIT OR Apache-2.0
//! A real kernel and an empty cache, for guests that run.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use guest::{GuestFiles, Manifest, Store};
use tests::project;

/// The kernel that the packages are made of.
pub(crate) fn debian() -> GuestFiles {
    let guest = Manifest::load(&project::root().join("guests/debian-12.toml")).unwrap();
    let root = Store::default_root().unwrap();
    let store = Store::open(&root, false).unwrap();
    guest::fetch(&guest, &store, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// A cache with the lists that apt has already.
pub(crate) fn cache(folder: &Path) -> PathBuf {
    let cache = folder.join("cache");
    fs::create_dir(&cache).unwrap();
    let lists = Store::default_root().unwrap().join("apt");
    duct::cmd!("cp", "-r", lists, &cache).run().unwrap();
    cache
}
