// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kernels that go on: what looks like a crash and is none, and triggers that fail or do not end, against
//! a scripted machine.

use crate::support::{Played, plan, play, play_plan, vmcore};
use harness::events::{Accel, CrashSign, Phase};
use harness::exit::Exit;
use harness::run::TriggerEnd;
use harness::vm::Signal;
use protocol::{ExecEnd, ExecPath, ExecStep, Message, Process, Request, Stage};
use serde_json::json;
use tests::script::{Act, Script};

const OOPS: &str = "[    3.141592] BUG: kernel NULL pointer dereference, address: 0000000000000000";
/// What a module printed by itself.
const OWN: &str = "[    3.000000] BUG: frob: the table is full, entry dropped";
const TCG: &[Accel] = &[Accel::Tcg];

/// What QEMU's monitor prints of a CPU, at this privilege level.
fn registers(level: u32) -> serde_json::Value {
    json!(format!(
        "CPU#0\r\nRIP=0000000000401000 RFL=00000246 [---Z-P-] CPL={level} II=0 HLT=0\r\n"
    ))
}

fn processes(processes: Vec<Process>, silent_cpus: Vec<u32>) -> Act {
    Act::Say(Signal::Agent(Message::Processes { processes, more: 0, silent_cpus }))
}

fn process(state: char, held: bool) -> Act {
    let at = Some("__mutex_lock.constprop.0".to_owned());
    let one = Process { pid: 61, tid: 61, comm: "sh".into(), state, at, held };
    processes(vec![one], Vec::new())
}

fn end(played: &Played) -> Option<TriggerEnd> {
    played.driven.trigger.as_ref().map(|trigger| trigger.end)
}

/// A kernel that was made to panic by nobody: no NMI, no dump, no crash.
fn assert_left_alone(played: &Played) {
    assert_eq!(played.driven.crash, None);
    let loud = |command: &&&str| **command == "inject-nmi" || **command == "dump-guest-memory";
    assert_eq!(played.log.commands.iter().find(loud), None);
}

#[test]
fn a_line_that_a_module_prints_is_no_crash_but_a_complaint() {
    let script =
        Script::boots().on("trigger", [(100, Act::console(OWN)), (5000, Act::trigger_exit(0))]);
    let played = play(TCG, [script]);
    assert_eq!(played.failure(), "");
    assert_left_alone(&played);
    assert!(played.driven.survived);
    assert_eq!(played.driven.complaints.lines, ["BUG: frob: the table is full, entry dropped"]);
    assert!(played.log.requests.contains(&Request::Alive), "the guest was asked");
}

#[test]
fn an_oops_of_a_kernel_that_goes_on_is_a_complaint() {
    let killed = Message::TriggerExit { status: None, signal: Some(9) };
    let acts = [(100, Act::console(OOPS)), (300, Act::Say(Signal::Agent(killed)))];
    let played = play(TCG, [Script::boots().on("trigger", acts)]);
    assert_left_alone(&played);
    assert_eq!(played.driven.complaints.lines.len(), 1);
    assert_eq!(end(&played), Some(TriggerEnd::Killed { signal: 9 }));
}

#[test]
fn what_a_module_prints_while_it_is_loaded_is_a_complaint_and_of_the_boot_nobodys() {
    let script = Script::boots()
        .at(1000, Act::console("[    0.5] BUG: the firmware's table is wrong"))
        .on("load", [(10, Act::console(OWN)), (20, done("load"))])
        .on("trigger", [(100, Act::trigger_exit(0))]);
    let played = play(TCG, [script]);
    assert_left_alone(&played);
    assert_eq!(played.driven.complaints.lines, ["BUG: frob: the table is full, entry dropped"]);
}

fn done(command: &str) -> Act {
    Act::Say(Signal::Agent(Message::done(command)))
}

