// SPDX-License-Identifier: MIT OR Apache-2.0
use std::fs;
use std::path::PathBuf;

use super::super::GuestFile;
use super::*;

fn guest() -> Manifest {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/debian-12.toml");
    Manifest::load(&path).unwrap()
}

fn files() -> GuestFiles {
    let file = |name: &str| GuestFile {
        host: format!("trees/t/{name}").into(),
        guest: format!("/bin/{name}").into(),
    };
    GuestFiles {
        release: "6.1.0-1-x".into(),
        vmlinuz: "trees/t/vmlinuz".into(),
        vmlinux: "trees/t/vmlinux".into(),
        modules_dir: "trees/t/modules".into(),
        build_dir: "trees/t/build".into(),
        build_root: None,
        debug_package: None,
        gcc_major: Some(12),
        makedumpfile: file("makedumpfile"),
        libraries: vec![file("lib")],
        busybox: file("busybox"),
        kexec: Vec::new(),
        packages: Vec::new(),
        notes: Vec::new(),
    }
}

/// A cache with a record of this age and all the files it names.
fn cache(guest: &Manifest, age: u64) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), true).unwrap();
    for name in ["modules", "build"] {
        fs::create_dir_all(store.root().join("trees/t").join(name)).unwrap();
    }
    for name in ["vmlinuz", "vmlinux", "makedumpfile", "lib", "busybox"] {
        fs::write(store.root().join("trees/t").join(name), "").unwrap();
    }
    let record = Record { source: guest.source.clone(), decided_at: now() - age, files: files() };
    let lock = store.lock("t", &mut || true).unwrap();
    lock.write_record(&record_name(guest), &record).unwrap();
    drop(lock);
    (folder, store)
}

fn silent(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What an import notes is all that there is of it: no site is asked again.
#[test]
fn the_record_of_every_kind_of_guest_is_read_back() {
    let like = guest();
    let rpm = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/centos-7.toml");
    let note = super::super::ImportNote { like: like.name.clone(), release: "6.1.0-1-x".into() };
    let imported = super::super::imported(like.clone(), "mine", &note);
    for guest in [like, Manifest::load(&rpm).unwrap(), imported] {
        let (_folder, store) = cache(&guest, 60);
        let lock = store.lock("t", &mut || true).unwrap();
        keep_record(&guest, &lock, &files().map_paths(|path| store.root().join(path))).unwrap();
        drop(lock);
        let read = fetch(&guest, &store, &mut silent).unwrap();
        assert_eq!(read.release, "6.1.0-1-x", "{}", guest.name);
    }
}

#[test]
fn a_record_is_taken_with_paths_of_where_the_cache_is_now() {
    let guest = guest();
    let (_folder, store) = cache(&guest, 60);
    let files = fetch(&guest, &store, &mut silent).unwrap();
    assert_eq!(files.vmlinux, store.root().join("trees/t/vmlinux"));
    assert_eq!(files.busybox.guest, PathBuf::from("/bin/busybox"));
}

#[test]
fn offline_takes_a_record_of_any_age() {
    let guest = guest();
    let (_folder, store) = cache(&guest, FRESH.as_secs() * 30);
    assert!(recorded(&guest, &store, false).is_none());
    fetch(&guest, &store, &mut silent).unwrap();
}

#[test]
fn offline_without_all_the_files_says_so() {
    let guest = guest();
    let (_folder, store) = cache(&guest, 60);
    fs::remove_file(store.root().join("trees/t/vmlinux")).unwrap();
    let error = fetch(&guest, &store, &mut silent).unwrap_err();
    assert!(matches!(error, FetchError::Offline { .. }), "{error}");
    assert!(error.to_string().contains("debian-12"), "{error}");
}

#[test]
fn a_record_for_another_source_or_to_be_refreshed_is_not_taken() {
    let mut guest = guest();
    let (_folder, store) = cache(&guest, 60);
    assert!(recorded(&guest, &store.clone().with_refresh(true), false).is_none());
    let Source::Apt(source) = &mut guest.source else { panic!("not from apt") };
    source.kernel.series = Some("6.12".into());
    assert!(recorded(&guest, &store, false).is_none());
}

#[test]
fn a_record_from_the_future_is_not_taken() {
    let guest = guest();
    let (_folder, store) = cache(&guest, 0);
    let lock = store.lock("t", &mut || true).unwrap();
    let record =
        Record { source: guest.source.clone(), decided_at: now() + 100_000, files: files() };
    lock.write_record(&record_name(&guest), &record).unwrap();
    assert!(recorded(&guest, &store, false).is_none());
}

#[test]
fn a_caller_that_breaks_cancels_the_work() {
    let meter = Meter::default();
    let result = watched(&meter, &mut |_| ControlFlow::Break(()), || {
        while meter.go_on() {
            std::thread::yield_now();
        }
        Err::<(), _>(FetchError::Cancelled)
    });
    assert!(matches!(result, Err(FetchError::Cancelled)));
}
