// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel whose last words and whose task's name are chosen to be obeyed, in GitHub's pipeline.

use std::fs;

use crate::repository::{Printed, Repository};

const MODULE: &str = r#"// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static int poke_set(const char *text, const struct kernel_param *parameter)
{
	pr_err("::warning::forged\n");
	panic("boom \x1b]52;c;eA==\x07\r\n::error::forged\n##[error]forged <script>x</script>|`c`\xe2\x80\xae!\n");
}

static const struct kernel_param_ops poke_ops = { .set = poke_set };
module_param_cb(poke, &poke_ops, NULL, 0200);
MODULE_LICENSE("GPL");
"#;

const CASE: &str = r###"summary = "forged words"
[[module]]
name = "poke"
[trigger]
exec = ["/bin/sh", "-c", "printf '##[error]x' > /proc/self/comm; echo 1 > /sys/module/poke/parameters/poke"]
[expect]
outcome = "crash"
title = "another one"
"###;

/// Sequences of our own styles are all that a terminal may be sent.
fn without_styles(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (style, rest) = part.split_once('m').unwrap();
        assert!(style.chars().all(|c| c.is_ascii_digit() || c == ';'), "{part:?}");
        plain.push_str(rest);
    }
    plain
}

#[test]
fn a_guest_commands_neither_the_terminal_nor_the_pipeline() {
    let own = Repository::empty();
    own.write("cases/forged/case.toml", CASE);
    own.write("cases/forged/Kbuild", "obj-m += poke.o\n");
    own.write("cases/forged/poke.c", MODULE);
    let summary = own.path("summary.md");
    let mut command = own.command("-v run forged --capture fast --boot snapshot --format json");
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    command.env("CLICOLOR_FORCE", "1");
    let printed = Printed::of(command.output().unwrap()).ends(100);
    let all = without_styles(&(printed.stdout + &printed.stderr));
    assert!(all.contains("boom") && all.contains("forged"), "it is shown: {all}");
    assert!(!all.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{all:?}");
    for line in all.lines() {
        assert!(!line.contains("##["), "{line}");
        if let Some(command) = line.trim_start().strip_prefix("::") {
            let ours = ["group::forged@", "endgroup::", "error file=cases/forged/"];
            assert!(ours.iter().any(|it| command.starts_with(it)), "{line}");
        }
    }
    let table = fs::read_to_string(summary).unwrap();
    assert_eq!(table.trim_end().lines().count(), 3, "{table}");
    let latest = own.path("target/repro/latest");
    for (file, marks) in [
        ("report.html", &["<script", "\u{202e}", "\x1b"][..]),
        ("junit.xml", &["<script", "\u{202e}", "\x1b"]),
        ("run.json", &["##[", "\u{202e}", "\x1b"]),
    ] {
        let text = fs::read_to_string(latest.join(file)).unwrap();
        assert!(text.contains("forged"), "{file}");
        marks.iter().for_each(|mark| assert!(!text.contains(mark), "{mark:?} in {file}"));
    }
}
