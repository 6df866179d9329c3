// SPDX-License-Identifier: MIT OR Apache-2.0
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a/b"), false).unwrap();
    (folder, store)
}

fn forever() -> impl FnMut() -> bool {
    || true
}

/// `printf abc | sha256sum`
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_file_is_kept_under_its_hash_and_is_read_only() {
    let (folder, store) = store();
    let file = folder.path().join("x_1%3a2_amd64.deb");
    fs::write(&file, "abc").unwrap();
    let lock = store.lock("t", &mut forever()).unwrap();
    let kept = lock.keep(&file, ABC).unwrap();
    assert_eq!(kept, store.root().join(ABC).join(ABC));
    assert_eq!(fs::read(&kept).unwrap(), b"abc");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o222, 0);
    assert!(!file.exists());
    assert_eq!(lock.find(ABC), Some(kept));
}

#[test]
fn a_kept_file_that_was_damaged_is_not_found() {
    let (_folder, store) = store();
    let lock = store.lock("t", &mut forever()).unwrap();
    fs::create_dir(store.root().join(ABC)).unwrap();
    fs::write(store.root().join(ABC).join("x"), "abd").unwrap();
    assert_eq!(lock.find(ABC), None);
    assert!(!store.root().join(ABC).exists());
}

#[test]
fn a_file_with_another_hash_is_refused_and_both_hashes_are_named() {
    let (folder, store) = store();
    let file = folder.path().join("x");
    fs::write(&file, "abd").unwrap();
    let lock = store.lock("t", &mut forever()).unwrap();
    let message = lock.keep(&file, ABC).unwrap_err().to_string();
    assert!(message.contains(ABC) && message.contains(&hash_file(&file).unwrap()), "{message}");
    assert!(!store.root().join(ABC).exists());
}

#[test]
fn two_runs_make_a_tree_once() {
    let (_folder, store) = store();
    let (fills, at_once) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let lock = store.lock("t", &mut forever()).unwrap();
                let fill = |folder: &Path| {
                    fills.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0);
                    fs::write(folder.join("f"), "whole").unwrap();
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    Ok::<(), StoreError>(())
                };
                let tree = lock.make_tree("k", fill).unwrap();
                assert_eq!(fs::read(tree.join("f")).unwrap(), b"whole");
            });
        }
    });
    assert_eq!(fills.load(Ordering::SeqCst), 1);
}

#[test]
fn a_tree_that_fails_halfway_is_not_there_and_is_made_anew() {
    let (_folder, store) = store();
    let lock = store.lock("t", &mut forever()).unwrap();
    let fail = |folder: &Path| {
        fs::write(folder.join("half"), "").unwrap();
        Err(StoreError::Cancelled)
    };
    lock.make_tree("k", fail).unwrap_err();
    assert!(!store.tree("k").exists());
    // As a killed process would leave it.
    fs::create_dir_all(partial(&store.tree("k")).join("half")).unwrap();
    let tree = lock.make_tree("k", |_| Ok::<(), StoreError>(())).unwrap();
    assert_eq!(fs::read_dir(tree).unwrap().count(), 0);
}

#[test]
fn what_killed_runs_left_is_swept_but_for_what_others_are_making() {
    let (_folder, store) = store();
    for name in ["download-x.partial", "trees/old.partial", "trees/build-y.partial", "trees/whole"]
    {
        fs::create_dir_all(store.root().join(name).join("f")).unwrap();
    }
    store.lock("t", &mut forever()).unwrap().sweep(&["build-"]);
    let left = |name: &str| store.root().join(name).exists();
    assert!(!left("download-x.partial") && !left("trees/old.partial"));
    assert!(left("trees/build-y.partial") && left("trees/whole"));
}

#[test]
fn waiting_for_a_lock_ends_when_the_caller_says_so() {
    let (_folder, store) = store();
    let held = store.lock("t", &mut forever()).unwrap();
    let mut asked = 0;
    let error = store
        .lock("t", &mut || {
            asked += 1;
            asked < 3
        })
        .unwrap_err();
    assert!(matches!(error, StoreError::Cancelled));
    drop(held);
    store.lock("t", &mut forever()).unwrap();
}

#[test]
fn a_cache_that_cannot_be_made_says_what_to_do() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let message = Store::open(&file.path().join("cache"), false).unwrap_err().to_string();
    assert!(message.contains("cannot write"), "{message}");
    let denied =
        StoreError::Write { path: "/c".into(), source: io::ErrorKind::PermissionDenied.into() };
    assert!(denied.to_string().contains("REPRO_CACHE"), "{denied}");
    let full = StoreError::Write { path: "/c".into(), source: io::ErrorKind::StorageFull.into() };
    assert!(full.to_string().contains("make room"), "{full}");
}

#[test]
fn a_read_only_cache_is_refused_at_once() {
    // The superuser may write anywhere, so the folder has to be on a read-only file system.
    let error = Store::open(Path::new("/proc/self"), false).unwrap_err();
    assert!(matches!(error, StoreError::Write { .. }), "{error}");
}

#[test]
fn a_damaged_record_is_none() {
    let (_folder, store) = store();
    let lock = store.lock("t", &mut forever()).unwrap();
    lock.write_record("r", &vec![1, 2]).unwrap();
    assert_eq!(store.record::<Vec<u32>>("r"), Some(vec![1, 2]));
    fs::write(store.root().join("records/r.json"), "[1,").unwrap();
    assert_eq!(store.record::<Vec<u32>>("r"), None);
}
