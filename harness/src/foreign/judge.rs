// SPDX-License-Identifier: MIT OR Apache-2.0
//! A verdict, held to the truth.
//!
//! Kind, line and confidence are compared; whether a sentence misleads is for people to say, who read
//! the page. The root counts as named in full where the verdict itself (its expression, its title or
//! its summary) names one of the accepted names; partly, where only its evidence or its next steps do.

use analyzer::report::{Confidence, Culprit, Report, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, Truth};

/// A fault, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignRow {
    /// Its name.
    pub id: String,
    /// Package with the sources.
    pub package: String,
    /// What sort of change makes the fault.
    pub operator: String,
    /// Whether the kernel crashed.
    pub crashed: bool,
    /// Whether the kind is an accepted one; null where it did not crash.
    pub kind: Option<bool>,
    /// Whether file and line are accepted ones; null where none can be told.
    pub culprit: Option<bool>,
    /// How far the root is named; null where nothing is accepted as such.
    pub root: Option<Root>,
    /// How certain the verdict is.
    pub confidence: Option<Confidence>,
    /// Whether kind and line could be called proven.
    pub provable: bool,
    /// Whether it is called proven, and kind and line are right.
    pub proven_and_right: bool,
    /// Whether it is called proven, and kind or line is wrong, or cannot be proven.
    pub wrong_proven: bool,
    /// What the verdict says.
    pub said: Option<Said>,
}

/// How far the root is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Root {
    /// By the verdict itself.
    Full,
    /// By the evidence or the next steps.
    Partly,
    /// Not at all.
    Not,
}

/// The text of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Its kind.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// Its summary.
    pub summary: String,
    /// The code at fault: function, file and line.
    pub culprit: Option<String>,
    /// The expression.
    pub expression: Option<String>,
    /// Each step, with `yes`, `NO` or `?` before it.
    pub evidence: Vec<String>,
    /// What to look at next.
    pub next: Vec<String>,
}

impl ForeignRow {
    /// A fault that did not crash the kernel, or was not run.
    #[must_use]
    pub fn new(fault: &Fault) -> Self {
        Self {
            id: fault.id.clone(),
            package: fault.package.clone(),
            operator: fault.operator.clone(),
            crashed: false,
            kind: None,
            culprit: None,
            root: None,
            confidence: None,
            provable: fault.truth.as_ref().is_some_and(|truth| truth.provable),
            proven_and_right: false,
            wrong_proven: false,
            said: None,
        }
    }

    /// A fault, and the report of its crash.
    #[must_use]
    pub fn judged(fault: &Fault, report: &Report) -> Self {
        let verdict = &report.verdict;
        let mut row = Self::new(fault);
        row.crashed = true;
        row.confidence = Some(verdict.confidence);
        row.said = Some(Said::of(verdict));
        let Some(truth) = &fault.truth else { return row };
        let kind = word(&verdict.kind);
        let kind_is_right = truth.kinds.contains(&kind);
        row.kind = Some(kind_is_right);
        row.culprit = line(truth, verdict.culprit.as_ref());
        row.root = root(truth, verdict);
        let proven = verdict.confidence == Confidence::Proven;
        let may = truth.provable
            && truth.provable_kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        let right = kind_is_right && row.culprit != Some(false);
        row.proven_and_right = proven && right && may;
        row.wrong_proven = proven && !(right && may);
        row
    }

    /// How much of it is right; less is a fall.
    pub(super) fn rank(&self) -> [bool; 4] {
        let right = |answer: Option<bool>| answer != Some(false);
        [self.crashed, right(self.kind), right(self.culprit), !self.wrong_proven]
    }
}

impl Said {
    fn of(verdict: &Verdict) -> Self {
        let step = |step: &analyzer::report::Evidence| {
            let sign = match step.confirmed {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "?",
            };
            format!("{sign}: {}", step.claim)
        };
        Self {
            kind: word(&verdict.kind),
            title: verdict.title.clone(),
            summary: verdict.summary.clone(),
            culprit: verdict.culprit.as_ref().map(culprit),
            expression: verdict.expression.clone(),
            evidence: verdict.evidence.iter().map(step).collect(),
            next: verdict.next.clone(),
        }
    }
}

fn culprit(culprit: &Culprit) -> String {
    let function = culprit.function.as_deref().unwrap_or("?");
    match place(culprit) {
        Some(place) => format!("{function} at {place}"),
        None => function.to_owned(),
    }
}

/// File without its folder, and line.
fn place(culprit: &Culprit) -> Option<String> {
    let name = culprit.file.as_deref()?.rsplit('/').next()?;
    Some(format!("{name}:{}", culprit.line?))
}

