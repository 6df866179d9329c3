// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person sees of a run: every kind of line, from events made by hand.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test it helps")]

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use harness::error::Failure;
use harness::events::{
    Accel, CaptureMethod, Counts, CrashSign, Event, Phase, Reporter as _, Stamped,
};
use harness::exit::Exit;
use harness::report::{Terminal, TerminalOptions, Verbosity};
use harness::run::outcome::{Difference, EARLIER, Ending, Outcome, RunResult};

const OOPS: &str = "BUG: kernel NULL pointer dereference, address: 0000000000000000";

/// What was written, without colours: it must be understood without them.
#[derive(Clone)]
struct Screen(Rc<RefCell<anstream::StripStream<Vec<u8>>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().as_inner().clone()).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn shown(verbosity: Verbosity, events: impl IntoIterator<Item = Event>) -> String {
    let screen = Screen(Rc::new(RefCell::new(anstream::StripStream::new(Vec::new()))));
    let options = TerminalOptions { verbosity, live: false, columns: None };
    let mut terminal = Terminal::new(Box::new(screen.clone()), options);
    for event in events {
        terminal.event(&Stamped { at_ms: 31_700, run: Some("null@debian-12".into()), event });
    }
    terminal.finish().unwrap();
    screen.text()
}

fn phase(phase: Phase, millis: u64, what: &str) -> [Event; 2] {
    let what = what.to_owned();
    [
        Event::PhaseStarted { phase, what: what.clone() },
        Event::PhaseFinished { phase, millis, what },
    ]
}

fn console(line: &str) -> Event {
    Event::Console { at_ms: 1500, line: line.to_owned() }
}

fn started() -> Event {
    let command_line = "qemu-system-x86_64 \\\n  -smp 2".to_owned();
    Event::MachineStarted { accel: Accel::Tcg, qemu: "7.2.22".into(), command_line }
}

/// Everything up to the capture.
fn until_crash() -> Vec<Event> {
    let mut events = Vec::new();
    events.extend(phase(Phase::Fetch, 40, "debian-12: kernel 6.1.0, 16 packages from the cache"));
    events.extend(phase(Phase::Build, 2100, "akfs.ko, process.ko for 6.1.0"));
    events.push(started());
    events.push(console("[    0.000000] Linux version 6.1.0"));
    events.extend(phase(Phase::Boot, 4000, "debian-12 [tcg, 2 cpus, 1 GiB], 6.1.0"));
    events.extend(phase(Phase::Arm, 1200, "kdump, crashkernel=128M"));
    events.extend(phase(Phase::Load, 90, "akfs.ko, process.ko"));
    events.extend(phase(Phase::Trigger, 849, "trigger.sh"));
    events.push(Event::CrashSeen {
        sign: CrashSign::Console,
        phase: Phase::Trigger,
        message: Some(OOPS.into()),
    });
    events
}

fn result(outcome: Outcome) -> RunResult {
    let mut result = RunResult::new("null".into(), "debian-12".into());
    result.outcome = outcome;
    result.accel = Some(Accel::Tcg);
    result.artifacts = Some("target/repro/2026-11-22T082152Z/null--debian-12".into());
    result.phases = [(Phase::Boot, 4000), (Phase::Capture, 125_000)].into();
    result
}

fn finished(result: RunResult) -> Vec<Event> {
    let mut counts = Counts::default();
    counts.add(result.outcome);
    vec![Event::RunFinished { result: Box::new(result) }, Event::Finished { counts, failure: None }]
}

fn reproduced() -> Vec<Event> {
    let mut events = vec![Event::AccelRejected {
        accel: Accel::Kvm,
        reason: "KVM opens, but the guest's kernel printed nothing within 5s".into(),
    }];
    events.extend(until_crash());
    events.push(Event::CaptureFellBack {
        to: CaptureMethod::Qmp,
        reason: "the capture kernel did not start within 15s, nor after an NMI".into(),
    });
    events.extend(phase(Phase::Capture, 125_000, "vmcore by QMP dump: 1 GiB"));
    let mut result = result(Outcome::Reproduced);
    result.accel_reason = Some("KVM opens, but the guest's kernel printed nothing".into());
    result.capture = Some(CaptureMethod::Qmp);
    result.capture_reason = Some("the capture kernel did not start within 15s".into());
    events.extend(finished(result));
    events
}

