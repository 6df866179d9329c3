// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix: cases down, guests across, and what became of each before.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{anchor, badge, wide};
use crate::report::History;
use crate::run::matrix::Cell;
use guest::shown::visible;

/// The table of all cells.
pub(super) fn overview(cells: &[Cell<'_>], history: &History) -> Markup {
    let cases = unique(cells.iter().map(|cell| cell.first().case.as_str()));
    let guests: BTreeSet<&str> = cells.iter().map(|cell| cell.first().guest.as_str()).collect();
    let of = |case: &str, guest: &str| {
        cells.iter().find(|cell| cell.first().case == case && cell.first().guest == guest)
    };
    let table = html! {
        table {
            tr { th { "case" } @for guest in &guests { th { (visible(guest)) } } }
            @for case in cases {
                tr {
                    td { (visible(case)) }
                    @for guest in &guests {
                        @match of(case, guest) {
                            Some(cell) => (entry(cell, history)),
                            None => td.dim { "–" },
                        }
                    }
                }
            }
        }
    };
    wide("overview", &table)
}

fn entry(cell: &Cell<'_>, history: &History) -> Markup {
    let run = cell.first();
    html! {
        td {
            a href={ "#" (anchor(&run.name())) } { (badge(cell.status())) }
            (squares(history, &run.case, &run.guest))
            @if cell.runs.len() > 1 { br; span.dim { (cell.rate()) } }
        }
    }
}

/// A square for each earlier invocation, oldest first: its colour is how it was judged, its letter
/// the signature, so that a crash that became another one is seen.
fn squares(history: &History, case: &str, guest: &str) -> Markup {
    let entries = history.of(case, guest);
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

fn unique<'a>(items: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}
