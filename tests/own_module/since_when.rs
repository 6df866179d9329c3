// SPDX-License-Identifier: MIT OR Apache-2.0
//! Since which commit does it crash? The case is younger than the defect that it shows.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::repository::Repository;

const MODULE: &str = r#"// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/moduleparam.h>

static int poke_set(const char *text, const struct kernel_param *parameter)
{
	/* here */
	return 0;
}

static const struct kernel_param_ops poke_ops = { .set = poke_set };
module_param_cb(poke, &poke_ops, NULL, 0200);
MODULE_LICENSE("GPL");
"#;

fn git(own: &Repository, words: &[&str]) -> String {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let mut command = Command::new("git");
    let output = command.args(who).args(words).current_dir(own.path("")).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn commit(own: &Repository, message: &str, body: &str) -> String {
    own.write("driver/poke.c", &MODULE.replace("/* here */", body));
    git(own, &["add", "."]);
    git(own, &["commit", "-qm", message]);
    git(own, &["rev-parse", "HEAD"]).trim().to_owned()
}

/// A module that got its defect in the fourth of five commits; the second does not build. The ends.
fn history(own: &Repository) -> [String; 2] {
    git(own, &["init", "-q"]);
    own.write("driver/Makefile", "obj-m += poke.o\n");
    own.write(".gitignore", "target\n");
    let good = commit(own, "begin", "");
    commit(own, "broken build", "does not build");
    commit(own, "mended", "/* fine */");
    commit(own, "the defect", "*(int *)0x30 = 1;");
    let bad = commit(own, "after it", "*(int *)0x30 = 1; /* since when? */");
    let trigger = "echo 1 > /sys/module/poke/parameters/poke";
    own.write("poke.sh", trigger);
    own.repro("new-case poke --source driver --trigger poke.sh").ends(0);
    [good, bad]
}

/// Nothing of a search is in the repository.
fn is_as_it_was(own: &Repository) {
    let trees = git(own, &["worktree", "list"]);
    assert_eq!(trees.lines().count(), 1, "no work tree is left: {trees}");
    assert_eq!(git(own, &["for-each-ref", "refs/bisect"]), "");
    assert!(!own.path(".git/BISECT_START").exists());
}

/// Folders of runs that are left on the disk.
fn kept(own: &Repository) -> usize {
    let entries = fs::read_dir(own.path("target/repro")).unwrap().flatten();
    entries.filter(|entry| entry.file_type().unwrap().is_dir()).count()
}

#[test]
fn the_first_commit_that_crashes_is_found_and_one_that_does_not_build_is_skipped() {
    let own = Repository::empty();
    let [good, bad] = history(&own);
    let command = format!("bisect poke --good {good} --bad {bad}");
    let printed = own.repro(&command).ends(0);
    let lines: Vec<&str> = printed.stdout.lines().collect();
    assert!(lines[0].starts_with("first bad commit: "), "{lines:?}");
    assert!(lines[0].contains(" the defect (a, "), "{lines:?}");
    assert!(lines[1].starts_with("  1  bad ") && lines[1].contains(" after it"), "{lines:?}");
    assert!(lines[2].starts_with("  2  good ") && lines[2].contains(" begin"), "{lines:?}");
    let step = format!("Bisecting step 1 of 4: {} after it", &bad[..7]);
    assert!(printed.stderr.contains(&step), "{}", printed.stderr);
    assert!(kept(&own) <= 3, "the newest of each answer: {}", kept(&own));
    assert!(lines[3..].iter().any(|line| line.contains(" bad ") && line.contains("target/repro")));
    is_as_it_was(&own);
}

#[test]
fn a_user_who_interrupts_a_search_finds_the_repository_as_it_was() {
    let own = Repository::empty();
    let [good, bad] = history(&own);
    let mut command = own.command(&format!("bisect poke --good {good} --bad {bad}"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("step 2 of 4")).unwrap();
    lines.find(|line| line.contains("Built") || line.contains("Building")).unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<String> = lines.collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.starts_with("  1  bad "), "what is known so far is told: {stdout}");
    is_as_it_was(&own);
}
