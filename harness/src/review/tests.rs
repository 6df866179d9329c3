// SPDX-License-Identifier: MIT OR Apache-2.0

use std::fs;

use serde_json::{Value, json};

use super::*;

fn report(line: u32) -> Report {
    serde_json::from_value(serde_json::json!({
        "schema_version": 1, "kernel": {}, "dump": {}, "panic": {}, "task": null,
        "verdict": {
            "kind": "null-read", "title": "t", "summary": "s", "confidence": "proven",
            "culprit": {"function": "a", "inlined_into": [], "module": "m", "file": "m.c",
                "line": line},
            "expression": null, "evidence": []
        },
        "signature": null, "backtraces": {"fault": [], "panic": []}, "modules": [],
        "findings": []
    }))
    .unwrap()
}

fn compared(case: &Path, line: u32) -> Compared {
    let text = format!("line {line}\n");
    let report = &report(line);
    let stable = Stable { description: "a case", form: Form(3), text: &text, report };
    compare(case, "guest-b", stable, &NoEvidence).unwrap()
}

#[test]
fn a_report_is_new_then_accepted_then_the_same_then_changed() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("mine");
    assert_eq!(compared(&case, 7), Compared::New);
    let waiting = super::waiting(&case).unwrap();
    assert_eq!((waiting.len(), waiting[0].name().as_str()), (1, "mine@guest-b"));
    assert_eq!((waiting[0].reviewed(), waiting[0].text()), ("", "line 7"));
    waiting[0].accept().unwrap();
    assert_eq!(compared(&case, 7), Compared::Same);
    assert!(super::waiting(&case).unwrap().is_empty());
    let words = vec!["the culprit's line moved from m.c:7 to m.c:9".to_owned()];
    assert_eq!(compared(&case, 9), Compared::Changed(words.clone()));
    let waiting = super::waiting(&case).unwrap();
    assert_eq!(waiting[0].words, words);
    assert_eq!(compared(&case, 7), Compared::Same, "what waited is no longer true");
    assert!(super::waiting(&case).unwrap().is_empty());
}

#[test]
fn a_rejected_first_report_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("mine");
    assert_eq!(compared(&case, 7), Compared::New);
    super::waiting(&case).unwrap()[0].reject().unwrap();
    assert!(!case.join("snapshots").exists());
    assert_eq!(compared(&case, 8), Compared::New);
}

#[test]
fn a_text_alone_is_compared_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("mine");
    assert_eq!(compared(&case, 7), Compared::New);
    super::waiting(&case).unwrap()[0].accept().unwrap();
    fs::remove_file(case.join("snapshots/guest-b/crash.json.snap")).unwrap();
    assert_eq!(compared(&case, 7), Compared::Same);
    assert_eq!(compared(&case, 8), Compared::Changed(vec!["`line 7` is now `line 8`".into()]));
}

/// A report of a form, as the sample has it but for a change.
struct Made {
    form: Form,
    data: Value,
}

impl Made {
    fn new(form: u32) -> Self {
        Self { form: Form(form), data: sample::report() }
    }

    fn with(mut self, pointer: &str, value: Value) -> Self {
        *self.data.pointer_mut(pointer).unwrap() = value;
        self
    }

    fn report(&self) -> Report {
        serde_json::from_value(self.data.clone()).unwrap()
    }

    fn compared(&self, case: &Path, evidence: &dyn Evidence) -> Result<Compared, Error> {
        let report = &self.report();
        let text = analyzer::render::text(report);
        let stable = Stable { description: "a case", form: self.form, text: &text, report };
        compare(case, "guest-b", stable, evidence)
    }

    /// A case whose report of this form was reviewed.
    fn reviewed(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(self.compared(folder.path(), &NoEvidence).unwrap(), Compared::New);
        super::waiting(folder.path()).unwrap()[0].accept().unwrap();
        folder
    }

