// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the cache has of a kernel's release, whichever guest brought it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::debug_files::kept_debug_files;
use crate::files::GuestFiles;
use crate::store::{record, record_names};

/// How records of guests are called.
const GUEST: &str = "guest-";

/// What the cache has of a release.
#[derive(Debug, Default)]
pub struct Kept {
    /// Kernels with debug information.
    pub vmlinux: Vec<PathBuf>,
    /// Hashes of packages in the cache that have the debug information of its modules.
    pub packages: Vec<String>,
    /// Folders with its modules.
    pub modules: Vec<PathBuf>,
}

/// What matters here of a guest's record.
#[derive(Deserialize)]
struct Record {
    files: GuestFiles,
}

/// What the cache in `root` has of a kernel's release, which is a plain name.
#[must_use]
pub fn kept(root: &Path, release: &str) -> Kept {
    let names = record_names(root).into_iter().filter(|name| name.starts_with(GUEST));
    let records = names.filter_map(|name| record::<Record>(root, &name));
    let records = records.filter(|record| record.files.release == release);
    let files = records.map(|record| record.files.map_paths(|path| root.join(path)));
    let guests: Vec<GuestFiles> = files.filter(GuestFiles::exist).collect();
    let alone = kept_debug_files(root, release);
    let of_guests = guests.iter().map(|files| &files.vmlinux);
    let mut vmlinux: Vec<PathBuf> =
        of_guests.chain(alone.iter().map(|files| &files.vmlinux)).cloned().collect();
    // A guest's record is of its newest kernel; what was unpacked of an earlier one is still there.
    vmlinux.extend(unpacked(root, &format!("vmlinux-{release}")));
    vmlinux.sort();
    vmlinux.dedup();
    let packages = guests.iter().filter_map(|files| files.debug_package.clone());
    let mut packages: Vec<String> =
        packages.chain(alone.iter().filter_map(|files| files.package.clone())).collect();
    packages.sort();
    packages.dedup();
    let modules = guests.into_iter().map(|files| files.modules_dir).collect();
    Kept { vmlinux, packages, modules }
}

/// Files of a name in the trees.
fn unpacked(root: &Path, name: &str) -> Vec<PathBuf> {
    let trees = fs::read_dir(root.join("trees")).into_iter().flatten().flatten();
    let complete = trees.filter(|tree| tree.path().extension().is_none());
    complete.map(|tree| tree.path().join(name)).filter(|path| path.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_of_a_release_are_found_in_records_and_in_what_was_unpacked() {
        let cache = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = cache.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        let old = write("trees/aa-1/vmlinux-6.1.0-1-amd64", "");
        write("trees/ab.partial/vmlinux-6.1.0-1-amd64", "");
        write("trees/ac/vmlinux-6.1.0-2-amd64", "");
        write("records/guest-broken.json", "{");
        let file = |name: &str| {
            write(&format!("trees/r/{name}"), "");
            format!(r#"{{"host": "trees/r/{name}", "guest": "/{name}"}}"#)
        };
        for folder in ["modules", "build"] {
            fs::create_dir_all(cache.path().join("trees/r").join(folder)).unwrap();
        }
        let vmlinux = write("trees/r/vmlinux", "");
        write("trees/r/vmlinuz", "");
        let text = format!(
            r#"{{"source": 1, "files": {{"release": "3.10.0-1", "vmlinuz": "trees/r/vmlinuz",
                "vmlinux": "trees/r/vmlinux", "modules_dir": "trees/r/modules",
                "build_dir": "trees/r/build", "gcc_major": 4, "makedumpfile": {}, "libraries": [],
                "busybox": {}, "packages": []}}}}"#,
            file("makedumpfile"),
            file("busybox"),
        );
        write("records/guest-g-3.10.0-1.json", &text);
        let found = |release: &str| kept(cache.path(), release);
        assert_eq!(found("6.1.0-1-amd64").vmlinux, [old]);
        assert_eq!(found("3.10.0-1").vmlinux, [vmlinux]);
        assert_eq!(found("3.10.0-1").modules, [cache.path().join("trees/r/modules")]);
        assert!(found("6.1.0-3-amd64").vmlinux.is_empty());
    }
}