/// The last line in doubt comes when the time to a crash is nearly over: it is settled first.
#[test]
fn a_line_just_before_the_end_is_settled_either_way() {
    let late = |dies: bool| {
        let mut acts = vec![(0, Act::trigger_exit(0)), (2900, Act::console(OOPS))];
        if dies {
            acts.push((2950, Act::Die));
            acts.push((6000, Act::hello(Stage::Capture)));
            acts.push((7000, Act::WriteVmcore(vmcore())));
            acts.push((7000, Act::captured(0)));
            acts.push((7100, Act::shutdown("guest-shutdown")));
        }
        play(TCG, [Script::boots().on("trigger", acts)])
    };
    let dead = late(true);
    assert_eq!(dead.failure(), "");
    let crash = dead.driven.crash.as_ref().expect("it crashed");
    assert_eq!((crash.sign, crash.phase), (CrashSign::CaptureKernel, Phase::Trigger));
    assert!(crash.message.as_deref().is_some_and(|message| message.starts_with("BUG: kernel")));
    assert_left_alone(&late(false));
}

#[test]
fn the_words_of_a_crash_are_those_before_it_and_not_an_earlier_line_of_a_module() {
    let acts = vec![
        (100, Act::console(OWN)),
        (8000, Act::console(OOPS)),
        (8010, Act::Die),
        (12_000, Act::hello(Stage::Capture)),
        (13_000, Act::WriteVmcore(vmcore())),
        (13_000, Act::captured(0)),
        (13_100, Act::shutdown("guest-shutdown")),
    ];
    let played = play(TCG, [Script::boots().on("trigger", acts)]);
    let message = played.driven.crash.and_then(|crash| crash.message);
    assert!(message.is_some_and(|message| message.starts_with("BUG: kernel NULL pointer")));
}

#[test]
fn a_kernel_that_falls_silent_after_an_oops_has_crashed() {
    let acts = [(100, Act::console(OOPS)), (110, Act::Die)];
    let script = Script::boots().on("trigger", acts).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    let played = play(TCG, [script]);
    assert_eq!(played.driven.crash.as_ref().map(|crash| crash.sign), Some(CrashSign::Console));
}

#[test]
fn a_trigger_that_does_not_end_on_a_healthy_kernel_is_no_crash() {
    let played = play(
        TCG,
        [Script::boots().on("trigger", []).on("processes", [(900, process('S', false))])],
    );
    assert_left_alone(&played);
    assert!(!played.driven.survived);
    assert_eq!(played.driven.failure.as_ref().map(|failure| failure.exit), Some(Exit::CaseFailed));
    let failure = played.failure();
    assert!(failure.contains("did not end within 30s; the kernel is alive"), "{failure}");
    assert!(failure.contains("sh (61) sleeps in __mutex_lock"), "{failure}");
    assert_eq!(end(&played), Some(TriggerEnd::Running));
}

#[test]
fn a_guest_whose_cpus_run_programs_is_alive_though_nobody_answers() {
    let script = Script::boots().on("trigger", [(0, Act::Die)]).on_qmp(
        "human-monitor-command",
        [],
        Ok(registers(3)),
    );
    let played = play(TCG, [script]);
    assert_left_alone(&played);
    assert!(played.failure().contains("it runs programs"), "{}", played.failure());
}

#[test]
fn a_trigger_that_the_kernel_holds_is_a_hang() {
    for state in ['D', 'R'] {
        let script = Script::boots()
            .on("trigger", [])
            .on("processes", [(900, process(state, true))])
            .on_qmp("human-monitor-command", [], Ok(registers(3)))
            .on_qmp("dump-guest-memory", [(0, Act::WriteDump(vmcore()))], Ok(json!({})));
        let played = play(TCG, [script]);
        assert_eq!(played.driven.crash.as_ref().map(|crash| crash.sign), Some(CrashSign::Hang));
        assert!(played.log.commands.contains(&"inject-nmi"));
        let warnings = played.events.warnings().join("\n");
        assert!(warnings.contains("did not end within 30s: sh (61)"), "{warnings}");
    }
}

