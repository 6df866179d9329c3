// SPDX-License-Identifier: MIT OR Apache-2.0
//! Run control against a scripted machine: every way a guest can go wrong, without a VM.

mod alive;
mod fast_capture;
mod support;

use harness::events::{Accel, CaptureMethod, CrashSign, Event, Phase};
use harness::exit::Exit;
use protocol::{Request, Stage};
use serde_json::json;
use support::{Played, plan, play, play_plan, vmcore};
use tests::script::{Act, Script};

const OOPS: &str = "[    3.141592] BUG: kernel NULL pointer dereference, address: 0000000000000000";
const TCG: &[Accel] = &[Accel::Tcg];

/// What a healthy guest does after the trigger: oops, capture kernel, vmcore, power off.
fn crash_and_dump(dump: Vec<u8>) -> Vec<(u64, Act)> {
    let log = b"[    3.141592] BUG: kernel NULL pointer dereference\n".to_vec();
    let log_bytes = log.len() as u64;
    vec![
        (200, Act::console(OOPS)),
        (210, Act::Die),
        (4000, Act::hello(Stage::Capture)),
        (7000, Act::WriteVmcore(dump)),
        (7000, Act::WriteDmesg(log)),
        (7001, Act::captured(log_bytes)),
        (7100, Act::shutdown("guest-shutdown")),
    ]
}

fn healthy() -> Script {
    Script::boots().on("trigger", crash_and_dump(vmcore()))
}

fn exit(played: &Played) -> Option<Exit> {
    played.driven.failure.as_ref().map(|failure| failure.exit)
}

#[test]
fn a_crash_is_captured_by_kdump() {
    let played = play(TCG, [healthy()]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.driven.capture, Some(CaptureMethod::Kdump));
    assert_eq!(played.driven.capture_reason, None);
    let crash = played.driven.crash.as_ref().unwrap();
    assert_eq!((crash.sign, crash.phase), (CrashSign::CaptureKernel, Phase::Trigger));
    assert!(crash.message.as_deref().unwrap().starts_with("BUG: kernel NULL pointer"));
    assert_eq!(played.files(), ["qemu.txt", "vmcore", "vmcore-dmesg.txt"]);
    let kept = std::fs::read(played.folder.path().join("vmcore")).unwrap();
    assert_eq!(kept, vmcore(), "cut to its true end, not the size of the disk");
    assert_eq!(played.log.killed, 1, "the machine is ended");
}

#[test]
fn requests_come_in_the_order_of_a_run() {
    let played = play(TCG, [healthy()]);
    let names: Vec<_> = played.log.requests.iter().map(Request::name).collect();
    let order = ["arm", "sysctl", "sysctl", "load", "load", "trigger"];
    // Its oops is a doubt until the capture kernel speaks.
    assert_eq!(names, [&order[..], &["alive"]].concat());
    assert!(matches!(
        &played.log.requests[0],
        Request::Arm { command_line, .. } if command_line.ends_with("nosmp")
    ));
}

#[test]
fn phases_are_told_in_order() {
    let played = play(TCG, [healthy()]);
    let phases: Vec<_> = played
        .events
        .all()
        .iter()
        .filter_map(|event| match event {
            Event::PhaseFinished { phase, .. } => Some(*phase),
            _ => None,
        })
        .collect();
    let order = [Phase::Boot, Phase::Arm, Phase::Load, Phase::Trigger, Phase::Capture];
    assert_eq!(phases, order);
}

#[test]
fn kvm_that_hangs_after_the_decompressor_is_left_for_tcg_and_remembered() {
    let hangs = Script::new()
        .at(100, Act::console("early console in extract_kernel"))
        .at(200, Act::console("Booting the kernel."));
    let played = play(&[Accel::Kvm, Accel::Tcg], [hangs, healthy()]);
    assert_eq!(played.log.launches, [Accel::Kvm, Accel::Tcg]);
    assert_eq!(played.driven.accel, Some(Accel::Tcg));
    assert_eq!(played.driven.capture, Some(CaptureMethod::Kdump));
    let reason = played.driven.accel_reason.clone().unwrap();
    assert!(reason.contains("printed nothing"), "{reason}");
    assert_eq!(played.memory.broken(), Some(reason));
    assert_eq!(played.log.killed, 2, "the hanging machine is ended too");
}

