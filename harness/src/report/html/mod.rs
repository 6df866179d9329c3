// SPDX-License-Identifier: MIT OR Apache-2.0
//! `report.html`: all that is known about the runs of an invocation, on one page for people. It is
//! one file that asks nobody for anything: no script, no font, no picture of elsewhere. What is
//! put into a template is escaped there; only the style sheet is not.

mod evidence;
mod overview;
mod run;
mod stack;

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::History;
use crate::run::matrix::{self, Status};
use crate::run::outcome::{Outcome, Runs};
use guest::shown::visible;

/// The style of all pages.
const STYLE: &str = include_str!("style.css");
/// The page runs nothing and asks nobody, whatever is on it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page. `folder` has the runs' folders.
pub(super) fn html(runs: &Runs, folder: &Path, history: &History) -> String {
    let cells = matrix::cells(&runs.runs);
    let good = cells.iter().filter(|cell| cell.status().is_good()).count();
    let title = format!("repro: {good} of {} as expected", cells.len());
    let content = html! {
        (overview::overview(&cells, history))
        @for cell in &cells { (run::section(cell, folder)) }
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
    let class = match status {
        Status::As(Outcome::Reproduced) => "good",
        Status::As(Outcome::Skipped | Outcome::InfraError) => "doubt",
        Status::As(_) | Status::Flaky => "bad",
    };
    html! { span class={ "badge " (class) } { (status.name()) } }
}

/// Name of the place of a cell on the page.
fn anchor(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.@".contains(c) { c } else { '-' };
    name.chars().map(plain).collect()
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
