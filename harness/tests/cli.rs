// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: help texts, exit codes, and what goes to stdout.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test it helps")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// `repro` without anything of the user's environment that it would follow.
fn repro(arguments: &[&str]) -> Output {
    repro_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), arguments)
}

fn repro_in(project: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_repro"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let follows = ["REPRO_", "CLICOLOR", "DEBUGINFOD_"];
        if follows.iter().any(|beginning| name.starts_with(beginning)) {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(project).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn fails(arguments: &[&str], code: i32, words: &[&str]) {
    let output = repro(arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert_eq!(stdout(&output), "", "nothing but data goes to stdout");
}

macro_rules! help {
    ($($test:ident: $arguments:expr;)*) => {$(
        #[test]
        fn $test() {
            let output = repro(&$arguments);
            assert!(output.status.success());
            insta::assert_snapshot!(stringify!($test), stdout(&output));
        }
    )*};
}

help! {
    help: ["--help"];
    help_run: ["run", "--help"];
    help_test: ["test", "--help"];
    help_review: ["review", "--help"];
    help_merge: ["merge", "--help"];
    help_new_case: ["new-case", "--help"];
    help_exec_paths: ["exec-paths", "--help"];
    help_bisect: ["bisect", "--help"];
    help_completions: ["completions", "--help"];
    help_help: ["help", "--help"];
    help_man: ["man", "--help"];
    help_record: ["record", "--help"];
    help_score: ["score", "--help"];
    help_analyze: ["analyze", "--help"];
    help_crash: ["crash", "--help"];
    help_guest: ["guest", "--help"];
    help_guest_list: ["guest", "list", "--help"];
    help_guest_fetch: ["guest", "fetch", "--help"];
    help_guest_import: ["guest", "import", "--help"];
    help_guest_remove: ["guest", "remove", "--help"];
    help_doctor: ["doctor", "--help"];
    help_clean: ["clean", "--help"];
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    fails(&[], 2, &["Usage: repro"]);
    fails(&["bogus"], 2, &["bogus"]);
    fails(&["run", "--accel", "warp"], 2, &["warp", "auto, kvm, tcg"]);
    fails(&["run", "-n", "0"], 2, &["0"]);
    fails(&["analyze"], 2, &["<FILE>"]);
}

#[test]
fn ways_to_execute_programs_are_listed_with_a_line_each() {
    let output = repro(&["exec-paths"]);
    assert!(output.status.success());
    let text = stdout(&output);
    let names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.iter().copied().eq(protocol::ExecPath::EACH.iter().map(|path| path.name())));
    assert!(
        text.lines().all(|line| line.split_once("  ").is_some_and(|(_, about)| !about.is_empty()))
    );
}

#[test]
fn what_is_not_there_is_named_together_with_what_is() {
    fails(&["run", "no-such-case"], 4, &["no-such-case", "cases: abba-deadlock, ", " more"]);
    let meant = ["did you mean `process-get-fhash-null`"];
    fails(&["run", "process-get-fhahs-null"], 4, &meant);
    fails(&["test", "process-get-fhahs-null"], 4, &meant);
    fails(&["test", "--guest", "debain-12"], 4, &["did you mean `debian-12`"]);
    fails(
        &["run", "process-get-fhash-null@no-such-guest"],
        4,
        &["no-such-guest", "guests: ", "debian-12"],
    );
    fails(&["guest", "fetch", "no-such-guest"], 4, &["no-such-guest", "debian-12"]);
}

#[test]
fn outside_of_a_project_a_case_is_named_by_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_repro"))
        .arg("run")
        .env_remove("REPRO_ROOT")
        .env("REPRO_CACHE", folder.path().join("cache"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("has a repro.toml"));
    assert!(stderr(&output).contains("case.toml") && stderr(&output).contains("repro new-case"));
}

#[test]
fn a_wrong_manifest_is_a_setup_error_with_its_place() {
    let project = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("repro.toml", "default-case = \"c\"\ndefault-guest = \"g\"\n");
    write("guests/g.toml", "summary = \"x\"\n");
    write("modules/c/case.toml", "sumary = \"x\"\n");
    let root = project.path().to_str().unwrap();
    fails(&["run", "--root", root], 96, &["case.toml:1", "did you mean `summary`"]);
    fails(&["run", "--root", "/no/such/project"], 96, &["/no/such/project"]);
}

#[test]
fn folders_that_cannot_be_written_are_told_before_anything_is_done() {
    fails(&["run", "--cache-dir", "/dev/null/cache"], 96, &["/dev/null/cache", "--cache-dir"]);
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().to_str().unwrap();
    fails(&["run", "--cache-dir", cache, "--out", "/dev/null/out"], 110, &["/dev/null/out"]);
    fails(&["run", "--cache-dir", cache, "--events", "/dev/null/e"], 110, &["/dev/null/e"]);
}

#[test]
fn an_empty_cache_without_a_network_is_a_failed_fetch() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cache, out) = (path("cache"), path("out"));
    let output =
        repro(&["run", "--offline", "--cache-dir", &cache, "--out", &out, "--format=json"]);
    assert_eq!(output.status.code(), Some(103), "{}", stderr(&output));
    let runs: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &runs["runs"][0];
    assert_eq!(run["outcome"], "infra-error");
    assert_eq!(run["failure"]["exit"], "fetch-failed");
    let kept = fs::read_to_string(Path::new(&out).join("latest/run.json")).unwrap();
    assert_eq!(kept, stdout(&output), "run.json is what is printed");
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    fails(&["analyze", pipe.to_str().unwrap()], 106, &["cannot read", "not a regular file"]);
    fails(&["analyze", folder.path().to_str().unwrap()], 106, &["folder without a vmcore"]);
}

