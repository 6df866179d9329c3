// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that a benchmark measures, and what of it is compared later.

use std::fs;

use anyhow::{Context as _, Result};
use harness::run::select::Selected;
use serde::{Deserialize, Serialize};

use super::{Contest, Cycle, Instructions, Large, Many, Table, cycle, large};
use crate::dump::Dump;
use crate::project;

/// Of what an earlier ratio has to be left: machines differ, and so does what else they do.
const LEFT: f64 = 0.6;

/// How often each part is measured; nothing of a part with no rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// Ours and the peers.
    pub peers: u32,
    /// Whole runs.
    pub runs: u32,
    /// Whether a hundred runs are made in one go.
    pub many: bool,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Benchmark {
    /// Ours beside the peers.
    #[serde(flatten)]
    pub table: Table,
    /// Whole runs.
    pub cycles: Vec<Cycle>,
    /// A hundred runs.
    pub many: Option<Many>,
    /// Dumps of large machines.
    pub large: Vec<Large>,
    /// Instructions of the report.
    pub instructions: Instructions,
}

impl Benchmark {
    /// Measures everything. `selected` is the case that whole runs are made of.
    ///
    /// # Errors
    /// A program cannot be had, or fails.
    pub fn take(dump: &Dump, selected: &Selected, rounds: Rounds) -> Result<Self> {
        Ok(Self {
            table: Table::take(&Contest::all(dump)?, rounds.peers)?,
            large: Large::all(dump, rounds.peers)?,
            instructions: Instructions::count(dump)?,
            cycles: if rounds.runs > 0 { Cycle::all(selected, rounds.runs)? } else { Vec::new() },
            many: if rounds.many { Some(Many::take()?) } else { None },
        })
    }

    /// What is not as it was promised.
    #[must_use]
    pub fn misses(&self) -> Vec<String> {
        let mut misses = self.table.misses();
        misses.extend(self.cycles.iter().flat_map(Cycle::misses));
        misses.extend(self.many.iter().flat_map(Many::misses));
        misses.extend(self.large.iter().flat_map(Large::misses));
        misses
    }

    /// Tables of everything.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut parts = vec![self.table.markdown()];
        if !self.cycles.is_empty() {
            parts.push(cycle::markdown(&self.cycles, self.many.as_ref()));
        }
        parts.push(large::markdown(&self.large));
        let Instructions { compiler, kernel, report } = &self.instructions;
        parts.push(format!(
            "The report is {} million instructions, for a dump of {kernel}, built by {compiler}.\n",
            report / 1_000_000
        ));
        parts.join("\n")
    }
}

/// An earlier benchmark, as far as a later one is compared with it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Baseline {
    questions: Vec<Question>,
    /// Instructions of the report.
    #[serde(default)]
    pub instructions: Option<Instructions>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Question {
    rows: Vec<Ratio>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
struct Ratio {
    wall_ratio: f64,
    peak_ratio: f64,
}

impl Baseline {
    /// The one that is committed.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn committed() -> Result<Self> {
        let path = project::root().join("docs").join("benchmark.json");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))
    }

    /// By what the report has fallen back behind drgn.
    #[must_use]
    pub fn misses(&self, table: &Table) -> Vec<String> {
        let was = self.questions.first().and_then(|question| question.rows.get(1));
        let is = table.questions.first().and_then(|question| question.rows.get(1));
        let (Some(was), Some(is)) = (was, is) else { return vec!["nothing to compare".into()] };
        [("time", is.wall_ratio, was.wall_ratio), ("memory", is.peak_ratio, was.peak_ratio)]
            .into_iter()
            .filter(|(_, is, was)| *is < was * LEFT)
            .map(|(what, is, was)| format!("drgn's {what} is {is:.1} of ours; it was {was:.1}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_benchmark_can_be_compared_with() {
        let baseline = Baseline::committed().unwrap();
        let report = baseline.questions.first().unwrap();
        assert_eq!(report.rows.len(), 3, "ours, drgn's, crash's");
        assert!(report.rows[1].wall_ratio > 1.0);
    }
}
