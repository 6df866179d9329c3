// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fast capture and snapshots against a scripted machine: every way they can go wrong, without a VM.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test it helps")]

use std::fs;
use std::path::Path;

use crate::support::{Played, note, plan, play_plan, vmcore};
use harness::events::{Accel, CaptureMethod, CrashSign};
use harness::exit::Exit;
use harness::interrupt::Interrupt;
use harness::run::plan::{BootWay, FromSnapshot, Plan};
use harness::snapshot::Snapshots;
use harness::vm::Signal;
use protocol::{Memory, Message, Request};
use serde_json::json;
use tests::script::{Act, Script};

const OOPS: &str = "[    3.141592] BUG: kernel NULL pointer dereference, address: 0000000000000000";
const MIB: u64 = 1 << 20;
const STUB: u64 = 64 * MIB;
const TCG: &[Accel] = &[Accel::Tcg];

fn fast() -> Plan {
    Plan { capture: vec![CaptureMethod::Fast, CaptureMethod::Qmp], ..plan() }
}

fn from_snapshot(cache: &Path) -> Plan {
    let kernel = cache.join("vmlinuz");
    fs::write(&kernel, "kernel").unwrap();
    let snapshot = FromSnapshot {
        snapshots: Snapshots::open(cache).unwrap(),
        variant: 0,
        initrd: tempfile::tempfile().unwrap(),
        case: tempfile::tempfile().unwrap(),
        interrupt: Interrupt::default(),
    };
    Plan { snapshot: Some(snapshot), kernel, ..fast() }
}

/// The guest loads its stub and tells of its memory.
fn armed() -> Act {
    let memory = Memory {
        ram: vec![(0x1000, 128 * MIB)],
        crash: (STUB, 80 * MIB),
        notes: vec![(0x2000, 0x200)],
        vmcoreinfo: (0x3000, 0x1000),
        text: None,
        stub: STUB,
    };
    let memory = Some(Box::new(memory));
    Act::Say(Signal::Agent(Message::Done {
        command: "arm".into(),
        took_ms: 0,
        detail: None,
        memory,
    }))
}

/// A page of RAM that the stub is in, and how often it ran.
fn stub(runs: u32) -> Act {
    let mut page = runs.to_le_bytes().to_vec();
    page.extend([0; 4]);
    page.extend(b"repro crash stub");
    Act::WriteRam(STUB + 0x80, page)
}

fn stopped() -> Act {
    Act::event("GUEST_PANICKED", json!({ "action": "pause" }))
}

/// What a crash leaves in RAM, and how it is told.
fn crash() -> Vec<(u64, Act)> {
    vec![
        (200, Act::console(OOPS)),
        (250, Act::WriteRam(0x2000, note("CORE", 1, &[0; 336]))),
        (250, Act::WriteRam(0x3000, note("VMCOREINFO", 0, b"OSRELEASE=6.1.0\n"))),
        (300, stub(1)),
        (300, stopped()),
    ]
}

fn healthy() -> Script {
    Script::boots().on("arm", [(10, armed())]).on("trigger", crash())
}

/// A machine that goes on from a snapshot.
fn restored() -> Script {
    Script::new().on("trigger", crash())
}

fn requests(played: &Played) -> Vec<&str> {
    played.log.requests.iter().map(Request::name).collect()
}

#[test]
fn a_crash_is_captured_by_the_stub() {
    let played = play_plan(&fast(), TCG, [healthy()]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.driven.capture, Some(CaptureMethod::Fast));
    assert_eq!(played.driven.boot, Some(BootWay::Cold));
    let crash = played.driven.crash.as_ref().unwrap();
    assert_eq!(crash.sign, CrashSign::Pvpanic);
    assert!(crash.message.as_deref().is_some_and(|message| message.starts_with("BUG: kernel")));
    let image = played.driven.image.as_ref().unwrap();
    let memory = ::vmcore::Vmcore::open(image).unwrap();
    assert_eq!(memory.cpus().len(), 1);
    assert_eq!(played.files(), ["qemu.txt"], "the vmcore is written from the image, not here");
    assert!(matches!(&played.log.requests[0], Request::Arm { method, .. } if method == "stub"));
}

#[test]
fn a_crash_that_prints_nothing_is_seen_by_the_stub() {
    let silent = crash().split_off(1);
    let script = Script::boots().on("arm", [(10, armed())]).on("trigger", silent);
    let played = play_plan(&fast(), TCG, [script]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.driven.crash.unwrap().sign, CrashSign::Pvpanic);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Fast));
}

