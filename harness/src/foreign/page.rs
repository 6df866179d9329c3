// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page to read the verdicts by eye, each beside its truth.

use std::fmt::Write as _;

use guest::shown;

use super::table::root_word;
use super::{Fault, ForeignRow, ForeignTable};
use crate::score::{confidence_word, mark};

/// The page, as Markdown: the recorded runs, and above them how runs came out of which none was chosen.
#[must_use]
pub fn page(table: &ForeignTable, unchosen: Option<&ForeignTable>, faults: &[Fault]) -> String {
    let mut text = String::from(
        "# Faults in modules of others\n\n\
         `cargo xtask score --foreign --recorded --write` writes this page: what is said of each crash, \
         beside what is true. Kind, line and confidence are judged by the program; whether a sentence \
         misleads is for people to say.\n\n",
    );
    if let Some(unchosen) = unchosen {
        once(&mut text, table, unchosen);
    }
    text.push_str(
        "## Recorded runs\n\nWhere a fault crashes in more than one way, the run was chosen from several, \
         and for how well it is told, too: of runs that nobody chose, less is told.\n\n",
    );
    text.push_str("```text\n");
    text.push_str(&table.to_text());
    text.push_str("```\n");
    for row in &table.rows {
        let fault = faults.iter().find(|fault| fault.id == row.id);
        let _ = writeln!(text, "\n## {}\n\n{} in {}\n\n```text", row.id, row.operator, row.package);
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
            text.push_str("The kernel did not crash.\n```\n");
            continue;
        };
        let wrong = if row.wrong_proven { ", WRONG and called proven" } else { "" };
        let _ = writeln!(
            text,
            "\nsaid, {}: kind {}, line {}, root {}{wrong}",
            row.confidence.map_or("-", confidence_word),
            mark(row.kind),
            mark(row.culprit),
            root_word(row.root),
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
        text.push_str("```\n");
    }
    text
}

/// How runs came out that were made once, of which none was chosen, and which of them otherwise than the recorded ones.
fn once(text: &mut String, recorded: &ForeignTable, unchosen: &ForeignTable) {
    text.push_str(
        "## Each run once\n\nOne run of each fault, of which none was chosen (`cargo xtask score --foreign \
         --write`). One that crashes at another place than the truth was written for counts as wrong here, \
         whatever is said of it.\n\n```text\n",
    );
    if let Some(all) = unchosen.totals.get("all") {
        let _ = writeln!(text, "all: {}", all.words());
    }
    text.push_str("\nOtherwise than in the recorded run:\n");
    for row in &unchosen.rows {
        let Some(before) = recorded.rows.iter().find(|before| before.id == row.id) else {
            continue;
        };
        let marks =
            |row: &ForeignRow| (row.crashed, row.kind, row.culprit, row.root, row.wrong_proven);
        if marks(row) == marks(before) {
            continue;
        }
        let wrong = if row.wrong_proven { ", WRONG and called proven" } else { "" };
        let said = row.said.as_ref().map_or("no crash", |said| said.title.as_str());
        let judged = format!(
            "kind {}, line {}, root {}{wrong}: {said}",
            mark(row.kind),
            mark(row.culprit),
            root_word(row.root)
        );
        line(text, &format!("{:<23}", row.id), &judged);
    }
    text.push_str("```\n\n");
}

/// A line of the block. What a dump says is a text, and no line of it begins with what ends the block.
fn line(text: &mut String, what: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(text, "{what:<10} {}", shown::line(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::Drawn;

    #[test]
    fn a_text_of_a_dump_stays_in_its_block() {
        let fault: Fault = serde_json::from_value(serde_json::json!({
            "id": "x-1", "package": "p", "version": "1", "operator": "o", "changes": [],
            "load_in_order": [], "trigger": "",
            "truth": {"kind": "a\n```\n# b", "kinds": ["bug"], "why": "\u{1b}[31m"}
        }))
        .unwrap();
        let table = ForeignTable::new(vec![ForeignRow::new(&fault)], &Drawn::default());
        let page = page(&table, Some(&table), &[fault]);
        let fences = page.lines().filter(|line| line.starts_with("```")).count();
        assert_eq!(fences, 6, "{page}");
        assert!(!page.contains('\u{1b}') && !page.lines().any(|line| line == "# b"), "{page}");
    }
}