#[test]
fn kvm_that_qemu_cannot_use_is_left_for_tcg() {
    let refused = Script::refuses("error: failed to set MSR 0x48e to 0xfff9fffe04006172");
    let played = play(&[Accel::Kvm, Accel::Tcg], [refused, healthy()]);
    assert_eq!(played.driven.accel, Some(Accel::Tcg));
    assert!(played.driven.accel_reason.clone().unwrap().contains("MSR"));
}

#[test]
fn kvm_that_hangs_is_an_error_where_only_kvm_is_wanted() {
    let played = play(&[Accel::Kvm], [Script::new()]);
    assert_eq!(exit(&played), Some(Exit::Unavailable));
    assert_eq!(played.memory.broken(), None);
}

#[test]
fn a_kernel_that_printed_proves_kvm_even_if_it_boots_slowly() {
    let slow = Script::new()
        .at(4000, Act::console("[    0.000000] Linux version 6.1.0"))
        .at(50_000, Act::hello(Stage::First))
        .on("trigger", crash_and_dump(vmcore()));
    let played = play(&[Accel::Kvm, Accel::Tcg], [slow]);
    assert_eq!(played.driven.accel, Some(Accel::Kvm));
    assert_eq!(played.failure(), "");
}

#[test]
fn a_guest_that_never_boots_is_a_boot_failure() {
    let played = play(TCG, [Script::new().at(10, Act::console("early console"))]);
    assert_eq!(exit(&played), Some(Exit::BootFailed));
    assert!(played.failure().contains("printed nothing within 60s"), "{}", played.failure());
    assert!(played.driven.crash.is_none());

    let no_init = Script::new().at(10, Act::console("[    0.000000] Linux version 6.1.0"));
    let played = play(TCG, [no_init]);
    assert_eq!(exit(&played), Some(Exit::BootFailed));
    assert!(played.failure().contains("init said nothing"), "{}", played.failure());
}

#[test]
fn a_panic_before_kdump_is_armed_is_dumped_by_qemu_and_still_a_boot_failure() {
    let panics = Script::new()
        .at(300, Act::console("[    0.000000] Linux version 6.1.0"))
        .at(900, Act::console("[    0.9] Kernel panic - not syncing: VFS: Unable to mount root fs"))
        .at(1000, Act::shutdown("guest-reset"))
        .on_qmp("dump-guest-memory", [(0, Act::WriteDump(vmcore()))], Ok(json!({})));
    let played = play(TCG, [panics]);
    assert_eq!(exit(&played), Some(Exit::BootFailed));
    assert!(played.failure().contains("VFS: Unable to mount root"), "{}", played.failure());
    assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp));
    assert_eq!(played.driven.crash.as_ref().unwrap().phase, Phase::Boot);
    assert_eq!(played.log.commands, ["stop", "dump-guest-memory"], "no NMI to a dead kernel");
}

#[test]
fn an_oops_before_the_trigger_is_told_apart_from_one_after_it() {
    let at_load = Script::boots().on("load", crash_and_dump(vmcore()));
    let played = play(TCG, [at_load]);
    assert_eq!(played.driven.crash.as_ref().unwrap().phase, Phase::Load);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Kdump));
    assert_eq!(played.failure(), "", "a module that crashes while it is loaded is judged");
}

#[test]
fn of_two_oopses_the_first_tells() {
    let mut acts = crash_and_dump(vmcore());
    acts.push((300, Act::console("[    3.2] general protection fault: 0000 [#2] SMP")));
    acts.push((4500, Act::console("[    0.9] BUG: scheduling while atomic")));
    let played = play(TCG, [Script::boots().on("trigger", acts)]);
    assert_eq!(played.failure(), "");
    let message = played.driven.crash.unwrap().message.unwrap();
    assert!(message.starts_with("BUG: kernel NULL pointer dereference"), "{message}");
}

#[test]
fn a_crash_that_prints_nothing_is_seen_by_the_capture_kernels_hello() {
    let acts = crash_and_dump(vmcore()).split_off(1);
    let played = play(TCG, [Script::boots().on("trigger", acts)]);
    assert_eq!(played.failure(), "");
    let crash = played.driven.crash.unwrap();
    assert_eq!((crash.sign, crash.message), (CrashSign::CaptureKernel, None));
}

