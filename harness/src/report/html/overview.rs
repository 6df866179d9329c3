// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix: cases down, guests across, and what became of each before.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{anchor, badge, wide};
use crate::report::History;
use crate::report::junit::plain;
use crate::run::matrix::Cell;

/// The table of all cells.
pub(super) fn overview(cells: &[Cell<'_>], history: &History) -> String {
    let cases = unique(cells.iter().map(|cell| cell.first().case.as_str()));
    let guests: BTreeSet<&str> = cells.iter().map(|cell| cell.first().guest.as_str()).collect();
    let mut text = String::from("<table>\n<tr><th>case</th>");
    for guest in &guests {
        let _ = write!(text, "<th>{}</th>", plain(guest));
    }
    text.push_str("</tr>\n");
    for case in cases {
        let _ = write!(text, "<tr><td>{}</td>", plain(case));
        for guest in &guests {
            let here = |cell: &&Cell<'_>| cell.first().case == case && cell.first().guest == *guest;
            match cells.iter().find(here) {
                Some(cell) => text.push_str(&entry(cell, history)),
                None => text.push_str("<td class=\"dim\">–</td>"),
            }
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</table>\n");
    wide("overview", &text)
}

fn entry(cell: &Cell<'_>, history: &History) -> String {
    let run = cell.first();
    let rate = match cell.runs.len() {
        1 => String::new(),
        _ => format!("<br><span class=\"dim\">{}</span>", cell.rate()),
    };
    format!(
        "<td><a href=\"#{}\">{}</a>{}{rate}</td>",
        anchor(&run.name()),
        badge(cell.status()),
        squares(history, &run.case, &run.guest)
    )
}

/// A square for each earlier invocation, oldest first: its colour is how it was judged, its letter
/// the signature, so that a crash that became another one is seen.
fn squares(history: &History, case: &str, guest: &str) -> String {
    let entries = history.of(case, guest);
    if entries.is_empty() {
        return String::new();
    }
    let signatures = unique(entries.iter().filter_map(|entry| entry.signature.as_deref()));
    let mut text =
        String::from("<span class=\"history\" role=\"img\" aria-label=\"earlier runs\">");
    for entry in entries {
        let class = if entry.is_good() { "good" } else { "bad" };
        let of = |own: &str| signatures.iter().position(|known| *known == own);
        let letter = entry.signature.as_deref().and_then(of).map_or('·', letter);
        let title = format!(
            "{} {}, {}",
            entry.time,
            entry.status,
            entry.title.as_deref().unwrap_or("no crash")
        );
        let _ = write!(text, "<span class=\"{class}\" title=\"{}\">{letter}</span>", plain(&title));
    }
    text.push_str("</span>");
    text
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
