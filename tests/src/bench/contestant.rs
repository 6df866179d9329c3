// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who takes part.

use std::ffi::OsString;
use std::fs;
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
    pub name: &'static str,
    program: PathBuf,
    words: Vec<OsString>,
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

impl Contestant {
    /// Our whole report, drgn's stack trace alone, `bt` alone; all with the debug information of
    /// kernel and modules.
    ///
    /// # Errors
    /// One of them cannot be had.
    pub fn all(dump: &Dump) -> Result<[Self; 3]> {
        Ok([Self::repro(dump)?, Self::drgn(dump)?, Self::crash(dump)?])
    }

    fn repro(dump: &Dump) -> Result<Self> {
        let (program, words) = (project::repro()?, dump.words());
        Ok(Self { name: "repro analyze, the whole report", program, words, _folder: None })
    }

    fn drgn(dump: &Dump) -> Result<Self> {
        let report: Report = serde_json::from_str(&dump.analyze(&["--format", "json"])?)?;
        let mut words: Vec<OsString> = vec!["-c".into(), drgn::STACK.into()];
        words.extend([dump.vmcore.clone().into(), dump.vmlinux.clone().into()]);
        words.extend(dump.module_files(&report).into_iter().map(|(_, file)| file.into()));
        let name = "drgn 0.3.0, the stack trace alone";
        Ok(Self { name, program: setup::python()?, words, _folder: None })
    }

    fn crash(dump: &Dump) -> Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let commands = folder.path().join("commands");
        fs::write(&commands, "set scroll off\nbt\nquit\n").context("write commands")?;
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
        Ok(Self { name: "crash, bt alone", program, words, _folder: Some(Arc::new(folder)) })
    }

    /// Runs it once.
    ///
    /// # Errors
    /// It cannot be started, or it fails.
    pub fn run(&self) -> Result<Run> {
        let mut command = Command::new(&self.program);
        command.args(&self.words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("start {}", self.name))?;
        let ended = child.wait4().with_context(|| format!("wait for {}", self.name))?;
        let wall = start.elapsed();
        ensure!(ended.status.success(), "{}: {}", self.name, ended.status);
        let used = ended.rusage;
        Ok(Run { wall, cpu: used.utime + used.stime, peak: used.maxrss })
    }
}