#[test]
fn a_kernel_that_refuses_the_stub_is_not_triggered() {
    let refused = Script::boots().on("arm", [(10, Act::failed("arm", "kexec_load: EPERM"))]);
    let played = play_plan(&fast(), TCG, [refused]);
    assert_eq!(played.driven.not_fast.as_deref(), Some("kexec_load: EPERM"));
    assert!(!requests(&played).contains(&"load"), "the caller starts again, by kdump");
}

#[test]
fn a_panic_that_does_not_enter_the_stub_is_dumped_by_qemu() {
    let mut acts = vec![(100, stub(0)), (200, Act::console(OOPS)), (300, stopped())];
    let script = |acts| {
        Script::boots().on("arm", [(10, armed())]).on("trigger", acts).on_qmp(
            "dump-guest-memory",
            [(0, Act::WriteDump(vmcore()))],
            Ok(json!({})),
        )
    };
    let played = play_plan(&fast(), TCG, [script(acts.clone())]);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp));
    let reason = played.driven.capture_reason.unwrap();
    assert!(reason.contains("did not run"), "{reason}");

    // The kernel overwrote what was loaded for its crash.
    acts.remove(0);
    let played = play_plan(&fast(), TCG, [script(acts)]);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp));
    assert!(played.driven.capture_reason.unwrap().contains("not in the guest's memory"));
}

#[test]
fn a_hang_is_woken_by_an_nmi_and_then_dumped_by_qemu() {
    let silent = Script::boots()
        .on("arm", [(10, armed())])
        .on("trigger", [(200, Act::console(OOPS)), (210, Act::Die)])
        .on_qmp("inject-nmi", crash(), Ok(json!({})));
    let played = play_plan(&fast(), TCG, [silent]);
    assert_eq!(played.driven.capture, Some(CaptureMethod::NmiFast));

    let dead = Script::boots()
        .on("arm", [(10, armed())])
        .on("trigger", [(200, Act::console(OOPS)), (210, Act::Die)])
        .on_qmp("dump-guest-memory", [(0, Act::WriteDump(vmcore()))], Ok(json!({})));
    let played = play_plan(&fast(), TCG, [dead]);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Qmp));
    assert!(played.driven.capture_reason.unwrap().contains("nor after an NMI"));
}

#[test]
fn qemu_that_is_killed_before_the_stub_ran_is_told() {
    let acts = vec![(200, Act::console(OOPS)), (210, Act::killed())];
    let script = Script::boots().on("arm", [(10, armed())]).on("trigger", acts);
    let played = play_plan(&fast(), TCG, [script]);
    let exit = played.driven.failure.as_ref().map(|failure| failure.exit);
    assert_eq!(exit, Some(Exit::CaptureFailed));
    assert!(played.failure().contains("signal 9"), "{}", played.failure());
}

#[test]
fn the_first_run_makes_a_snapshot_and_the_next_goes_on_from_it() {
    let cache = tempfile::tempdir().unwrap();
    let plan = from_snapshot(cache.path());
    let making = Script::boots().on("arm", [(10, armed())]);
    let played = play_plan(&plan, TCG, [making, restored()]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.driven.boot, Some(BootWay::Snapshot));
    assert_eq!(played.driven.boot_reason, None);
    assert_eq!(played.driven.capture, Some(CaptureMethod::Fast));
    assert_eq!(played.log.incoming, [false, true], "one boots and is saved, one goes on from it");
    let made = ["arm", "seed", "unpack", "sysctl", "sysctl", "load", "load", "trigger"];
    assert_eq!(requests(&played), made);

    let played = play_plan(&plan, TCG, [restored()]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.driven.capture, Some(CaptureMethod::Fast));
    assert_eq!(played.log.incoming, [true]);
    let lines = played.events.console();
    assert!(lines.iter().any(|line| line.contains("Linux version")), "the boot is in the log too");
}

#[test]
fn two_restores_are_stirred_differently() {
    let cache = tempfile::tempdir().unwrap();
    let plan = from_snapshot(cache.path());
    let making = Script::boots().on("arm", [(10, armed())]);
    let seed = |played: &Played| {
        let mut seeds = played.log.requests.iter().rev().filter_map(|request| match request {
            Request::Seed { bytes } => Some(bytes.clone()),
            _ => None,
        });
        seeds.next().unwrap()
    };
    let first = seed(&play_plan(&plan, TCG, [making, restored()]));
    let second = seed(&play_plan(&plan, TCG, [restored()]));
    assert_ne!(first, second);
}

