// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the cache has of a kernel's release, whichever guest brought it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::files::GuestFiles;
use crate::store::{record, record_names};

/// How records of guests are called.
const GUEST: &str = "guest-";

/// What the cache has of a release.
#[derive(Debug, Default)]
pub struct Kept {
    /// Kernels with debug information.
    pub vmlinux: Vec<PathBuf>,
    /// Guests that are of this release.
    pub guests: Vec<GuestFiles>,
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
    let mut vmlinux: Vec<PathBuf> = guests.iter().map(|files| files.vmlinux.clone()).collect();
    // A guest's record is of its newest kernel; what was unpacked of an earlier one is still there.
    vmlinux.extend(unpacked(root, &format!("vmlinux-{release}")));
    vmlinux.sort();
    vmlinux.dedup();
    Kept { vmlinux, guests }
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
        assert_eq!(found("3.10.0-1").guests.len(), 1);
        assert!(found("6.1.0-3-amd64").vmlinux.is_empty());
    }
}