#[test]
fn a_port_that_closes_is_a_sign_where_nothing_else_comes() {
    let acts = [
        (100, Act::Say(harness::vm::Signal::AgentClosed)),
        (100, Act::Die),
        (200, Act::console(OOPS)),
    ];
    let script = Script::boots().on("trigger", acts).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    let played = play(TCG, [script]);
    let crash = played.driven.crash.unwrap();
    assert_eq!(crash.sign, CrashSign::AgentClosed);
    assert!(crash.message.unwrap().starts_with("BUG: kernel NULL"));
}

#[test]
fn a_refused_module_is_named_with_the_guests_words() {
    let message =
        "process: version magic '6.1.0 SMP' should be '6.1.0-1-scripted SMP': Exec format error";
    let refused = Script::boots().on("load", [(20, Act::failed("load", message))]);
    let played = play(TCG, [refused]);
    assert_eq!(exit(&played), Some(Exit::BootFailed));
    assert!(played.failure().contains("akfs.ko") && played.failure().contains("version magic"));
    assert!(played.driven.crash.is_none());
}

#[test]
fn a_trigger_that_does_not_crash_is_not_a_failure_of_the_machinery() {
    let harmless = Script::boots().on("trigger", [(500, Act::trigger_exit(3))]);
    let played = play(TCG, [harmless]);
    assert!(played.driven.survived && played.driven.failure.is_none());
    assert!(
        played
            .events
            .all()
            .iter()
            .any(|event| matches!(event, Event::TriggerExited { how } if how == "exit status 3"))
    );
}

/// A kernel that reports, in two parts with other lines around, and goes on.
fn reports() -> Vec<(u64, Act)> {
    vec![
        (100, Act::console("[    3.1] tickets: 7 is open")),
        (300, Act::console("[    3.3] WARNING: CPU: 0 PID: 9 at kernel/jiffy.c:1 jiffy+0x1/0x2")),
        (400, Act::console("[    3.4] WARNING: CPU: 0 PID: 9 at lib/refcount.c:28 x+0x1/0x2")),
        (500, Act::console("[    3.5] Call Trace:")),
        (600, Act::console("[    3.6] ---[ end trace 0 ]---")),
        (5000, Act::trigger_exit(0)),
    ]
}

#[test]
fn a_kernel_that_complains_is_stopped_behind_its_report_where_that_is_wanted() {
    let complains = || {
        Script::boots().on("trigger", reports()).on_qmp(
            "dump-guest-memory",
            [(0, Act::WriteDump(vmcore()))],
            Ok(json!({})),
        )
    };
    let mut plan = plan();
    let played = play_plan(&plan, TCG, [complains()]);
    assert!(played.driven.survived && played.driven.capture.is_none());
    assert!(played.log.commands.is_empty(), "nobody wanted a dump: {:?}", played.log.commands);

    plan.trigger.stop_unless = Some(vec!["kernel/jiffy.c".to_owned()]);
    let played = play_plan(&plan, TCG, [complains()]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.log.commands, ["stop", "dump-guest-memory"]);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp));
    let crash = played.driven.crash.unwrap();
    assert_eq!((crash.sign, crash.phase), (CrashSign::Complaint, Phase::Trigger));
    assert!(crash.message.unwrap().contains("lib/refcount.c:28"), "the one that was not allowed");
    assert_eq!(played.driven.complaints.lines.len(), 2);
    let console = played.events.console();
    assert!(console.last().unwrap().contains("end trace"), "the whole report: {console:?}");
    let ended = |event: &Event| matches!(event, Event::TriggerExited { .. });
    assert!(!played.events.all().iter().any(ended), "it was stopped before the trigger's end");

    plan.trigger.stop_unless = Some(vec!["WARNING".to_owned()]);
    let played = play_plan(&plan, TCG, [complains()]);
    assert!(played.driven.survived && played.driven.capture.is_none(), "all are allowed");

    // One that prints without end is stopped, too.
    let lines = (0..300).map(|line| (700 + 100 * line, Act::console("[    4.0] noise: and more")));
    let endless = Script::boots().on("trigger", reports().into_iter().take(5).chain(lines)).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    plan.trigger.stop_unless = Some(vec!["kernel/jiffy.c".to_owned()]);
    let played = play_plan(&plan, TCG, [endless]);
    assert_eq!(played.driven.crash.unwrap().sign, CrashSign::Complaint);
    assert!(played.events.console().len() < 100, "{}", played.events.console().len());

    // Without a dump there is still what the kernel said.
    plan.trigger.stop_unless = Some(Vec::new());
    let refused = Err("no such command".to_owned());
    let played = play_plan(
        &plan,
        TCG,
        [Script::boots().on("trigger", reports()).on_qmp("dump-guest-memory", [], refused)],
    );
    assert!(played.driven.survived && played.driven.failure.is_none());
    assert_eq!(played.driven.complaints.lines.len(), 2);
}

