// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed guest's files, fetched for real through the host's apt, and modules built with
//! them. What is expected comes from other programs: `sha256sum`, `readelf`, the guest's own
//! program loader.
//!
//! The cache is the user's: a second run downloads nothing, but it asks the archive again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use guest::{Choice, GuestFiles, Manifest, Progress, Store, debug_files, fetch};
use harness::case::{Case, build};

/// The guest's files, straight from the archive; none on a host without apt.
fn guest() -> Option<(GuestFiles, Manifest, PathBuf)> {
    if duct::cmd!("apt-get", "--version").stdout_null().stderr_null().run().is_err() {
        return None;
    }
    let root = Store::default_root().unwrap();
    let store = Store::open(&root, false).unwrap().with_refresh(true);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/debian-12.toml");
    let manifest = Manifest::load(&path).unwrap();
    let files = fetch(&manifest, &store, &mut silent).unwrap();
    Some((files, manifest, root))
}

fn silent(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn kept_packages_have_the_hash_they_are_named_after(files: &GuestFiles, root: &Path) {
    for package in &files.packages {
        let folder = root.join(&package.sha256);
        let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        let sum = duct::cmd!("sha256sum", &file).read().unwrap();
        assert!(sum.starts_with(&package.sha256), "{sum}");
        let field = |name: &str| duct::cmd!("dpkg-deb", "-f", &file, name).read().unwrap();
        assert_eq!(
            (field("Package"), field("Version")),
            (package.name.clone(), package.version.clone())
        );
    }
}

fn the_kernel_with_symbols_is_whole(files: &GuestFiles) {
    assert!(files.release.starts_with("6.1.") && files.release.ends_with("-cloud-amd64"));
    let banner = format!("Linux version {} ", files.release);
    let strings =
        duct::cmd!("strings", "-n", "40", &files.vmlinux).pipe(duct::cmd!("grep", "-m1", banner));
    assert!(strings.unchecked().read().unwrap().contains("Debian"));
    let sections = duct::cmd!("readelf", "-SW", &files.vmlinux).read().unwrap();
    assert!(sections.contains(".debug_info") && sections.contains(".orc_unwind"), "{sections}");
    let kernel = fs::read(&files.vmlinuz).unwrap();
    assert_eq!(&kernel[0x202..0x206], b"HdrS", "a bzImage has this in its setup header");
}

/// The guest's own loader finds every library, none of the host's.
fn tools_run_with_the_guests_libraries(files: &GuestFiles) {
    let root = tempfile::tempdir().unwrap();
    for file in files.libraries.iter().chain([&files.makedumpfile, &files.busybox]) {
        let target = root.path().join(file.guest.strip_prefix("/").unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file.host, target).unwrap();
    }
    let folders = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"]
        .map(|folder| root.path().join(folder).display().to_string());
    let loader = root.path().join("lib64/ld-linux-x86-64.so.2");
    let listed = duct::cmd!(
        &loader,
        "--library-path",
        folders.join(":"),
        "--list",
        &files.makedumpfile.host
    )
    .read()
    .unwrap();
    assert!(!listed.contains("not found"), "{listed}");
    let ours = root.path().display().to_string();
    let from_host = listed.lines().filter(|line| line.contains("=>") && !line.contains(&ours));
    assert_eq!(from_host.collect::<Vec<_>>(), Vec::<&str>::new());
    let said = duct::cmd!(&files.busybox.host, "echo", "busybox runs").read().unwrap();
    assert_eq!(said, "busybox runs");
}

fn a_second_fetch_takes_what_is_there(files: &GuestFiles, manifest: &Manifest, root: &Path) {
    let store = Store::open(root, true).unwrap();
    let mut asked = 0;
    let again = fetch(manifest, &store, &mut |_| {
        asked += 1;
        ControlFlow::Continue(())
    });
    assert_eq!(again.unwrap(), *files);
    assert_eq!(asked, 0, "nothing was waited for");
}

const CASE: [(&str, &str); 4] = [
    (
        "case.toml",
        "summary = \"s\"\n[[module]]\nname = \"one\"\n[[module]]\nname = \"two\"\n\
         [trigger]\nexec = [\"/bin/true\"]\n[expect]\noutcome = \"none\"\n",
    ),
    ("Kbuild", "obj-m := one.o two.o\n"),
    (
        "one.c",
        "#include <linux/module.h>\nint one(void);\nint one(void) { return 1; }\n\
         EXPORT_SYMBOL_GPL(one);\nMODULE_LICENSE(\"GPL\");\nMODULE_DESCRIPTION(\"one\");\n",
    ),
    (
        "two.c",
        "#include <linux/module.h>\nint one(void);\nstatic int __init start(void)\n\
         {\n\treturn one() - 1;\n}\nmodule_init(start);\nMODULE_LICENSE(\"GPL\");\n\
         MODULE_DESCRIPTION(\"two\");\n",
    ),
];

fn modules_are_for_this_kernel_and_tell_no_path(files: &GuestFiles, root: &Path) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in CASE {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let case = Case::load(folder.path()).unwrap();
    let store = Store::open(root, true).unwrap();
    let out = folder.path().join("out");
    let built = build(&case, files, &store, &out, &mut || true).unwrap();
    let two = &built.modules[1].path;
    let modinfo = duct::cmd!("readelf", "-p", ".modinfo", two).read().unwrap();
    assert!(modinfo.contains(&format!("vermagic={} ", files.release)), "{modinfo}");
    assert!(modinfo.contains("depends=one"), "{modinfo}");
    let units = duct::cmd!("readelf", "--debug-dump=info", "--dwarf-depth=1", two);
    let units = units.stderr_null().read().unwrap();
    assert!(
        units.lines().any(|line| line.contains("DW_AT_name") && line.ends_with(": two.c")),
        "{units}"
    );
    let bytes = fs::read(two).unwrap();
    for place in [root, folder.path()] {
        let place = place.to_str().unwrap().as_bytes();
        assert!(!bytes.windows(place.len()).any(|window| window == place));
    }
    assert!(build(&case, files, &store, &out, &mut || true).unwrap().cached);
}

fn a_dumps_release_leads_to_the_same_debug_information(
    files: &GuestFiles,
    mut manifest: Manifest,
    root: &Path,
) {
    assert!(manifest.source.may_have(&files.release));
    let choice = Choice { kernel: Some(files.release.clone()), ..Choice::default() };
    choice.apply(&mut manifest).unwrap();
    let store = Store::open(root, false).unwrap();
    let brought = debug_files(&manifest, &store, &mut silent).unwrap();
    assert_eq!((&brought.vmlinux, &brought.package), (&files.vmlinux, &files.debug_package));
    let gone = Choice { kernel: Some("6.1.0-1-cloud-amd64".into()), ..Choice::default() };
    gone.apply(&mut manifest).unwrap();
    let message = debug_files(&manifest, &store, &mut silent).unwrap_err().to_string();
    assert!(message.contains("no package linux-image-6.1.0-1-cloud-amd64-dbg"), "{message}");
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn the_committed_guest_can_be_had() {
    let Some((files, manifest, root)) = guest() else {
        eprintln!("SKIPPED: this host has no apt");
        return;
    };
    let root = fs::canonicalize(root).unwrap();
    kept_packages_have_the_hash_they_are_named_after(&files, &root);
    the_kernel_with_symbols_is_whole(&files);
    tools_run_with_the_guests_libraries(&files);
    a_second_fetch_takes_what_is_there(&files, &manifest, &root);
    modules_are_for_this_kernel_and_tell_no_path(&files, &root);
    a_dumps_release_leads_to_the_same_debug_information(&files, manifest, &root);
}
