// SPDX-License-Identifier: MIT OR Apache-2.0
//! `report.html`: all that is known about the runs of an invocation, on one page for people. It is
//! one file that asks nobody for anything: no script, no font, no picture of elsewhere. What is
//! put into a template is escaped there; only the style sheet is not.

mod c;
mod differences;
mod ended;
mod evidence;
mod head;
mod legend;
mod overview;
mod processor;
mod repeats;
mod run;
mod stack;
mod stack_use;
mod users;

use std::collections::BTreeMap;
use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::History;
use crate::run::matrix::{self, Cell, Status};
use crate::run::outcome::{Outcome, RunResult, Runs};
use guest::shown::visible;

pub(crate) use legend::confidence_badge;

/// The style of all pages.
const STYLE: &str = include_str!("style.css");
/// The page runs nothing and asks nobody, whatever is on it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page. `folder` has the runs' folders.
pub(super) fn html(runs: &Runs, folder: &Path, history: &History) -> String {
    let cells = matrix::cells(&runs.runs);
    let good = cells.iter().filter(|cell| cell.status().is_good()).count();
    let title = format!("repro: {good} of {} as expected", cells.len());
    // What somebody has to look at comes first.
    let mut sorted: Vec<&Cell<'_>> = cells.iter().collect();
    sorted.sort_by_key(|cell| cell.status().is_good());
    let is_open = |cell: &Cell<'_>| cells.len() == 1 || !cell.status().is_good();
    let content = html! {
        (head::invocation(runs.invocation.as_ref()))
        (head::filter(good, cells.len() - good))
        (overview::overview(&sorted, history))
        @for cell in sorted { (run::section(cell, folder, is_open(cell))) }
        (legend::legend())
        p.dim {
            "repro " (env!("CARGO_PKG_VERSION")) ": run.json, junit.xml and all artefacts are beside \
             this file"
        }
    };
    document(&title, &content).into_string()
}

/// A page with a heading.
pub(crate) fn document(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (content)
            }
        }
    }
}

/// A badge with how something was judged.
fn badge(status: Status) -> Markup {
    badge_with(status, &status.name())
}

/// The same in another word.
fn badge_with(status: Status, word: &str) -> Markup {
    let class = match status {
        Status::As(Outcome::Reproduced) => "good",
        Status::As(Outcome::Skipped | Outcome::InfraError) => "doubt",
        Status::As(_) | Status::Flaky => "bad",
    };
    html! { span class={ "badge " (class) } title=(legend::status(status)) { (word) } }
}

/// By what the filter knows cells that are all as expected, or all not.
fn shown_if(cells: &[&Cell<'_>]) -> Option<&'static str> {
    match cells.iter().filter(|cell| cell.status().is_good()).count() {
        0 => Some("is-bad"),
        good if good == cells.len() => Some("is-good"),
        _ => None,
    }
}

/// What the modules of a run were loaded with, as words of the kernel's command line.
fn parameters(of: &BTreeMap<String, String>) -> String {
    let words: Vec<String> = of.iter().map(|(name, value)| format!("{name}={value}")).collect();
    words.join(" ")
}

/// Name of the place of a run's cell on the page.
fn anchor(run: &RunResult) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.@".contains(c) { c } else { '-' };
    format!("{} {}", run.name(), parameters(&run.parameters))
        .trim_end()
        .chars()
        .map(plain)
        .collect()
}

/// Text with what is between backticks as code.
fn with_code(text: &str) -> Markup {
    html! {
        @for (number, part) in visible(text).split('`').enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// What may be wider than the page: it scrolls by itself, also by the keys.
pub(crate) fn wide(label: &str, content: &Markup) -> Markup {
    html! { div.wide role="region" aria-label=(label) tabindex="0" { (content) } }
}

/// A part with a heading; nothing where it is empty.
fn part(heading: &str, content: Option<Markup>) -> Markup {
    html! { @if let Some(content) = content { h3 { (heading) } (content) } }
}

#[cfg(test)]
mod tests;
