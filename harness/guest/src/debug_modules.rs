// SPDX-License-Identifier: MIT OR Apache-2.0
//! The debug information of single modules of a guest's kernel. It is in the same package as the
//! kernel's own, a thousand files of which a case needs a handful.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::fetch::{BUILDS, locked, watched};
use super::files::Progress;
use super::meter::Meter;
use super::store::{Lock, Store, discard};
use super::{FetchError, StoreError, deb, rpm};

/// Raised when what is unpacked, or how, changes.
const RECIPE: u32 = 1;
/// Where packages have the debug information of modules (also below `usr/lib/debug/usr`).
const FOLDER: &str = "usr/lib/debug";
/// Name of a module's file in its tree, and of one that says that the package has none.
const FILE: &str = "debug";
const NONE: &str = "none";

/// Files with the debug information of modules, by the names of the kernel, out of the package with this
/// hash; those that have none in it are left out, and so are all if the package is not in the cache.
///
/// `progress` is called several times a second; when it breaks, the work ends with
/// [`FetchError::Cancelled`].
///
/// # Errors
/// The package is damaged, or the cache cannot be written.
pub fn debug_modules(
    package: &str,
    names: &BTreeSet<String>,
    store: &Store,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<BTreeMap<String, PathBuf>, FetchError> {
    let key = |name: &str| format!("{BUILDS}debug-{package}-{name}-{RECIPE}");
    let absent = |names: &BTreeSet<String>| -> BTreeSet<String> {
        names.iter().filter(|name| !store.tree(&key(name)).is_dir()).cloned().collect()
    };
    if !absent(names).is_empty() {
        let Some(file) = kept(store, package) else { return Ok(BTreeMap::new()) };
        let lock = locked(store, &format!("{BUILDS}debug-{package}"), progress)?;
        // Another run may have unpacked some while this one waited.
        let wanted = absent(names);
        let meter = Meter::default();
        let bytes = fs::metadata(&file).map_or(0, |meta| meta.len());
        meter.to_extract.store(bytes, Ordering::Relaxed);
        watched(&meter, progress, || unpack(&file, &wanted, &lock, &meter, &key))?;
    }
    let place = |name: &String| {
        let path = store.tree(&key(name)).join(FILE);
        path.is_file().then(|| (name.clone(), path))
    };
    Ok(names.iter().filter_map(place).collect())
}

/// A package's file in the cache. It was checked when it came in.
fn kept(store: &Store, package: &str) -> Option<PathBuf> {
    let folder = store.root().join(package);
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find(|path| path.is_file())
}

/// Goes through the package once.
fn unpack(
    package: &Path,
    wanted: &BTreeSet<String>,
    lock: &Lock<'_>,
    meter: &Meter,
    key: &(dyn Fn(&str) -> String + Sync),
) -> Result<(), FetchError> {
    let workspace = lock.workspace(&key("all"))?;
    let mut missing = wanted.clone();
    let mut take = |path: &Path, content: &mut dyn io::Read| -> io::Result<ControlFlow<()>> {
        if let Some(name) = module(path).filter(|name| missing.remove(name)) {
            let mut file = fs::File::create(workspace.join(name))?;
            io::copy(content, &mut file)?;
        }
        let done = missing.is_empty();
        Ok(if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    if rpm::is_package(package) {
        rpm::visit_files(package, meter, &mut take)?;
    } else {
        deb::visit(package, meter, |path, entry| match entry.header().entry_type().is_file() {
            true => take(path, entry),
            false => Ok(ControlFlow::Continue(())),
        })?;
    }
    for name in wanted {
        let from = workspace.join(name);
        lock.make_tree(&key(name), |folder| {
            let to = folder.join(if from.is_file() { FILE } else { NONE });
            let done = if from.is_file() { fs::rename(&from, &to) } else { fs::write(&to, "") };
            done.map_err(|source| StoreError::Write { path: to, source })
        })?;
    }
    discard(&workspace);
    Ok(())
}

/// The name that the kernel gives to the module whose debug information is in a file of the
/// package: Debian calls it as the module, Red Hat adds `.debug`.
fn module(path: &Path) -> Option<String> {
    if !path.starts_with(FOLDER) {
        return None;
    }
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".debug").unwrap_or(name);
    Some(name.strip_suffix(".ko")?.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_modules_are_told_by_their_names() {
        let name = |path: &str| module(Path::new(path));
        let debian = "usr/lib/debug/lib/modules/6.1.0-57-amd64/kernel/drivers/md/dm-mod.ko";
        assert_eq!(name(debian).unwrap(), "dm_mod");
        let red_hat = "usr/lib/debug/usr/lib/modules/3.10.0/kernel/drivers/block/loop.ko.debug";
        assert_eq!(name(red_hat).unwrap(), "loop");
        assert_eq!(name("usr/lib/debug/boot/vmlinux-6.1"), None);
        assert_eq!(name("lib/modules/6.1/kernel/drivers/block/loop.ko"), None);
    }
}
