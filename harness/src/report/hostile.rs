// SPDX-License-Identifier: MIT OR Apache-2.0
//! A run of which every text was chosen by somebody who wants to be obeyed, through every reporter.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Annotate, Annotations, Terminal, TerminalOptions, Verbosity};
use super::{code_quality, html, junit, write_crash, write_reports};
use crate::error::Failure;
use crate::events::{Accel, CaptureMethod, Counts, CrashSign, Event, Phase, Reporter, Stamped};
use crate::exit::Exit;
use crate::run::fault_state::{FaultState, Instruction, Register};
use crate::run::looked::Looked;
use crate::run::object_users::{CodePlace, ObjectUser, ObjectUsers};
use crate::run::outcome::{Difference, Excerpt, Object, Outcome, Place, RunResult, Runs};
use crate::run::{ExecRun, NotPassed, TriggerEnd, TriggerRun};
use crate::symbols::Lines;
use protocol::{ExecEnd, ExecPath, ExecStep};
use synth::HOSTILE;

fn text() -> String {
    HOSTILE.to_owned()
}

fn report() -> analyzer::report::Report {
    let frame = json!({
        "index": 0, "address": HOSTILE, "function": HOSTILE, "symbol": HOSTILE, "offset": HOSTILE,
        "size": HOSTILE, "module": HOSTILE, "file": HOSTILE, "line": 7, "inlined": false,
        "trust": "orc", "arguments": [HOSTILE], "boundary": HOSTILE, "stack_bytes": 64
    });
    serde_json::from_value(json!({
        "schema_version": 1,
        "kernel": { "release": HOSTILE, "version": HOSTILE },
        "dump": { "format": HOSTILE },
        "panic": { "message": HOSTILE },
        "task": { "comm": HOSTILE, "pid": 1, "cpu": 0, "address": HOSTILE },
        "verdict": {
            "kind": "unknown", "title": HOSTILE, "confidence": "proven", "summary": HOSTILE,
            "culprit": null, "expression": HOSTILE, "next": [HOSTILE],
            "evidence": [{ "claim": HOSTILE, "confirmed": true }]
        },
        "signature": HOSTILE,
        "backtraces": { "fault": [frame], "panic": [] },
        "modules": [],
        "findings": [{ "code": HOSTILE, "severity": "warning", "message": HOSTILE }]
    }))
    .unwrap()
}

fn run(outcome: Outcome) -> RunResult {
    let mut run = RunResult::new(text(), text());
    run.outcome = outcome;
    run.report = Some(report());
    run.accel = Some(Accel::Tcg);
    run.accel_reason = Some(text());
    run.boot_reason = Some(text());
    run.capture = Some(CaptureMethod::Kdump);
    run.capture_reason = Some(text());
    run.artifacts = Some(text());
    run.differences.push(Difference { key: text(), expected: text(), got: text() });
    run.excerpt = Some(Excerpt { file: text(), first: 6, line: 7, text: vec![text(), text()] });
    run.object = Some(Object { expression: text(), lines: vec![text()], bad: 0 });
    run.place = Some(Place { file: text(), line: 7 });
    let step = ExecStep { path: ExecPath::Memfd, number: 1, of: 1, seed: None };
    let not_passed = vec![NotPassed { step, end: ExecEnd::Failed { why: text() } }];
    let exec = Some(ExecRun { not_passed, ..ExecRun::default() });
    run.trigger = Some(TriggerRun { end: TriggerEnd::Running, output: [text()].into(), exec });
    run.failure = Some(failure());
    run.phases.insert(Phase::Boot, 1000);
    run.parameters.insert(text(), text());
    run.users = Some(users());
    let code = Instruction { address: text(), place: Some(text()), text: text(), at_fault: true };
    let registers = vec![Register { name: text(), value: text() }];
    run.fault = Some(FaultState { registers, code: vec![code] });
    run
}

fn users() -> ObjectUsers {
    let place = CodePlace {
        function: text(),
        module: Some(text()),
        file: Some(text()),
        line: Some(7),
        inlined: true,
    };
    let user = ObjectUser { pid: 1, cpu: 0, stack: vec![place] };
    ObjectUsers { address: text(), cache: text(), allocated: Some(user.clone()), freed: Some(user) }
}

