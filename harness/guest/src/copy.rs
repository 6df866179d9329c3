// SPDX-License-Identifier: MIT OR Apache-2.0
//! Copies of folders of modules and headers, as a guest is imported.

use std::fs;
use std::path::{Path, PathBuf};

use super::store::{StoreError, discard_file};
use super::{FetchError, foreign};

/// Deepest folder of modules or headers.
const MAX_DEPTH: usize = 24;

/// Names, sizes and times of what is below a folder.
pub(super) fn list(folder: &Path, depth: usize, names: &mut Vec<String>) -> Result<(), FetchError> {
    for path in entries(folder)? {
        let Ok(meta) = path.symlink_metadata() else { continue };
        if meta.is_dir() && depth < MAX_DEPTH {
            list(&path, depth + 1, names)?;
        } else if let Ok(modified) = meta.modified() {
            names.push(format!("{} {} {modified:?}", path.display(), meta.len()));
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FetchError> {
    let read = |source| StoreError::Read { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(read)?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Copies a folder. Links that lead out of it are followed if they are relative: Debian's headers
/// link to the folders of other packages.
pub(super) fn copy_folder(from: &Path, to: &Path, depth: usize) -> Result<(), FetchError> {
    let from = fs::canonicalize(from)
        .map_err(|source| StoreError::Read { path: from.to_owned(), source })?;
    copy_below(&from, &from, to, depth)
}

fn copy_below(root: &Path, from: &Path, to: &Path, depth: usize) -> Result<(), FetchError> {
    fs::create_dir_all(to).map_err(|source| StoreError::Write { path: to.to_owned(), source })?;
    for path in entries(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        let Ok(meta) = path.symlink_metadata() else { continue };
        if meta.is_dir() && depth < MAX_DEPTH {
            copy_below(root, &path, &target, depth + 1)?;
        } else if meta.is_symlink() {
            copy_link(root, &path, &target, depth)?;
        } else if meta.is_file() {
            copy(&path, &target)?;
        }
    }
    Ok(())
}

fn copy_link(root: &Path, path: &Path, target: &Path, depth: usize) -> Result<(), FetchError> {
    // `build` and `source` lead to places of the machine it comes from.
    let Some(link) = fs::read_link(path).ok().filter(|link| link.is_relative()) else {
        return Ok(());
    };
    if path.strip_prefix(root).is_ok_and(|inside| foreign::stays(inside, &link)) {
        let write = |source| StoreError::Write { path: target.to_owned(), source };
        return Ok(std::os::unix::fs::symlink(link, target).map_err(write)?);
    }
    match fs::canonicalize(path) {
        // A folder that has this one would be copied into itself.
        Ok(there) if root.starts_with(&there) => Ok(()),
        Ok(there) if there.is_dir() && depth < MAX_DEPTH => copy_folder(&there, target, depth + 1),
        Ok(there) if there.is_file() => copy(&there, target),
        // It leads nowhere.
        _ => Ok(()),
    }
}

/// Copies one file; what is in its place is gone.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), FetchError> {
    let write = |source| StoreError::Write { path: to.to_owned(), source };
    discard_file(to);
    fs::copy(from, to).map(|_| ()).map_err(|source| write(source).into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_out_of_a_folder_are_followed_and_none_leads_into_itself() {
        let above = tempfile::tempdir().unwrap();
        let from = above.path().join("headers");
        fs::create_dir_all(from.join("include")).unwrap();
        fs::create_dir_all(above.path().join("kbuild/scripts")).unwrap();
        fs::write(above.path().join("kbuild/scripts/mod"), "m").unwrap();
        fs::write(from.join("include/a.h"), "a").unwrap();
        let links = [
            ("scripts", "../kbuild/scripts"),
            ("b.h", "include/a.h"),
            ("source", "/usr/src/elsewhere"),
            ("up", ".."),
            ("gone", "../nowhere"),
        ];
        for (name, target) in links {
            symlink(target, from.join(name)).unwrap();
        }
        let to = above.path().join("copy");
        copy_folder(&from, &to, 0).unwrap();
        assert_eq!(fs::read(to.join("scripts/mod")).unwrap(), b"m");
        assert_eq!(fs::read_link(to.join("b.h")).unwrap(), Path::new("include/a.h"));
        for name in ["source", "up", "gone"] {
            assert!(to.join(name).symlink_metadata().is_err(), "{name}");
        }
    }
}
