// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix: cases down, each with its parameters, guests across, and what became of each before.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{anchor, badge_with, parameters, shown_if, wide};
use crate::report::History;
use crate::run::matrix::Cell;
use crate::run::outcome::RunResult;
use guest::shown::visible;

/// The table of all cells, in the order of their cases.
pub(super) fn overview(cells: &[&Cell<'_>], history: &History) -> Markup {
    let cases = unique(cells.iter().map(|cell| cell.first().case.as_str()));
    let guests: BTreeSet<&str> = cells.iter().map(|cell| cell.first().guest.as_str()).collect();
    let table = html! {
        table.matrix {
            thead { tr { th { "case" } @for guest in &guests { th { (visible(guest)) } } } }
            @for case in cases {
                @let own = cells.iter().copied().filter(|cell| cell.first().case == case);
                (rows(case, &own.collect::<Vec<_>>(), &guests, history))
            }
        }
    };
    wide("overview", &table)
}

/// A case: one row, or where it was run with several sets of parameters, one for each below its name.
fn rows(case: &str, cells: &[&Cell<'_>], guests: &BTreeSet<&str>, history: &History) -> Markup {
    let sets: Vec<&BTreeMap<String, String>> =
        unique(cells.iter().map(|cell| &cell.first().parameters));
    let of = |set: &BTreeMap<String, String>| -> Vec<&Cell<'_>> {
        cells.iter().copied().filter(|cell| cell.first().parameters == *set).collect()
    };
    html! {
        tbody class=[shown_if(cells)] {
            @if sets.len() > 1 {
                tr.case { th colspan=(guests.len() + 1) scope="rowgroup" { (visible(case)) } }
            }
            @for set in &sets {
                @let own = of(set);
                tr class=[shown_if(&own)] {
                    @if sets.len() > 1 {
                        th.parameters scope="row" { (visible(&parameters(set))) }
                    } @else {
                        th scope="row" { (visible(case)) }
                    }
                    @for guest in guests {
                        @match own.iter().find(|cell| cell.first().guest == *guest) {
                            Some(cell) => (entry(cell, history)),
                            None => td.dim.none { "–" },
                        }
                    }
                }
            }
        }
    }
}

/// A cell; its guest is told beside it where the window is too narrow for columns.
fn entry(cell: &Cell<'_>, history: &History) -> Markup {
    let run = cell.first();
    html! {
        td data-guest=(visible(&run.guest)) {
            a href={ "#" (anchor(run)) } { (badge_with(cell.status(), &cell.word())) }
            (squares(history, run))
            @if cell.runs.len() > 1 { br; span.dim { (cell.rate()) } }
        }
    }
}

/// A square for each earlier invocation, oldest first: its colour is how it was judged, its letter
/// the signature, so that a crash that became another one is seen.
fn squares(history: &History, run: &RunResult) -> Markup {
    let entries = history.of(run);
    let signatures = unique(entries.iter().filter_map(|entry| entry.signature.as_deref()));
    let letter_of =
        |own: &str| signatures.iter().position(|known| *known == own).map_or('·', letter);
    html! {
        @if !entries.is_empty() {
            span.history role="img" aria-label="earlier runs" {
                @for entry in entries {
                    @let class = if entry.is_good() { "good" } else { "bad" };
                    @let title = entry.title.as_deref().unwrap_or("no crash");
                    @let title = format!("{} {}, {title}", entry.time, entry.status);
                    span class=(class) title=(visible(&title)) {
                        (entry.signature.as_deref().map_or('·', letter_of))
                    }
                }
            }
        }
    }
}

fn letter(number: usize) -> char {
    u8::try_from(number).ok().filter(|number| *number < 26).map_or('?', |it| char::from(b'A' + it))
}

fn unique<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}
