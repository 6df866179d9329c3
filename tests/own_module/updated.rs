// SPDX-License-Identifier: MIT OR Apache-2.0
//! A newer program than the one that the report was reviewed with: what the older one wrote is put
//! in the place of what this one writes.

use std::fs;
use std::path::PathBuf;

use analyzer::report::STABLE_FORM;

use crate::repository::Repository;

/// Text and data of the reviewed report, and the text that its run had.
fn reviewed(own: &Repository, guest: &str) -> [PathBuf; 3] {
    [
        own.path(&format!("cases/first/snapshots/{guest}/crash.txt.snap")),
        own.path(&format!("cases/first/snapshots/{guest}/crash.json.snap")),
        own.path(&format!("target/repro/latest/first--{guest}/crash.stable.txt")),
    ]
}

/// Lets an older program have said something else.
fn before(own: &Repository, guest: &str, (new, old): (&str, &str)) {
    for path in reviewed(own, guest) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(new), "{text}");
        let forms = [STABLE_FORM, STABLE_FORM - 1].map(|form| format!("  form: {form}\n"));
        fs::write(&path, text.replace(new, old).replace(&forms[0], &forms[1])).unwrap();
    }
}

#[test]
fn a_newer_program_fails_nothing_and_its_better_answer_is_proven_by_the_kept_run() {
    let own = Repository::empty();
    own.repro("new-case first").ends(0);
    let first = own.repro("test").ends(0);
    let guest = first.stderr.split("first@").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    own.repro("review --accept").ends(0);

    before(&own, &guest, ("is NULL: called", "was NULL, called"));
    own.repro("test --snapshots require").ends(0).says(&["the same crash in other words"]);
    own.repro("review --upgrade --accept").ends(0).says(&["all that a form does not change"]);
    own.repro("test --snapshots require").ends(0);

    before(&own, &guest, ("first_ops->check", "first_ops->chuck"));
    // The kept run is another one from now on.
    fs::rename(own.path("target/repro"), own.path("kept")).unwrap();
    let words = ["report of an earlier form", "the bad expression", "--from DIR first"];
    own.repro("test --snapshots require").ends(100).says(&words);
    own.repro("review --upgrade --accept").ends(100).says(&["stays", "the bad expression"]);
    own.repro("review --upgrade --accept --from target").ends(100).says(&["stays"]);
    let proven = "the crash that was reviewed, analyzed again, is this one: first@";
    own.repro("review --upgrade --accept --from kept").ends(0).says(&[proven, "accepted 1 report"]);
}
