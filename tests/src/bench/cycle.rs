// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole runs: from a machine's start to the report, and from the crash to the verdict.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use harness::case::Tier;
use harness::events::Phase;
use harness::run::outcome::{Outcome, RunResult, Runs};
use harness::run::select::Selected;
use serde::Serialize;

use super::measured::{median, rounded};
use crate::project;

/// Phases that a run has only once, or that prepare it.
const BEFORE: [Phase; 3] = [Phase::Setup, Phase::Fetch, Phase::Build];
/// From the crash to the verdict.
const EXPLAINING: [Phase; 2] = [Phase::Capture, Phase::Analyze];

/// A way to make a run, and the most it may take on two cores without KVM, in milliseconds.
struct Way {
    name: &'static str,
    words: [&'static str; 4],
    whole_most: f64,
    verdict_most: Option<f64>,
}

const WAYS: [Way; 3] = [
    Way {
        name: "fast capture, from a snapshot",
        words: ["--capture", "fast", "--boot", "snapshot"],
        whole_most: 1500.0,
        verdict_most: Some(500.0),
    },
    Way {
        name: "fast capture, cold boot",
        words: ["--capture", "fast", "--boot", "cold"],
        whole_most: 5000.0,
        verdict_most: None,
    },
    Way {
        name: "classic kdump, cold boot",
        words: ["--capture", "kdump", "--boot", "cold"],
        whole_most: 12_000.0,
        verdict_most: None,
    },
];

/// How many runs are made in one go, and how long that may take, in seconds.
const MANY: usize = 100;
const MANY_MOST: f64 = 240.0;

/// What was measured of one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cycle {
    /// The way.
    pub name: String,
    /// Runs that were measured.
    pub runs: u32,
    /// Median from the machine's start to the written report, in milliseconds.
    pub whole_ms: f64,
    /// The most it may take.
    pub whole_most_ms: f64,
    /// Median from the crash to the verdict, in milliseconds.
    pub verdict_ms: f64,
    /// The most it may take, where that is promised.
    pub verdict_most_ms: Option<f64>,
}

/// What was measured of many runs in one invocation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Many {
    /// Runs, the checks by kdump included.
    pub runs: usize,
    /// Runs that were judged as reproduced.
    pub reproduced: usize,
    /// Start to end, in seconds.
    pub seconds: f64,
}

impl Cycle {
    /// Makes runs of a case in every way. One run of each way is made before, for caches and
    /// snapshots.
    ///
    /// # Errors
    /// A run fails.
    pub fn all(selected: &Selected, rounds: u32) -> Result<Vec<Self>> {
        WAYS.iter().map(|way| Self::take(selected, way, rounds)).collect()
    }

    fn take(selected: &Selected, way: &Way, rounds: u32) -> Result<Self> {
        let mut wholes = Vec::new();
        let mut verdicts = Vec::new();
        for round in 0..=rounds {
            let runs = run(&[selected.name()], &way.words)?;
            let run = runs.runs.first().context("no run")?;
            ensure!(run.outcome == Outcome::Reproduced, "{}: {run:#?}", way.name);
            if round > 0 {
                wholes.push(millis(run, |phase| !BEFORE.contains(&phase)));
                verdicts.push(millis(run, |phase| EXPLAINING.contains(&phase)));
            }
        }
        Ok(Self {
            name: way.name.to_owned(),
            runs: rounds,
            whole_ms: median(wholes),
            whole_most_ms: way.whole_most,
            verdict_ms: median(verdicts),
            verdict_most_ms: way.verdict_most,
        })
    }

    /// What takes longer than it may.
    pub fn misses(&self) -> Vec<String> {
        let whole = Some((self.whole_ms, self.whole_most_ms, "a run"));
        let verdict = self.verdict_most_ms.map(|most| (self.verdict_ms, most, "crash to verdict"));
        let late = |(is, most, what): (f64, f64, &str)| {
            (is > most).then(|| format!("{}: {what} takes {is:.0} ms, not {most:.0}", self.name))
        };
        whole.into_iter().chain(verdict).filter_map(late).collect()
    }
}

impl Many {
    /// Makes a hundred runs of the cases that are held on every guest.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn take() -> Result<Self> {
        let all = project::all()?.into_iter();
        let names: Vec<_> = all
            .filter(|selected| selected.case.manifest.tier == Tier::Core)
            .map(|selected| selected.name())
            .collect();
        let repeat = MANY.div_ceil(names.len().max(1)).to_string();
        let start = Instant::now();
        let runs = run(&names, &["-n", &repeat])?.runs;
        let seconds = rounded(start.elapsed().as_secs_f64());
        let reproduced = runs.iter().filter(|run| run.outcome == Outcome::Reproduced).count();
        Ok(Self { runs: runs.len(), reproduced, seconds })
    }

    /// What is not as it should be.
    pub fn misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        // More than a hundred may take longer by as much.
        let most = MANY_MOST * (count(self.runs) / count(MANY)).max(1.0);
        if self.seconds > most {
            misses.push(format!("{} runs take {:.0} s, not {most:.0}", self.runs, self.seconds));
        }
        if self.reproduced < self.runs {
            misses.push(format!("{} of {} runs are reproduced", self.reproduced, self.runs));
        }
        misses
    }
}

/// Tables of both.
pub(super) fn markdown(cycles: &[Cycle], many: Option<&Many>) -> String {
    let mut text = String::from(
        "## whole runs\n\n| | start to report | at most | crash to verdict | at most |\n\
         |---|--:|--:|--:|--:|\n",
    );
    for cycle in cycles {
        let most = cycle.verdict_most_ms.map_or(String::new(), |most| format!("{most:.0} ms"));
        text.push_str(&format!(
            "| {} | {:.0} ms | {:.0} ms | {:.0} ms | {most} |\n",
            cycle.name, cycle.whole_ms, cycle.whole_most_ms, cycle.verdict_ms
        ));
    }
    if let Some(Many { runs, reproduced, seconds }) = many {
        text.push_str(&format!(
            "\n{runs} runs in one invocation, one by kdump for each guest among them: {seconds:.0} \
             s, {reproduced} reproduced.\n"
        ));
    }
    text
}

fn millis(run: &RunResult, wanted: impl Fn(Phase) -> bool) -> f64 {
    let sum: u64 =
        run.phases.iter().filter(|(phase, _)| wanted(**phase)).map(|(_, millis)| millis).sum();
    f64::from(u32::try_from(sum).unwrap_or(u32::MAX))
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn run(names: &[String], ways: &[&str]) -> Result<Runs> {
    let out = tempfile::tempdir().context("make a folder")?;
    let words = ["run", "--format", "json", "--quiet", "--no-progress", "--out"].map(str::to_owned);
    let words = words.into_iter().chain([path(out.path())]).chain(names.iter().cloned());
    let words = words.chain(ways.iter().map(|word| (*word).to_owned()));
    let output = duct::cmd(project::repro()?, words)
        .dir(project::root())
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .context("start repro")?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