#[test]
fn a_kernel_that_hangs_after_the_trigger_ended_has_not_survived() {
    let acts = [(100, Act::trigger_exit(0)), (200, Act::Die)];
    let script = Script::boots()
        .on("trigger", acts)
        .on_qmp("human-monitor-command", [], Ok(registers(0)))
        .on_qmp("dump-guest-memory", [(0, Act::WriteDump(vmcore()))], Ok(json!({})));
    let played = play(TCG, [script]);
    assert!(!played.driven.survived);
    assert_eq!(played.driven.crash.as_ref().map(|crash| crash.sign), Some(CrashSign::Hang));
}

/// Programs go on, but the one that has to say how things are is held.
#[test]
fn a_guest_that_answers_no_more_after_the_trigger_ended_has_not_survived() {
    let acts = [(100, Act::trigger_exit(0)), (200, Act::Die)];
    let script =
        Script::boots().on("trigger", acts).on_qmp("human-monitor-command", [], Ok(registers(3)));
    let played = play(TCG, [script]);
    assert_left_alone(&played);
    assert!(!played.driven.survived);
    assert_eq!(played.driven.failure.as_ref().map(|failure| failure.exit), Some(Exit::CaseFailed));
    assert!(played.failure().contains("answers no more: it runs programs"), "{}", played.failure());
}

#[test]
fn the_last_lines_of_a_trigger_are_kept_and_nobody_elses() {
    let acts = [
        (100, Act::console("repro: trigger [\"/bin/ture\"]")),
        (110, Act::console("/bin/sh: /bin/ture: not found")),
        (120, Act::console("[    3.2] x: a line of the kernel")),
        (130, Act::trigger_exit(127)),
    ];
    let mut plan = plan();
    plan.unload = true;
    let played = play_plan(&plan, TCG, [Script::boots().on("trigger", acts)]);
    assert_eq!(end(&played), Some(TriggerEnd::Exited { status: 127 }));
    let trigger = played.driven.trigger.expect("it was started");
    assert_eq!(trigger.output, ["/bin/sh: /bin/ture: not found"]);
}

fn begins(step: ExecStep) -> Act {
    Act::Say(Signal::Agent(Message::ExecBegins(step)))
}

fn ends(step: ExecStep, end: ExecEnd) -> Act {
    Act::Say(Signal::Agent(Message::ExecEnds { step, end }))
}

fn step(path: ExecPath, number: u32) -> ExecStep {
    ExecStep { path, number, of: 2, seed: Some(1) }
}

#[test]
fn the_step_that_ran_when_the_kernel_stopped_is_told() {
    let (first, second) = (step(ExecPath::Execve, 1), step(ExecPath::Memfd, 2));
    let acts = [
        (100, begins(first)),
        (110, ends(first, ExecEnd::Passed)),
        // Two channels: the step's word may come after that of the console.
        (200, Act::console(OOPS)),
        (210, begins(second)),
        (220, Act::Die),
        (4000, Act::hello(Stage::Capture)),
        (7000, Act::WriteVmcore(vmcore())),
        (7001, Act::captured(0)),
    ];
    let played = play(TCG, [Script::boots().on("trigger", acts)]);
    assert!(played.driven.crash.is_some());
    let exec = played.driven.trigger.and_then(|trigger| trigger.exec).expect("it told of steps");
    assert_eq!((exec.running, exec.passed), (Some(second), 1));
}

