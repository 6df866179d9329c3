// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page to read the verdicts by eye, each beside its truth.

use std::fmt::Write as _;

use guest::shown;

use super::table::root_word;
use super::{Fault, ForeignTable};
use crate::score::{confidence_word, mark};

/// The page, as Markdown.
#[must_use]
pub fn page(table: &ForeignTable, faults: &[Fault]) -> String {
    let mut text = String::from(
        "# Faults in modules of others\n\n\
         `cargo xtask score --foreign --write` writes this page: what is said of each crash, beside \
         what is true. Kind, line and confidence are judged by the program; whether a sentence \
         misleads is for people to say.\n\n",
    );
    text.push_str("```text\n");
    text.push_str(&table.to_text());
    text.push_str("```\n");
    for row in &table.rows {
        let fault = faults.iter().find(|fault| fault.id == row.id);
        let _ = writeln!(text, "\n## {}\n\n{} in {}\n", row.id, row.operator, row.package);
        if let Some(truth) = fault.and_then(|fault| fault.truth.as_ref()) {
            line(&mut text, "true", &truth.kind);
            line(&mut text, "kinds", &truth.kinds.join(", "));
            let lines = [truth.lines.clone(), truth.kernel_lines.clone()].concat();
            line(&mut text, "lines", &lines.join(", "));
            line(&mut text, "root", &truth.root);
            line(&mut text, "roots", &truth.roots.join(", "));
            line(&mut text, "fix", &truth.fix.join(", "));
            let provable = match (&truth.provable_kinds, truth.provable) {
                (Some(kinds), true) => kinds.join(", "),
                (None, true) => "yes".to_owned(),
                (_, false) => "no".to_owned(),
            };
            line(&mut text, "provable", &provable);
            line(&mut text, "why", truth.why.as_deref().unwrap_or_default());
        }
        let Some(said) = &row.said else {
            text.push_str("\nThe kernel did not crash.\n");
            continue;
        };
        let confidence = row.confidence.map_or("-", confidence_word);
        let _ = writeln!(
            text,
            "\nSaid, {confidence}: kind {}, line {}, root {}{}\n",
            mark(row.kind),
            mark(row.culprit),
            root_word(row.root),
            if row.wrong_proven { ", **wrong and called proven**" } else { "" }
        );
        line(&mut text, "kind", &said.kind);
        line(&mut text, "title", &said.title);
        line(&mut text, "summary", &said.summary);
        line(&mut text, "culprit", said.culprit.as_deref().unwrap_or_default());
        line(&mut text, "expression", said.expression.as_deref().unwrap_or_default());
        for step in &said.evidence {
            line(&mut text, "evidence", step);
        }
        for next in &said.next {
            line(&mut text, "next", next);
        }
    }
    text
}

/// An entry of a list. What a dump says is a text, whatever marks it has.
fn line(text: &mut String, what: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(text, "- {what}: {}", shown::markdown(value));
    }
}
