// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU never outlives its parent, whatever ends that, and no file stays behind.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test it helps")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

/// Answers as QEMU does when it starts, then does nothing for an hour.
const FAKE_QEMU: &str = r#"#!/bin/bash
for word in "$@"; do
    case $word in socket,id=qmp,fd=*) qmp=${word##*=};; esac
done
echo '{"QMP": {"version": {"qemu": {"major": 1, "minor": 2, "micro": 3}}, "capabilities": []}}' >&$qmp
read -r _ <&$qmp
echo $$ > "${0%/*}/pid"
echo '{"return": {}, "id": 1}' >&$qmp
exec sleep 3600
"#;

struct Held {
    folder: tempfile::TempDir,
    parent: Child,
    qemu: OwnedFd,
}

impl Held {
    /// A machine that runs, and the process that holds it.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("qemu");
        fs::write(&program, FAKE_QEMU).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut parent = Command::new(env!("CARGO_BIN_EXE_hold-machine"))
            .args([program.as_path(), folder.path()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        let qemu = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        Self { folder, parent, qemu }
    }

    fn signal(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.parent), signal).unwrap();
        self.parent.wait().unwrap()
    }

    fn qemu_ends(&self) -> bool {
        let limit = Timespec { tv_sec: 20, tv_nsec: 0 };
        let mut fds = [PollFd::from_borrowed_fd(self.qemu.as_fd(), PollFlags::IN)];
        poll(&mut fds, Some(&limit)).unwrap() == 1
    }

    fn files(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_parent_that_is_killed_takes_qemu_and_its_files_along() {
    let mut held = Held::start();
    assert_eq!(held.signal(Signal::KILL).code(), None);
    assert!(held.qemu_ends());
    assert_eq!(held.files(), ["pid", "qemu"], "only what the fake itself is made of");
}

#[test]
fn an_interrupted_parent_ends_in_order_and_takes_qemu_along() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut held = Held::start();
        assert_eq!(held.signal(signal).code(), Some(0));
        assert!(held.qemu_ends());
        assert_eq!(held.files(), ["pid", "qemu"]);
    }
}

#[test]
fn a_program_that_is_no_qemu_is_told_with_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("qemu");
    fs::write(&program, "#!/bin/sh\necho cannot allocate memory >&2\nexit 7\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hold-machine"))
        .args([program.as_path(), folder.path()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("exit status 7") && text.contains("cannot allocate memory"), "{text}");
}