fn failure() -> Failure {
    let mut failure = Failure::new(Exit::BootFailed, HOSTILE).hint(HOSTILE);
    failure.causes.push(text());
    failure
}

/// Nothing of the text acts on who reads it: what is left of it is seen.
#[track_caller]
fn is_seen(text: &str) {
    let acting = |c: char| (c.is_control() && c != '\n') || ['\u{202e}', '\u{2028}'].contains(&c);
    assert!(!text.contains(acting), "{text:?}");
    assert!(text.contains("\\x1b]52") || text.contains("\\u001b]52"), "it is escaped: {text}");
    assert!(text.contains("202e"), "{text}");
}

/// No line of the text is a command for a pipeline.
#[track_caller]
fn is_disobeyed(text: &str) {
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
        assert!(!line.contains("##[") && !line.contains("##vso["), "{line}");
    }
}

#[derive(Clone, Default)]
pub(super) struct Screen(pub(super) Rc<RefCell<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn events() -> Vec<Event> {
    let mut events = vec![
        Event::MachineStarted { accel: Accel::Tcg, qemu: text(), command_line: text() },
        Event::AccelRejected { accel: Accel::Kvm, reason: text() },
        Event::PhaseStarted { phase: Phase::Boot, what: text() },
        Event::Progress { message: text() },
        Event::Console { at_ms: 1, line: text() },
        Event::Console { at_ms: 2, line: "::error::x".into() },
        Event::PhaseFinished { phase: Phase::Boot, millis: 1, what: text() },
        Event::CrashSeen { sign: CrashSign::Console, phase: Phase::Trigger, message: Some(text()) },
        Event::CaptureFellBack { to: CaptureMethod::Qmp, reason: text() },
        Event::Note { warning: true, message: text() },
        Event::Note { warning: false, message: text() },
        Event::Step { number: 1, of: 2, what: text() },
    ];
    for outcome in [Outcome::InfraError, Outcome::Mismatched, Outcome::Reproduced] {
        events.push(Event::Console { at_ms: 3, line: text() });
        events.push(Event::RunFinished { result: Box::new(run(outcome)) });
    }
    events.push(Event::Finished { counts: Counts::default(), failure: Some(failure()) });
    events
}

fn stamped(event: Event) -> Stamped {
    Stamped { at_ms: 1, run: Some(text()), event }
}

/// The terminal's text without our own styles (SGR), which are all the sequences that may be there.
fn without_styles(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (style, rest) = part.split_once('m').unwrap();
        assert!(style.chars().all(|c| c.is_ascii_digit() || c == ';'), "{part:?}");
        plain.push_str(rest);
    }
    plain
}

#[test]
fn a_terminal_shows_it_and_obeys_nothing() {
    for event in events() {
        let screen = Screen::default();
        let options = TerminalOptions { verbosity: Verbosity::Verbose, live: false, columns: None };
        let mut terminal = Terminal::new(Box::new(screen.clone()), options);
        terminal.event(&stamped(Event::Console { at_ms: 0, line: text() }));
        terminal.event(&stamped(event));
        let shown = String::from_utf8(screen.0.borrow().clone()).unwrap();
        let shown = without_styles(&shown);
        is_seen(&shown);
        is_disobeyed(&shown);
    }
}

/// A line end in a message would let it say what the next line is, such as how the run ended.
#[test]
fn what_a_guest_said_stays_in_its_line() {
    let mut run = run(Outcome::Mismatched);
    (run.accel_reason, run.boot_reason, run.capture_reason) = (None, None, None);
    run.failure = None;
    // Names of cases and guests are refused where they are read.
    (run.case, run.guest) = ("mine".into(), "guest-a".into());
    let screen = Screen::default();
    let mut terminal = Terminal::new(Box::new(screen.clone()), TerminalOptions::default());
    terminal.event(&stamped(Event::RunFinished { result: Box::new(run.clone()) }));
    let shown = String::from_utf8(screen.0.borrow().clone()).unwrap();
    // Head, verdict, expected and got, the trigger's end, step and line, times, artefacts, hint.
    assert_eq!(shown.lines().count(), 10, "{shown}");
    let runs = [run];
    let cells = crate::run::matrix::cells(&runs);
    // What differs, the trigger's end, step and line, the verdict.
    assert_eq!(junit::details(&cells[0]).lines().count(), 5);
    assert_eq!(junit::headline(&cells[0]).lines().count(), 1);
}