#[test]
fn a_reproduction_with_everything_that_fell_back() {
    insta::assert_snapshot!("reproduced", shown(Verbosity::Normal, reproduced()));
}

#[test]
fn a_mismatch_shows_expected_and_got() {
    let mut events = until_crash();
    let mut result = result(Outcome::Mismatched);
    result.capture = Some(CaptureMethod::Kdump);
    result.differences = vec![Difference {
        key: "kind".into(),
        expected: "null-call".into(),
        got: "null-read".into(),
    }];
    events.extend(finished(result));
    insta::assert_snapshot!("mismatched", shown(Verbosity::Normal, events));
}

#[test]
fn another_crash_of_an_earlier_form_hints_at_both_ways_to_go_on() {
    let mut result = result(Outcome::Mismatched);
    let [expected, got] = ["the crash that was reviewed", "the kind: a is now b"];
    result.differences =
        vec![Difference { key: EARLIER.into(), expected: expected.into(), got: got.into() }];
    let text = shown(Verbosity::Normal, finished(result));
    for words in [EARLIER, expected, got, "review --upgrade --from DIR", "the new report: repro"] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
}

#[test]
fn a_failure_expands_to_console_command_and_hint() {
    let mut events = vec![started()];
    events.extend((0..40).map(|number| console(&format!("[    0.{number:06}] line {number}"))));
    let mut result = result(Outcome::InfraError);
    let mut failure =
        Failure::new(Exit::BootFailed, "the guest's kernel crashed").hint("look at console.log");
    failure.causes.push("Kernel panic - not syncing".into());
    result.failure = Some(failure);
    events.extend(finished(result));
    let text = shown(Verbosity::Normal, events.clone());
    insta::assert_snapshot!("failed", text);
    assert!(!text.contains("line 9\n") && text.contains("line 10\n"), "the last thirty lines");
    assert_eq!(shown(Verbosity::Quiet, events), text, "a failure is shown in full also when quiet");
}

#[test]
fn quiet_leaves_the_summary_of_what_went_well() {
    let text = shown(Verbosity::Quiet, reproduced());
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("1 run: 1 as expected"));
}

#[test]
fn verbose_shows_the_console_and_notes() {
    let note = Event::Note { warning: false, message: "guest: all is well".into() };
    let mut events = until_crash();
    events.push(note.clone());
    let text = shown(Verbosity::Verbose, events.clone());
    assert!(text.contains("Linux version 6.1.0") && text.contains("all is well"));
    let text = shown(Verbosity::Normal, events);
    assert!(!text.contains("Linux version 6.1.0\n[") && !text.contains("all is well"));
}

fn started_runs(count: usize) -> Event {
    let runs = (1..=count).map(|number| format!("null@debian-12.{number}")).collect();
    Event::Started { version: "1".into(), runs, folder: "target".into() }
}

/// A run of a series, with all that it tells on its way.
fn of_a_series(result: RunResult) -> Vec<Event> {
    let mut events = until_crash();
    events.push(Event::RunFinished { result: Box::new(result) });
    events
}

fn ended(outcomes: &[Outcome]) -> Event {
    let mut counts = Counts::default();
    outcomes.iter().for_each(|outcome| counts.add(*outcome));
    Event::Finished { counts, failure: None }
}

