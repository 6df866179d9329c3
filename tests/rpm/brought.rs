// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a case brings from a distribution's packages: programs, and debug information of modules.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;

use guest::store::hash_file;
use guest::{Choice, Purpose, Store, WantedPackage, bring, debug_files, debug_modules, kept};
use tests::rpm::{Payload, Server, Spec, describe};

use crate::world::{RELEASE, World, file, files, put, told};

#[test]
fn programs_come_with_the_packages_that_they_depend_on() {
    let world = World::make("brought");
    let packages = world.copy("with-tool");
    let spec = |name, requires| Spec {
        name,
        version: "1.0",
        release: "1.el7",
        requires,
        payload: Payload::Xz,
    };
    let tool = spec("tool", &["libtool-own"]);
    let of_tool = |root: &std::path::Path| {
        put(root, "usr/sbin/tool")?;
        put(root, "usr/share/doc/tool/README")
    };
    tool.build(&packages, &of_tool).unwrap();
    let library = spec("libtool-own", &[]);
    library.build(&packages, &|root| put(root, "usr/lib64/libtool-own.so.1")).unwrap();
    world.signer.sign(&files(&packages)).unwrap();
    describe(&packages, "sha256").unwrap();
    let guest = world.guest(&packages.display().to_string(), &Choice::default());
    let cache = tempfile::tempdir_in(&world.folder).unwrap();
    let store = |offline| Store::open(cache.path(), offline).unwrap();
    let wanted = |name: &str| [WantedPackage::try_from(name.to_owned()).unwrap()];
    let go_on = &mut |_: guest::Progress| ControlFlow::Continue(());
    let brought = bring(&guest, Purpose::Programs, &wanted("tool"), &store(false), go_on).unwrap();
    let of = |name: &str| brought.iter().find(|it| it.package.name == name).unwrap();
    assert!(of("tool").asked && !of("libtool-own").asked);
    assert!(of("tool").tree.join("usr/sbin/tool").is_file());
    assert!(!of("tool").tree.join("usr/share/doc").exists(), "texts are for people");
    assert!(of("libtool-own").tree.join("usr/lib64/libtool-own.so.1").is_file());
    let again = bring(&guest, Purpose::Programs, &wanted("tool"), &store(true), go_on).unwrap();
    assert_eq!(again, brought, "what is in the cache needs no repository");
    let absent = bring(&guest, Purpose::Programs, &wanted("absent"), &store(false), go_on);
    let message = told(&absent.unwrap_err());
    assert!(message.contains("absent"), "{message}");
}

/// Of a package like kernel-debuginfo, which the cache keeps.
#[test]
fn the_debug_information_of_single_modules_is_taken_out() {
    let world = World::make("debug");
    let folder = "usr/lib/debug/lib/modules/3.10.0/kernel/drivers";
    let spec = Spec {
        name: "debuginfo",
        version: "1.0",
        release: "1.el7",
        requires: &[],
        payload: Payload::Xz,
    };
    let contents = |root: &std::path::Path| {
        for file in ["block/loop.ko.debug", "md/dm-mod.ko.debug", "net/veth.ko.debug"] {
            put(root, &format!("{folder}/{file}"))?;
        }
        Ok(())
    };
    let package = spec.build(&world.folder, &contents).unwrap();
    let hash = hash_file(&package).unwrap();
    let cache = tempfile::tempdir_in(&world.folder).unwrap();
    let store = Store::open(cache.path(), true).unwrap();
    fs::create_dir(store.root().join(&hash)).unwrap();
    fs::copy(&package, store.root().join(&hash).join(&hash)).unwrap();
    let names: BTreeSet<String> = ["dm_mod", "veth", "absent"].map(String::from).into();
    let go_on = &mut |_: guest::Progress| ControlFlow::Continue(());
    let found = debug_modules(&hash, &names, &store, go_on).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["dm_mod", "veth"]);
    assert!(found.values().all(|path| path.is_file()));
    // What is known needs no package any more.
    fs::remove_dir_all(store.root().join(&hash)).unwrap();
    assert_eq!(debug_modules(&hash, &names, &store, go_on).unwrap(), found);
    let more = ["loop".to_owned()].into();
    assert!(debug_modules(&hash, &more, &store, go_on).unwrap().is_empty());
}

/// For a dump from elsewhere: only the package with the debug information is needed, and only it is asked for.
#[test]
fn the_debug_information_of_a_kernel_comes_without_the_kernel() {
    let world = World::make("debug-alone");
    let packages = world.copy("without-kernel");
    // The repository keeps a kernel's debug information longer than the kernel.
    for name in ["kernel", "kernel-devel"] {
        fs::remove_file(file(&packages, name)).unwrap();
    }
    describe(&packages, "sha256").unwrap();
    let server = Server::start(packages).unwrap();
    let release = format!("{RELEASE}.x86_64");
    let choice = |release: &str| Choice { kernel: Some(release.to_owned()), ..Choice::default() };
    let guest = world.guest(&server.url, &choice(&release));
    assert!(guest.source.may_have(&release), "the dump's release leads to the guest");
    let cache = tempfile::tempdir_in(&world.folder).unwrap();
    let store = Store::open(cache.path(), false).unwrap();
    let go_on = &mut |_: guest::Progress| ControlFlow::Continue(());
    let brought = debug_files(&guest, &store, go_on).unwrap();
    assert_eq!(brought.release, release);
    let inside = "usr/lib/debug/lib/modules/3.10.0-1160.99.1.el7.x86_64/vmlinux";
    let written = tempfile::tempdir().unwrap();
    put(written.path(), inside).unwrap();
    assert_eq!(fs::read(&brought.vmlinux).unwrap(), fs::read(written.path().join(inside)).unwrap());
    let found = kept(store.root(), &release);
    assert_eq!(found.vmlinux, [brought.vmlinux], "the next analysis finds it");
    assert_eq!(found.packages, [brought.package.unwrap()]);
    let other = world.guest(&server.url, &choice("3.10.0-1160.98.1.el7.x86_64"));
    let message = told(&debug_files(&other, &store, go_on).unwrap_err());
    assert!(message.contains("no kernel-debuginfo of kernel 3.10.0-1160.98.1"), "{message}");
}
