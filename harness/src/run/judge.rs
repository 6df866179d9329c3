// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compares what happened with what the case expects.

use analyzer::report::{Culprit, Frame, Report};
use serde::Serialize;

use crate::case::{
    CulpritExpectation, Expectation, FramePattern, Marker, Outcome as Expected, WantedStatus,
};
use crate::events::CrashSign;
use crate::run::complaints::Complaints;
use crate::run::outcome::{Crash, Difference, Outcome};
use crate::run::trigger_run::TriggerRun;

/// More complaints of a kernel than these are counted, not listed.
const MOST_COMPLAINTS: usize = 20;

/// What came of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// How the run is judged.
    pub outcome: Outcome,
    /// What is not as expected.
    pub differences: Vec<Difference>,
}

impl Judgement {
    /// With something more that is not as expected, if there is something.
    #[must_use]
    pub fn and(mut self, more: Option<Difference>) -> Self {
        if let Some(difference) = more {
            self.differences.push(difference);
            self.outcome = Outcome::Mismatched;
        }
        self
    }
}

/// What a kernel complained of that it was not to complain of.
pub fn not_allowed<'c>(
    expected: &'c Expectation,
    complaints: &'c Complaints,
) -> impl Iterator<Item = &'c str> {
    let is_allowed = |line: &&str| expected.allow.iter().any(|words| line.contains(words));
    complaints.lines.iter().map(String::as_str).filter(move |line| !is_allowed(line))
}

/// Judges a guest whose kernel survived the trigger, by what it complained of and by how the trigger
/// ended: one that could not do its work has tried nothing.
#[must_use]
pub fn survived(
    expected: &Expectation,
    complaints: &Complaints,
    (wanted, trigger): (WantedStatus, Option<&TriggerRun>),
) -> Judgement {
    let mut differences = Differences::default();
    if expected.outcome != Expected::None {
        let is_quiet = complaints.lines.is_empty() && complaints.more == 0;
        let got = if is_quiet { Expected::None } else { Expected::Complaint };
        differences.check("outcome", Some(&expected.outcome), Some(&got));
        if expected.outcome == got {
            // What it printed is no report that tells where.
            let line = complaints.lines.first().cloned().unwrap_or_default();
            differences.add("complaint", "a report with its stack".to_owned(), line);
        }
        return Judgement { outcome: Outcome::NotReproduced, differences: differences.0 };
    }
    let mut wrong = not_allowed(expected, complaints);
    for line in wrong.by_ref().take(MOST_COMPLAINTS) {
        differences.add("kernel log", "no complaint".to_owned(), line.to_owned());
    }
    // Those that were not kept may all be allowed, or not: a run that nobody can vouch for is not right.
    let more = wrong.count() as u64 + complaints.more;
    if more > 0 {
        let kept = if complaints.more > 0 { ", not all of them kept" } else { "" };
        differences.add("kernel log", "no complaint".to_owned(), format!("{more} more{kept}"));
    }
    if let Some(trigger) = trigger.filter(|trigger| !wanted.admits(trigger.end.status())) {
        differences.add("trigger.status", wanted.to_string(), trigger.end.to_string());
    }
    differences.judgement()
}

/// Judges what a kernel complained of that survived, where that is expected; `report` is what its log
/// says of the first complaint. `None` if something else is expected.
#[must_use]
pub fn complained(
    expected: &Expectation,
    marker: Option<&Marker>,
    report: &Report,
) -> Option<Judgement> {
    if expected.outcome != Expected::Complaint {
        return None;
    }
    let mut differences = Differences::default();
    differences.check_report(expected, marker, report);
    Some(differences.judgement())
}

/// Judges a guest whose kernel did not load a module, where that is expected.
#[must_use]
pub fn refused(expected: &Expectation, why: &str) -> Option<Judgement> {
    if expected.outcome != Expected::Refused {
        return None;
    }
    let mut differences = Differences::default();
    differences.check_message(expected.message.as_deref(), Some(why));
    Some(differences.judgement())
}

