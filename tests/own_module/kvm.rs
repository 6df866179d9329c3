// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro doctor --kvm` where KVM does not run guests: it ends, says how, and leaves nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tests::project;

/// Longer than all that it may wait for: QEMU's start, its end, and its version.
const LIMIT: Duration = Duration::from_secs(90);

/// Runs it with a QEMU that does this where it is asked for KVM.
fn doctor(qemu: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("qemu");
    let version = "[ \"$1\" = --version ] && echo 'QEMU emulator version 99.0' && exit";
    let script = format!("#!/bin/sh\n{version}\necho 'qemu: no luck' >&2\n{qemu}\n");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let start = Instant::now();
    let output = Command::new(project::repro().unwrap())
        .args(["doctor", "--kvm", "--qemu"])
        .arg(&program)
        .env("TMPDIR", &temporary)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(start.elapsed() < LIMIT, "it took {:?}", start.elapsed());
    assert_eq!(left_in(&temporary), 0, "something is left");
    output
}

fn left_in(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[track_caller]
fn says_no(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(69),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for word in
        ["host kernel", "/dev/kvm", "not tried", "does NOT work", "QEMU: qemu: no luck", "99.0"]
    {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[test]
fn a_qemu_that_ends_at_once_is_told_with_its_last_words() {
    says_no(&doctor("kill -ABRT $$"), &["a guest cannot run under kvm", "signal 6"]);
}

#[test]
fn a_qemu_that_does_nothing_is_ended() {
    says_no(&doctor("exec sleep 600"), &["QEMU does not start"]);
}
