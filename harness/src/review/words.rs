// SPDX-License-Identifier: MIT OR Apache-2.0
//! What changed between two reports of a case, in words.

use std::collections::BTreeSet;

use analyzer::report::{Culprit, Frame, Report};
use analyzer::source_line::quoted;
use serde::Serialize;

/// More changes than these are not listed.
const MOST: usize = 12;

/// The changes, the gravest first; nothing where the reports say the same.
#[must_use]
pub fn changes(old: &Report, new: &Report) -> Vec<String> {
    let mut words = Words::default();
    words.verdict(old, new);
    words.frames(&old.backtraces.fault, &new.backtraces.fault, "frame");
    words.frames(&old.backtraces.panic, &new.backtraces.panic, "panic path's frame");
    words.evidence(old, new);
    words.rest(old, new);
    let Words(mut list, _) = words;
    if list.is_empty() && old != new {
        list.push("only offsets, addresses or other details changed".to_owned());
    }
    let more = list.len().saturating_sub(MOST);
    if more > 0 {
        list.truncate(MOST);
        list.push(format!("and {more} more changes"));
    }
    list
}

/// The changes, and how the culprit's line moved: its frame would say that again.
#[derive(Default)]
struct Words(Vec<String>, Option<(String, String)>);

impl Words {
    fn moved<T: PartialEq + Serialize>(&mut self, what: &str, old: &T, new: &T) {
        if old != new {
            self.0.push(format!("{what} changed from {} to {}", word(old), word(new)));
        }
    }

    fn verdict(&mut self, old: &Report, new: &Report) {
        let (was, is) = (&old.verdict, &new.verdict);
        self.moved("the kind", &was.kind, &is.kind);
        let nobody = Culprit::default();
        let (from, to) =
            (was.culprit.as_ref().unwrap_or(&nobody), is.culprit.as_ref().unwrap_or(&nobody));
        if from.function != to.function || from.module != to.module {
            self.0.push(format!("the culprit moved from {} to {}", name(from), name(to)));
        } else if place_of(from) != place_of(to) {
            let (from, to) = (place_of(from), place_of(to));
            self.0.push(format!("the culprit's line moved from {from} to {to}"));
            self.1 = Some((from, to));
        }
        if from.function == to.function && from.inlined_into != to.inlined_into {
            self.0.push(match to.inlined_into.last() {
                None => format!("the culprit {} is no longer inlined", name(to)),
                Some(into) => format!("the culprit {} is now inlined into `{into}`", name(to)),
            });
        }
        self.moved("the bad expression", &was.expression, &is.expression);
        self.moved("the confidence", &was.confidence, &is.confidence);
        if was.kind == is.kind && was.expression == is.expression && from == to {
            self.moved("the title", &was.title, &is.title);
            self.moved("the summary", &was.summary, &is.summary);
        }
    }

    /// Frames that are in both lists in the same order are compared one by one; the others came or
    /// went.
    fn frames(&mut self, old: &[Frame], new: &[Frame], what: &str) {
        let same = common(old, new);
        for (index, frame) in old.iter().enumerate() {
            if !same.iter().any(|(was, _)| *was == index) {
                self.0.push(format!("{what} #{} `{}` is gone", frame.index, function(frame)));
            }
        }
        for (index, frame) in new.iter().enumerate() {
            match same.iter().find(|(_, is)| *is == index) {
                None => {
                    self.0.push(format!("{what} #{} `{}` is new", frame.index, function(frame)))
                }
                Some((was, _)) => self.frame(&old[*was], frame, what),
            }
        }
    }

