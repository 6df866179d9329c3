// SPDX-License-Identifier: MIT OR Apache-2.0
//! The transcript of docs/your-module.md, from an empty folder to a reviewed report that guards.

use crate::repository::{Repository, is_written};

#[test]
fn from_an_empty_folder_to_a_reviewed_report() {
    let own = Repository::empty();
    own.repro("new-case first").ends(0).says(&["cases/first", "repro run first"]);
    let waits = "a report waits for a review: repro review";
    let first = own.repro("test").ends(0).says(&["Reproduced first@", waits]);
    let guest = first.stderr.split("first@").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let snapshot = format!("cases/first/snapshots/{guest}/crash.txt.snap");
    assert!(is_written(&own.path(&format!("{snapshot}.new"))), "nobody has reviewed it yet");
    for report in ["run.json", "junit.xml", "code-quality.json"] {
        assert!(is_written(&own.path("target/repro/latest").join(report)), "{report}");
    }
    own.repro("test --snapshots require").ends(100).says(&["nobody has reviewed one"]);
    own.repro("review").ends(2).says(&["--accept"]);
    own.repro("review --accept").ends(0).says(&["first_ops->check", "accepted first@"]);
    let reviewed = own.read(&snapshot);
    assert!(reviewed.contains("`first_ops->check` is NULL"), "{reviewed}");
    let source = own.read("cases/first/first.c");
    let marked = source.lines().find_map(|line| line.trim().split_once(" /* BUG:"));
    let (line, _) = marked.unwrap();
    assert!(reviewed.contains(&format!("called at `first.c: {line}`")), "{reviewed}");
    own.repro("test --snapshots require").ends(0).says(&["1 as expected"]);

    // A comment above the code moves each line, and another one beside it is no other code.
    let commented =
        source.replacen("static int first_set(", "/*\n * Twice.\n */\nstatic int first_set(", 1);
    assert_ne!(commented, source);
    own.write("cases/first/first.c", &commented.replace("nobody sets it */", "never set */"));
    own.repro("test --snapshots require").ends(0).says(&["1 as expected"]);

    // Somebody moves the defect into another function.
    let call =
        "NAME_ops->check(text) ? -EINVAL : 0; /* BUG: nobody sets it */".replace("NAME", "first");
    let helper = format!("static noinline int ask(const char *text)\n{{\n\treturn {call}\n}}\n\n");
    let moved = source.replace(&format!("return {call}"), "return ask(text) ? -EINVAL : 0;");
    let moved = moved.replace("static int first_set(", &format!("{helper}static int first_set("));
    own.write("cases/first/first.c", &moved);
    let words = "the culprit moved from `first_set [first]` to `ask [first]`";
    let said =
        own.repro("test").ends(100).says(&["Mismatched first@", words, "repro review first"]);
    assert_eq!(said.stderr.matches("- as it was reviewed").count(), 1, "{}", said.stderr);
    own.repro("review --list").ends(0).says(&[words, "- TITLE", "+ TITLE"]);
    own.repro("review --reject").ends(0).says(&["rejected"]);
    assert_eq!(own.read(&snapshot), reviewed, "the reviewed one stays");
    own.repro("review --list").ends(0).says(&["nothing to review"]);

    // Somebody mends it: the reviewed report is of no use any more.
    let manifest = own.read("cases/first/case.toml");
    own.write("cases/first/case.toml", &manifest.replace("\"crash\"", "\"none\""));
    let set = "if (!first_ops->check)\n\t\treturn 0;\n\treturn first_ops->check(text)";
    own.write("cases/first/first.c", &source.replace("return first_ops->check(text)", set));
    let stale = "crash.txt.snap was reviewed when it did: remove it";
    own.repro("test").ends(0).says(&["Survived first@", stale]);
}
