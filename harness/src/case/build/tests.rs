// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's build system is played by a Makefile of three rules: what is tested here is what
//! is asked of it and what is made of its answer.

use super::super::Manifest;
use super::*;
use guest::{GuestFile, Package};

/// Compiles `<module>.c` to `<module>.ko` with a vermagic, and notes what it was called with.
const MAKEFILE: &str = r#"
modules:
	@echo "M=$(M) extra=$(KBUILD_EXTRA_SYMBOLS)"
	@for c in $(M)/*.c; do \
	  printf '__attribute__((section(".modinfo"))) char v[] = "vermagic=%s SMP";' \
	    "$(RELEASE)" | cat $$c - > $(M)/with.c_; \
	  $(CC) $(KCFLAGS) -g -x c -c $(M)/with.c_ -o $${c%.c}.ko || exit 1; done
	@touch $(M)/Module.symvers
RELEASE = 6.1.0-1-x
"#;

const MANIFEST: &str = r#"
summary = "s"
[[module]]
name = "a"
folder = "a"
[[module]]
name = "b"
folder = "b"
[trigger]
exec = ["/bin/true"]
[expect]
outcome = "none"
"#;

struct World {
    folder: tempfile::TempDir,
    guest: GuestFiles,
    store: Store,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("repro").tempdir().unwrap();
        let build_dir = folder.path().join("usr/src/linux-headers-6.1.0-1-x");
        fs::create_dir_all(&build_dir).unwrap();
        fs::write(build_dir.join("Makefile"), MAKEFILE).unwrap();
        let file = GuestFile { host: PathBuf::new(), guest: PathBuf::new() };
        let guest = GuestFiles {
            release: "6.1.0-1-x".into(),
            vmlinuz: PathBuf::new(),
            vmlinux: PathBuf::new(),
            modules_dir: PathBuf::new(),
            build_dir,
            build_root: None,
            debug_package: None,
            gcc_major: None,
            makedumpfile: file.clone(),
            libraries: Vec::new(),
            busybox: file,
            kexec: Vec::new(),
            packages: vec![Package {
                name: "linux-headers-x".into(),
                version: "1".into(),
                sha256: "00".into(),
            }],
            notes: Vec::new(),
        };
        let store = Store::open(&folder.path().join("cache"), false).unwrap();
        Self { folder, guest, store }
    }

    fn case(&self, manifest: &str, files: &[(&str, &str)]) -> Case {
        let folder = self.folder.path().join("case");
        let _ = fs::remove_dir_all(&folder);
        for (name, text) in files.iter().chain(&[("case.toml", manifest)]) {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Case::load(&folder).unwrap()
    }

    fn two_modules(&self) -> Case {
        self.case(MANIFEST, &[("a/a.c", "int a;\n"), ("b/b.c", "int b;\n")])
    }

    fn build(&self, case: &Case) -> Result<Build, BuildError> {
        build(case, &self.guest, &self.store, &self.folder.path().join("out"), &mut || true)
    }
}

#[test]
fn modules_are_built_in_load_order_and_see_each_others_symbols() {
    let world = World::new();
    let built = world.build(&world.two_modules()).unwrap();
    let names: Vec<&str> = built.modules.iter().map(|module| &*module.name).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(built.modules.iter().all(|module| module.path.is_file()));
    let log = fs::read_to_string(world.folder.path().join("out/build.log")).unwrap();
    let second = log.lines().find(|line| line.starts_with("M=") && line.contains("/b ")).unwrap();
    assert!(second.ends_with("/a/Module.symvers"), "{second}");
}

#[test]
fn a_second_build_is_taken_from_the_cache_until_a_source_changes() {
    let world = World::new();
    let first = world.build(&world.two_modules()).unwrap();
    assert!(!first.cached);
    assert!(world.build(&world.two_modules()).unwrap().cached);
    let changed = world.case(MANIFEST, &[("a/a.c", "int aa;\n"), ("b/b.c", "int b;\n")]);
    assert!(!world.build(&changed).unwrap().cached);
}

#[test]
fn the_same_sources_give_the_same_bytes_in_another_folder() {
    let (one, two) = (World::new(), World::new());
    let bytes = |world: &World| {
        let built = world.build(&world.two_modules()).unwrap();
        fs::read(&built.modules[0].path).unwrap()
    };
    let (first, second) = (bytes(&one), bytes(&two));
    assert_eq!(first, second);
    let place = one.folder.path().to_str().unwrap().as_bytes();
    assert!(!first.windows(place.len()).any(|window| window == place));
}

#[test]
fn a_module_that_does_not_compile_shows_the_compilers_line() {
    let world = World::new();
    let case = world.case(MANIFEST, &[("a/a.c", "int a(;\n"), ("b/b.c", "int b;\n")]);
    let error = world.build(&case).unwrap_err();
    let BuildError::Compile { lines, log, .. } = &error else { panic!("{error}") };
    assert!(lines.contains("error:"), "{lines}");
    assert!(fs::read_to_string(log).unwrap().contains("error:"));
    assert!(!lines.contains(world.store.root().to_str().unwrap()), "{lines}");
    let case = world.two_modules();
    world.build(&case).unwrap();
}

#[test]
fn a_module_for_another_kernel_is_named_with_both_releases() {
    let mut world = World::new();
    world.guest.release = "6.1.0-2-x".into();
    let message = world.build(&world.two_modules()).unwrap_err().to_string();
    assert!(message.contains("6.1.0-1-x") && message.contains("6.1.0-2-x"), "{message}");
}

#[test]
fn a_module_that_is_not_in_the_kbuild_is_named() {
    let world = World::new();
    let manifest = MANIFEST.replace("name = \"b\"", "name = \"c\"");
    let case = world.case(&manifest, &[("a/a.c", "int a;\n"), ("b/b.c", "int b;\n")]);
    let message = world.build(&case).unwrap_err().to_string();
    assert!(message.contains("no c.ko below b"), "{message}");
}

#[test]
fn a_given_module_needs_no_build_but_must_be_one() {
    let world = World::new();
    let built = world.build(&world.two_modules()).unwrap();
    let manifest = MANIFEST.replace("folder = \"a\"", "prebuilt = \"given.ko\"");
    let manifest = manifest.replace("[[module]]\nname = \"b\"\nfolder = \"b\"\n", "");
    let case = world.case(&manifest, &[("given.ko", "")]);
    let message = world.build(&case).unwrap_err().to_string();
    assert!(message.contains("no kernel module"), "{message}");
    fs::copy(&built.modules[0].path, case.folder.join("given.ko")).unwrap();
    let again = world.build(&case).unwrap();
    assert_eq!((again.compiler, again.modules.len()), (None, 1));
}

#[test]
fn a_place_that_make_cannot_handle_is_refused_before_it_tries() {
    let mut world = World::new();
    world.store = Store::open(&world.folder.path().join("a b"), false).unwrap();
    let message = world.build(&world.two_modules()).unwrap_err().to_string();
    assert!(message.contains("REPRO_CACHE"), "{message}");
}

#[test]
fn a_build_that_is_cancelled_leaves_nothing_behind() {
    let world = World::new();
    let case = world.two_modules();
    let slow = MAKEFILE.replace("@touch", "@sleep 600; touch");
    fs::write(world.guest.build_dir.join("Makefile"), slow).unwrap();
    let out = world.folder.path().join("out");
    let error = build(&case, &world.guest, &world.store, &out, &mut || false).unwrap_err();
    assert!(matches!(error, BuildError::Cancelled), "{error}");
    assert_eq!(fs::read_dir(world.store.root().join("trees")).unwrap().count(), 0);
}

#[test]
fn the_manifest_of_this_test_is_valid() {
    let world = World::new();
    let case = world.two_modules();
    assert_eq!(Manifest::load(&case.folder.join("case.toml")).unwrap(), case.manifest);
}

const DKMS: &str = r#"
summary = "s"
[build]
dkms = "../driver"
make = ["WORDS=of the case"]
before = ["pwd; echo said $kernelver"]
[[module]]
name = "b"
[trigger]
exec = ["/bin/true"]
[expect]
outcome = "none"
"#;

/// Sources whose `dkms.conf` names a place and a command, as packages have it.
#[test]
fn a_dkms_conf_is_built_as_dkms_builds_it() {
    let world = World::new();
    let driver = world.folder.path().join("driver");
    fs::create_dir_all(driver.join("src")).unwrap();
    let conf = "PACKAGE_NAME=drv PACKAGE_VERSION=2\nBUILT_MODULE_NAME[0]=b\n\
        BUILT_MODULE_LOCATION[0]=src/\nPRE_BUILD='echo before > configured'\n\
        MAKE[0]=\"make -C ${kernel_source_dir} M=${dkms_tree}/drv/2/build/src\"\n";
    fs::write(driver.join("dkms.conf"), conf).unwrap();
    fs::write(driver.join("src/b.c"), "int b;\n").unwrap();
    let rules = format!("{MAKEFILE}\n$(info words=$(WORDS) release=$(KERNELRELEASE))\n");
    fs::write(world.guest.build_dir.join("Makefile"), rules).unwrap();
    let built = world.build(&world.case(DKMS, &[])).unwrap();
    assert_eq!(built.modules[0].name, "b");
    let log = fs::read_to_string(world.folder.path().join("out/build.log")).unwrap();
    assert!(log.contains("words=of the case release=6.1.0-1-x"), "{log}");
    assert!(log.contains("dkms/drv/2/build\nsaid 6.1.0-1-x"), "{log}");
    let bytes = fs::read(&built.modules[0].path).unwrap();
    let place = world.store.root().to_str().unwrap().as_bytes();
    assert!(!bytes.windows(place.len()).any(|window| window == place), "a path of the host");
    fs::write(driver.join("dkms.conf"), "PACKAGE_NAME=drv\nexit 1\n").unwrap();
    let message = world.build(&world.case(DKMS, &[])).unwrap_err().to_string();
    assert!(message.contains("dkms.conf"), "{message}");
}

/// `$(PWD)` in a Makefile is the folder of the sources.
#[test]
fn a_makefile_knows_where_it_is() {
    let world = World::new();
    let rules = format!("{MAKEFILE}\n$(info PWD=$(PWD))\n");
    fs::write(world.guest.build_dir.join("Makefile"), rules).unwrap();
    world.build(&world.two_modules()).unwrap();
    let log = fs::read_to_string(world.folder.path().join("out/build.log")).unwrap();
    assert!(log.lines().any(|line| line.starts_with("PWD=/") && line.ends_with("/b")), "{log}");
}

/// A patch of `dkms.conf` is applied in the folder of an earlier build too.
#[test]
fn patches_are_applied_at_each_build() {
    let world = World::new();
    let driver = world.folder.path().join("driver");
    fs::create_dir_all(driver.join("patches")).unwrap();
    let conf = "PACKAGE_NAME=drv PACKAGE_VERSION=2\nBUILT_MODULE_NAME[0]=b\nPATCH[0]=one.patch\n";
    fs::write(driver.join("dkms.conf"), conf).unwrap();
    let patch = "--- a/b.c\n+++ b/b.c\n@@ -1 +1 @@\n-int b;\n+int patched;\n";
    fs::write(driver.join("patches/one.patch"), patch).unwrap();
    fs::write(driver.join("b.c"), "int b;\n").unwrap();
    let before = DKMS.find("before = ").unwrap();
    let after = before + DKMS[before..].find('\n').unwrap() + 1;
    let manifest = format!("{}{}", &DKMS[..before], &DKMS[after..]);
    for header in ["/* one */\n", "/* two */\n"] {
        fs::write(driver.join("other.h"), header).unwrap();
        let built = world.build(&world.case(&manifest, &[])).unwrap();
        let bytes = fs::read(&built.modules[0].path).unwrap();
        assert!(bytes.windows(7).any(|window| window == b"patched"));
    }
}

/// A script of the case's own folder is there when it has to run.
#[test]
fn commands_before_find_all_files_of_the_folder() {
    let world = World::new();
    let manifest = format!("{MANIFEST}[build]\nbefore = [\"sh ../configure\"]\n");
    let script = ("configure", "echo configured in $PWD\n");
    let files = [("a/a.c", "int a;\n"), ("b/b.c", "int b;\n"), script];
    world.build(&world.case(&manifest, &files)).unwrap();
    let log = fs::read_to_string(world.folder.path().join("out/build.log")).unwrap();
    assert!(log.contains("configured in /"), "{log}");
}
