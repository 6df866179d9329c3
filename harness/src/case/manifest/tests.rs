// SPDX-License-Identifier: MIT OR Apache-2.0
use analyzer::report::{Confidence, CrashKind};
use protocol::ExecPath;

use super::super::{FramePattern, Outcome, WantedPath};
use super::*;
use guest::strict::parse;

const FULL: &str = r#"
summary = "a call through a NULL pointer"
guests = ["debian-12"]
requires = { arch = "x86_64" }

[setup]
memory = "512MiB"
command-line = ["slub_debug=FZPU"]
sysctls = { "kernel.softlockup_panic" = 1 }

[[module]]
name = "akfs"
folder = "akfs"

[[module]]
name = "process"
parameters = { mode = "strict all", depth = 3, quiet = true }

[trigger]
run = "trigger.sh"
environment = { WHO = "me" }
timeout = "30s"
settle = "2s"
status = 3

[expect]
outcome = "panic"
kind = "null-call"
expression = "ops->get"
confidence = "proven"
culprit = { function = "inner", inlined-into = "outer", module = "process", file = "capacity.c" }
frames = ["0x0", "inner [process]", "...", "do_syscall_64"]

[guest.centos-7.expect]
frames = ["0x0", "..."]
marked-line = false

[guest.centos-7.setup]
command-line = ["nosmap"]
"#;

fn read(text: &str) -> Result<Manifest, String> {
    let manifest: Manifest =
        parse(Path::new("case.toml"), text).map_err(|error| error.to_string())?;
    manifest.check().map(|()| manifest)
}

#[test]
fn every_key_arrives() {
    let case = read(FULL).unwrap();
    assert_eq!(case.module[0].folder, Path::new("akfs"));
    assert_eq!(case.module[1].folder, Path::new("."));
    assert_eq!(case.module[1].parameter_line(), "depth=3 mode=\"strict all\" quiet=Y");
    assert_eq!(case.trigger.command, Some(TriggerCommand::Run("trigger.sh".into())));
    assert_eq!(case.trigger.timeout, Some(Duration::from_secs(30)));
    assert_eq!(case.trigger.settle, Some(Duration::from_secs(2)));
    assert_eq!(case.trigger.status, Some(WantedStatus::Is(3)));
    assert_eq!(case.setup.memory, Some(512 << 20));
    assert_eq!(case.setup.sysctls["kernel.softlockup_panic"].0, "1");
    assert_eq!(case.expect.outcome, Outcome::Panic);
    assert_eq!(case.expect.kind, Some(CrashKind::NullCall));
    assert_eq!(case.expect.confidence, Some(Confidence::Proven));
    assert_eq!(case.expect.frames.len(), 4);
}

#[test]
fn a_guest_overrides_only_what_it_names() {
    let case = read(FULL).unwrap();
    assert_eq!(case.expectation("debian-12"), case.expect);
    let other = case.expectation("centos-7");
    assert_eq!(other.kind, Some(CrashKind::NullCall));
    assert_eq!(other.frames.last(), Some(&FramePattern::Gap));
    assert!(case.expect.marked_line && !other.marked_line);
    assert_eq!(case.setup("debian-12").command_line, ["slub_debug=FZPU"]);
    assert_eq!(case.setup("centos-7-rt").command_line, ["slub_debug=FZPU", "nosmap"]);
    assert_eq!(case.setup("centos-7").command_line, ["slub_debug=FZPU", "nosmap"]);
}

#[test]
fn an_unknown_key_deep_inside_is_located() {
    let message = read(&FULL.replace("inlined-into", "inlined-in")).unwrap_err();
    assert!(message.contains("expect.culprit"), "{message}");
    assert!(message.ends_with("did you mean `inlined-into`?"), "{message}");
}