#[test]
fn a_cause_is_told_once() {
    let output = repro(&["run", "--cache-dir", "/dev/null/cache"]);
    assert_eq!(stderr(&output).matches("Not a directory").count(), 1, "{}", stderr(&output));
}

#[test]
fn what_is_no_dump_is_named() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    fails(&["analyze", file], 106, &[file, "not a vmcore"]);
    fails(&["analyze", "/no/such/vmcore"], 106, &["/no/such/vmcore"]);
    for option in ["--module-dir", "--vmlinux"] {
        fails(&["analyze", file, option, "/no/such/file"], 2, &["/no/such/file"]);
    }
    let (dump, program) = (env!("CARGO_BIN_EXE_repro"), env!("CARGO_BIN_EXE_repro"));
    fails(&["analyze", dump, "--vmlinux", program], 2, &["no vmlinux, but a program"]);
}

/// The way out is a hint below the message, for one file and for one of a set.
#[test]
fn a_file_of_another_format_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let state = path("state", b"QEVM\0\0\0\x03");
    let named = "not a vmcore but a migration stream of QEMU";
    fails(&["analyze", &state], 106, &[&state, named, "hint:", "dump-guest-memory"]);
    fails(&["crash", &state, "-c", "sys"], 106, &[&state, named, "hint:"]);
    let disk = path("disk", b"QFI\xfb\0\0\0\x03");
    fails(&["analyze", &disk, &state], 106, &[&disk, "qcow2", "hint:", "virt-copy-out"]);
    let empty = path("empty", b"");
    fails(&["analyze", &empty], 106, &[&empty, "an empty file", "hint:"]);
}

#[test]
fn lists_are_data() {
    let output = repro(&["run", "--list"]);
    assert!(stdout(&output).lines().any(|line| line == "process-get-fhash-null@debian-12"));
    let output = repro(&["guest", "list"]);
    assert!(stdout(&output).lines().any(|line| line.starts_with("debian-12 ")));
}

#[test]
fn a_dry_run_prints_a_command_that_a_shell_can_read() {
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().to_str().unwrap();
    let output = repro(&["run", "--dry-run", "--accel", "tcg", "--cache-dir", cache]);
    let text = stdout(&output);
    assert!(output.status.success());
    assert!(text.contains("accelerator: tcg") && text.contains("-accel tcg"), "{text}");
    let start = text.find("qemu-system-x86_64").unwrap();
    let script = format!("set -- {}\nprintf '%s\\n' \"$@\"", &text[start..]);
    let words = Command::new("sh").args(["-c", &script]).output().unwrap();
    let words = stdout(&words);
    let append = words.lines().skip_while(|word| *word != "-append").nth(1).unwrap();
    assert!(append.contains("crashkernel=") && append.contains("console=ttyS0"), "{append}");
}

#[test]
fn cleaning_keeps_the_newest_runs_and_what_is_no_run() {
    let out = tempfile::tempdir().unwrap();
    let make = |name: &str, complete: bool| {
        let folder = out.path().join(name);
        fs::create_dir(&folder).unwrap();
        if complete {
            fs::write(folder.join("run.json"), "{}").unwrap();
        }
    };
    for name in ["2026-01-01T000000Z", "2026-01-02T000000Z", "2026-01-03T000000Z"] {
        make(name, true);
    }
    make("mine", false);
    let output = repro(&["clean", "--runs", "1", "--out", out.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("removed 2 "));
    let mut left: Vec<_> =
        fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["2026-01-03T000000Z", "mine"]);
}

