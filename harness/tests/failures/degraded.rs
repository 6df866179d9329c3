// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs and analyses in which something is missing, and that find the cause all the same or say
//! what they lack.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use guest::{self, Store};
use serde_json::Value;

use crate::support::{Ended, Project};

/// What the flagship's report says when nothing is missing.
const EXPRESSION: &str = "__akfs_ops->get_fhash";

/// Answers as QEMU does; its guest is one that KVM hangs after the decompressor's first line. Under
/// another accelerator it is the real one.
const QEMU_WITH_HANGING_KVM: &str = r#"#!/bin/bash
case " $* " in *" kvm "*) ;; *) exec qemu-system-x86_64 "$@";; esac
for word in "$@"; do
    case $word in
        socket,id=qmp,fd=*) qmp=${word##*=};;
        socket,id=console,fd=*) console=${word##*=};;
    esac
done
echo '{"QMP": {"version": {"qemu": {"major": 1, "minor": 2, "micro": 3}}, "capabilities": []}}' >&$qmp
read -r _ <&$qmp
echo '{"return": {}, "id": 1}' >&$qmp
echo 'early console in extract_kernel' >&$console
exec sleep 3600
"#;

#[test]
fn kvm_that_opens_and_hangs_is_given_up_in_time() {
    let project = Project::new();
    project.edit(&project.guest(), "boot = \"20s\"", "boot = \"4s\"");
    let qemu = project.program("qemu", QEMU_WITH_HANGING_KVM);
    let mut command = project.command();
    command.args(["--accel", "kvm", "--qemu"]).arg(qemu);
    let words = ["KVM opens, but the guest's kernel printed nothing within 1s", "--accel tcg"];
    Ended::of(command).is("infra-error", 69, &words);
}

#[track_caller]
fn is_dumped_by_qemu_and_proven(project: &Project, reason: &str) {
    let ended = project.run();
    ended.is("reproduced", 0, &["vmcore by QMP dump", "not captured by kdump", reason]);
    assert_eq!(ended.run["capture"], "qmp");
    assert!(ended.run["capture_reason"].as_str().unwrap().contains(reason));
    assert_eq!(ended.run["report"]["verdict"]["expression"], EXPRESSION);
    assert_eq!(ended.run["report"]["verdict"]["confidence"], "proven");
}

#[test]
fn a_kernel_that_cannot_be_armed_is_dumped_by_qemu_and_still_explained() {
    let project = Project::new();
    project.edit(&project.guest(), "crashkernel = \"128M\"", "crashkernel = \"16M\"");
    is_dumped_by_qemu_and_proven(&project, "too little memory is reserved");
}

#[test]
fn a_capture_kernel_that_dies_itself_leaves_the_registers_that_were_saved() {
    let project = Project::new();
    // Enough to load the capture kernel, too little for it to boot.
    project.edit(&project.guest(), "crashkernel = \"128M\"", "crashkernel = \"64M\"");
    is_dumped_by_qemu_and_proven(&project, "the capture kernel crashed itself: Kernel panic");
}

#[test]
fn a_module_of_another_kernel_is_refused_before_the_boot() {
    let project = Project::new();
    let manifest = project.case().join("case.toml");
    project.edit(
        &manifest,
        "name = \"process\"\n",
        "name = \"process\"\nprebuilt = \"process.ko\"\n",
    );
    let source = project.path("other.c");
    let text = "static const char v[] __attribute__((section(\".modinfo\"), used)) =\n\
                \"vermagic=5.10.0-1-amd64 SMP mod_unload\";\n";
    fs::write(&source, text).unwrap();
    let built = Command::new("gcc")
        .args(["-c", "-o"])
        .arg(project.case().join("process.ko"))
        .arg(source)
        .status()
        .unwrap();
    assert!(built.success());
    let ended = project.run();
    ended.is("not-built", 101, &["is for kernel 5.10.0-1-amd64, but the guest runs "]);
    assert_eq!(ended.run["accel"], Value::Null, "no guest was started");
}

#[test]
fn a_cache_without_room_fails_the_fetch_and_keeps_nothing_half() {
    let project = Project::new();
    let cache = project.path("cache");
    let mut run = project.command();
    run.arg("--cache-dir").arg(&cache);
    let ended = Ended::of(Project::with_small_disk(&run, &cache, 3));
    ended.is("infra-error", 103, &["No space left on device", "make room"]);
}

/// A complete run's dump and the files that explain it.
struct Reproduced {
    project: Project,
    vmlinux: PathBuf,
}

impl Reproduced {
    fn new() -> Self {
        let project = Project::new();
        project.run().is("reproduced", 0, &[]);
        let cache = harness::config::default_cache().unwrap();
        let store = Store::open(&cache, true).unwrap();
        let manifest = guest::Manifest::load(&project.guest()).unwrap();
        let files =
            guest::fetch(&manifest, &store, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
        Self { project, vmlinux: files.vmlinux }
    }

    fn artifact(&self, name: &str) -> PathBuf {
        self.project.artifacts().join(name)
    }

    /// The report from these files; the analysis has to be done and not to panic.
    #[track_caller]
    fn report(&self, vmcore: &Path, vmlinux: &Path, modules: &Path) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_repro"))
            .args(["analyze", "--format", "json"])
            .arg(vmcore)
            .arg("--vmlinux")
            .arg(vmlinux)
            .arg("--module-dir")
            .arg(modules)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Whether a finding has the code and the words.
#[track_caller]
fn finds(report: &Value, code: &str, words: &str) {
    let findings = report["findings"].as_array().unwrap();
    let fits = |finding: &&Value| {
        finding["code"] == code && finding["message"].as_str().is_some_and(|m| m.contains(words))
    };
    assert!(findings.iter().find(fits).is_some(), "no {code} `{words}` in {findings:#?}");
}

#[test]
fn what_an_analysis_lacks_is_told_and_nothing_is_made_up() {
    let reproduced = Reproduced::new();
    let (vmcore, modules) = (reproduced.artifact("vmcore"), reproduced.artifact("build"));
    let vmlinux = reproduced.vmlinux.clone();
    let whole = reproduced.report(&vmcore, &vmlinux, &modules);
    assert_eq!(whole["verdict"]["expression"], EXPRESSION);

    let half = reproduced.project.path("half");
    let bytes = fs::read(&vmcore).unwrap();
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    let report = reproduced.report(&half, &vmlinux, &modules);
    assert_eq!(report["dump"]["complete"], false);
    finds(&report, "A002", "the file was cut");
    // Where the kernel, with its log and its modules, lies in the file differs from boot to boot.
    for path in ["/panic/message", "/verdict/expression"] {
        let told = report.pointer(path).unwrap_or(&Value::Null);
        assert!(told.is_null() || Some(told) == whole.pointer(path), "{path}: {told}");
    }

    // An executable with another build-id, as a vmlinux of another kernel is one.
    let other = reproduced.project.path("other-vmlinux");
    let words = ["-xc", "/dev/null", "-nostdlib", "-shared", "-Wl,--build-id", "-o"];
    assert!(Command::new("gcc").args(words).arg(&other).status().unwrap().success());
    let report = reproduced.report(&vmcore, &other, &modules);
    finds(&report, "A005", "the vmlinux given is of another kernel");
    // The symbols, types and ORC tables of the dump itself stand in for it: the same verdict, and
    // no line of the kernel, which only the right file could tell.
    for path in ["/panic/message", "/verdict/expression", "/verdict/confidence", "/verdict/culprit"]
    {
        assert_eq!(report.pointer(path), whole.pointer(path), "{path}");
    }
    let frames = report["backtraces"]["fault"].as_array().unwrap();
    let kernel = frames.iter().filter(|frame| frame["module"].is_null());
    assert!(kernel.clone().count() > 3, "{frames:#?}");
    assert!(kernel.clone().all(|frame| frame["line"].is_null()), "{frames:#?}");

    let others = reproduced.project.path("others");
    fs::create_dir(&others).unwrap();
    fs::copy(modules.join("akfs.ko"), others.join("akfs.ko")).unwrap();
    fs::copy(modules.join("akfs.ko"), others.join("process.ko")).unwrap();
    let report = reproduced.report(&vmcore, &vmlinux, &others);
    finds(&report, "A009", "the file given for module process is another one");
    assert_ne!(report["verdict"]["expression"], EXPRESSION, "no names of the module are known");
}