#[test]
fn a_crash_after_the_trigger_ended_counts() {
    let mut acts = vec![(500, Act::trigger_exit(0))];
    acts.extend(crash_and_dump(vmcore()).into_iter().map(|(at, act)| (at + 2500, act)));
    let played = play(TCG, [Script::boots().on("trigger", acts)]);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Kdump));
}

#[test]
fn a_trigger_that_cannot_be_started_is_an_error_of_the_case() {
    let failed = Act::failed("trigger", "/case/trigger: no such file or directory");
    let played = play(TCG, [Script::boots().on("trigger", [(5, failed)])]);
    assert_eq!(exit(&played), Some(Exit::BootFailed));
    assert!(played.failure().contains("no such file"));
}

#[test]
fn a_hang_after_the_trigger_is_woken_by_an_nmi() {
    let mut dump = crash_and_dump(vmcore());
    dump[0].1 = Act::console("[   35.0] Kernel panic - not syncing: NMI: Not continuing");
    let hangs =
        Script::boots().on("trigger", [(0, Act::Die)]).on_qmp("inject-nmi", dump, Ok(json!({})));
    let played = play(TCG, [hangs]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.driven.crash.as_ref().unwrap().sign, CrashSign::Hang);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Kdump));
}

#[test]
fn a_hang_that_no_nmi_wakes_is_dumped_by_qemu() {
    let dead = Script::boots().on("trigger", [(0, Act::Die)]).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    let played = play(TCG, [dead]);
    assert_eq!(played.driven.crash.as_ref().unwrap().sign, CrashSign::Hang);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp));
}

#[test]
fn a_capture_kernel_that_never_starts_is_replaced_by_qemus_dump() {
    let last_words = [(200, Act::console(OOPS)), (210, Act::Die)];
    let dies = Script::boots().on("trigger", last_words).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    let played = play(TCG, [dies]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp));
    let reason = played.driven.capture_reason.clone().unwrap();
    assert!(reason.contains("did not start within 15s, nor after an NMI"), "{reason}");
    // Its CPUs are looked at first.
    let asked = ["human-monitor-command", "inject-nmi", "stop", "dump-guest-memory"];
    assert_eq!(played.log.commands, asked);
    assert_eq!(std::fs::read(played.folder.path().join("vmcore")).unwrap(), vmcore());
}

#[test]
fn a_capture_kernel_started_by_the_nmi_is_told_as_such() {
    let acts = crash_and_dump(vmcore()).split_off(2);
    let last_words = [(200, Act::console(OOPS)), (210, Act::Die)];
    let late = Script::boots().on("trigger", last_words).on_qmp("inject-nmi", acts, Ok(json!({})));
    let played = play(TCG, [late]);
    assert_eq!(played.driven.capture, Some(CaptureMethod::NmiKdump));
}

#[test]
fn a_capture_kernel_that_hangs_or_fails_is_replaced_by_qemus_dump() {
    let hello = [(200, Act::console(OOPS)), (210, Act::Die), (4000, Act::hello(Stage::Capture))];
    let failed = Act::failed("makedumpfile", "exit status 1: Can't allocate memory");
    for (act, words) in [
        (None, "did not finish within 60s"),
        (Some(failed), "makedumpfile: exit status 1: Can't allocate memory"),
        (Some(Act::shutdown("guest-reset")), "ended by itself (guest-reset)"),
    ] {
        let acts = hello.iter().cloned().chain(act.map(|act| (5000, act)));
        let script = Script::boots().on("trigger", acts).on_qmp(
            "dump-guest-memory",
            [(0, Act::WriteDump(vmcore()))],
            Ok(json!({})),
        );
        let played = play(TCG, [script]);
        assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp), "{words}");
        let reason = played.driven.capture_reason.clone().unwrap();
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn a_truncated_vmcore_is_never_called_vmcore() {
    let mut half = vmcore();
    half.truncate(half.len() / 2);
    let script = Script::boots().on("trigger", crash_and_dump(half.clone())).on_qmp(
        "dump-guest-memory",
        [],
        Err("not supported".into()),
    );
    let played = play(TCG, [script]);
    assert_eq!(exit(&played), Some(Exit::CaptureFailed));
    assert!(played.failure().contains("the vmcore is not usable"), "{}", played.failure());
    assert!(played.failure().contains("not supported"), "{}", played.failure());
    assert_eq!(played.files(), ["qemu.txt", "vmcore-incomplete"]);
}

