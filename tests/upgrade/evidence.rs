// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whoever kept a recording of the crash that was reviewed.

use std::fs;

use analyzer::render;
use analyzer::report::STABLE_FORM;
use harness::recording::{Made, Recording};
use tests::project;

use crate::repository::{EARLIER, GUEST, Repository};

/// A recording of this project, and what the program says of it.
fn recorded() -> (Recording, String, String) {
    let path = "modules/abba-deadlock/recordings/debian-12.recording";
    let read = || Recording::from_bytes(&fs::read(project::root().join(path)).unwrap()).unwrap();
    let (_, analysis) = read().replay().unwrap();
    (read(), render::text(&analysis.stable), render::json(&analysis.stable))
}

/// A case whose report was reviewed when the program had another answer; the recording is of the
/// report with the text `of`.
fn answered_otherwise(of: &str) -> (Repository, String) {
    let own = Repository::empty();
    let (mut recording, text, data) = recorded();
    recording.about.made = Some(Made::new(EARLIER, of));
    own.write(&format!("cases/mine/recordings/{GUEST}.recording"), recording.to_bytes().unwrap());
    let worse = |text: &str| text.replace("deadlock", "hung-task");
    own.report("mine", "", EARLIER, (worse(&text).trim_end(), worse(&data).trim_end()));
    own.report("mine", ".new", STABLE_FORM, (text.trim_end(), data.trim_end()));
    (own, worse(&text))
}

#[test]
fn the_recorded_crash_analyzed_again_proves_that_a_better_answer_is_of_the_same_crash() {
    let (_, text) = answered_otherwise("");
    let (own, _) = answered_otherwise(&text);
    own.repro("review --upgrade --accept").ends(0).says(&[
        "the crash that was reviewed, analyzed again, is this one: mine@debian-12",
        "* verdict.kind",
        "accepted 1 report",
    ]);
}

#[test]
fn a_recording_of_another_report_proves_nothing() {
    for of in ["", "TASK       another\n"] {
        let (own, _) = answered_otherwise(of);
        let printed = own.repro("review --upgrade --accept").ends(100);
        printed.says(&["mine@debian-12 stays", "* the kind: "]).says_not("accepted");
    }
}

#[test]
fn a_recording_shows_another_crash_of_which_all_facts_are_the_same() {
    let (_, text) = answered_otherwise("");
    let (own, text) = answered_otherwise(&text);
    let (_, new, data) = recorded();
    let other = |text: &str| text.replace("is held by task sh", "is held by task cat");
    own.report("mine", "", EARLIER, (text.trim_end(), data.trim_end()));
    own.report("mine", ".new", STABLE_FORM, (other(&new).trim_end(), other(&data).trim_end()));
    let printed = own.repro("review --upgrade --accept").ends(100);
    let words = "* now shown: the lock at <data#1> is held by task cat";
    printed.says(&["mine@debian-12 stays", words]).says_not("accepted");
}