#[test]
fn of_many_runs_each_has_a_line_and_what_differs_is_shown_in_full_once() {
    use Outcome::{Mismatched, Reproduced};
    let reason = "KVM opens, but the guest's kernel printed nothing";
    let outcomes = [Reproduced, Mismatched, Mismatched, Reproduced];
    let mut events = vec![started_runs(outcomes.len())];
    for outcome in outcomes {
        let mut result = result(outcome);
        result.accel_reason = Some(reason.into());
        if outcome == Mismatched {
            let (key, expected, got) = ("kind".into(), "null-call".into(), "null-read".into());
            result.differences = vec![Difference { key, expected, got }];
        }
        events.extend(of_a_series(result));
    }
    events.push(ended(&outcomes));
    let text = shown(Verbosity::Normal, events);
    assert_eq!(text.matches(reason).count(), 1, "{text}");
    assert_eq!(text.matches("+ null-read").count(), 1, "{text}");
    assert!(text.contains("Mismatched 3/4 null@debian-12 (2m 09s): as before"), "{text}");
    assert!(!text.contains("Booting") && text.contains("4 runs: 2 as expected, 2 mismatched"));
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("Reproduced")).collect();
    assert_eq!(
        lines,
        ["  Reproduced 1/4 null@debian-12 (2m 09s)", "  Reproduced 4/4 null@debian-12 (2m 09s)"]
    );
}

#[test]
fn why_kvm_is_not_used_is_told_once_also_where_all_runs_are_as_expected() {
    let mut well = result(Outcome::Reproduced);
    well.accel_reason = Some("KVM opens and hangs".into());
    let runs = (0..3).flat_map(|_| of_a_series(well.clone()));
    let events: Vec<Event> = [started_runs(3)].into_iter().chain(runs).collect();
    let text = shown(Verbosity::Normal, events);
    assert_eq!(text.matches("not under kvm: KVM opens and hangs").count(), 1, "{text}");
}

#[test]
fn a_kernel_that_survived_has_survived_and_reproduced_nothing() {
    let mut calm = result(Outcome::Reproduced);
    calm.phases = [(Phase::Trigger, 20_000)].into();
    calm.ending = Some(Ending::Survived { complaints: 0, unloaded: true });
    let text = shown(Verbosity::Normal, finished(calm));
    assert!(text.contains("    Survived null@debian-12"), "{text}");
    assert!(text.contains("survived 20.0s, no complaint, unloaded"), "{text}");
    let mut refused = result(Outcome::Reproduced);
    refused.ending = Some(Ending::Refused { why: "Unknown symbol".into() });
    let text = shown(Verbosity::Normal, finished(refused));
    assert!(text.contains("     Refused null@debian-12") && text.contains("not loaded: Unknown"));
}

#[test]
fn what_does_not_compile_is_not_built_and_no_error_of_this_machine() {
    let mut result = result(Outcome::NotBuilt);
    result.failure = Some(Failure::new(Exit::BuildFailed, "no build:\nm.c:7: error: no member"));
    let text = shown(Verbosity::Normal, finished(result));
    assert!(
        text.contains("   Not built null@debian-12") && text.contains("m.c:7: error"),
        "{text}"
    );
    assert!(text.contains("1 run: 1 not built") && !text.contains("infra"), "{text}");
}

#[test]
fn who_stops_a_run_reads_one_line() {
    let mut stopped = result(Outcome::Skipped);
    stopped.failure = Some(Failure::new(Exit::Interrupted, "interrupted"));
    let run = Event::RunFinished { result: Box::new(stopped) };
    let text = shown(Verbosity::Normal, [started_runs(3), run, ended(&[Outcome::Skipped])]);
    assert_eq!(text, " Interrupted [31.7s] in null@debian-12, run 1 of 3\n");
}

#[test]
fn a_report_that_waits_for_a_review_is_told_once_for_all_its_runs() {
    let mut waits = result(Outcome::Reproduced);
    waits.waits = true;
    let runs = (0..2).flat_map(|_| of_a_series(waits.clone()));
    let last = ended(&[Outcome::Reproduced; 2]);
    let events: Vec<Event> = [started_runs(2)].into_iter().chain(runs).chain([last]).collect();
    let text = shown(Verbosity::Normal, events);
    assert!(text.ends_with("hint: a report waits for a review: repro review\n"), "{text}");
}
