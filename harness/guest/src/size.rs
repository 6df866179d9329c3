// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much room a guest takes in the cache.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::store;

/// What the cache has of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// Its kernel.
    pub release: String,
    /// Bytes of all that was unpacked for it.
    pub bytes: u64,
}

/// What the cache has of a guest; nothing where it was never fetched, or was removed in part.
#[must_use]
pub fn cached(cache: &Path, guest: &str) -> Option<Cached> {
    let record: Value = store::record(cache, &format!("guest-{guest}"))?;
    let files = record.get("files")?;
    let release = files.get("release")?.as_str()?.to_owned();
    let mut folders = BTreeSet::new();
    trees(files, &mut folders);
    let folders: Vec<PathBuf> = folders.iter().map(|folder| cache.join(folder)).collect();
    let there = !folders.is_empty() && folders.iter().all(|folder| folder.is_dir());
    there.then(|| Cached { release, bytes: folders.iter().map(|folder| size(folder)).sum() })
}

/// The folders `trees/<key>` that a record names, each once.
fn trees(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            if let Some(inside) = text.strip_prefix("trees/") {
                let key = inside.split('/').next().unwrap_or_default();
                found.insert(format!("trees/{key}"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| trees(item, found)),
        Value::Object(map) => map.values().for_each(|item| trees(item, found)),
        _ => {}
    }
}

fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => size(&entry.path()),
        Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |metadata| metadata.len()),
        _ => 0,
    };
    entries.flatten().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tree_is_counted_once_and_a_missing_one_makes_the_guest_absent() {
        let cache = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = cache.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "records/guest-g.json",
            r#"{"files": {"release": "6.1", "a": "trees/k1/x", "b": ["trees/k1/y", "trees/k2/z"]}}"#,
        );
        write("trees/k1/x", "12345");
        assert_eq!(cached(cache.path(), "g"), None);
        write("trees/k2/sub/z", "123");
        assert_eq!(cached(cache.path(), "g"), Some(Cached { release: "6.1".into(), bytes: 8 }));
        assert_eq!(cached(cache.path(), "other"), None);
    }
}
