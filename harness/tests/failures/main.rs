// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs that go wrong, with a real guest: each gives a clear error or a degraded result, the
//! documented exit code, and leaves nothing running.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test it helps")]

mod degraded;
mod support;

use std::fs;

use rustix::process::Signal;
use serde_json::Value;
use support::{Ended, Project, all_end};

/// Makes sure that there is something to build: a source that no cache has seen.
fn unseen(project: &Project) {
    let source = project.case().join("akfs/class.c");
    let mut text = fs::read_to_string(&source).unwrap();
    text.push_str(&format!("/* {} */\n", project.path("").display()));
    fs::write(&source, text).unwrap();
}

fn phase(event: &Value, name: &str) -> bool {
    event["type"] == "phase-started" && event["phase"] == name
}

#[test]
fn without_qemu_the_error_says_so() {
    let project = Project::new();
    let mut command = project.command();
    command.args(["--qemu", "/no/such/qemu"]);
    Ended::of(command).is("infra-error", 69, &["/no/such/qemu", "repro doctor"]);
}

#[test]
fn a_guest_that_panics_while_it_boots_is_dumped_by_qemu() {
    let project = Project::new();
    project.edit(&project.guest(), "\"oops=panic\"", "\"rdinit=/no/such/init\", \"oops=panic\"");
    let ended = project.run();
    ended.is("infra-error", 104, &["before the guest was up", "Kernel panic", "qemu.txt"]);
    assert_eq!(ended.run["capture"], "qmp");
    let dump = fs::read(project.artifacts().join("vmcore")).unwrap();
    assert!(dump.starts_with(b"\x7fELF"));
}

#[test]
fn a_guest_that_never_boots_is_ended_in_time() {
    let project = Project::new();
    project.edit(&project.guest(), "boot = \"120s\"", "boot = \"5s\"");
    // The decompressor stops where it finds too little memory for the kernel.
    project.edit(&project.guest(), "\"oops=panic\"", "\"mem=1M\"");
    let ended = project.run();
    ended.is("infra-error", 104, &["within 5s"]);
    assert!(project.artifacts().join("console.log").is_file());
}

#[test]
fn a_trigger_that_does_not_crash_is_not_reproduced() {
    let project = Project::new();
    fs::write(project.case().join("trigger.sh"), "exit 3\n").unwrap();
    project.edit(&project.guest(), "trigger = \"120s\"", "trigger = \"20s\"");
    let ended = project.run();
    ended.is("not-reproduced", 100, &["1 not reproduced"]);
    assert_eq!(ended.run["differences"][0]["key"], "outcome");
}

#[test]
fn a_case_that_expects_something_else_is_mismatched() {
    let project = Project::new();
    let manifest = project.case().join("case.toml");
    project.edit(&manifest, "kind = \"null-call\"", "kind = \"null-read\"");
    let ended = project.run();
    ended.is("mismatched", 100, &["- null-read", "+ null-call", "hint: if this is the new truth"]);
}

#[test]
fn a_module_that_the_kernel_refuses_is_named_with_the_kernels_words() {
    let project = Project::new();
    let manifest = project.case().join("case.toml");
    // The module that needs the other one's symbols comes first.
    project.edit(&manifest, "name = \"akfs\"\nparameters = { stop = true }", "name = \"process\"");
    project.edit(&manifest, "name = \"process\"\n\n[trigger]", "name = \"akfs\"\n\n[trigger]");
    project.run().is("infra-error", 104, &["refused process.ko", "symbol"]);
}

#[test]
fn a_module_that_does_not_build_shows_the_compilers_words() {
    let project = Project::new();
    let source = project.case().join("process/src/capacity.c");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, format!("{text}\nint broken(void) {{ return no_such_name; }}\n")).unwrap();
    project.run().is("not-built", 101, &["no_such_name", "capacity.c"]);
}

#[test]
fn a_dump_that_the_disk_has_no_room_for_is_told() {
    let project = Project::new();
    let out = project.path("small");
    // The initramfs and the logs fit, the dump does not.
    let command = Project::with_small_disk(&project.command_into(&out), &out, 40);
    let ended = Ended::of(command);
    ended.is("infra-error", 105, &["no space left on device", "--out"]);
}

#[test]
fn two_runs_at_once_do_not_disturb_each_other() {
    let project = Project::new();
    let runs: Vec<_> = (0..2).map(|_| project.command().spawn().unwrap()).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(project.partial(), [""; 0]);
}

#[test]
fn an_interruption_in_any_phase_ends_everything_and_writes_what_there_is() {
    for name in ["build", "boot", "arm", "capture", "analyze"] {
        let mut project = Project::new();
        unseen(&project);
        let mut run = project.start(&[]);
        run.until(|event| phase(event, name));
        let processes = run.descendants();
        run.signal(Signal::INT);
        assert_eq!(run.wait().code(), Some(130), "{name}");
        assert!(all_end(&processes), "{name}");
        assert_eq!(project.partial(), [""; 0], "{name}");
        let runs = fs::read_to_string(project.path("out/latest/run.json")).unwrap();
        let runs: Value = serde_json::from_str(&runs).unwrap();
        assert_eq!(runs["schema_version"], 1);
    }
}

#[test]
fn a_kill_in_any_phase_ends_everything_and_the_next_run_tidies_up() {
    let mut project = Project::new();
    for name in ["build", "boot", "arm", "capture"] {
        unseen(&project);
        let mut run = project.start(&[]);
        run.until(|event| phase(event, name));
        let processes = run.descendants();
        run.signal(Signal::KILL);
        assert_eq!(run.wait().code(), None, "{name}");
        assert!(all_end(&processes), "{name}");
    }
    assert_eq!(project.partial().len(), 1, "each start removed what the one before left");
    let mut command = project.command();
    command.args(["--qemu", "/no/such/qemu"]);
    Ended::of(command).is("infra-error", 69, &[]);
    assert_eq!(project.partial(), [""; 0]);
}

#[test]
fn an_interruption_of_a_fetch_leaves_no_program_behind() {
    for signal in [Signal::INT, Signal::KILL] {
        let mut project = Project::new();
        let cache = project.path("cache");
        let mut run = project.start(&["--cache-dir", cache.to_str().unwrap()]);
        run.until(|event| event["type"] == "progress");
        let processes = run.descendants();
        run.signal(signal);
        let code = run.wait().code();
        assert_eq!(code, (signal == Signal::INT).then_some(130));
        assert!(all_end(&processes));
    }
}
