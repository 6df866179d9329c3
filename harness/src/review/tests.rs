// SPDX-License-Identifier: MIT OR Apache-2.0

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
    let stable = Stable { description: "a case", text: &text, report: &report(line) };
    compare(case, "guest-b", stable).unwrap()
}

#[test]
fn a_report_is_new_then_accepted_then_the_same_then_changed() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("mine");
    assert_eq!(compared(&case, 7), Compared::New);
    let waiting = super::waiting(&case).unwrap();
    assert_eq!((waiting.len(), waiting[0].name().as_str()), (1, "mine@guest-b"));
    assert_eq!((waiting[0].old.as_str(), waiting[0].new.as_str()), ("", "line 7"));
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
