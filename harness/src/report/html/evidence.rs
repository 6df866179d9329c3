// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why the verdict is what it is: the source, the steps, the object.

use std::fmt::Write as _;

use super::{wide, with_code};
use crate::report::junit::plain;
use crate::run::outcome::RunResult;

/// The lines around the one at fault.
pub(super) fn source(run: &RunResult) -> String {
    let Some(excerpt) = &run.excerpt else { return String::new() };
    let mut text = String::from("<pre>");
    for (number, line) in (excerpt.first..).zip(&excerpt.text) {
        let class = if number == excerpt.line { " class=\"fault\"" } else { "" };
        // A line without anything would have no height.
        let line = plain(&line.replace('\t', "    "));
        let _ = write!(
            text,
            "<span{class}><span class=\"nr\" style=\"display:inline\">{number:>5}</span> {line}</span>"
        );
    }
    text.push_str("</pre>\n");
    format!("<p class=\"mono dim\">{}</p>\n{}", plain(&excerpt.file), wide("source", &text))
}

/// The steps from the fault to the expression, and what to look at next.
pub(super) fn chain(run: &RunResult) -> String {
    let Some(report) = &run.report else { return String::new() };
    let mut text = String::new();
    for step in &report.verdict.evidence {
        let (mark, class, words) = match step.confirmed {
            Some(true) => ("✓", "good", "confirmed by the dump"),
            Some(false) => ("✗", "bad", "not so in the dump"),
            None => ("?", "doubt", "cannot be checked"),
        };
        let _ = writeln!(
            text,
            "<li><span class=\"badge {class}\" title=\"{words}\">{mark}</span> {}</li>",
            with_code(&step.claim)
        );
    }
    for next in &report.verdict.next {
        let _ = writeln!(text, "<li><span class=\"badge\">→</span> {}</li>", with_code(next));
    }
    for finding in &report.findings {
        let (code, message) = (plain(&finding.code), with_code(&finding.message));
        let _ = writeln!(text, "<li><span class=\"badge doubt\">{code}</span> {message}</li>");
    }
    if text.is_empty() { text } else { format!("<ul class=\"plain\">\n{text}</ul>\n") }
}

/// The object with its bad member marked.
pub(super) fn object(run: &RunResult) -> String {
    let Some(object) = &run.object else { return String::new() };
    let mut text = String::from("<pre>");
    for (number, line) in (0..).zip(&object.lines) {
        let class = if number == object.bad { " class=\"fault\"" } else { "" };
        let _ = write!(text, "<span{class}>{}</span>", plain(line));
    }
    text.push_str("</pre>\n");
    format!("<p class=\"mono dim\">{}</p>\n{}", plain(&object.expression), wide("object", &text))
}