#[test]
fn the_words_of_a_pipeline_are_ours_alone() {
    for whose in [Annotate::Github, Annotate::Gitlab] {
        let mut annotations = Annotations::of(whose).unwrap();
        let started = Event::RunStarted { case: text(), guest: text() };
        let begin = annotations.words(&stamped(started));
        let rest = match whose {
            Annotate::Github => begin.strip_prefix("::group::").unwrap().to_owned(),
            _ => {
                let parts: Vec<&str> = begin.split("\x1b[0K").collect();
                assert_eq!(parts.len(), 3, "{begin:?}");
                parts[2].to_owned()
            }
        };
        assert_eq!(rest.lines().count(), 1, "{rest:?}");
        is_seen(&rest);
        is_disobeyed(&rest);
        for outcome in [Outcome::InfraError, Outcome::Mismatched] {
            let result = Box::new(run(outcome));
            annotations.words(&stamped(Event::RunFinished { result }));
        }
        let finished = Event::Finished { counts: Counts::default(), failure: Some(failure()) };
        let errors = annotations.words(&stamped(finished));
        if whose == Annotate::Github {
            is_seen(&errors);
        }
        for line in errors.lines() {
            assert!(line.starts_with("::error file="), "{line}");
            let message = line.replace("%0A", "\n").replace("%25", "%");
            is_disobeyed(message.strip_prefix("::").unwrap());
            let (properties, _) = line["::error ".len()..].split_once("::").unwrap();
            let values = properties.split(',').map(|property| property.split_once('=').unwrap());
            let names: Vec<&str> = values.map(|(name, _)| name).collect();
            assert_eq!(names, ["file", "line", "title"], "{properties}");
            assert!(!properties.contains(':'), "{properties}");
        }
    }
}

#[test]
fn the_step_summary_has_no_marks_but_ours() {
    let text = super::annotations::summary(&[run(Outcome::Mismatched)]);
    is_seen(&text.replace("&#92;", "\\").replace("&#93;", "]"));
    for mark in ["<script", "![", "](", "@", "http:", "::", "##"] {
        assert!(!text.contains(mark), "{mark} in {text}");
    }
    let row = text.lines().nth(2).unwrap();
    assert_eq!((text.trim_end().lines().count(), row.matches('|').count()), (3, 5), "{row}");
}

#[test]
fn pages_have_no_marks_but_ours() {
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::new(vec![run(Outcome::Mismatched)]);
    let own = folder.path().join(runs.runs[0].folder_name().replace(['/', '\0'], "_"));
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("console.log"), HOSTILE).unwrap();
    let page = html::html(&runs, folder.path(), &super::History::default());
    is_seen(page.split_once("</style>").unwrap().1);
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
    let text = junit::junit(&runs, folder.path());
    is_seen(&text);
    assert!(!text.contains("<script"), "{text}");
    let mut reader = quick_xml::Reader::from_str(&text);
    while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
}

#[test]
fn files_hold_only_what_is_seen_and_json_says_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let analysis =
        analyzer::Analysis { report: report(), stable: report(), signature_input: String::new() };
    write_crash(folder.path(), &analysis, &Lines::default(), &Looked::default()).unwrap();
    let runs = Runs::new(vec![run(Outcome::Mismatched)]);
    write_reports(folder.path(), &runs, &super::History::default()).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    for name in ["crash.txt", "crash.stable.txt", "crash.json", "run.json", "code-quality.json"] {
        let text = read(name);
        is_seen(&text);
        is_disobeyed(&text);
    }
    let data: Value = serde_json::from_str(&read("run.json")).unwrap();
    assert_eq!(data["runs"][0]["report"]["task"]["comm"], HOSTILE);
    let lines = read("crash.txt").lines().filter(|line| line.starts_with("TASK")).count();
    assert_eq!(lines, 1, "a name with a line end makes no second line");
    assert!(code_quality::code_quality(&runs).contains("fingerprint"));
}
