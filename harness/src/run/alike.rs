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

/// The groups in numbers and words.
#[must_use]
pub fn alike(runs: &[&RunResult]) -> Vec<Alike> {
    let of = |group: &Vec<&RunResult>| Alike {
        runs: u32::try_from(group.len()).unwrap_or(u32::MAX),
        title: title(group[0]),
        signature: signature(group[0]).map(str::to_owned),
        first: group[0].folder_name(),
    };
    groups(runs).iter().map(of).collect()
}

/// Runs that are judged alike and have the same signature, or tell the same where there is none; the largest group
/// first, none of them empty.
#[must_use]
pub fn groups<'r>(runs: &[&'r RunResult]) -> Vec<Vec<&'r RunResult>> {
    let key =
        |run: &RunResult| (run.outcome, signature(run).map_or_else(|| title(run), str::to_owned));
    let mut groups: Vec<Vec<&RunResult>> = Vec::new();
    for run in runs {
        match groups.iter_mut().find(|group| key(group[0]) == key(run)) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

/// What a run came down to, in a line: its verdict, why it has none, or how it was judged.
#[must_use]
pub fn title(run: &RunResult) -> String {
    match (&run.report, &run.failure) {
        (Some(report), _) => report.verdict.title.clone(),
        (None, Some(failure)) => failure.message.clone(),
        (None, None) => run.outcome.to_string(),
    }
}

fn signature(run: &RunResult) -> Option<&str> {
    run.report.as_ref().and_then(|report| report.signature.as_deref())
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
