// SPDX-License-Identifier: MIT OR Apache-2.0

mod page;
mod run;
mod stack;

use std::fmt::Write as _;

use super::*;
use crate::run::outcome::{Difference, Excerpt, Object, RunResult};
use analyzer::report::Frame;

/// A frame of the module `m`, in which 64 bytes of stack are.
fn frame(index: u32, function: &str) -> Frame {
    serde_json::from_value(serde_json::json!({
        "index": index, "address": "0x1", "function": function, "symbol": null,
        "offset": null, "size": null, "module": "m", "file": "m.c", "line": 7,
        "inlined": false, "trust": "orc", "arguments": ["text=\"<b>\""], "boundary": null,
        "stack_bytes": 64
    }))
    .unwrap()
}

fn crashed() -> RunResult {
    let mut run = RunResult::new("mine".into(), "guest-a".into());
    run.outcome = Outcome::Mismatched;
    run.report = serde_json::from_value(serde_json::json!({
        "schema_version": 1, "kernel": {}, "dump": {}, "panic": {}, "task": null,
        "verdict": {
            "kind": "null-call", "title": "call of NULL ops->get", "confidence": "proven",
            "summary": "`ops->get` is NULL: called at `m.c:7` <script>", "culprit": null,
            "expression": "ops->get",
            "evidence": [{"claim": "rax is `0x0`", "confirmed": true},
                {"claim": "who set it", "confirmed": null}]
        },
        "signature": "00ff",
        "backtraces": { "fault": [], "panic": [] },
        "modules": [], "findings": []
    }))
    .unwrap();
    let inlined = Frame { inlined: true, stack_bytes: None, ..frame(0, "inner") };
    set_frames(&mut run, vec![inlined, frame(1, "outer"), frame(2, "caller")]);
    run.excerpt = Some(Excerpt {
        file: "m.c".into(),
        first: 6,
        line: 7,
        text: vec!["a < b;".into(), "ops->get();".into()],
    });
    run.object = Some(Object {
        expression: "*ops".into(),
        lines: vec!["{".into(), "  get = 0x0".into(), "}".into()],
        bad: 1,
    });
    run.differences.push(Difference {
        key: "kind".into(),
        expected: "null-read".into(),
        got: "null-call".into(),
    });
    run
}

fn set_frames(run: &mut RunResult, frames: Vec<Frame>) {
    run.report.as_mut().unwrap().backtraces.fault = frames;
}

/// A run that is as expected.
fn good(case: &str, guest: &str) -> RunResult {
    let mut run = RunResult::new(case.into(), guest.into());
    run.outcome = Outcome::Reproduced;
    run
}

fn page(runs: Vec<RunResult>) -> String {
    let folder = tempfile::tempdir().unwrap();
    html(&Runs::new(runs), folder.path(), &History::default())
}

#[test]
fn everything_of_a_crash_is_on_the_page() {
    let page = page(vec![crashed()]);
    for wanted in [
        "<code>ops-&gt;get</code> is NULL",
        "class=\"fault\"><span class=\"nr\">    7</span> ops-&gt;get();",
        "class=\"fault\">  get = 0x0",
        "<tr class=\"inlined module\">",
        "<td class=\"expected\">null-read</td>",
        "href=\"#mine@guest-a\"",
        "id=\"mine@guest-a\"",
    ] {
        assert!(page.contains(wanted), "{wanted} is not in {page}");
    }
}

#[test]
fn text_of_a_dump_cannot_become_markup_and_nothing_is_asked_for() {
    let page = page(vec![crashed()]);
    assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
    for word in ["http://", "https://", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn tags_are_closed_and_a_flaky_case_has_its_rate() {
    let mut other = crashed();
    other.outcome = Outcome::Reproduced;
    let page = page(vec![crashed(), other]);
    assert!(page.contains("flaky") && page.contains("1 of 2: 50 %"), "{page}");
    for tag in [
        "section", "table", "tbody", "tr", "th", "td", "pre", "span", "div", "ul", "ol", "li",
        "details", "summary", "p", "dl", "dt", "dd", "fieldset", "label", "mark",
    ] {
        let open =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn the_letters_of_the_history_tell_signatures_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let mut text = String::new();
    for (signature, status) in [("1", "reproduced"), ("2", "mismatched"), ("1", "reproduced")] {
        let _ = writeln!(
            text,
            "{{\"time\":\"t\",\"case\":\"mine\",\"guest\":\"guest-a\",\"status\":\"{status}\",\
             \"signature\":\"{signature}\",\"title\":\"x\"}}"
        );
    }
    std::fs::write(&path, text).unwrap();
    let history = History::load(&path).unwrap();
    let page = html(&Runs::new(vec![crashed()]), folder.path(), &history);
    let squares = page.split("earlier runs\">").nth(1).unwrap().split("</td>").next().unwrap();
    let letters: Vec<_> = squares.split("</span>").filter_map(|it| it.chars().last()).collect();
    assert_eq!(&letters[..3], ['A', 'B', 'A']);
}
