// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is around the runs: the head, the filter, the matrix, the order.

use super::*;
use crate::run::invocation::{Commit, Invocation};

fn html_of(runs: &Runs) -> String {
    html(runs, tempfile::tempdir().unwrap().path(), &History::default())
}

/// Where it is on the page.
#[track_caller]
fn at(page: &str, what: &str) -> usize {
    page.find(what).unwrap_or_else(|| panic!("{what} is not in {page}"))
}

#[test]
fn the_head_tells_date_commit_and_length() {
    let commit = Commit { id: "0123456789abcdef".repeat(2), changed: true };
    let mut invocation = Invocation {
        started: "2026-01-02T03:04:05Z".into(),
        millis: 125_000,
        commit: Some(commit),
    };
    let runs = Runs { invocation: Some(invocation.clone()), ..Runs::new(vec![crashed()]) };
    let page = html_of(&runs);
    for wanted in ["2026-01-02 03:04:05 UTC", "took 2m 05s", ">0123456789ab<", "with changes"] {
        at(&page, wanted);
    }
    invocation.commit = None;
    let runs = Runs { invocation: Some(invocation), ..runs };
    assert!(!html_of(&runs).contains("commit"), "outside of git there is none");
}

#[test]
fn failures_come_first_and_what_passed_is_folded() {
    let page = page(vec![good("fine", "guest-a"), crashed()]);
    let (bad, good) = (
        at(&page, "<section class=\"run is-bad\"><details open>"),
        at(&page, "<section class=\"run is-good\"><details>"),
    );
    assert!(bad < good);
    assert!(at(&page, "href=\"#mine@guest-a\"") < at(&page, "href=\"#fine@guest-a\""));
    let alone = super::page(vec![super::good("fine", "guest-a")]);
    at(&alone, "<section class=\"run is-good\"><details open>");
}

#[test]
fn the_filter_counts_and_hides_by_the_style_sheet() {
    let page = page(vec![good("fine", "guest-a"), good("fine", "guest-b"), crashed()]);
    for (name, count) in [("all", 3), ("failing", 1), ("passing", 2)] {
        at(&page, &format!("id=\"show-{name}\""));
        at(&page, &format!("{name} {count}</label>"));
    }
    for (chosen, hidden) in [("failing", "is-good"), ("passing", "is-bad")] {
        at(STYLE, &format!("body:has(#show-{chosen}:checked) .{hidden}"));
        at(&page, &format!("<tr class=\"{hidden}\">"));
    }
    let alone = super::page(vec![crashed()]);
    assert!(!alone.contains("<fieldset"), "there is nothing to choose from");
}

#[test]
fn each_set_of_parameters_has_a_row_below_its_case() {
    let with = |mode: &str, guest: &str| {
        let mut run = good("mine", guest);
        run.parameters.insert("m.mode".into(), mode.into());
        run
    };
    let bad = RunResult { outcome: Outcome::Mismatched, ..with("lax", "guest-b") };
    let runs = vec![with("strict", "guest-a"), with("lax", "guest-a"), bad];
    let page = page(runs);
    let case = at(&page, "<tr class=\"case\"><th colspan=\"3\" scope=\"rowgroup\">mine</th>");
    let strict =
        at(&page, "<tr class=\"is-good\"><th class=\"parameters\" scope=\"row\">m.mode=strict");
    let lax = at(&page, "<tr><th class=\"parameters\" scope=\"row\">m.mode=lax</th>");
    assert!(case < strict && case < lax);
    for place in ["mine@guest-a-m.mode-strict", "mine@guest-a-m.mode-lax"] {
        at(&page, &format!("href=\"#{place}\""));
        at(&page, &format!("id=\"{place}\""));
    }
    let one = super::page(vec![with("strict", "guest-a")]);
    assert!(!one.contains("<tr class=\"case\">"), "one set needs no rows of its own");
}

#[test]
fn on_a_phone_each_guest_has_its_name_beside_it() {
    at(&page(vec![good("fine", "guest-c")]), "<td data-guest=\"guest-c\">");
    at(STYLE, "content: attr(data-guest)");
}