#[test]
fn a_stale_or_damaged_snapshot_is_made_again() {
    let cache = tempfile::tempdir().unwrap();
    let plan = from_snapshot(cache.path());
    let making = || Script::boots().on("arm", [(10, armed())]);
    let again = |what: &str| {
        let played = play_plan(&plan, TCG, [making(), restored()]);
        assert_eq!(played.failure(), "", "{what}");
        assert_eq!(played.log.incoming, [false, true], "{what}");
        assert_eq!(played.driven.boot, Some(BootWay::Snapshot), "{what}");
    };
    again("none");
    let file = |name: &str| {
        let folders = fs::read_dir(cache.path().join("snapshots")).unwrap();
        let mut paths = folders.map(|entry| entry.unwrap().path().join(name));
        paths.find(|path| path.exists()).unwrap()
    };
    fs::File::options().write(true).open(file("ram")).unwrap().set_len(4096).unwrap();
    again("RAM cut");
    fs::write(file("about.json"), "{").unwrap();
    again("no words about it");
    fs::write(&plan.kernel, "another kernel").unwrap();
    again("another kernel");
}

#[test]
fn a_snapshot_of_another_qemu_is_not_used() {
    let cache = tempfile::tempdir().unwrap();
    let plan = from_snapshot(cache.path());
    let making = Script::boots().on("arm", [(10, armed())]);
    play_plan(&plan, TCG, [making, restored()]);
    let folders = fs::read_dir(cache.path().join("snapshots")).unwrap();
    let mut abouts = folders.map(|entry| entry.unwrap().path().join("about.json"));
    let about = abouts.find(|path| path.exists()).unwrap();
    let text = fs::read_to_string(&about).unwrap().replace("0.0.0", "9.9.9");
    fs::write(&about, text).unwrap();
    let played = play_plan(&plan, TCG, [restored(), healthy()]);
    assert_eq!(played.failure(), "");
    assert_eq!(played.driven.boot, Some(BootWay::Cold));
    assert!(played.driven.boot_reason.unwrap().contains("of QEMU 9.9.9"));
    assert!(!about.exists(), "it is gone");
}

#[test]
fn a_restore_that_fails_is_followed_by_a_boot() {
    let cache = tempfile::tempdir().unwrap();
    let plan = from_snapshot(cache.path());
    let failed = Act::event("MIGRATION", json!({ "status": "failed" }));
    let fails = [
        ("cannot migrate", Script::new().on_qmp("migrate-incoming", [(1, failed)], Ok(json!({})))),
        ("refused", Script::new().on_qmp("migrate-incoming", [], Err("no such format".into()))),
        ("unpack", Script::new().on("unpack", [(1, Act::failed("unpack", "no disk"))])),
        ("no end of seed", Script::new().on("seed", [])),
        ("signal 9", Script::new().on("seed", [(1, Act::killed())])),
    ];
    for (words, fails) in fails {
        let making = Script::boots().on("arm", [(10, armed())]);
        let played = play_plan(&plan, TCG, [making, fails, healthy()]);
        assert_eq!(played.failure(), "", "{words}");
        assert_eq!(played.driven.boot, Some(BootWay::Cold), "{words}");
        let reason = played.driven.boot_reason.unwrap();
        assert!(reason.contains(words), "{reason}");
        assert_eq!(played.driven.capture, Some(CaptureMethod::Fast), "{words}");
    }
}

#[test]
fn a_guest_that_cannot_be_saved_boots() {
    let cache = tempfile::tempdir().unwrap();
    let plan = from_snapshot(cache.path());
    let refused = Script::boots().on("arm", [(10, armed())]).on_qmp(
        "migrate",
        [],
        Err("State blocked by a device".into()),
    );
    let played = play_plan(&plan, TCG, [refused, healthy()]);
    assert_eq!(played.failure(), "");
    assert!(played.driven.boot_reason.unwrap().contains("blocked by a device"));
    let left = fs::read_dir(cache.path().join("snapshots")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name.to_string_lossy().ends_with(".lock")), "{left:?}");
}