/// Judges a crash. `marker` is the line at fault in the case's source.
#[must_use]
pub fn crash(
    expected: &Expectation,
    marker: Option<&Marker>,
    crash: &Crash,
    report: &Report,
) -> Judgement {
    let got = match crash.sign {
        CrashSign::Hang => Expected::Hang,
        CrashSign::Complaint => Expected::Complaint,
        _ => Expected::Panic,
    };
    let mut differences = Differences::default();
    if !expected.outcome.admits(got) {
        differences.check("outcome", Some(&expected.outcome), Some(&got));
    }
    differences.check_report(expected, marker, report);
    differences.judgement()
}

/// The way to execute a program that the trigger was at, where it is not the expected one.
#[must_use]
pub fn exec_path(expected: &Expectation, trigger: Option<&TriggerRun>) -> Option<Difference> {
    let running = trigger.and_then(|run| run.exec.as_ref()?.running);
    let mut differences = Differences::default();
    let got = running.map(|step| step.path);
    differences.check("exec-path", expected.exec_path.as_ref(), got.as_ref());
    differences.0.pop()
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn judgement(self) -> Judgement {
        let outcome = if self.0.is_empty() { Outcome::Reproduced } else { Outcome::Mismatched };
        Judgement { outcome, differences: self.0 }
    }

    /// A key that is not expected to be anything is always right.
    fn check<T: Serialize + PartialEq>(
        &mut self,
        key: &str,
        expected: Option<&T>,
        got: Option<&T>,
    ) {
        if let Some(expected) = expected
            && got != Some(expected)
        {
            self.add(key, word(expected), got.map_or_else(nothing, word));
        }
    }

    /// What the report says of the crash or complaint.
    fn check_report(&mut self, expected: &Expectation, marker: Option<&Marker>, report: &Report) {
        let verdict = &report.verdict;
        self.check("kind", expected.kind.as_ref(), Some(&verdict.kind));
        self.check("expression", expected.expression.as_ref(), verdict.expression.as_ref());
        self.check("confidence", expected.confidence.as_ref(), Some(&verdict.confidence));
        self.check("title", expected.title.as_ref(), Some(&verdict.title));
        self.check_message(expected.message.as_deref(), report.panic.message.as_deref());
        let comm = report.task.as_ref().and_then(|task| task.comm.as_ref());
        self.check("comm", expected.comm.as_ref(), comm);
        let nobody = Culprit::default();
        let culprit = verdict.culprit.as_ref().unwrap_or(&nobody);
        if let Some(expected) = &expected.culprit {
            self.check_culprit(expected, culprit);
        }
        if let Some(marker) = marker.filter(|_| expected.marked_line) {
            self.check_line(marker, culprit);
        }
        self.check_frames(&expected.frames, &report.backtraces.fault);
    }

    fn add(&mut self, key: &str, expected: String, got: String) {
        self.0.push(Difference { key: key.to_owned(), expected, got });
    }

    /// The kernel's message has numbers of its own; only words of it are expected.
    fn check_message(&mut self, expected: Option<&str>, got: Option<&str>) {
        if let Some(expected) = expected
            && !got.is_some_and(|got| got.contains(expected))
        {
            self.add("message", expected.to_owned(), got.map_or_else(nothing, str::to_owned));
        }
    }

    fn check_culprit(&mut self, expected: &CulpritExpectation, got: &Culprit) {
        self.check("culprit.function", expected.function.as_ref(), got.function.as_ref());
        let inlined_into = got.inlined_into.last();
        self.check("culprit.inlined-into", expected.inlined_into.as_ref(), inlined_into);
        self.check("culprit.module", expected.module.as_ref(), got.module.as_ref());
        let file = got.file.as_deref().map(|path| last_part(path).to_owned());
        self.check("culprit.file", expected.file.as_ref(), file.as_ref());
    }

    /// The line is read from the source, so that it stays right when the source is edited.
    fn check_line(&mut self, marker: &Marker, got: &Culprit) {
        let file = marker.file.to_string_lossy();
        let marked = format!("{}:{}", last_part(&file), marker.line);
        let place = got.file.as_deref().zip(got.line);
        let place = place.map(|(file, line)| format!("{}:{line}", last_part(file)));
        self.check("marked line", Some(&marked), place.as_ref());
    }

    fn check_frames(&mut self, expected: &[FramePattern], got: &[Frame]) {
        if !expected.is_empty() && !FramePattern::all_match(expected, got) {
            let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
            let got: Vec<_> = got.iter().map(frame_word).collect();
            self.add("frames", expected.join(", "), got.join(", "));
        }
    }
}