    fn frame(&mut self, old: &Frame, new: &Frame, what: &str) {
        let which = format!("{what} #{} `{}`", new.index, function(new));
        match (old.inlined, new.inlined) {
            (false, true) => self.0.push(format!("{which} is now inlined")),
            (true, false) => self.0.push(format!("{which} is no longer inlined")),
            _ if old.trust != new.trust => {
                let (was, is) = (word(&old.trust), word(&new.trust));
                self.0.push(format!("{which} is found by {is} instead of {was}"));
            }
            _ => {}
        }
        let place = |it: &Frame| place(it.file.as_ref(), it.line, it.source.as_ref());
        let (from, to) = (place(old), place(new));
        if from != to && self.1.as_ref() != Some(&(from.clone(), to.clone())) {
            self.0.push(format!("{which} moved from {from} to {to}"));
        }
        self.moved(&format!("what {which} was called with"), &old.arguments, &new.arguments);
    }

    fn evidence(&mut self, old: &Report, new: &Report) {
        let claims = |report: &Report| -> Vec<String> {
            report.verdict.evidence.iter().map(|step| step.claim.clone()).collect()
        };
        // That a line is another one is said of its frame, and not again of each step that names it.
        let moved = moved_lines(old, new);
        let now =
            |claim: String| moved.iter().fold(claim, |claim, (was, is)| claim.replace(was, is));
        let (was, is) = (claims(old).into_iter().map(now).collect::<Vec<_>>(), claims(new));
        for claim in was.iter().filter(|claim| !is.contains(claim)) {
            self.0.push(format!("no longer shown: {claim}"));
        }
        for claim in is.iter().filter(|claim| !was.contains(claim)) {
            self.0.push(format!("now shown: {claim}"));
        }
        for step in &new.verdict.evidence {
            let before = was.iter().position(|claim| *claim == step.claim);
            let before = before.and_then(|at| old.verdict.evidence.get(at));
            if before.is_some_and(|before| before.confirmed != step.confirmed) {
                let is = if step.confirmed == Some(true) { "now" } else { "no longer" };
                self.0.push(format!("{is} confirmed by the dump: {}", step.claim));
            }
        }
    }

    fn rest(&mut self, old: &Report, new: &Report) {
        self.moved("the kernel's message", &old.panic.message, &new.panic.message);
        let comm = |report: &Report| report.task.as_ref().and_then(|task| task.comm.clone());
        self.moved("the crashed task", &comm(old), &comm(new));
        let findings = |report: &Report| -> BTreeSet<String> {
            report.findings.iter().map(|it| format!("{} {}", it.code, it.message)).collect()
        };
        let modules = |report: &Report| -> BTreeSet<String> {
            report.modules.iter().map(|module| module.name.clone()).collect()
        };
        self.set("finding", &findings(old), &findings(new));
        self.set("module", &modules(old), &modules(new));
        self.moved("the signature", &old.signature, &new.signature);
    }

    fn set(&mut self, what: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) {
        self.0.extend(old.difference(new).map(|it| format!("{what} {it} is gone")));
        self.0.extend(new.difference(old).map(|it| format!("{what} {it} is new")));
    }
}

/// The lines of frames that are others now, as steps name them.
fn moved_lines(old: &Report, new: &Report) -> Vec<(String, String)> {
    let (old, new) = (&old.backtraces.fault, &new.backtraces.fault);
    let pairs = common(old, new).into_iter().filter_map(|(was, is)| {
        let line = |frame: &Frame| Some(quoted(frame.file.as_ref()?, frame.source.as_ref()?));
        Some((line(old.get(was)?)?, line(new.get(is)?)?))
    });
    pairs.filter(|(was, is)| was != is).collect()
}

