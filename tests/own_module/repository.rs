// SPDX-License-Identifier: MIT OR Apache-2.0
//! A repository of somebody's own, and what its owner types there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tests::project;

/// An empty folder that is part of no project.
pub(crate) struct Repository {
    folder: tempfile::TempDir,
    program: PathBuf,
}

/// What a command printed.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Repository {
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, program: project::repro().unwrap() }
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Makes a file of the repository a program.
    pub(crate) fn make_executable(&self, inside: &str) {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path(inside), mode).unwrap();
    }

    pub(crate) fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap()
    }

    /// `repro` with these words, in the repository, without a terminal.
    pub(crate) fn repro(&self, words: &str) -> Printed {
        Printed::of(self.command(words).output().unwrap())
    }

    /// The command, not yet started.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = self.start(&self.program);
        command.args(words.split_whitespace());
        command
    }

    /// A script of the shell, not yet started, in the repository; it ends with the first line that
    /// fails, and knows `repro`.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut command = self.start(Path::new("sh"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = self.program.parent().unwrap().to_owned();
        let folders = std::iter::once(own).chain(std::env::split_paths(&path));
        command.args(["-e", "-c", script]).env("PATH", std::env::join_paths(folders).unwrap());
        command
    }

    /// A program in the repository, without what a pipeline or a user may have set for `repro`.
    fn start(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let kept = ["REPRO_CACHE", "REPRO_ACCEL"].contains(&name.as_str());
            if name.starts_with("REPRO_") && !kept || name == "GITHUB_ACTIONS" {
                command.env_remove(name);
            }
        }
        command
    }
}

impl Printed {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        Self { code: output.status.code(), stdout, stderr }
    }

    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let all = format!("{}\n{}", self.stdout, self.stderr);
        for word in words {
            assert!(all.contains(word), "`{word}` is not in:\n{all}");
        }
        self
    }
}

/// Whether a file is there and not empty.
pub(crate) fn is_written(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0)
}
