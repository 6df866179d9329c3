// SPDX-License-Identifier: MIT OR Apache-2.0
//! Since which commit does it crash? The case is younger than the defect that it shows.

use std::process::Command;

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

#[test]
fn the_first_commit_that_crashes_is_found_and_one_that_does_not_build_is_skipped() {
    let own = Repository::empty();
    git(&own, &["init", "-q"]);
    own.write("driver/Makefile", "obj-m += poke.o\n");
    own.write(".gitignore", "target\n");
    let good = commit(&own, "begin", "");
    commit(&own, "broken build", "does not build");
    commit(&own, "mended", "/* fine */");
    commit(&own, "the defect", "*(int *)0x30 = 1;");
    let bad = commit(&own, "after it", "*(int *)0x30 = 1; /* since when? */");
    let trigger = "echo 1 > /sys/module/poke/parameters/poke";
    own.write("poke.sh", trigger);
    own.repro("new-case poke --source driver --trigger poke.sh").ends(0);
    let command = format!("bisect poke --good {good} --bad {bad}");
    own.repro(&command).ends(0).says(&["first bad commit: ", " the defect (a, "]);
    let trees = git(&own, &["worktree", "list"]);
    assert_eq!(trees.lines().count(), 1, "no work tree is left: {trees}");
}