#[test]
fn shells_complete_and_man_pages_are_written_for_every_command() {
    let commands: Vec<String> = harness::cli::Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for shell in ["bash", "zsh", "fish"] {
        let output = repro(&["completions", shell]);
        assert!(output.status.success() && stdout(&output).contains("COMPLETE"), "{shell}");
    }
    let known = completed(&["repro", ""]);
    let missing: Vec<_> = commands.iter().filter(|name| !known.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let folder = tempfile::tempdir().unwrap();
    let output = repro(&["man", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    for name in &commands {
        let page = fs::read_to_string(folder.path().join(format!("repro-{name}.1")));
        assert!(page.is_ok_and(|page| page.contains(".SH SYNOPSIS")), "{name}");
    }
}

/// What bash gets for the last of these words.
fn completed(words: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_repro"))
        .arg("--")
        .args(words)
        .envs([("COMPLETE", "bash"), ("_CLAP_IFS", "\n")])
        .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
        .env("REPRO_ROOT", Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).lines().map(str::to_owned).collect()
}

#[test]
fn shells_complete_the_names_of_cases_and_guests() {
    assert_eq!(completed(&["repro", "run", "process-get"]), ["process-get-fhash-null"]);
    let runs = completed(&["repro", "run", "process-get-fhash-null@debian-1"]);
    assert!(runs.contains(&"process-get-fhash-null@debian-12".to_owned()), "{runs:?}");
    let guests = completed(&["repro", "test", "--guest", "cent"]);
    assert_eq!(guests, ["centos-7"]);
}

/// No command is without a help text that is reviewed.
#[test]
fn every_command_has_its_help_in_a_snapshot() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    for command in harness::cli::Cli::command().get_subcommands() {
        let name = command.get_name().replace('-', "_");
        assert!(folder.join(format!("cli__help_{name}.snap")).is_file(), "{name}");
    }
}

/// It would take a word that is no commit for a path, and every commit for one between the ends.
#[test]
fn a_bisection_between_what_are_no_ends_is_over_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let git = |words: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let mut command = Command::new("git");
        let output = command.args(who).args(words).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    fs::create_dir_all(folder.path().join("cases/mine")).unwrap();
    let case = "summary = \"s\"\n[trigger]\nexec = [\"true\"]\n[expect]\noutcome = \"crash\"\n";
    fs::write(folder.path().join("cases/mine/case.toml"), case).unwrap();
    git(&["init", "-q"]);
    for message in ["one", "two"] {
        git(&["add", "."]);
        git(&["commit", "-qm", message, "--allow-empty"]);
    }
    let told = |good: &str, bad: &str| {
        let output = repro_in(folder.path(), &["bisect", "mine", "--good", good, "--bad", bad]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()));
        stderr(&output)
    };
    assert!(told("cases", "HEAD").contains("`cases` is no commit"));
    assert!(told("HEAD~1", "no-such").contains("`no-such` is no commit"));
    assert!(told("HEAD", "HEAD~1").contains("swap --good and --bad"));
    assert_eq!(git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(git(&["for-each-ref", "refs/bisect"]), "");
    assert!(!folder.path().join("target").exists(), "no run was made");
}

/// A case is named by its folder, and its name is shown, written into pipelines and taken apart.
#[test]
fn a_folder_whose_name_would_act_is_no_case() {
    let folder = tempfile::tempdir().unwrap();
    let case = "summary = \"s\"\n[trigger]\nexec = [\"true\"]\n[expect]\noutcome = \"crash\"\n";
    for name in ["a@b", "a\n::error::x", "a\u{1b}]0;x\u{7}", "a\u{202e}b"] {
        let own = folder.path().join("cases").join(name);
        fs::create_dir_all(&own).unwrap();
        fs::write(own.join("case.toml"), case).unwrap();
        let output = repro_in(folder.path(), &["run", "--list"]);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(96), "{text}");
        assert!(text.contains("cannot be a case"), "{text}");
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(
            !text.trim_end().contains(char::is_control) && !text.contains('\u{202e}'),
            "{text:?}"
        );
        fs::remove_dir_all(&own).unwrap();
    }
}
