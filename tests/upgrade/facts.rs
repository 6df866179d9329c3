// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whoever has only the reviewed reports.

use analyzer::report::STABLE_FORM;

use crate::repository::{EARLIER, GUEST, Repository, report, reworded, shown};

/// Two reports in other words, one of another crash too, one of another crash in the same form.
fn four() -> Repository {
    let own = Repository::empty();
    own.earlier("peek", &report("peek", 7), &reworded(report("peek", 7)));
    own.earlier("poke", &report("poke", 9), &reworded(report("poke", 9)));
    own.earlier("walk", &report("walk", 3), &reworded(report("walk", 4)));
    own.report("same", "", STABLE_FORM, shown(&report("same", 1)).borrowed());
    own.report("same", ".new", STABLE_FORM, shown(&report("same", 2)).borrowed());
    own
}

#[test]
fn what_changed_alike_is_shown_once_and_accepted_and_another_crash_never() {
    let own = four();
    let walk = own.reviewed("walk");
    let printed = own.repro("review --upgrade --accept").ends(100);
    let printed = printed.says(&[
        &format!("only the form changed in 2 reports: form {EARLIER} to form {STABLE_FORM}"),
        "all that a form does not change is the same: peek@debian-12, poke@debian-12",
        "* verdict.evidence[] is new",
        "* verdict.summary: `is NULL:` is now `was NULL,`",
        "as in peek@debian-12:",
        "- VERDICT    `ops->run` is NULL: called at `x.c:7` in `peek_set`",
        "walk@debian-12 stays: more than the form changed",
        "* the culprit: `walk_set [walk]` at x.c:3 is now `walk_set [walk]` at x.c:4",
        "* the stack of the fault: #0 `walk_set [walk]` at x.c:3 is now ",
        "1 report of no earlier form: repro review",
        "accepted 2 reports",
    ]);
    printed.says_not("`x.c:9` in `poke_set`").says_not("same@");
    for (case, line) in [("peek", 7), ("poke", 9)] {
        let (text, waits) = own.reviewed(case);
        assert!(!waits && text.contains(&format!("form: {STABLE_FORM}\n")), "{text}");
        assert!(text.contains(&format!("was NULL, called at `x.c:{line}`")), "{text}");
    }
    assert_eq!(own.reviewed("walk"), walk, "it waits as it did");
    assert!(own.reviewed("same").1);
    own.repro("review --upgrade --accept").ends(100).says_not("accepted").says(&["walk@"]);
    own.repro("review --upgrade --accept same").ends(0).says(&["in an earlier form"]);
    own.repro("review --list walk").ends(0).says(&["`repro review --upgrade` tells whether"]);
}

#[test]
fn nothing_is_accepted_without_a_word() {
    let own = four();
    let before = ["peek", "poke", "walk", "same"].map(|case| own.reviewed(case));
    own.repro("review --upgrade").ends(2).says(&["there is no terminal", "--accept"]);
    own.repro("review --upgrade --list").ends(100).says(&["in 2 reports"]).says_not("accepted");
    own.repro("review --upgrade --reject").ends(2);
    assert_eq!(["peek", "poke", "walk", "same"].map(|case| own.reviewed(case)), before);
}

#[test]
fn a_hundred_reports_that_changed_alike_are_one_example() {
    let own = Repository::empty();
    for number in 0..100_u32 {
        let report = || report(&format!("m{number:02}x"), number + 1);
        own.earlier(&format!("c{number:02}"), &report(), &reworded(report()));
    }
    let printed = own.repro("review --upgrade --accept").ends(0);
    let printed = printed.says(&["in 100 reports", "c00@debian-12", "and 92 more", "accepted 100"]);
    assert!(printed.text.lines().count() < 40, "{}", printed.text);
}

#[test]
fn a_report_of_a_newer_program_is_left_alone() {
    let own = Repository::empty();
    let newer = STABLE_FORM + 1;
    own.report("mine", "", newer, shown(&report("mine", 1)).borrowed());
    own.report("mine", ".new", STABLE_FORM, shown(&reworded(report("mine", 1))).borrowed());
    let words =
        format!("written by a newer repro: it has form {newer}, this one form {STABLE_FORM}");
    own.repro("review --upgrade --accept").ends(100).says(&[&words]).says_not("accepted");
    own.report("mine", "", EARLIER, shown(&report("mine", 1)).borrowed());
    own.report("mine", ".new", newer, shown(&reworded(report("mine", 1))).borrowed());
    let words = ["made by another repro", "repro test"];
    own.repro("review --upgrade --accept").ends(100).says(&words).says_not("accepted");
}

#[test]
fn a_damaged_report_is_named_and_nothing_is_accepted() {
    let own = four();
    let file = format!("cases/poke/snapshots/{GUEST}/crash.txt.snap");
    for (bytes, words) in [
        (&b"\x1b]0;x\x07"[..], "is not a file with a reviewed text"),
        (b"---\nsource: x\ninfo:\n  form: many\n---\nx\n", "of which form it is"),
        (b"---\nsource: x\n---\nx\n", "are not of one form"),
    ] {
        // A file that names no form is of the first one.
        if bytes.starts_with(b"---\nsource: x\n---") && EARLIER == 1 {
            continue;
        }
        own.write(&file, bytes);
        let printed = own.repro("review --upgrade --accept").ends(96);
        printed.says(&["crash.txt.snap", words, "hint"]).says_not("accepted").says_not("\x1b]");
    }
    own.earlier("poke", &report("poke", 9), &reworded(report("poke", 9)));
    let data = format!("cases/poke/snapshots/{GUEST}/crash.json.snap");
    own.write(&data, format!("---\nsource: x\ninfo:\n  form: {EARLIER}\n---\n{{}}\n"));
    let words = ["poke@debian-12 stays", "cannot be read: missing field", "in 1 report:"];
    own.repro("review --upgrade --accept").ends(100).says(&words);
    assert!(own.reviewed("poke").1);
}
