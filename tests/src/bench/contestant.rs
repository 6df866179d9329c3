// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who takes part.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use analyzer::report::Report;
use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use wait4::Wait4 as _;

use crate::dump::Dump;
use crate::peers::{drgn, setup};
use crate::project;

/// A program with its arguments.
#[derive(Debug, Clone)]
pub struct Contestant {
    /// Name of the program and what it is asked for.
    pub name: String,
    program: PathBuf,
    words: Vec<OsString>,
    /// What it reads as its input.
    input: Option<PathBuf>,
    /// Files that it reads, as long as it is there.
    _folder: Option<Arc<TempDir>>,
}

/// What one run needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Start to end.
    pub wall: Duration,
    /// Time of the CPUs in the program and in the kernel.
    pub cpu: Duration,
    /// The most memory it had at once, mapped files as far as they were touched included, in bytes.
    pub peak: u64,
}

/// A question, and who is asked it.
#[derive(Debug, Clone)]
pub struct Contest {
    /// What is asked.
    pub question: String,
    /// Ours, drgn's, crash's.
    pub contestants: Vec<Contestant>,
}

/// Commands that all three have by the same name.
const COMMANDS: [&str; 5] = ["bt", "ps", "log", "sys", "mod"];

impl Contest {
    /// The report, where the others print the stack alone; then commands that all of them have. All
    /// with the debug information of kernel and modules.
    ///
    /// # Errors
    /// One of them cannot be had.
    pub fn all(dump: &Dump) -> Result<Vec<Self>> {
        let mut report = Self::report(dump)?;
        report.contestants.push(Contestant::crash(dump, "bt")?);
        let command = |&name: &&str| {
            let ours = Contestant::command(dump, name)?;
            let contestants =
                vec![ours, Contestant::drgn(dump, name)?, Contestant::crash(dump, name)?];
            Ok(Self { question: name.to_owned(), contestants })
        };
        std::iter::once(Ok(report)).chain(COMMANDS.iter().map(command)).collect()
    }
}

impl Contest {
    /// The report beside drgn's stack alone, which takes no more than a second.
    ///
    /// # Errors
    /// One of them cannot be had.
    pub fn report(dump: &Dump) -> Result<Self> {
        let contestants = vec![Contestant::report(dump)?, Contestant::stack(dump)?];
        Ok(Self { question: "report".to_owned(), contestants })
    }
}

impl Contestant {
    pub(super) fn report(dump: &Dump) -> Result<Self> {
        let name = "repro analyze, the whole report".to_owned();
        Ok(Self {
            name,
            program: project::repro()?,
            words: dump.words(),
            input: None,
            _folder: None,
        })
    }

    fn command(dump: &Dump, command: &str) -> Result<Self> {
        let mut words = dump.words();
        if let Some(verb) = words.first_mut() {
            *verb = "crash".into();
        }
        words.extend(["-c".into(), command.into()]);
        let name = format!("repro crash -c {command}");
        Ok(Self { name, program: project::repro()?, words, input: None, _folder: None })
    }

    fn stack(dump: &Dump) -> Result<Self> {
        let report: Report = serde_json::from_str(&dump.analyze(&["--format", "json"])?)?;
        let mut words: Vec<OsString> = vec!["-c".into(), drgn::STACK.into()];
        words.extend([dump.vmcore.clone().into(), dump.vmlinux.clone().into()]);
        words.extend(dump.module_files(&report).into_iter().map(|(_, file)| file.into()));
        let name = "drgn 0.3.0, the stack trace alone".to_owned();
        Ok(Self { name, program: setup::python()?, words, input: None, _folder: None })
    }

    /// drgn by its mode that has crash's commands. It takes them from its input only.
    fn drgn(dump: &Dump, command: &str) -> Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let input = folder.path().join("commands");
        fs::write(&input, format!("{command}\n")).context("write commands")?;
        let words = vec![dump.vmlinux.clone().into(), dump.vmcore.clone().into()];
        let name = format!("drgn-crash 0.3.0, {command}");
        let program = setup::python()?.with_file_name("drgn-crash");
        Ok(Self { name, program, words, input: Some(input), _folder: Some(Arc::new(folder)) })
    }

    fn crash(dump: &Dump, command: &str) -> Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let commands = folder.path().join("commands");
        fs::write(&commands, format!("set scroll off\n{command}\nquit\n"))
            .context("write commands")?;
        // It takes what follows an @ in a path for an address.
        let vmcore = folder.path().join("vmcore");
        symlink(fs::canonicalize(&dump.vmcore)?, &vmcore).context("make a link")?;
        let words = vec![
            "-s".into(),
            dump.vmlinux.clone().into(),
            vmcore.into(),
            "-i".into(),
            commands.into(),
        ];
        let program = setup::program("crash", "crash")?;
        let name = format!("crash, {command} alone");
        Ok(Self { name, program, words, input: None, _folder: Some(Arc::new(folder)) })
    }

    /// Runs it once.
    ///
    /// # Errors
    /// It cannot be started, or it fails.
    pub fn run(&self) -> Result<Run> {
        let mut command = Command::new(&self.program);
        let input = match &self.input {
            Some(path) => Stdio::from(File::open(path).context("open the commands")?),
            None => Stdio::null(),
        };
        command.args(&self.words).stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("start {}", self.name))?;
        let ended = child.wait4().with_context(|| format!("wait for {}", self.name))?;
        let wall = start.elapsed();
        ensure!(ended.status.success(), "{}: {}", self.name, ended.status);
        let used = ended.rusage;
        Ok(Run { wall, cpu: used.utime + used.stime, peak: used.maxrss })
    }
}