    fn judged(&self, old: &Self, evidence: &dyn Evidence) -> Judged {
        let case = old.reviewed();
        match self.compared(case.path(), evidence).unwrap() {
            Compared::Earlier(upgrade) => {
                assert_eq!((upgrade.from, upgrade.to), (old.form, self.form));
                let waiting = super::waiting(case.path()).unwrap();
                assert_eq!(waiting[0].upgrade(evidence).unwrap(), Some(upgrade.clone()));
                upgrade.judged
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A crash that was kept: what this program says of it, and of which text it is.
struct Crash {
    of: String,
    again: Report,
}

impl Evidence for Crash {
    fn again(&self, reviewed: Reviewed<'_>) -> Option<Report> {
        (reviewed.text == self.of.trim_end_matches('\n')).then(|| self.again.clone())
    }
}

const SUMMARY: &str = "/verdict/summary";

#[test]
fn other_words_for_the_same_crash_are_a_change_of_the_form() {
    let new = Made::new(3).with(SUMMARY, json!("other words"));
    let judged = new.judged(&Made::new(2), &NoEvidence);
    assert_eq!(judged, Judged::FormOnly(Proof::Facts));
}

#[test]
fn another_crash_in_an_earlier_form_is_told_with_its_facts() {
    let new = Made::new(3).with(SUMMARY, json!("other words")).with("/task/comm", json!("cat"));
    match new.judged(&Made::new(2), &NoEvidence) {
        Judged::More(why @ Why::Facts(_)) => {
            assert_eq!(why.words(), ["the crashed task: \"sh\" is now \"cat\""]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn other_words_in_the_same_form_are_a_change_of_the_crash() {
    let case = Made::new(3).reviewed();
    let new = Made::new(3).with(SUMMARY, json!("other words"));
    let compared = new.compared(case.path(), &NoEvidence).unwrap();
    assert!(matches!(compared, Compared::Changed(_)), "{compared:?}");
    let waiting = super::waiting(case.path()).unwrap();
    assert_eq!(waiting[0].upgrade(&NoEvidence).unwrap(), None);
}

#[test]
fn the_same_words_in_a_later_form_wait_for_their_number() {
    let case = Made::new(2).reviewed();
    let words = Judged::FormOnly(Proof::Words);
    let upgrade = Upgrade { from: Form(2), to: Form(3), judged: words };
    let compared = Made::new(3).compared(case.path(), &NoEvidence).unwrap();
    assert_eq!(compared, Compared::Earlier(upgrade));
    let waiting = super::waiting(case.path()).unwrap();
    assert_eq!(waiting[0].words, ["nothing but the number of the form"]);
    waiting[0].accept().unwrap();
    assert_eq!(Made::new(3).compared(case.path(), &NoEvidence).unwrap(), Compared::Same);
}

#[test]
fn the_reviewed_crash_analyzed_again_says_more_than_the_facts() {
    let old = Made::new(2);
    let of = analyzer::render::text(&old.report());
    // The new program has a better answer; of the old crash and of the new one.
    let better = || {
        let new = Made::new(3).with("/verdict/kind", json!("use-after-free"));
        new.with("/verdict/culprit/function", json!("b"))
    };
    let same = Crash { of: of.clone(), again: better().report() };
    assert!(matches!(better().judged(&old, &NoEvidence), Judged::More(Why::Facts(_))));
    assert_eq!(better().judged(&old, &same), Judged::FormOnly(Proof::Evidence));
    // Another crash of which the facts are the same.
    let other = Made::new(3).with("/verdict/evidence/0/claim", json!("rax is 9"));
    let kept = Crash { of, again: Made::new(3).report() };
    assert_eq!(other.judged(&old, &NoEvidence), Judged::FormOnly(Proof::Facts));
    match other.judged(&old, &kept) {
        Judged::More(Why::Evidence(words)) => {
            assert_eq!(words, ["no longer shown: rax is 0", "now shown: rax is 9"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_crash_that_is_not_the_one_that_was_reviewed_proves_nothing() {
    let new = Made::new(3).with("/task/comm", json!("cat"));
    let of_the_new_one = Crash { of: "another report".to_owned(), again: new.report() };
    let judged = new.judged(&Made::new(2), &of_the_new_one);
    assert!(matches!(judged, Judged::More(Why::Facts(_))), "{judged:?}");
}

#[test]
fn a_report_of_a_later_form_is_an_error_unless_it_says_the_same() {
    let case = Made::new(4).reviewed();
    assert_eq!(Made::new(3).compared(case.path(), &NoEvidence).unwrap(), Compared::Same);
    let new = Made::new(3).with(SUMMARY, json!("other words"));
    let error = new.compared(case.path(), &NoEvidence).unwrap_err();
    let words = "the reviewed report was written by a newer repro: it has form 4, this one form 3";
    assert_eq!(error.to_string(), words);
    assert!(super::waiting(case.path()).unwrap().is_empty(), "nothing that could be accepted");
}

#[test]
fn a_damaged_report_of_an_earlier_form_is_never_only_another_form() {
    let path = |case: &Path, file: &str| case.join("snapshots/guest-b").join(file);
    let new = Made::new(3).with(SUMMARY, json!("other words"));
    for data in ["{}", "[", "", r#"{"verdict": {"kind": 7}}"#] {
        let case = Made::new(2).reviewed();
        let file = format!("---\nsource: x\ninfo:\n  form: 2\n---\n{data}\n");
        fs::write(path(case.path(), "crash.json.snap"), file).unwrap();
        match new.compared(case.path(), &NoEvidence).unwrap() {
            Compared::Earlier(Upgrade { judged: Judged::More(why), .. }) => {
                assert!(why.words()[0].contains("the reviewed report cannot be read"), "{why:?}");
            }
            other => panic!("{data}: {other:?}"),
        }
    }
    let case = Made::new(2).reviewed();
    fs::remove_file(path(case.path(), "crash.json.snap")).unwrap();
    match new.compared(case.path(), &NoEvidence).unwrap() {
        Compared::Earlier(Upgrade { judged: Judged::More(why), .. }) => {
            assert!(why.words()[0].contains("has no data"), "{why:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_and_data_of_two_forms_were_not_reviewed_together() {
    let case = Made::new(2).reviewed();
    let data = case.path().join("snapshots/guest-b/crash.json.snap");
    let file = fs::read_to_string(&data).unwrap().replace("form: 2", "form: 3");
    fs::write(&data, file).unwrap();
    let error = Made::new(3).compared(case.path(), &NoEvidence).unwrap_err();
    assert!(error.to_string().ends_with("are not of one form: form 2 and form 3"), "{error}");
}

#[test]
fn a_frame_of_a_trust_that_the_form_had_is_another_stack() {
    let mut new = Made::new(3);
    let fault = new.data["backtraces"]["fault"].as_array_mut().unwrap();
    fault.insert(1, fault[0].clone());
    let judged = new.judged(&Made::new(2), &NoEvidence);
    assert!(matches!(judged, Judged::More(Why::Facts(_))), "{judged:?}");
}

/// Reports of recordings lie beside these, of several guests in one folder.
#[test]
fn reports_of_recordings_wait_and_are_accepted_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("mine");
    let file = |name: &str| case.join("recordings").join(name);
    fs::create_dir_all(file("")).unwrap();
    let head = "---\nsource: tests/recordings.rs\nassertion_line: 50\ninfo:\n  form: 3\n---\n";
    for guest in ["a", "b"] {
        fs::write(file(&format!("{guest}.txt.snap")), "---\nsource: x\n---\nold\n").unwrap();
        fs::write(file(&format!("{guest}.txt.snap.new")), format!("{head}new\n")).unwrap();
    }
    let waiting = super::waiting(&case).unwrap();
    assert_eq!(waiting[0].name(), "mine@a (recording)");
    assert_eq!((waiting[0].reviewed_form(), waiting[0].form()), (Some(Form(1)), Form(3)));
    waiting[0].accept().unwrap();
    let kept = fs::read_to_string(file("a.txt.snap")).unwrap();
    assert_eq!(kept, head.replace("assertion_line: 50\n", "") + "new\n");
    assert_eq!(super::waiting(&case).unwrap().len(), 1);
    waiting[1].reject().unwrap();
    assert!(super::waiting(&case).unwrap().is_empty() && file("b.txt.snap").exists());
}