#[test]
fn a_trigger_is_either_a_script_or_a_program() {
    let both = FULL.replace("run = \"trigger.sh\"", "run = \"a\"\nexec = [\"b\"]");
    assert!(read(&both).unwrap_err().contains("either `run` or `exec`"));
    let none = FULL.replace("run = \"trigger.sh\"", "");
    assert!(read(&none).unwrap_err().contains("either `run` or `exec`"));
    let exec = FULL.replace("run = \"trigger.sh\"", "exec = [\"/bin/true\"]");
    assert_eq!(
        read(&exec).unwrap().trigger.command,
        Some(TriggerCommand::Exec(vec!["/bin/true".into()]))
    );
}

/// The full manifest with these lines in the place of the trigger's script.
fn triggered_by(lines: &str) -> Result<super::Trigger, String> {
    read(&FULL.replace("run = \"trigger.sh\"", lines)).map(|case| case.trigger)
}

#[test]
fn ways_to_execute_programs_take_the_place_of_a_command_or_come_after_it() {
    let alone = triggered_by("exec-paths = 'all'").unwrap();
    let all = ExecPaths { wanted: vec![WantedPath::All], seed: None, rounds: 1 };
    assert_eq!((alone.command, alone.exec_paths), (None, Some(all)));
    let lines =
        "run = 't.sh'\nexec-paths = ['memfd', 'script-chain']\nexec-seed = 7\nexec-rounds = 3";
    let both = triggered_by(lines).unwrap();
    assert_eq!(both.command, Some(TriggerCommand::Run("t.sh".into())));
    let wanted = [ExecPath::Memfd, ExecPath::ScriptChain].map(WantedPath::One).to_vec();
    let paths = ExecPaths { wanted, seed: Some(7), rounds: 3 };
    assert_eq!(paths.to_string(), "exec-paths: memfd, script-chain, seed 7, 3 rounds");
    assert_eq!(both.exec_paths, Some(paths));
}

#[test]
fn a_way_that_does_not_exist_is_answered_with_the_nearest_and_all() {
    let message = triggered_by("exec-paths = ['memfd-seald']").unwrap_err();
    assert!(message.contains("trigger.exec-paths"), "{message}");
    assert!(message.ends_with("did you mean `memfd-sealed`?"), "{message}");
    assert!(ExecPath::EACH.iter().all(|path| message.contains(path.name())), "{message}");
    for (lines, words) in [
        ("exec-paths = 'memdf'", "did you mean `memfd`?"),
        ("exec-paths = []", "the list is empty"),
        ("exec-paths = 'all'\nexec-rounds = 0", "`exec-rounds`"),
        ("run = 't.sh'\nexec-seed = 1", "are for `exec-paths`"),
    ] {
        let message = triggered_by(lines).unwrap_err();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn only_a_case_with_modules_can_unload_one() {
    let text =
        "summary = 's'\n[trigger]\nexec-paths = ['module-unload']\n[expect]\noutcome = 'none'";
    assert!(read(text).unwrap_err().contains("no module to unload"));
    assert!(triggered_by("exec-paths = ['all', 'module-unload']").is_ok());
}

#[test]
fn paths_stay_inside_the_case() {
    for bad in ["/etc/passwd", "../x.sh", "a/../../x"] {
        let text = FULL.replace("trigger.sh", bad);
        assert!(read(&text).unwrap_err().contains("leads out"), "{bad}");
    }
}

#[test]
fn a_parameter_cannot_break_out_of_its_quotes() {
    let text = FULL.replace("\"strict all\"", "'a\" b=\"c'");
    assert!(read(&text).unwrap_err().contains("quote"), "{text}");
}

#[test]
fn a_status_is_a_number_of_a_byte_or_any() {
    let with = |status: &str| read(&FULL.replace("status = 3", &format!("status = {status}")));
    assert_eq!(with("\"any\"").unwrap().trigger.status, Some(WantedStatus::Any));
    for wrong in ["256", "-1", "\"all\"", "true"] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
}