#[test]
fn steps_of_a_kernel_that_survives_are_counted_and_named() {
    let (first, second) = (step(ExecPath::OverlayLower, 1), step(ExecPath::Setuid, 2));
    let skipped = ExecEnd::Skipped { why: "no overlay".into() };
    let failed = ExecEnd::Failed { why: "status 200 instead of status 207".into() };
    let acts = [
        (100, begins(first)),
        (110, ends(first, skipped)),
        (120, begins(second)),
        (130, ends(second, failed.clone())),
        (140, Act::trigger_exit(1)),
    ];
    let played = play(TCG, [Script::boots().on("trigger", acts)]);
    assert_left_alone(&played);
    assert_eq!(end(&played), Some(TriggerEnd::Exited { status: 1 }));
    let exec = played.driven.trigger.and_then(|trigger| trigger.exec).expect("it told of steps");
    assert_eq!((exec.running, exec.skipped, exec.failed), (None, 1, 1));
    assert_eq!((exec.not_passed[1].step, &exec.not_passed[1].end), (second, &failed));
}

/// A module whose init or exit function never returns is what the case is about, not a fault of the
/// machinery.
#[test]
fn a_load_that_does_not_return_is_a_hang() {
    let acts = [(10, Act::console("[    2.5] akfs: waits for its device")), (20, Act::Die)];
    let script = Script::boots().on("load", acts).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    let played = play(TCG, [script]);
    let crash = played.driven.crash.as_ref().expect("it hangs");
    assert_eq!((crash.sign, crash.phase), (CrashSign::Hang, Phase::Load));
    assert_eq!(played.failure(), "");
    let warnings = played.events.warnings().join("\n");
    assert!(warnings.contains("`load akfs.ko` within 20s"), "{warnings}");
}

/// Without a capture kernel, QEMU's dump is taken of a kernel that has said all: under load that takes
/// a while, and the CPUs that it stops and notes come last.
#[test]
fn qemus_dump_is_not_taken_in_the_middle_of_an_oops() {
    let lines = (0..30).map(|number| {
        let line = format!("[    3.2] RSP: 0018:ff8719b4803938b0 line {number}");
        (1000 + number * 1000, Act::console(&line))
    });
    let acts = [(200, Act::console(OOPS)), (210, Act::Die)].into_iter().chain(lines);
    let acts = acts.chain([(31_500, Act::event("GUEST_PANICKED", json!({ "action": "pause" })))]);
    let script = Script::boots().on("trigger", acts).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    let mut plan = plan();
    plan.capture = vec![harness::events::CaptureMethod::Qmp];
    plan.limits.tcg.trigger = std::time::Duration::from_secs(60);
    let played = play_plan(&plan, TCG, [script]);
    assert_eq!(played.driven.crash.as_ref().map(|crash| crash.sign), Some(CrashSign::Pvpanic));
    let last = played.events.console().pop();
    assert!(last.is_some_and(|line| line.ends_with("line 29")), "all of the oops is printed");
}

#[test]
fn a_second_kernel_on_the_console_is_the_capture_kernel_and_its_panic_its_own() {
    let acts = [
        (200, Act::console(OOPS)),
        (210, Act::Die),
        (1500, Act::console("[    0.000000] Linux version 6.1.0-1-scripted (cc) #1 SMP")),
        (
            1900,
            Act::console("[    0.4] Kernel panic - not syncing: System is deadlocked on memory"),
        ),
        (1950, Act::shutdown("guest-reset")),
    ];
    let script = Script::boots().on("trigger", acts).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    let played = play(TCG, [script]);
    let crash = played.driven.crash.as_ref().expect("it crashed");
    assert_eq!(crash.sign, CrashSign::CaptureKernel);
    assert!(crash.message.as_deref().is_some_and(|message| message.starts_with("BUG: kernel")));
    let reason = played.driven.capture_reason.unwrap_or_default();
    assert!(reason.contains("crashed itself: Kernel panic"), "{reason}");
}

