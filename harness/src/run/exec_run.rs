// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a trigger told of the ways in which it executed programs.

use protocol::{ExecEnd, ExecStep};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use guest::shown;

/// Steps that are kept of those that did not pass, and the characters of each reason.
const KEPT: usize = 100;
const WIDTH: usize = 400;
/// Steps of them that people see.
const SHOWN: usize = 10;

/// What a trigger told of its steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecRun {
    /// The step that began and did not end: it was running when the kernel stopped.
    pub running: Option<ExecStep>,
    /// How many went as they should.
    pub passed: u32,
    /// How many could not be tried.
    pub skipped: u32,
    /// How many went otherwise.
    pub failed: u32,
    /// The first of those that did not pass, and why.
    pub not_passed: Vec<NotPassed>,
}

/// A step that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotPassed {
    /// Which one.
    pub step: ExecStep,
    /// Whether it was not tried, or went otherwise; with the reason.
    pub end: ExecEnd,
}

impl ExecRun {
    /// A step begins.
    pub(super) fn begin(&mut self, step: ExecStep) {
        self.running = Some(step);
    }

    /// A step is over.
    pub(super) fn end(&mut self, step: ExecStep, end: &ExecEnd) {
        self.running = None;
        let cut = |why: &str| why.chars().take(WIDTH).collect();
        let (counter, end) = match end {
            ExecEnd::Passed => (&mut self.passed, None),
            ExecEnd::Skipped { why } => {
                (&mut self.skipped, Some(ExecEnd::Skipped { why: cut(why) }))
            }
            ExecEnd::Failed { why } => (&mut self.failed, Some(ExecEnd::Failed { why: cut(why) })),
        };
        *counter = counter.saturating_add(1);
        if self.not_passed.len() < KEPT {
            self.not_passed.extend(end.map(|end| NotPassed { step, end }));
        }
    }

    /// What ran, or how many did: in a few words.
    pub(crate) fn headline(&self) -> String {
        match &self.running {
            Some(step) => format!("exec-paths: {step}"),
            None => {
                let Self { passed, skipped, failed, .. } = self;
                format!("exec-paths: {passed} passed, {skipped} skipped, {failed} failed")
            }
        }
    }

    /// A line for each of those that went otherwise, then for those that were not tried.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |it: &NotPassed| match &it.end {
            ExecEnd::Failed { why } => {
                Some((0, format!("failed: {}: {}", it.step, shown::field(why))))
            }
            ExecEnd::Skipped { why } => {
                Some((1, format!("skipped: {}: {}", it.step.path, shown::field(why))))
            }
            ExecEnd::Passed => None,
        };
        let mut lines: Vec<_> = self.not_passed.iter().filter_map(line).collect();
        lines.sort_by_key(|(rank, _)| *rank);
        lines.into_iter().map(|(_, line)| line).take(SHOWN).collect()
    }
}

#[cfg(test)]
mod tests {
    use protocol::ExecPath;

    use super::*;

    fn step(path: ExecPath, number: u32) -> ExecStep {
        ExecStep { path, number, of: 41, seed: Some(1) }
    }

    #[test]
    fn the_step_that_began_last_is_the_one_that_ran() {
        let mut run = ExecRun::default();
        let (first, second) = (step(ExecPath::Memfd, 6), step(ExecPath::MemfdSealed, 7));
        run.begin(first);
        run.end(first, &ExecEnd::Passed);
        assert_eq!(run.headline(), "exec-paths: 1 passed, 0 skipped, 0 failed");
        run.begin(second);
        assert_eq!(run.headline(), "exec-paths: memfd-sealed (step 7 of 41, seed 1)");
    }

    #[test]
    fn what_failed_comes_first_and_a_flood_is_counted() {
        let mut run = ExecRun::default();
        let skipped = ExecEnd::Skipped { why: "no module".into() };
        for number in 0..1000 {
            run.end(step(ExecPath::OverlayLower, number), &skipped);
        }
        assert_eq!((run.skipped, run.not_passed.len(), run.lines().len()), (1000, KEPT, SHOWN));
        let mut run = ExecRun::default();
        run.end(step(ExecPath::OverlayLower, 1), &skipped);
        run.end(step(ExecPath::Setuid, 2), &ExecEnd::Failed { why: "x".repeat(1000) });
        let lines = run.lines();
        assert!(lines[0].starts_with("failed: setuid (step 2 of 41, seed 1): xxx"), "{lines:?}");
        assert_eq!(lines[1], "skipped: overlay-lower: no module");
        assert!(lines[0].len() < 500);
    }
}