/// Pairs of indices of the longest common part of both lists. Stacks have tens of frames.
fn common(old: &[Frame], new: &[Frame]) -> Vec<(usize, usize)> {
    let same = |was: &Frame, is: &Frame| function(was) == function(is) && was.module == is.module;
    let mut best = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            best[i][j] = if same(&old[i], &new[j]) {
                best[i + 1][j + 1] + 1
            } else {
                best[i + 1][j].max(best[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if same(&old[i], &new[j]) {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if best[i + 1][j] >= best[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

fn function(frame: &Frame) -> &str {
    frame.function.as_deref().or(frame.address.as_deref()).unwrap_or("?")
}

fn name(culprit: &Culprit) -> String {
    let function = culprit.function.as_deref().unwrap_or("nobody");
    match &culprit.module {
        Some(module) => format!("`{function} [{module}]`"),
        None => format!("`{function}`"),
    }
}

fn place_of(culprit: &Culprit) -> String {
    place(culprit.file.as_ref(), culprit.line, culprit.source.as_ref())
}

fn place(file: Option<&String>, line: Option<u32>, source: Option<&String>) -> String {
    match (file, line, source) {
        (Some(file), Some(line), _) => format!("{file}:{line}"),
        (Some(file), None, Some(text)) => format!("`{text}` in {file}"),
        (Some(file), None, None) => file.clone(),
        (None, ..) => "an unknown place".to_owned(),
    }
}

/// A value as the report's JSON has it.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => format!("`{text}`"),
        Ok(serde_json::Value::Null) | Err(_) => "nothing".to_owned(),
        Ok(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report() -> Report {
        let frame = |index: u32, function: &str, inlined: bool| {
            json!({"index": index, "address": null, "function": function, "symbol": null,
                "offset": "0x1b", "size": null, "module": "m", "file": "m.c", "line": 7,
                "inlined": inlined, "trust": "orc", "arguments": [], "boundary": null})
        };
        serde_json::from_value(json!({
            "schema_version": 1, "kernel": {}, "dump": {}, "panic": {"message": "BUG"},
            "task": null,
            "verdict": {
                "kind": "null-call", "title": "t", "summary": "s", "confidence": "proven",
                "culprit": {"function": "a", "inlined_into": [], "module": "m", "file": "m.c",
                    "line": 7},
                "expression": "ops->get",
                "evidence": [{"claim": "rax is 0", "confirmed": true}]
            },
            "signature": "0123",
            "backtraces": {
                "fault": [frame(0, "a", false), frame(1, "b", false), frame(2, "c", false)],
                "panic": []
            },
            "modules": [], "findings": []
        }))
        .unwrap()
    }

    #[track_caller]
    fn says(change: impl FnOnce(&mut Report), expected: &[&str]) {
        let (old, mut new) = (report(), report());
        change(&mut new);
        assert_eq!(changes(&old, &new), expected);
    }

    #[test]
    fn each_change_is_said_in_words() {
        says(|_| {}, &[]);
        says(
            |new| {
                let culprit = new.verdict.culprit.as_mut().unwrap();
                (culprit.function, culprit.line) = (Some("b".into()), Some(9));
            },
            &["the culprit moved from `a [m]` to `b [m]`"],
        );
        says(
            |new| new.verdict.culprit.as_mut().unwrap().line = Some(9),
            &["the culprit's line moved from m.c:7 to m.c:9"],
        );
        says(|new| new.backtraces.fault[1].inlined = true, &["frame #1 `b` is now inlined"]);
        says(
            |new| {
                new.backtraces.fault.remove(1);
                new.backtraces.fault[1].index = 1;
            },
            &["frame #1 `b` is gone"],
        );
        says(
            |new| new.verdict.expression = None,
            &["the bad expression changed from `ops->get` to nothing"],
        );
        says(
            |new| new.verdict.evidence[0].confirmed = None,
            &["no longer confirmed by the dump: rax is 0"],
        );
        says(
            |new| new.backtraces.fault[0].offset = Some("0x2b".into()),
            &["only offsets, addresses or other details changed"],
        );
    }

    #[test]
    fn many_changes_are_cut() {
        let (mut old, mut new) = (report(), report());
        for number in 0..30 {
            let frame = Frame { function: Some(format!("f{number}")), ..Frame::default() };
            new.backtraces.panic.push(frame);
        }
        old.signature = None;
        let words = changes(&old, &new);
        assert_eq!(words.len(), MOST + 1);
        assert_eq!(words.last().map(String::as_str), Some("and 19 more changes"));
    }
}