/// What the trigger started goes on in the background.
#[test]
fn what_is_held_when_the_trigger_has_ended_is_a_hang() {
    for told in [process('D', true), processes(Vec::new(), vec![1])] {
        let script = Script::boots()
            .on("trigger", [(100, Act::trigger_exit(0))])
            .on("processes", [(500, told)])
            .on_qmp("dump-guest-memory", [(0, Act::WriteDump(vmcore()))], Ok(json!({})));
        let played = play(TCG, [script]);
        assert!(!played.driven.survived);
        assert_eq!(played.driven.crash.as_ref().map(|crash| crash.sign), Some(CrashSign::Hang));
    }
    let asleep = Script::boots()
        .on("trigger", [(100, Act::trigger_exit(0))])
        .on("processes", [(500, process('S', false))]);
    let played = play(TCG, [asleep]);
    assert!(played.driven.survived);
    let gently = Request::Processes { sleepers: false };
    assert!(played.log.requests.contains(&gently), "a daemon is not woken");
}

/// `dmesg` in a trigger shows how the kernel that runs began.
#[test]
fn the_log_shown_by_a_program_is_no_second_kernel() {
    let banner = "[    0.000000] Linux version 6.1.0-1-scripted (cc) #1 SMP";
    let acts = [(100, Act::console(banner)), (6000, Act::trigger_exit(0))];
    let played = play(TCG, [Script::boots().on("trigger", acts)]);
    assert_left_alone(&played);
    assert_eq!(played.driven.complaints.lines, [""; 0]);
}

#[test]
fn a_guest_that_is_restarted_or_sleeps_has_not_crashed() {
    let restarts = "[    3.5] reboot: Restarting system";
    for (line, halt) in [
        (Some(restarts), Act::shutdown("guest-reset")),
        (Some("[    3.5] sysrq: Resetting"), Act::shutdown("guest-reset")),
        (None, Act::event("SUSPEND", json!(null))),
    ] {
        let closed = Act::Say(Signal::AgentClosed);
        let said = line.map(|line| (100, Act::console(line)));
        let acts = said.into_iter().chain([(150, closed), (200, Act::Die), (300, halt)]);
        let played = play(TCG, [Script::boots().on("trigger", acts)]);
        assert_left_alone(&played);
        assert!(played.failure().contains("ended by itself"), "{}", played.failure());
    }
}

#[test]
fn a_triple_fault_of_a_modules_init_is_a_crash() {
    let script = Script::boots().on("load", [(30, Act::shutdown("guest-reset"))]).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    let played = play(TCG, [script]);
    let crash = played.driven.crash.as_ref().expect("it crashed");
    assert_eq!((crash.sign, crash.phase), (CrashSign::Reset, Phase::Load));
}

/// Programs may leave the one that would answer no time, for longer than it is given.
#[test]
fn a_busy_guest_that_printed_a_line_and_answers_late_has_not_crashed() {
    let late = Act::Say(Signal::Agent(Message::Alive));
    let script = Script::boots()
        .on("trigger", [(100, Act::console(OWN)), (40_000, Act::trigger_exit(0))])
        .on("alive", [(25_000, late)])
        .on_qmp("human-monitor-command", [], Ok(registers(3)));
    let mut plan = plan();
    plan.limits.tcg.trigger = std::time::Duration::from_secs(60);
    let played = play_plan(&plan, TCG, [script]);
    assert_left_alone(&played);
    assert!(played.driven.survived);
}

#[test]
fn a_kernel_that_only_an_nmi_ended_hung_whatever_it_printed_before() {
    let dump = vec![
        (100, Act::hello(Stage::Capture)),
        (200, Act::WriteVmcore(vmcore())),
        (200, Act::captured(0)),
        (300, Act::shutdown("guest-shutdown")),
    ];
    let sign = |line: &str| {
        let acts = [(100, Act::console(line)), (110, Act::Die)];
        let script =
            Script::boots().on("trigger", acts).on_qmp("inject-nmi", dump.clone(), Ok(json!({})));
        play(TCG, [script]).driven.crash.expect("it has a dump").sign
    };
    assert_eq!(sign(OWN), CrashSign::Hang);
    let panic = "[    3.2] Kernel panic - not syncing: Fatal exception";
    assert_eq!(sign(panic), CrashSign::Console, "it had given up, and hung in that");
}
