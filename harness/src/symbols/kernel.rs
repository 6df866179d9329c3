// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's own file.

use std::io;
use std::path::{Path, PathBuf};

use super::debug_file::{Facts, complete};
use super::names::PACKED;
use super::open::open;
use super::places::Places;
use super::{DEBUG_ROOT, Found};

/// What a dump says of its kernel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Release, as `uname -r` prints it.
    pub(crate) release: Option<String>,
    /// Build-id of `vmlinux`.
    pub(crate) build_id: Option<Vec<u8>>,
}

impl Wanted {
    /// The release, if it can be a part of a path: what a dump says may be anything.
    pub(super) fn release(&self) -> Option<&str> {
        self.release.as_deref().filter(|release| !release.contains('/') && !release.is_empty())
    }
}

/// Opens the kernel's file: the one given, the one in the folder given, or one in the places of
/// debug packages. A file that was not named by the user is taken only if nothing speaks against it.
pub(crate) fn kernel(
    given: Option<&Path>,
    places: &Places,
    wanted: &Wanted,
) -> io::Result<Option<Found>> {
    match given {
        Some(folder) if folder.is_dir() => match search(&in_folder(folder, wanted), wanted) {
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no vmlinux in this folder")),
            found => Ok(found),
        },
        Some(path) => Ok(Some(complete(path, open(path)?, &[]))),
        None => Ok(search(&unnamed(places, wanted), wanted)),
    }
}

/// The first file of the right build, else the first that does not say.
fn search(places: &[PathBuf], wanted: &Wanted) -> Option<Found> {
    let mut doubtful = None;
    for path in places {
        for place in variants(path) {
            let Ok(image) = open(&place) else { continue };
            let Some(facts) = Facts::of(&image) else { continue };
            if wanted.build_id.is_some() && facts.build_id == wanted.build_id {
                return Some(complete(&place, image, &[]));
            }
            doubtful.get_or_insert((place, image));
        }
    }
    doubtful.map(|(place, image)| complete(&place, image, &[]))
}

/// The path itself, and as compressed files.
fn variants(path: &Path) -> impl Iterator<Item = PathBuf> {
    let packed = PACKED.iter().map(move |ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    });
    std::iter::once(path.to_owned()).chain(packed).filter(|path| path.is_file())
}

fn in_folder(folder: &Path, wanted: &Wanted) -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(release) = wanted.release() {
        places.extend(of_release(folder, release));
        places.push(folder.join(format!("vmlinux-{release}")));
    }
    places.extend([folder.join("vmlinux"), folder.join("vmlinux.debug")]);
    places
}

/// Files that nobody named, the likeliest first.
fn unnamed(places: &Places, wanted: &Wanted) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(id) = wanted.build_id.as_deref() {
        found.extend(places.of_build(id));
    }
    if let Some(folder) = &places.beside {
        found.extend(in_folder(folder, wanted));
    }
    if let Some(release) = wanted.release() {
        if places.system {
            found.extend(of_release(Path::new(DEBUG_ROOT), release));
            found.push(PathBuf::from(format!("/lib/modules/{release}/build/vmlinux")));
        }
        found.extend(places.kept_kernels(release));
    }
    found
}

fn of_release(root: &Path, release: &str) -> [PathBuf; 4] {
    let modules = root.join("lib/modules").join(release);
    [
        root.join(format!("boot/vmlinux-{release}")),
        root.join(format!("boot/vmlinux-{release}.debug")),
        modules.join("vmlinux"),
        modules.join("vmlinux.debug"),
    ]
}
