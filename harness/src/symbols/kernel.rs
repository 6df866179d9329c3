// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's own file.

use std::io;
use std::path::{Path, PathBuf};

use debuginfo::Image;
use kernel::release_of;

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
    /// The release, if it can be a part of a path and of a package's name: what a dump says may be anything.
    pub(crate) fn release(&self) -> Option<&str> {
        self.release.as_deref().filter(|release| is_plain(release))
    }
}

/// Whether a release is one that a kernel may have: it begins with a number and has no letters that act.
fn is_plain(release: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+~-".contains(c);
    release.starts_with(|c: char| c.is_ascii_digit()) && release.chars().all(is_plain)
}

/// Opens the kernel's file: the one given, the one in the folder given, or one in the places of
/// debug packages. A file that was not named by the user is taken only if nothing speaks against it.
pub(crate) fn kernel(
    given: Option<&Path>,
    places: &Places,
    wanted: &Wanted,
) -> io::Result<Option<Found>> {
    match given {
        Some(folder) if folder.is_dir() => match search(&in_folder(folder, wanted), wanted, true) {
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no vmlinux in this folder")),
            found => Ok(found),
        },
        Some(path) => Ok(Some(complete(path, open(path)?, &[]))),
        None => Ok(search(&unnamed(places, wanted), wanted, false)),
    }
}

/// The first file of the right build that has debug information, else the first of the right build, else the
/// first that does not say. One that says it is another's is taken only out of a folder that the user named.
fn search(places: &[PathBuf], wanted: &Wanted, is_named: bool) -> Option<Found> {
    let mut best: Option<(Fit, Found)> = None;
    for place in places.iter().flat_map(|path| variants(path)) {
        let Ok(image) = open(&place) else { continue };
        let Some(facts) = Facts::of(&image) else { continue };
        let fit = fit(&facts, &image, wanted);
        if fit == Fit::Other && !is_named {
            continue;
        }
        let found = complete(&place, image, &[]);
        let fit = if fit == Fit::Right && !found.has_debug_info() { Fit::Bare } else { fit };
        if fit == Fit::Right {
            return Some(found);
        }
        if best.as_ref().is_none_or(|(known, _)| fit < *known) {
            best = Some((fit, found));
        }
    }
    best.map(|(_, found)| found)
}

/// How well a file fits what is wanted, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is the one.
    Right,
    /// It does not say what it is.
    Unknown,
    /// It is the one, without debug information.
    Bare,
    /// It is another one.
    Other,
}

fn fit(facts: &Facts, file: &[u8], wanted: &Wanted) -> Fit {
    if let (Some(ours), Some(theirs)) = (&wanted.build_id, &facts.build_id) {
        return if ours == theirs { Fit::Right } else { Fit::Other };
    }
    let release = Image::kernel(file, 0).ok().and_then(|image| release_of(&image));
    match (wanted.release(), release) {
        (Some(ours), Some(theirs)) if ours != theirs => Fit::Other,
        _ => Fit::Unknown,
    }
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// A file with debug information and a build-id, and what `strip` leaves of it.
    fn built(folder: &Path, name: &str, build_id: &str) -> [PathBuf; 2] {
        let (source, whole) = (folder.join(format!("{name}.c")), folder.join(name));
        fs::write(&source, "int value = 1; void _start(void) { }").unwrap();
        let id = format!("-Wl,--build-id=0x{build_id}");
        run(Command::new("gcc")
            .args(["-g", "-static", "-nostdlib", &id, "-o"])
            .arg(&whole)
            .arg(source));
        let bare = folder.join(format!("{name}.bare"));
        run(Command::new("objcopy").arg("-S").args([&whole, &bare]));
        [whole, bare]
    }

    fn run(command: &mut Command) {
        assert!(command.status().expect("it is installed").success(), "{command:?}");
    }

    fn found(places: &[&PathBuf], build_id: Option<&[u8]>, is_named: bool) -> Option<PathBuf> {
        let places: Vec<PathBuf> = places.iter().map(|path| (*path).clone()).collect();
        let wanted = Wanted { release: None, build_id: build_id.map(<[u8]>::to_vec) };
        search(&places, &wanted, is_named).map(|found| found.path().to_owned())
    }

    #[test]
    fn a_bare_file_hides_no_whole_one_and_another_build_none_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let [whole, bare] = built(folder.path(), "one", "aabbcc");
        let [other, _] = built(folder.path(), "other", "ddeeff");
        let id = Some(&[0xaa, 0xbb, 0xcc][..]);
        assert_eq!(found(&[&other, &bare, &whole], id, false).as_ref(), Some(&whole));
        assert_eq!(found(&[&other, &bare], id, false).as_ref(), Some(&bare));
        assert_eq!(found(&[&other], id, false), None);
        // Out of a folder that was named, the report says that it is another one.
        assert_eq!(found(&[&other], id, true).as_ref(), Some(&other));
        assert_eq!(found(&[&other, &whole], None, false).as_ref(), Some(&other), "nothing tells");
    }

    #[test]
    fn releases_that_would_act_in_a_path_are_none() {
        let release = |text: &str| {
            let wanted = Wanted { release: Some(text.to_owned()), build_id: None };
            wanted.release().map(str::to_owned)
        };
        assert_eq!(release("6.12.118+deb13-amd64").unwrap(), "6.12.118+deb13-amd64");
        for text in ["..", ".", "", "6.1/../x", "6.1 x", "-x", "6.1\u{1b}[2J"] {
            assert_eq!(release(text), None, "{text:?}");
        }
    }
}
