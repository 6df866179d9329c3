// SPDX-License-Identifier: MIT OR Apache-2.0
//! Repeated runs that came out alike: a crash that differs by chance is one that comes in two or three forms.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run::outcome::RunResult;

/// Runs that came out alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alike {
    /// How many.
    pub runs: u32,
    /// The verdict's title; how they ended where there is no report.
    pub title: String,
    /// The signature that they share; null where there is no report.
    pub signature: Option<String>,
    /// Folder of the first of them.
    pub first: String,
}

/// The groups of runs by their crash's signature, or by how they ended; the largest first.
#[must_use]
pub fn alike(runs: &[&RunResult]) -> Vec<Alike> {
    let mut groups: Vec<Alike> = Vec::new();
    for run in runs {
        let new = of(run);
        let is_same = |known: &&mut Alike| match (&known.signature, &new.signature) {
            (None, None) => known.title == new.title,
            (known, new) => known == new,
        };
        match groups.iter_mut().find(is_same) {
            Some(known) => known.runs += 1,
            None => groups.push(new),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.runs));
    groups
}

fn of(run: &RunResult) -> Alike {
    let report = run.report.as_ref();
    let title = match report {
        Some(report) => report.verdict.title.clone(),
        None => run.outcome.to_string(),
    };
    let signature = report.and_then(|report| report.signature.clone());
    Alike { runs: 1, title, signature, first: run.folder_name() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::outcome::Outcome;
    use serde_json::json;

    fn run(title: &str, signature: Option<&str>) -> RunResult {
        let mut run = RunResult::new("race".to_owned(), "guest".to_owned());
        let report = json!({
            "schema_version": 1, "kernel": {}, "dump": {}, "panic": {}, "task": null,
            "verdict": {"kind": "unknown", "title": title, "summary": "s", "confidence": "unknown",
                "culprit": null, "expression": null, "evidence": []},
            "signature": signature, "backtraces": {"fault": [], "panic": []}, "modules": [],
            "findings": []
        });
        run.report = Some(serde_json::from_value(report).unwrap());
        run.outcome = Outcome::Reproduced;
        run
    }

    #[test]
    fn a_crash_that_differs_by_chance_is_counted_by_its_signature() {
        let mut calm = run("", None);
        (calm.report, calm.outcome) = (None, Outcome::NotReproduced);
        let all = [
            run("bad read of 0x10", Some("b")),
            run("null", Some("a")),
            calm.clone(),
            run("bad read of 0x20", Some("b")),
            run("bad read of 0x30", Some("b")),
            calm,
        ];
        let groups = alike(&all.iter().collect::<Vec<_>>());
        let said: Vec<_> = groups.iter().map(|group| (group.runs, group.title.as_str())).collect();
        assert_eq!(said, [(3, "bad read of 0x10"), (2, "not reproduced"), (1, "null")]);
    }
}