fn line(truth: &Truth, culprit: Option<&Culprit>) -> Option<bool> {
    let accepted = if truth.lines.is_empty() { &truth.kernel_lines } else { &truth.lines };
    if accepted.is_empty() {
        return None;
    }
    let said = culprit.and_then(place);
    let name = |place: &str| place.rsplit('/').next().map(str::to_owned);
    Some(accepted.iter().any(|accepted| name(accepted) == said))
}

fn root(truth: &Truth, verdict: &Verdict) -> Option<Root> {
    if truth.roots.is_empty() {
        return None;
    }
    let names_one = |text: &str| truth.roots.iter().any(|root| names(text, root));
    let own = [Some(verdict.title.as_str()), Some(verdict.summary.as_str())];
    let expression = verdict.expression.as_deref();
    if own.into_iter().chain([expression]).flatten().any(names_one) {
        return Some(Root::Full);
    }
    let claims = verdict.evidence.iter().map(|step| step.claim.as_str());
    let mut more = claims.chain(verdict.next.iter().map(String::as_str));
    let names_fix = |text: &str| truth.fix.iter().any(|fix| names(text, fix));
    Some(if more.any(|text| names_one(text) || names_fix(text)) { Root::Partly } else { Root::Not })
}

/// Whether a text has a name that is not a part of a longer one: `e` is no part of `expression` or
/// of `e->lock`.
fn names(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let goes_on = |rest: &str| {
        rest.starts_with(part)
            || rest.starts_with("->")
            || rest.starts_with('.') && { rest[1..].starts_with(part) }
    };
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let begins = !before.ends_with(part) && !before.ends_with("->") && !before.ends_with('.');
        begins && !goes_on(after)
    })
}

/// A value as the report's JSON has it.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(truth: serde_json::Value) -> Fault {
        serde_json::from_value(json!({
            "id": "x-1", "package": "p", "version": "1", "operator": "o", "changes": [],
            "load_in_order": [], "trigger": "", "truth": truth
        }))
        .unwrap()
    }

    fn truth() -> serde_json::Value {
        json!({"kinds": ["null-read", "bug"], "lines": ["x.c:7"], "roots": ["e->lock"],
            "fix": ["x.c:3"], "provable": true, "provable_kinds": ["null-read"]})
    }

    fn report(kind: &str, line: u32, confidence: &str) -> Report {
        serde_json::from_value(json!({
            "schema_version": 1, "kernel": {}, "dump": {}, "panic": {}, "task": null,
            "verdict": {"kind": kind, "title": "t", "summary": "`e` is NULL",
                "confidence": confidence, "expression": null,
                "culprit": {"function": "f", "inlined_into": [], "module": "m",
                    "file": "extensions/x.c", "line": line},
                "evidence": [{"claim": "e->lock is 0", "confirmed": true}]},
            "signature": null, "backtraces": {"fault": [], "panic": []}, "modules": [],
            "findings": []
        }))
        .unwrap()
    }

    #[test]
    fn kind_and_line_are_those_that_the_truth_accepts() {
        let row = ForeignRow::judged(&fault(truth()), &report("null-read", 7, "proven"));
        assert_eq!((row.kind, row.culprit), (Some(true), Some(true)));
        assert!(row.proven_and_right && !row.wrong_proven);
        let row = ForeignRow::judged(&fault(truth()), &report("null-read", 8, "proven"));
        assert!(row.culprit == Some(false) && row.wrong_proven);
        let row = ForeignRow::judged(&fault(truth()), &report("bug", 7, "proven"));
        assert!(row.kind == Some(true) && row.wrong_proven, "right, but not to be proven");
        let row = ForeignRow::judged(&fault(truth()), &report("bug", 7, "likely"));
        assert!(!row.wrong_proven && !row.proven_and_right);
        let mut without = truth();
        without["lines"] = json!([]);
        let row = ForeignRow::judged(&fault(without), &report("null-read", 99, "proven"));
        assert!(row.culprit.is_none() && row.proven_and_right);
    }

    #[test]
    fn a_root_is_named_in_full_by_the_verdict_and_partly_by_its_evidence() {
        let row = ForeignRow::judged(&fault(truth()), &report("null-read", 7, "likely"));
        assert_eq!(row.root, Some(Root::Partly));
        let mut other = truth();
        other["roots"] = json!(["e"]);
        let row = ForeignRow::judged(&fault(other), &report("null-read", 7, "likely"));
        assert_eq!(row.root, Some(Root::Full));
        let mut other = truth();
        other["roots"] = json!(["lock"]);
        let row = ForeignRow::judged(&fault(other), &report("null-read", 7, "likely"));
        assert_eq!(row.root, Some(Root::Not), "a part of a name is another name");
    }

    #[test]
    fn what_does_not_crash_is_counted_only() {
        let row = ForeignRow::new(&fault(json!(null)));
        assert!(!row.crashed && row.kind.is_none());
    }
}
