// SPDX-License-Identifier: MIT OR Apache-2.0
//! drgn: the stack with inlined functions and lines, and what it knows of the system.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::setup;

/// The script that prints all of [`Drgn`] as JSON.
const REPORT: &str = include_str!("drgn_report.py");
/// The script that prints the stack alone.
pub const STACK: &str = include_str!("drgn_stack.py");

/// What drgn knows of a crash.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drgn {
    /// Thread that crashed.
    pub pid: i32,
    /// Its name.
    pub comm: String,
    /// Address of its `task_struct`.
    pub task: u64,
    /// `nodename`, `release`, `version`, `machine`.
    pub uts: BTreeMap<String, String>,
    /// Run-time address of `_stext`.
    pub stext: u64,
    /// CPUs online.
    pub cpus: u32,
    /// Loaded modules.
    pub modules: Vec<String>,
    /// The stack of the thread.
    pub frames: Vec<Frame>,
}

/// A frame as drgn sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Function, or symbol where the debug information has none, or address.
    pub name: String,
    /// Whether it was inlined into the next.
    pub inlined: bool,
    /// Program counter; null where it is not known.
    pub pc: Option<u64>,
    /// Source file.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// Symbol that covers the program counter.
    pub symbol: Option<String>,
    /// Distance from its start.
    pub offset: Option<u64>,
    /// Parameters and variables that are numbers or pointers, as 64 bits.
    pub values: BTreeMap<String, u64>,
}

/// The stack of a task as drgn unwinds it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// Address of the `task_struct`.
    pub task: u64,
    /// Process id.
    pub pid: i32,
    /// Name of the program.
    pub comm: String,
    /// Its `stack`: where its stack is, 0 once that is given back.
    pub stack: u64,
    /// Innermost first; none where drgn cannot unwind it.
    pub frames: Vec<Frame>,
}

/// Asks drgn.
///
/// # Errors
/// It cannot be had, or it fails.
pub fn ask(vmcore: &Path, debug_info: &[&Path]) -> Result<Drgn> {
    run(&[], vmcore, debug_info)
}

/// Asks drgn for the stacks of all tasks, in one go.
///
/// # Errors
/// The same as of [`ask`].
pub fn stacks(vmcore: &Path, debug_info: &[&Path]) -> Result<Vec<Stack>> {
    run(&["--stacks"], vmcore, debug_info)
}

fn run<T: DeserializeOwned>(options: &[&str], vmcore: &Path, debug_info: &[&Path]) -> Result<T> {
    let mut words: Vec<OsString> = vec!["-c".into(), REPORT.into()];
    words.extend(options.iter().map(OsString::from));
    words.push(vmcore.into());
    words.extend(debug_info.iter().map(|&path| path.into()));
    let output = duct::cmd(setup::python()?, words)
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .context("start python")?;
    ensure!(output.status.success(), "drgn: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("read what drgn printed")
}
