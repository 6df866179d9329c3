// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of known deviations from a peer, `tests/deviations.toml`: which of the two is wrong,
//! proven from the dump each time anew.

use std::fs;

use analyzer::report::Report;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::compare::{self, Count};
use crate::oops::Oops;
use crate::peers::drgn::Stack;
use crate::project;

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    deviation: Vec<Deviation>,
}

/// A known deviation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Names of the cases whose dumps have it; any can where there are none.
    #[serde(default)]
    cases: Vec<String>,
    /// Who is wrong.
    pub wrong: String,
    /// Why.
    pub why: String,
    proof: Proof,
}

/// What in the dump proves that drgn is the one that is wrong.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Proof {
    /// Drgn's caller of the code that is gone is no code, and the kernel's own trace has ours.
    KernelTrace,
    /// The task has given its stack back, so that there is none to unwind.
    NoStack,
}

/// Two stacks of a task that are not the same.
#[derive(Debug, Clone, Copy)]
pub struct Parted<'a> {
    /// Number of our frames.
    pub ours: usize,
    /// Drgn's stack.
    pub theirs: &'a Stack,
}

/// A dump and what the kernel said in it.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Name of the case.
    pub case: &'a str,
    /// Our report.
    pub report: &'a Report,
    /// The kernel's log.
    pub log: &'a str,
}

impl Known {
    /// Reads the table.
    ///
    /// # Errors
    /// It is wrong.
    pub fn load() -> Result<Self> {
        let path = project::root().join("tests").join("deviations.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("read {}", path.display()))
    }

    /// The entry that explains why a stack of drgn's is another, proven.
    ///
    /// # Errors
    /// There is none or its proof fails: `difference` is returned, with that.
    pub fn explain(
        &self,
        evidence: Evidence<'_>,
        parted: Parted<'_>,
        mut difference: anyhow::Error,
    ) -> Result<Deviation> {
        for entry in self.deviation.iter().filter(|entry| entry.can_be_of(evidence.case)) {
            let proof = match entry.proof {
                Proof::KernelTrace => kernel_trace(evidence, parted.theirs),
                Proof::NoStack => no_stack(parted),
            };
            match proof {
                Ok(()) => return Ok(entry.clone()),
                Err(error) => difference = difference.context(format!("no proof: {error:#}")),
            }
        }
        Err(difference)
    }
}

impl Deviation {
    fn can_be_of(&self, case: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|name| name == case)
    }
}

/// It is drgn itself that reads the task's `stack`.
fn no_stack(parted: Parted<'_>) -> Result<()> {
    ensure!(parted.theirs.stack == 0, "the task has a stack, at {:#x}", parted.theirs.stack);
    ensure!(parted.ours == 0, "we have {} frames of a task without a stack", parted.ours);
    Ok(())
}

fn kernel_trace(evidence: Evidence<'_>, theirs: &Stack) -> Result<()> {
    let task = evidence.report.task.as_ref().and_then(|task| task.pid);
    ensure!(task == Some(theirs.pid), "it is not the task that crashed");
    let no_code = theirs.frames.get(1).is_some_and(|frame| frame.symbol.is_none());
    ensure!(no_code, "the second frame of drgn's is code");
    let kernels = Oops::last(evidence.log)?;
    compare::oops::report(evidence.report, &kernels, &mut Count::default())
}
