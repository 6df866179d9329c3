// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guests made of files that somebody has: imported, listed, run, forgotten.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use guest::GuestFiles;
use harness::run::outcome::{Outcome, Runs};
use tests::project;
use tests::rpm::{Signer, kernel};

use crate::distribution::{cache, debian};

/// `repro` with a cache of its own.
struct Repro {
    program: PathBuf,
    folder: PathBuf,
    cache: PathBuf,
}

impl Repro {
    fn of(folder: &Path) -> Self {
        let program = project::repro().unwrap();
        Self { program, folder: folder.to_owned(), cache: cache(folder) }
    }

    /// What it prints on stdout; it has to end well.
    fn says(&self, words: &[&OsStr]) -> String {
        let own = ["--no-progress".as_ref(), "--cache-dir".as_ref(), self.cache.as_os_str()];
        let words = words.iter().copied().chain(own);
        let command = duct::cmd(&self.program, words).dir(project::root());
        let output = command.stdout_capture().stderr_capture().unchecked().run().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Imports, then everything that a user does with a guest, without asking a site again.
    fn imports(&self, files: &[PathBuf], more: &[&OsStr]) {
        let words = ["guest", "import", "--name", "mine"].map(OsStr::new);
        let files = files.iter().map(|file| file.as_os_str());
        let words: Vec<&OsStr> =
            words.into_iter().chain(files).chain(more.iter().copied()).collect();
        assert_eq!(self.says(&words), "mine\n");
        let listed = self.says(&["guest", "list"].map(OsStr::new));
        let line = listed.lines().find(|line| line.starts_with("mine ")).unwrap();
        assert!(line.contains("imported: kernel ") && line.contains(" here]"), "{line}");
        let out = self.folder.join("out");
        let words = ["run", "@mine", "--offline", "--format", "json", "--out"].map(OsStr::new);
        let words: Vec<&OsStr> = words.into_iter().chain([out.as_os_str()]).collect();
        let runs: Runs = serde_json::from_str(&self.says(&words)).unwrap();
        assert_eq!(runs.runs[0].outcome, Outcome::Reproduced);
        assert_eq!(runs.runs[0].guest, "mine");
        let report = serde_json::to_value(&runs.runs[0].report).unwrap();
        assert_eq!(report["verdict"]["expression"], "__akfs_ops->get_fhash");
        self.says(&["guest", "remove", "mine"].map(OsStr::new));
        assert!(!self.says(&["guest", "list"].map(OsStr::new)).contains("mine "));
    }
}

#[test]
fn packages_are_imported_and_run() {
    let folder = tests::rpm::folder("imported-packages").unwrap();
    let packages = folder.join("packages");
    fs::create_dir(&packages).unwrap();
    let files = kernel(&debian(), &packages).unwrap();
    let signer = Signer::make(&folder, "builder", "rsa2048").unwrap();
    signer.sign(&files).unwrap();
    let more = ["--like", "centos-7", "--key"].map(OsStr::new);
    let more: Vec<&OsStr> = more.into_iter().chain([signer.public.as_os_str()]).collect();
    Repro::of(&folder).imports(&files, &more);
    fs::remove_dir_all(&folder).unwrap();
}

/// What a kernel was built in has the parts that Debian keeps in three packages: links out of a
/// folder of headers lead to places that are there.
fn headers(files: &GuestFiles, folder: &Path) -> PathBuf {
    let build = folder.join("headers");
    duct::cmd!("cp", "-r", &files.build_dir, &build).run().unwrap();
    duct::cmd!("chmod", "-R", "u+w", &build).run().unwrap();
    for entry in fs::read_dir(&build).unwrap().flatten() {
        let path = entry.path();
        if path.is_symlink() {
            let target = fs::canonicalize(files.build_dir.join(entry.file_name())).unwrap();
            fs::remove_file(&path).unwrap();
            let steps = "../".repeat(folder.components().count() - 1);
            let target = OsString::from(format!("{steps}..{}", target.display()));
            std::os::unix::fs::symlink(target, &path).unwrap();
        }
    }
    let makefile = build.join("Makefile");
    let text = fs::read_to_string(&makefile).unwrap();
    let above = format!("include {}/", files.build_dir.parent().unwrap().display());
    let changed = text.replace("include $(dir $(lastword $(MAKEFILE_LIST)))../", &above);
    assert_ne!(changed, text, "the headers are laid out in another way");
    fs::write(&makefile, changed).unwrap();
    build
}

#[test]
fn bare_files_are_imported_and_run() {
    let folder = tests::rpm::folder("imported-files").unwrap();
    let files = debian();
    let build = headers(&files, &folder);
    let parts = [files.vmlinuz, files.vmlinux, files.modules_dir, build];
    Repro::of(&folder).imports(&parts, &["--like", "debian-12"].map(OsStr::new));
    fs::remove_dir_all(&folder).unwrap();
}