/// A frame in the words of a pattern.
fn frame_word(frame: &Frame) -> String {
    let name = frame.function.as_ref().or(frame.address.as_ref()).map_or("?", String::as_str);
    match &frame.module {
        Some(module) => format!("{name} [{module}]"),
        None => name.to_owned(),
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A value as the manifest writes it.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => nothing(),
    }
}

fn nothing() -> String {
    "(nothing)".to_owned()
}

#[cfg(test)]
mod tests {
    use protocol::{ExecPath, ExecStep};

    use super::*;
    use crate::events::Phase;
    use crate::run::exec_run::ExecRun;

    const EXPECT: &str = r#"{
        "outcome": "panic", "kind": "null-call", "expression": "ops->get", "confidence": "proven",
        "comm": "sh", "frames": ["0x0", "inner [m]", "..."],
        "culprit": {"function": "inner", "inlined-into": "outer", "module": "m", "file": "m.c"}
    }"#;

    fn expected() -> Expectation {
        serde_json::from_str(EXPECT).unwrap()
    }

    fn report() -> Report {
        let frame = |function: Option<&str>, module: Option<&str>| {
            serde_json::json!({
                "index": 0, "address": "0x0000000000000000", "function": function,
                "offset": null, "size": null, "module": module, "file": null, "line": null,
                "inlined": false, "trust": "exact", "arguments": [], "boundary": null
            })
        };
        serde_json::from_value(serde_json::json!({
            "schema_version": 1,
            "kernel": {}, "dump": {}, "panic": {},
            "task": {"pid": 1, "comm": "sh", "cpu": 0, "address": null},
            "verdict": {
                "kind": "null-call", "title": "t", "summary": "s", "confidence": "proven",
                "culprit": {
                    "function": "inner", "inlined_into": ["middle", "outer"], "module": "m",
                    "file": "src/m.c", "line": 7
                },
                "expression": "ops->get", "evidence": []
            },
            "signature": null,
            "backtraces": {
                "fault": [frame(None, None), frame(Some("inner"), Some("m")), frame(Some("x"), None)],
                "panic": []
            },
            "modules": [], "findings": []
        }))
        .unwrap()
    }

    fn panicked(sign: CrashSign) -> Crash {
        Crash { sign, phase: Phase::Trigger, message: None }
    }

    fn marker(line: u32) -> Marker {
        Marker { file: "src/m.c".into(), line, why: "x".into() }
    }

    /// A trigger that did its work.
    #[test]
    fn a_crash_in_another_way_to_execute_a_program_is_not_the_expected_one() {
        let mut expected = expected();
        expected.exec_path = Some(ExecPath::Memfd);
        let at = |path: ExecPath| {
            let running = Some(ExecStep { path, number: 1, of: 1, seed: None });
            let exec = Some(ExecRun { running, ..ExecRun::default() });
            TriggerRun { exec, ..TriggerRun::default() }
        };
        assert_eq!(exec_path(&expected, Some(&at(ExecPath::Memfd))), None);
        let script = exec_path(&expected, Some(&at(ExecPath::Script))).unwrap();
        assert_eq!((&*script.expected, &*script.got), ("memfd", "script"));
        let nowhere = exec_path(&expected, None);
        let right = Judgement { outcome: Outcome::Reproduced, differences: Vec::new() };
        assert_eq!(right.and(nowhere).outcome, Outcome::Mismatched);
        expected.exec_path = None;
        assert_eq!(exec_path(&expected, None), None);
    }

    const fn well() -> (WantedStatus, Option<&'static TriggerRun>) {
        (WantedStatus::Is(0), None)
    }

    fn keys(judgement: &Judgement) -> Vec<&str> {
        judgement.differences.iter().map(|difference| difference.key.as_str()).collect()
    }

    /// A kernel that goes on has no dump; what its log says is judged as a dump's report is.
    #[test]
    fn a_complaint_is_expected_by_what_it_is_of() {
        let mut expected = expected();
        assert_eq!(complained(&expected, Some(&marker(7)), &report()), None);
        expected.outcome = Expected::Complaint;
        let judged = |line| complained(&expected, Some(&marker(line)), &report()).unwrap();
        assert_eq!(judged(7).outcome, Outcome::Reproduced);
        assert_eq!(keys(&judged(8)), ["marked line"]);
        let quiet = survived(&expected, &Complaints::default(), well());
        assert_eq!((quiet.outcome, keys(&quiet)), (Outcome::NotReproduced, vec!["outcome"]));
        let crashed = crash(&expected, Some(&marker(7)), &panicked(CrashSign::Console), &report());
        assert_eq!((crashed.outcome, keys(&crashed)), (Outcome::Mismatched, vec!["outcome"]));
    }

    /// What happened instead is named: a kernel that complained did not do nothing.
    #[test]
    fn a_complaint_in_the_place_of_a_crash_is_named() {
        let complaints = Complaints { lines: vec!["WARNING: CPU: 0".to_owned()], more: 0 };
        let judged = survived(&expected(), &complaints, well());
        let difference = judged.differences.first().unwrap();
        assert_eq!((&*difference.expected, &*difference.got), ("panic", "complaint"));
    }

    #[test]
    fn a_crash_as_expected_is_reproduced() {
        let judged = crash(&expected(), Some(&marker(7)), &panicked(CrashSign::Console), &report());
        assert_eq!(keys(&judged), [""; 0]);
        assert_eq!(judged.outcome, Outcome::Reproduced);
    }

    #[test]
    fn each_key_that_differs_is_named_with_both_values() {
        let mut other = report();
        other.verdict.expression = None;
        other.verdict.culprit.as_mut().unwrap().inlined_into.clear();
        other.backtraces.fault.remove(0);
        let judged = crash(&expected(), Some(&marker(8)), &panicked(CrashSign::Hang), &other);
        assert_eq!(judged.outcome, Outcome::Mismatched);
        assert_eq!(
            keys(&judged),
            ["outcome", "expression", "culprit.inlined-into", "marked line", "frames"]
        );
        let line = &judged.differences[3];
        assert_eq!((line.expected.as_str(), line.got.as_str()), ("m.c:8", "m.c:7"));
        assert_eq!(judged.differences[4].got, "inner [m], x");
    }

    #[test]
    fn what_is_not_expected_to_be_anything_is_not_compared() {
        let expected: Expectation = serde_json::from_str(r#"{"outcome": "panic"}"#).unwrap();
        let judged = crash(&expected, None, &panicked(CrashSign::Console), &report());
        assert_eq!(judged.outcome, Outcome::Reproduced);
    }

    #[test]
    fn the_message_has_the_words_and_the_line_is_asked_for_only_where_a_dump_can_tell_it() {
        let text = r#"{"outcome": "panic", "message": "divide error", "marked-line": false}"#;
        let expected: Expectation = serde_json::from_str(text).unwrap();
        let mut report = report();
        report.panic.message = Some("divide error: 0000 [#1] SMP".into());
        let judged = crash(&expected, Some(&marker(9)), &panicked(CrashSign::Console), &report);
        assert_eq!(keys(&judged), [""; 0]);
        report.panic.message = Some("kernel BUG at x.c:1!".into());
        let judged = crash(&expected, Some(&marker(9)), &panicked(CrashSign::Console), &report);
        assert_eq!(keys(&judged), ["message"]);
    }

    #[test]
    fn surviving_is_right_only_where_it_is_expected() {
        assert_eq!(
            survived(&expected(), &Complaints::default(), well()).outcome,
            Outcome::NotReproduced
        );
        let harmless: Expectation = serde_json::from_str(r#"{"outcome": "none"}"#).unwrap();
        assert_eq!(
            survived(&harmless, &Complaints::default(), well()).outcome,
            Outcome::Reproduced
        );
    }

    #[test]
    fn a_survivor_that_complains_is_a_mismatch_unless_the_words_are_allowed() {
        let text = r#"{"outcome": "none", "allow": ["at a.c:1"]}"#;
        let expected: Expectation = serde_json::from_str(text).unwrap();
        let [a, b] = ["WARNING: CPU: 0 at a.c:1", "WARNING: CPU: 0 at b.c:2"].map(str::to_owned);
        let mut complaints = Complaints { lines: vec![a.clone()], more: 0 };
        let judged = survived(&expected, &complaints, well());
        assert_eq!(judged.outcome, Outcome::Reproduced);
        complaints.lines.push(b.clone());
        let judged = survived(&expected, &complaints, well());
        assert_eq!(judged.outcome, Outcome::Mismatched);
        assert_eq!(judged.differences[0].got, b);
        assert_eq!(judged.differences.len(), 1);
        let judged = survived(&expected, &Complaints { lines: vec![a], more: 7 }, well());
        assert_eq!(judged.outcome, Outcome::Mismatched, "what was not kept may be anything");
        assert_eq!(judged.differences[0].got, "7 more, not all of them kept");
        let judged = survived(&expected, &Complaints { lines: vec![b; 23], more: 0 }, well());
        assert_eq!(judged.differences.last().map(|last| last.got.as_str()), Some("3 more"));
    }

    #[test]
    fn a_survivor_whose_trigger_failed_is_a_mismatch_unless_the_case_says_its_status() {
        use crate::run::trigger_run::TriggerEnd;

        let harmless: Expectation = serde_json::from_str(r#"{"outcome": "none"}"#).unwrap();
        let missing = TriggerEnd::Exited { status: 127 };
        let killed = TriggerEnd::Killed { signal: 9 };
        for (end, wanted, outcome) in [
            (TriggerEnd::Exited { status: 0 }, WantedStatus::default(), Outcome::Reproduced),
            (missing, WantedStatus::default(), Outcome::Mismatched),
            (missing, WantedStatus::Is(127), Outcome::Reproduced),
            (missing, WantedStatus::Any, Outcome::Reproduced),
            (killed, WantedStatus::default(), Outcome::Mismatched),
            (killed, WantedStatus::Is(137), Outcome::Reproduced),
            (TriggerEnd::Unknown, WantedStatus::default(), Outcome::Mismatched),
        ] {
            let run = TriggerRun { end, ..TriggerRun::default() };
            let judged = survived(&harmless, &Complaints::default(), (wanted, Some(&run)));
            assert_eq!(judged.outcome, outcome, "{end} where {wanted} is wanted");
        }
        let run = TriggerRun { end: missing, ..TriggerRun::default() };
        let judged =
            survived(&harmless, &Complaints::default(), (WantedStatus::default(), Some(&run)));
        assert_eq!(keys(&judged), ["trigger.status"]);
        assert_eq!(judged.differences[0].got, "exit status 127");
    }

    #[test]
    fn a_refused_module_is_right_only_where_it_is_expected() {
        let why = "the kernel refused a.ko: Invalid argument";
        assert_eq!(refused(&expected(), why), None, "otherwise the guest was not ready");
        let text = r#"{"outcome": "refused", "message": "Invalid argument"}"#;
        let wanted: Expectation = serde_json::from_str(text).unwrap();
        assert_eq!(refused(&wanted, why).unwrap().outcome, Outcome::Reproduced);
        assert_eq!(refused(&wanted, "Exec format error").unwrap().outcome, Outcome::Mismatched);
        assert_eq!(
            survived(&wanted, &Complaints::default(), well()).outcome,
            Outcome::NotReproduced
        );
    }

    #[test]
    fn any_crash_is_what_a_case_without_further_words_expects() {
        let wanted: Expectation = serde_json::from_str(r#"{"outcome": "crash"}"#).unwrap();
        for sign in [CrashSign::Console, CrashSign::Hang] {
            let judged = crash(&wanted, None, &panicked(sign), &report());
            assert_eq!(judged.outcome, Outcome::Reproduced);
        }
        assert_eq!(
            survived(&wanted, &Complaints::default(), well()).outcome,
            Outcome::NotReproduced
        );
    }
}