#[test]
fn a_full_disk_is_named_and_no_other_dump_is_tried_there() {
    let full = json!({"nospace": true, "reason": "No space left on device", "device": "vmcore"});
    let script = Script::boots().on(
        "trigger",
        [
            (200, Act::console(OOPS)),
            (4000, Act::hello(Stage::Capture)),
            (5000, Act::event("BLOCK_IO_ERROR", full)),
            (5100, Act::failed("makedumpfile", "exit status 1")),
        ],
    );
    let played = play(TCG, [script]);
    assert_eq!(exit(&played), Some(Exit::CaptureFailed));
    assert!(played.failure().contains("no space left on device"), "{}", played.failure());
    assert!(!played.log.commands.contains(&"dump-guest-memory"));
}

#[test]
fn qemu_lost_in_any_phase_is_told_with_the_phase() {
    let during_boot = Script::new().at(500, Act::killed());
    let during_load = Script::boots().on("load", [(5, Act::killed())]);
    let during_trigger = Script::boots().on("trigger", [(5, Act::killed())]);
    let during_capture =
        Script::boots().on("trigger", [(200, Act::hello(Stage::Capture)), (900, Act::killed())]);
    for (script, code, words) in [
        (during_boot, Exit::BootFailed, "before its kernel was up"),
        (during_load, Exit::BootFailed, "before it was ready"),
        (during_trigger, Exit::CaptureFailed, "while the trigger ran"),
        (during_capture, Exit::CaptureFailed, "before the vmcore was complete"),
    ] {
        let played = play(TCG, [script]);
        assert_eq!(exit(&played), Some(code), "{words}");
        assert!(played.failure().contains(words), "{}", played.failure());
        assert!(played.failure().contains("signal 9"), "{}", played.failure());
    }
}

#[test]
fn a_triple_fault_leaves_its_memory_to_qemus_dump() {
    let script = Script::boots().on("trigger", [(300, Act::shutdown("guest-reset"))]).on_qmp(
        "dump-guest-memory",
        [(0, Act::WriteDump(vmcore()))],
        Ok(json!({})),
    );
    let played = play(TCG, [script]);
    assert_eq!(played.driven.crash.as_ref().unwrap().sign, CrashSign::Reset);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp));
}

#[test]
fn kdump_that_cannot_be_armed_degrades_to_qemus_dump() {
    let message = "kexec_file_load: no memory reserved for it: Cannot assign requested address";
    let script = Script::boots()
        .on("arm", [(10, Act::failed("arm", message))])
        .on("trigger", [(200, Act::console(OOPS)), (210, Act::Die)])
        .on_qmp("dump-guest-memory", [(0, Act::WriteDump(vmcore()))], Ok(json!({})));
    let played = play(TCG, [script]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp));
    assert!(played.driven.capture_reason.clone().unwrap().contains("no memory reserved"));
    assert!(played.events.warnings().iter().any(|text| text.contains("cannot be armed")));
}

#[test]
fn an_interruption_ends_every_phase() {
    let stop = || Act::Say(harness::vm::Signal::Interrupted);
    let during_boot = Script::new().at(500, stop());
    let during_arm = Script::boots().on("arm", [(5, stop())]);
    let during_load = Script::boots().on("load", [(5, stop())]);
    let during_trigger = Script::boots().on("trigger", [(5, stop())]);
    let during_capture = Script::boots().on("trigger", [(200, Act::console(OOPS)), (900, stop())]);
    for script in [during_boot, during_arm, during_load, during_trigger, during_capture] {
        let played = play(&[Accel::Kvm, Accel::Tcg], [script]);
        assert_eq!(exit(&played), Some(Exit::Interrupted));
        assert_eq!(played.log.launches.len(), 1, "no second try after Ctrl-C");
        assert_eq!(played.log.killed, 1);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_starts() {
    let mut plan = plan();
    plan.memory_bytes = u64::MAX >> 1; // no file system takes a disk of that size
    let played = play_plan(&plan, TCG, [healthy()]);
    assert_eq!(exit(&played), Some(Exit::WriteFailed));
    assert!(played.log.launches.is_empty());
}
