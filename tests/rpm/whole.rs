// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole path: a repository on loopback in the form of CentOS 7's, its packages, modules built
//! by the compiler that comes from there, a crash in QEMU, a proven verdict.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use harness::run::outcome::{Outcome, Runs};
use tests::project;
use tests::rpm::{Fault, RELEASE, Server, Signer, compiler, describe, kernel};

use crate::distribution::{cache, debian};

/// Signed packages with signed metadata.
fn repository(folder: &Path) -> (PathBuf, Signer) {
    let packages = folder.join("packages");
    fs::create_dir(&packages).unwrap();
    let mut files = kernel(&debian(), &packages).unwrap();
    files.extend(compiler(&packages).unwrap());
    let signer = Signer::make(folder, "builder", "rsa2048").unwrap();
    signer.sign(&files).unwrap();
    describe(&packages, "sha256").unwrap();
    signer.detach(&packages.join("repodata/repomd.xml")).unwrap();
    (packages, signer)
}

#[test]
fn a_guest_of_rpm_packages_runs_to_a_proven_verdict() {
    let folder = tests::rpm::folder("whole").unwrap();
    let (packages, signer) = repository(&folder);
    let server = Server::start(packages).unwrap();
    let debuginfo = format!("kernel-debuginfo-{RELEASE}.x86_64.rpm");
    server.fault(&debuginfo, Fault::CutOnce(1 << 20));
    let (cache, out) = (cache(&folder), folder.join("out"));
    let options: Vec<OsString> = vec![
        "--mirror".into(),
        (&server.url).into(),
        "--key".into(),
        signer.public.clone().into(),
        "--kernel".into(),
        RELEASE.into(),
        "--cache-dir".into(),
        cache.into(),
        "--no-progress".into(),
    ];
    let repro = project::repro().unwrap();
    let run = |words: &[&str]| {
        let words = words.iter().map(Into::into).chain(options.iter().cloned());
        let command = duct::cmd(&repro, words).dir(project::root()).env_remove("REPRO_MIRROR");
        command.stdout_capture().stderr_capture().unchecked().run().unwrap()
    };
    let out = out.display().to_string();
    let output =
        run(&["run", "@centos-7", "--toolchain", "packages", "--format", "json", "--out", &out]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let runs: Runs = serde_json::from_slice(&output.stdout).unwrap();
    let run_of_it = &runs.runs[0];
    assert_eq!(run_of_it.outcome, Outcome::Reproduced, "{said}");
    assert_eq!(run_of_it.guest, "centos-7");
    let report = serde_json::to_value(&run_of_it.report).unwrap();
    assert_eq!(report["verdict"]["confidence"], "proven");
    assert_eq!(report["verdict"]["expression"], "__akfs_ops->get_fhash");
    let asked = server.asked(&debuginfo);
    assert_eq!(asked.len(), 2, "it broke off once");
    assert!(asked[0] == 0 && asked[1] >= 1 << 19, "and went on from there: {asked:?}");
    let log = fs::read_to_string(
        Path::new(run_of_it.artifacts.as_ref().unwrap()).join("build/build.log"),
    );
    assert!(log.unwrap().contains("/usr/src/kernels/"), "it was built inside of the build root");
    let again = run(&["guest", "fetch", "centos-7", "--offline", "--toolchain", "packages"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    fs::remove_dir_all(&folder).unwrap();
}
