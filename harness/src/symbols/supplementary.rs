// SPDX-License-Identifier: MIT OR Apache-2.0
//! The supplementary debug file that `dwz -m` made of what several files have in common: where the
//! link says, and where distributions keep such files (`/usr/lib/debug/.dwz`).

use std::path::{Path, PathBuf};

use super::DEBUG_ROOT;
use super::debug_file::{build_id_name, image_of};
use super::open::open;
use crate::map::Map;

/// The file that the one at `path` links to. Whether it is the right one is for `debuginfo` to say.
pub(super) fn find(path: &Path, file: &[u8]) -> Option<Map> {
    let image = image_of(file)?;
    let link = image.supplementary_link()?;
    places(path, link.name, link.build_id).into_iter().find_map(|place| open(&place).ok())
}

fn places(path: &Path, name: &str, build_id: &[u8]) -> Vec<PathBuf> {
    // A debug file is often reached by a symbolic link below `.build-id`; the name counts from where
    // it really is.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real.parent().unwrap_or(Path::new(""));
    let root = Path::new(DEBUG_ROOT);
    let mut places = vec![folder.join(name)];
    if let Some(file) = Path::new(name).file_name() {
        places.extend([folder.join(file), root.join(".dwz").join(file)]);
    }
    places.extend(build_id_name(build_id).map(|name| root.join(name)));
    places
}
