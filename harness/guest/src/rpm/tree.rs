// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder that packages are unpacked into, and that nothing of them gets out of.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use super::super::foreign::stays;
use super::header::invalid;
use super::payload::{Entry, EntryKind};

/// Links that are followed on the way to one file (the kernel's own limit).
const MAX_LINKS: usize = 40;

/// What symbolic links of a package may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// Lead to another place in the tree. No file may be unpacked through one.
    Inside,
    /// Lead to anywhere as seen from inside, with the tree as the root folder; a distribution has
    /// `/lib64 -> usr/lib64` and unpacks `/lib64/libc.so.6`.
    Root,
}

/// A folder with the files of packages.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    links: Links,
    /// Names that wait for the content they share, by its number.
    waiting: BTreeMap<u32, Vec<PathBuf>>,
}

impl Tree {
    pub(super) fn new(root: &Path, links: Links) -> Self {
        Self { root: root.to_owned(), links, waiting: BTreeMap::new() }
    }

    /// Begins the next package, whose numbers of shared contents are its own.
    pub(super) fn next_package(&mut self) {
        self.waiting.clear();
    }

    /// Unpacks one file. Folders come into being with their files, writable, so that a cache can
    /// be removed; devices are left out.
    pub(super) fn add(&mut self, entry: &Entry, content: &mut dyn Read) -> io::Result<()> {
        match &entry.kind {
            EntryKind::Folder | EntryKind::Other => Ok(()),
            EntryKind::Link(target) => self.link(&entry.path, target),
            EntryKind::File => self.file(entry, content),
        }
    }

    /// Makes a symbolic link.
    pub(super) fn link(&self, path: &Path, target: &Path) -> io::Result<()> {
        if self.links == Links::Inside && !stays(path, target) {
            let (path, target) = (path.display(), target.display());
            return Err(invalid(&format!("it has a link {path} to {target}, outside of it")));
        }
        let place = self.place(path)?;
        symlink(target, place)
    }

    fn file(&mut self, entry: &Entry, content: &mut dyn Read) -> io::Result<()> {
        let place = self.place(&entry.path)?;
        let shared = entry.links > 1;
        if shared && entry.size == 0 {
            self.waiting.entry(entry.inode).or_default().push(place.clone());
        }
        let mut file = fs::File::options().write(true).create_new(true).open(&place)?;
        let copied = io::copy(content, &mut file)?;
        if copied != u64::from(entry.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Read-only: what the cache holds is not to be changed by what uses it.
        let mode = 0o444 | entry.mode & 0o111;
        fs::set_permissions(&place, Permissions::from_mode(mode))?;
        if shared && entry.size > 0 {
            for name in self.waiting.remove(&entry.inode).unwrap_or_default() {
                fs::remove_file(&name)?;
                fs::hard_link(&place, &name)?;
            }
        }
        Ok(())
    }

    /// Where in the file system a file of the tree belongs; its folders are made, and what another
    /// package put there is gone.
    fn place(&self, path: &Path) -> io::Result<PathBuf> {
        let name = path.file_name().ok_or_else(|| invalid("it has a file without a name"))?;
        let place = self.folder(path.parent().unwrap_or(Path::new("")))?.join(name);
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(place),
        }
    }

    /// A folder of the tree, made if need be.
    fn folder(&self, path: &Path) -> io::Result<PathBuf> {
        let mut here = PathBuf::new();
        let mut followed = 0;
        let mut rest: Vec<OsString> = reversed(path);
        while let Some(part) = rest.pop() {
            if part == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&part);
            let place = self.root.join(&next);
            match fs::symlink_metadata(&place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(&place)?,
                Err(error) => return Err(error),
                Ok(meta) if meta.is_dir() => {}
                Ok(meta) if meta.is_symlink() && self.links == Links::Root => {
                    followed += 1;
                    if followed > MAX_LINKS {
                        return Err(invalid("its links lead in circles"));
                    }
                    let target = fs::read_link(&place)?;
                    if target.is_absolute() {
                        here = PathBuf::new();
                    }
                    rest.extend(reversed(&target));
                    continue;
                }
                Ok(_) => {
                    let next = next.display();
                    return Err(invalid(&format!("it has files below {next}, which is no folder")));
                }
            }
            here = next;
        }
        Ok(self.root.join(here))
    }
}

/// The names of a path, the first one last.
fn reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, kind: EntryKind, size: usize) -> Entry {
        let size = u32::try_from(size).unwrap();
        Entry { path: path.into(), kind, mode: 0o755, links: 1, inode: 1, size }
    }

    fn put(tree: &mut Tree, path: &str, text: &str) -> io::Result<()> {
        tree.add(&entry(path, EntryKind::File, text.len()), &mut text.as_bytes())
    }

    fn link(tree: &mut Tree, path: &str, target: &str) -> io::Result<()> {
        tree.add(&entry(path, EntryKind::Link(target.into()), 0), &mut io::empty())
    }

    #[test]
    fn nothing_is_unpacked_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(folder.path(), Links::Inside);
        for target in [outside.path().to_str().unwrap(), "../..", "../../etc"] {
            let message = link(&mut tree, "usr/out", target).unwrap_err().to_string();
            assert!(message.contains("usr/out"), "{message}");
        }
        put(&mut tree, "usr/real/a", "a").unwrap();
        link(&mut tree, "usr/alias", "real").unwrap();
        let message = put(&mut tree, "usr/alias/b", "b").unwrap_err().to_string();
        assert!(message.contains("usr/alias"), "{message}");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_root_folder_has_links_that_stay_inside_whatever_they_say() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(folder.path(), Links::Root);
        link(&mut tree, "lib64", "usr/lib64").unwrap();
        put(&mut tree, "lib64/libc.so.6", "c").unwrap();
        assert_eq!(fs::read(folder.path().join("usr/lib64/libc.so.6")).unwrap(), b"c");
        link(&mut tree, "up", "../../../../..").unwrap();
        put(&mut tree, "up/top", "t").unwrap();
        assert_eq!(fs::read(folder.path().join("top")).unwrap(), b"t");
        link(&mut tree, "away", outside.path().to_str().unwrap()).unwrap();
        put(&mut tree, "away/file", "f").unwrap();
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        let inside = outside.path().strip_prefix("/").unwrap();
        assert!(folder.path().join(inside).join("file").is_file());
    }

    #[test]
    fn links_in_circles_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(folder.path(), Links::Root);
        link(&mut tree, "a", "b").unwrap();
        link(&mut tree, "b", "a").unwrap();
        assert!(put(&mut tree, "a/x", "x").unwrap_err().to_string().contains("circles"));
    }

    // Packages of gcc and perl: the content comes with the last of the names.
    #[test]
    fn names_that_share_their_content_all_have_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(folder.path(), Links::Inside);
        let name =
            |path: &str, text: &str| Entry { links: 2, ..entry(path, EntryKind::File, text.len()) };
        tree.add(&name("bin/gcc", ""), &mut io::empty()).unwrap();
        tree.add(&name("bin/x86_64-gcc", "elf"), &mut &b"elf"[..]).unwrap();
        for path in ["bin/gcc", "bin/x86_64-gcc"] {
            let place = folder.path().join(path);
            assert_eq!(fs::read(&place).unwrap(), b"elf");
            assert_eq!(place.metadata().unwrap().permissions().mode() & 0o777, 0o555);
        }
    }

    #[test]
    fn a_content_that_ends_early_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(folder.path(), Links::Inside);
        let entry = entry("a", EntryKind::File, 10);
        assert!(tree.add(&entry, &mut &b"short"[..]).is_err());
    }
}
