// SPDX-License-Identifier: MIT OR Apache-2.0
//! The score: how often cases reproduce, and how often the verdict is right. What is right is what
//! a case expects and the line that is marked in its source.

mod table;

use analyzer::report::{Confidence, CrashKind, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use table::{Share, Table, Totals};
pub(crate) use table::{confidence_word, mark};

use crate::case::Outcome as Expected;
use crate::run::judge;
use crate::run::outcome::{Crash, Difference, Outcome, RunResult};
use crate::run::select::Selected;

/// A case on a guest, and how its verdicts are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The case.
    pub case: String,
    /// The guest.
    pub guest: String,
    /// How often it was run; 0 if only a recording was analyzed.
    pub runs: u32,
    /// How many of the runs ended as the case expects: a panic, a hang, or nothing.
    pub reproduced: u32,
    /// Whether the kind is the right one in all of them; null where none is expected.
    pub kind: Option<bool>,
    /// Whether the culprit is: the marked line, and function and module where they are expected;
    /// null where none is expected.
    pub culprit: Option<bool>,
    /// The least certain of the verdicts; null where there is none.
    pub confidence: Option<Confidence>,
    /// The kind that the last verdict has.
    pub said: Option<CrashKind>,
    /// Whether a verdict is called proven and is not right.
    pub wrong_proven: bool,
    /// What is not as expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
}

impl Row {
    /// A case of which nothing is known yet.
    #[must_use]
    pub fn new(selected: &Selected) -> Self {
        Self {
            case: selected.case.name.clone(),
            guest: selected.guest.name.clone(),
            runs: 0,
            reproduced: 0,
            kind: None,
            culprit: None,
            confidence: None,
            said: None,
            wrong_proven: false,
            differences: Vec::new(),
        }
    }

    /// `case@guest`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.case, self.guest)
    }

    /// Counts a run. `report` is what the analyzer says of its dump now.
    pub fn add_run(&mut self, selected: &Selected, run: &RunResult, report: Option<&Report>) {
        self.runs += 1;
        let expected = selected.case.manifest.expectation(&selected.guest.name);
        if let (Some(crash), Some(report)) = (&run.crash, report) {
            self.reproduced += u32::from(self.add(selected, crash, report));
        } else if expected.outcome == Expected::None && run.outcome == Outcome::Reproduced {
            self.reproduced += 1;
        } else {
            let failure = run.failure.as_ref().map(ToString::to_string);
            self.note(format!("{}: {}", run.outcome, failure.unwrap_or_default()));
        }
    }

    /// Counts a verdict; whether the crash is of the sort that was expected.
    pub fn add(&mut self, selected: &Selected, crash: &Crash, report: &Report) -> bool {
        let expected = selected.case.manifest.expectation(&selected.guest.name);
        let marker = selected.case.marker.as_ref().filter(|_| expected.marked_line);
        let judged = judge::crash(&expected, marker, crash, report);
        let wrong = |is: fn(&str) -> bool| judged.differences.iter().any(|it| is(&it.key));
        let right = |known: Option<bool>, now: bool| Some(known.unwrap_or(true) && now);
        let kind = !wrong(|key| key == "kind");
        let culprit = !wrong(|key| key.starts_with("culprit.") || key == "marked line");
        let expression = !wrong(|key| key == "expression");
        if expected.kind.is_some() {
            self.kind = right(self.kind, kind);
        }
        if expected.culprit.is_some() || marker.is_some() {
            self.culprit = right(self.culprit, culprit);
        }
        let verdict = &report.verdict;
        self.confidence = Some(least(self.confidence, verdict.confidence));
        self.said = Some(verdict.kind);
        let is_right = kind && culprit && expression;
        self.wrong_proven |= verdict.confidence == Confidence::Proven && !is_right;
        judged.differences.iter().for_each(|difference| self.note(words(difference)));
        !wrong(|key| key == "outcome")
    }

    fn note(&mut self, words: String) {
        if !self.differences.contains(&words) {
            self.differences.push(words);
        }
    }

    /// How much of it is right and certain; less is a fall.
    fn rank(&self) -> (bool, bool, bool, bool) {
        let right = |answer: Option<bool>| answer != Some(false);
        let reproduced = self.runs == 0 || self.reproduced > 0;
        (reproduced, right(self.kind), right(self.culprit), !self.wrong_proven)
    }
}

fn words(difference: &Difference) -> String {
    format!("{}: {}, not {}", difference.key, difference.got, difference.expected)
}

fn least(known: Option<Confidence>, now: Confidence) -> Confidence {
    let rank = |confidence: &Confidence| match confidence {
        Confidence::Proven => 2,
        Confidence::Likely => 1,
        Confidence::Unknown => 0,
    };
    known.into_iter().chain([now]).min_by_key(rank).unwrap_or(now)
}
