// SPDX-License-Identifier: MIT OR Apache-2.0
//! A project of its own for each test, and runs of `repro` in it that can be watched and ended.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::Value;

const CASE: &str = "process-get-fhash-null";
const GUEST: &str = "debian-12";

/// A copy of the flagship case and its guest, to be changed.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    events: u32,
}

impl Project {
    pub(crate) fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        // Below target/: on a file system like that of every other run.
        let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = tempfile::tempdir_in(below).unwrap();
        let project = Self { folder, events: 0 };
        fs::copy(root.join("repro.toml"), project.path("repro.toml")).unwrap();
        copy(&root.join("guests").join(format!("{GUEST}.toml")), &project.guest());
        copy(&root.join("modules").join(CASE), &project.case());
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn case(&self) -> PathBuf {
        self.path("modules").join(CASE)
    }

    pub(crate) fn guest(&self) -> PathBuf {
        self.path("guests").join(format!("{GUEST}.toml"))
    }

    /// Replaces text that must be in a file.
    #[track_caller]
    pub(crate) fn edit(&self, file: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(from), "`{from}` is not in {}", file.display());
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// A run that prints JSON and keeps its artefacts in the project.
    pub(crate) fn command(&self) -> Command {
        self.command_into(&self.path("out"))
    }

    pub(crate) fn command_into(&self, out: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_repro"));
        command
            .env("REPRO_ACCEL", "tcg")
            .args(["run", "--format", "json", "--root"])
            .arg(self.folder.path())
            .arg("--out")
            .arg(out)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The same with a file system of a few MiB at `folder`, which is made. The mount is seen by
    /// the run only, and goes away with it.
    pub(crate) fn with_small_disk(run: &Command, folder: &Path, mebibytes: u32) -> Command {
        fs::create_dir(folder).unwrap();
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let script = format!("mount -t tmpfs -o size={mebibytes}m small \"$0\" && exec \"$@\"");
        command.args(["--mount", "sh", "-c", &script]).arg(folder);
        command.arg(run.get_program()).args(run.get_args());
        command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self) -> Ended {
        Ended::of(self.command())
    }

    /// Starts a run whose events can be waited for.
    pub(crate) fn start(&mut self, arguments: &[&str]) -> Running {
        self.events += 1;
        let pipe = self.path(&format!("events.{}", self.events));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let mut command = self.command();
        command.args(arguments).arg("--events").arg(&pipe).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let events = BufReader::new(File::open(&pipe).unwrap());
        Running { child, events }
    }

    /// Writes a program of the project.
    pub(crate) fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Names in the folder of artefacts that are no complete invocation.
    pub(crate) fn partial(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("out")) else { return Vec::new() };
        entries
            .map(Result::unwrap)
            .filter(|entry| entry.path().join("incomplete").exists())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }

    pub(crate) fn artifacts(&self) -> PathBuf {
        self.path("out/latest").join(format!("{CASE}--{GUEST}"))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let status = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
    assert!(status.success());
}

/// A run that is over.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) run: Value,
}

impl Ended {
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let runs: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Self {
            code: output.status.code(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            run: runs["runs"][0].clone(),
        }
    }

    /// Checks outcome, exit code and words on stderr.
    #[track_caller]
    pub(crate) fn is(&self, outcome: &str, code: i32, words: &[&str]) {
        assert_eq!(
            (self.run["outcome"].as_str(), self.code),
            (Some(outcome), Some(code)),
            "{}",
            self.stderr
        );
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// A run that goes on.
pub(crate) struct Running {
    child: Child,
    events: BufReader<File>,
}

impl Running {
    /// Reads events until one is wanted.
    #[track_caller]
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) {
        loop {
            let mut line = String::new();
            assert_ne!(self.events.read_line(&mut line).unwrap(), 0, "the run ended too early");
            let event: Value = serde_json::from_str(&line).unwrap();
            if wanted(&event["event"]) {
                return;
            }
        }
    }

    /// Processes below it, of any depth.
    pub(crate) fn descendants(&self) -> Vec<OwnedFd> {
        let mut open = Vec::new();
        let mut parents = vec![i32::try_from(self.child.id()).unwrap()];
        while let Some(parent) = parents.pop() {
            for child in children(parent) {
                // One that has ended meanwhile is none that could stay behind.
                let Ok(fd) = pidfd_open(Pid::from_raw(child).unwrap(), PidfdFlags::empty()) else {
                    continue;
                };
                open.push(fd);
                parents.push(child);
            }
        }
        open
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end, taking what it still tells.
    pub(crate) fn wait(mut self) -> ExitStatus {
        while self.events.read_line(&mut String::new()).unwrap() > 0 {}
        self.child.wait().unwrap()
    }
}

fn children(parent: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else { return Vec::new() };
    let lists = threads.flatten().map(|thread| thread.path().join("children"));
    lists
        .filter_map(|list| fs::read_to_string(list).ok())
        .flat_map(|text| {
            text.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether all of these processes end soon.
pub(crate) fn all_end(processes: &[OwnedFd]) -> bool {
    let limit = Timespec { tv_sec: 30, tv_nsec: 0 };
    processes.iter().all(|process| {
        let mut fds = [PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)];
        poll(&mut fds, Some(&limit)).unwrap() == 1
    })
}
