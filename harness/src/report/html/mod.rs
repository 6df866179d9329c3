// SPDX-License-Identifier: MIT OR Apache-2.0
//! `report.html`: all that is known about the runs of an invocation, on one page for people. It is
//! one file that asks nobody for anything: no script, no font, no picture of elsewhere.

mod evidence;
mod overview;
mod run;
mod stack;

use std::fmt::Write as _;
use std::path::Path;

use super::History;
use super::junit::plain;
use crate::run::matrix::{self, Status};
use crate::run::outcome::{Outcome, Runs};

const STYLE: &str = include_str!("style.css");

/// The page. `folder` has the runs' folders.
pub(super) fn html(runs: &Runs, folder: &Path, history: &History) -> String {
    let cells = matrix::cells(&runs.runs);
    let good = cells.iter().filter(|cell| cell.status().is_good()).count();
    let title = format!("repro: {good} of {} as expected", cells.len());
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    page.push_str(&overview::overview(&cells, history));
    for cell in &cells {
        page.push_str(&run::section(cell, folder));
    }
    let _ = writeln!(
        page,
        "<p class=\"dim\">repro {}: run.json, junit.xml and all artefacts are beside this \
         file</p>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    );
    page
}

/// A badge with how something was judged.
fn badge(status: Status) -> String {
    let class = match status {
        Status::As(Outcome::Reproduced) => "good",
        Status::As(Outcome::Skipped | Outcome::InfraError) => "doubt",
        Status::As(_) | Status::Flaky => "bad",
    };
    format!("<span class=\"badge {class}\">{}</span>", status.name())
}

/// Name of the place of a cell on the page.
fn anchor(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.@".contains(c) { c } else { '-' };
    name.chars().map(plain).collect()
}

/// Text with what is between backticks as code.
fn with_code(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(number, part)| match number % 2 {
        1 => format!("<code>{}</code>", plain(part)),
        _ => plain(part),
    });
    parts.collect()
}

/// What may be wider than the page: it scrolls by itself, also by the keys.
fn wide(label: &str, content: &str) -> String {
    format!(
        "<div class=\"wide\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">\n{content}</div>\n"
    )
}

/// A part with a heading; nothing where it is empty.
fn part(heading: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!("<h3>{heading}</h3>\n{content}")
}

#[cfg(test)]
mod tests;
