// SPDX-License-Identifier: MIT OR Apache-2.0
//! All steps on the kernel of this machine, which has no bug that they would find.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test it helps")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output};

use protocol::{ExecEnd, ExecPath, ExecStep, Message};

const PROGRAM: &str = env!("CARGO_BIN_EXE_exec-paths");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

/// Starts it as PID 1 of a guest does, and gives what it told.
fn told(arguments: &[&str]) -> (Vec<Message>, Output) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("--tell").args(arguments).stdin(OwnedFd::from(theirs));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    // The command holds its end of the socket open.
    drop(command);
    let mut messages = Vec::new();
    for line in BufReader::new(ours.try_clone().unwrap()).lines() {
        messages.push(protocol::parse(&line.unwrap()).unwrap());
        (&ours).write_all(&[0]).unwrap();
    }
    (messages, child.wait_with_output().unwrap())
}

#[test]
fn every_step_passes_or_says_why_it_was_not_tried() {
    let (messages, output) = told(&["all"]);
    assert!(output.status.success(), "{messages:#?}");
    assert_eq!(output.stdout, b"", "what is told to PID 1 is not printed");
    let mut ends = Vec::new();
    for pair in messages.chunks(2) {
        let [Message::ExecBegins(begun), Message::ExecEnds { step, end }] = pair else {
            panic!("{pair:?}")
        };
        assert_eq!(begun, step, "a step ends before the next begins");
        match end {
            ExecEnd::Passed => {}
            ExecEnd::Skipped { why } => assert!(why.contains(' '), "{step}: {why}"),
            ExecEnd::Failed { why } => panic!("{step}: {why}"),
        }
        ends.push((step.path, end.clone()));
    }
    assert!(ends.iter().map(|(path, _)| *path).eq(ExecPath::all()));
    // These need no rights, no module and no feature that could be left out.
    for path in [ExecPath::Execve, ExecPath::Script, ExecPath::Thread, ExecPath::Missing] {
        assert!(ends.contains(&(path, ExecEnd::Passed)), "{path}");
    }
}

#[test]
fn a_seed_shuffles_rounds_in_the_same_way_each_time() {
    let shuffled = || {
        let (messages, output) =
            told(&["--seed", "5", "--rounds", "3", "execve", "vfork", "script"]);
        assert!(output.status.success());
        let begun = messages.into_iter().filter_map(|message| match message {
            Message::ExecBegins(step) => Some(step),
            _ => None,
        });
        begun.collect::<Vec<ExecStep>>()
    };
    let steps = shuffled();
    assert_eq!(steps.len(), 9);
    assert!(steps.iter().all(|step| step.of == 9 && step.seed == Some(5)));
    assert_eq!(steps, shuffled());
}

/// With a small stack the kernel takes less environment than it should.
#[test]
fn a_step_that_goes_otherwise_is_named_and_makes_the_status() {
    let line = format!("ulimit -s 1024; exec {PROGRAM} environment-long execve");
    let output = Command::new("/bin/sh").args(["-c", &line]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let (named, rest) = text.split_once("  FAILED: ").unwrap();
    assert_eq!(named, "exec-paths: environment-long (step 1 of 2)\n");
    assert!(
        rest.starts_with("`Argument list too long (os error 7)` instead of status 201"),
        "{rest}"
    );
    assert!(rest.ends_with("execve (step 2 of 2)\n"), "the next step is taken: {rest}");
}

#[test]
fn what_cannot_be_tried_is_no_failure() {
    let output = run(&["execve", "module-unload"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("module-unload (step 2 of 2)\n  skipped: there is no module"), "{text}");
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let output = Command::new(PROGRAM).arg("execve").env("TMPDIR", "/no/such").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_program_comes_before_the_steps_and_its_status_is_the_last_word() {
    let folder = std::env::temp_dir().join(format!("exec-paths-first-{}", std::process::id()));
    let script = format!("touch {}", folder.display());
    let output = run(&["execve", "--", "/bin/sh", "-c", &script]);
    assert!(output.status.success() && folder.exists(), "{output:?}");
    fs::remove_file(&folder).unwrap();
    for (script, status) in [("exit 3", 3), ("kill -9 $$", 137)] {
        let output = run(&["execve", "--", "/bin/sh", "-c", script]);
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(output.stdout, b"", "no step was taken");
    }
}

#[test]
fn nothing_is_left_behind() {
    let folder = std::env::temp_dir().join(format!("exec-paths-test-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let output = Command::new(PROGRAM).arg("all").env("TMPDIR", &folder).output().unwrap();
    assert!(output.status.code().is_some());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    fs::remove_dir(&folder).unwrap();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(Path::new(&folder).to_str().unwrap()), "{mounts}");
}
