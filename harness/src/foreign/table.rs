// SPDX-License-Identifier: MIT OR Apache-2.0
//! All faults, their totals, and what fell since another table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use analyzer::report::Confidence;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Drawn, ForeignRow, Root};
use crate::json;
use crate::score::Share;

/// Version of the form of [`ForeignTable`].
const SCHEMA_VERSION: u32 = 1;

/// The score of faults in modules of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignTable {
    /// Version of this form.
    pub schema_version: u32,
    /// Of each package, and of all as `all`.
    pub totals: BTreeMap<String, ForeignTotals>,
    /// Each fault.
    pub rows: Vec<ForeignRow>,
}

/// Sums of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignTotals {
    /// Faults that crash the kernel.
    pub rows: u32,
    /// Faults that do not.
    pub not_crashed: u32,
    /// Those whose kind is right.
    pub kinds: Share,
    /// Those that have a line, and whose line is right.
    pub culprits: Share,
    /// How far the roots are named.
    pub roots: Roots,
    /// Those that could be called proven.
    pub provable: u32,
    /// Those that are.
    pub proven: u32,
    /// Those of these whose kind and line are right.
    pub proven_and_right: u32,
    /// The others.
    pub wrong_proven: u32,
}

/// How far roots are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Roots {
    /// All that have a name.
    pub of: u32,
    /// By the verdict itself.
    pub full: u32,
    /// By its evidence or its next steps.
    pub partly: u32,
}

impl ForeignTotals {
    fn add(&mut self, row: &ForeignRow) {
        if !row.crashed {
            self.not_crashed += 1;
            return;
        }
        self.rows += 1;
        self.kinds.add(row.kind);
        self.culprits.add(row.culprit);
        self.roots.of += u32::from(row.root.is_some());
        self.roots.full += u32::from(row.root == Some(Root::Full));
        self.roots.partly += u32::from(row.root == Some(Root::Partly));
        self.provable += u32::from(row.provable);
        self.proven += u32::from(row.confidence == Some(Confidence::Proven));
        self.proven_and_right += u32::from(row.proven_and_right);
        self.wrong_proven += u32::from(row.wrong_proven);
    }

    pub(super) fn words(&self) -> String {
        let Roots { of, full, partly } = self.roots;
        format!(
            "{} crashes and {} that were none, kind {}, line {}, root {full} fully and {partly} partly of {of}, proven {} \
             ({} right, {} wrong; {} could be)",
            self.rows,
            self.not_crashed,
            self.kinds.words(),
            self.culprits.words(),
            self.proven,
            self.proven_and_right,
            self.wrong_proven,
            self.provable
        )
    }
}

impl ForeignTable {
    /// A table of rows, in the order of their names; what was drawn and did not crash is counted.
    #[must_use]
    pub fn new(mut rows: Vec<ForeignRow>, drawn: &Drawn) -> Self {
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        let mut totals = BTreeMap::<String, ForeignTotals>::new();
        for row in &rows {
            totals.entry(row.package.clone()).or_default().add(row);
            totals.entry("all".to_owned()).or_default().add(row);
        }
        for (package, calm) in drawn.draws.iter().flat_map(|draw| &draw.calm) {
            let calm = u32::try_from(calm.len()).unwrap_or(u32::MAX);
            for name in [package.as_str(), "all"] {
                totals.entry(name.to_owned()).or_default().not_crashed += calm;
            }
        }
        Self { schema_version: SCHEMA_VERSION, totals, rows }
    }

    /// As JSON, with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::text(self)
    }

    /// For people: a line for each row, the totals at the end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let width = self.rows.iter().map(|row| row.id.len()).max().unwrap_or(2);
        let mut text = format!("{:width$}  kind   line   root    confidence\n", "id");
        for row in &self.rows {
            let said = match (&row.said, row.crashed) {
                (Some(said), true) => said.kind.as_str(),
                _ => "no crash",
            };
            let confidence = row.confidence.map_or("-", crate::score::confidence_word);
            let wrong = if row.wrong_proven { " WRONG" } else { "" };
            let _ = writeln!(
                text,
                "{:width$}  {:5}  {:5}  {:6}  {confidence}{wrong} ({said})",
                row.id,
                crate::score::mark(row.kind),
                crate::score::mark(row.culprit),
                root_word(row.root),
            );
        }
        text.push('\n');
        for (package, totals) in &self.totals {
            let _ = writeln!(text, "{package}: {}", totals.words());
        }
        text
    }

    /// What is worse here than in another table. Rows that are not here are no fall unless all rows
    /// have to be here.
    #[must_use]
    pub fn falls(&self, before: &Self, all: bool) -> Vec<String> {
        let now: BTreeMap<&str, &ForeignRow> =
            self.rows.iter().map(|row| (row.id.as_str(), row)).collect();
        let mut falls = Vec::new();
        for old in &before.rows {
            match now.get(old.id.as_str()) {
                Some(new) if fell(old.rank(), new.rank()) => {
                    let said = new.said.as_ref().map_or("nothing", |said| said.title.as_str());
                    falls.push(format!("{}: says now `{said}`", old.id));
                }
                None if all => falls.push(format!("{}: missing", old.id)),
                _ => {}
            }
        }
        falls
    }
}

fn fell(old: [bool; 4], new: [bool; 4]) -> bool {
    old.into_iter().zip(new).any(|(old, new)| old && !new)
}

pub(super) fn root_word(root: Option<Root>) -> &'static str {
    match root {
        Some(Root::Full) => "full",
        Some(Root::Partly) => "partly",
        Some(Root::Not) => "not",
        None => "-",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Draw;
    use super::*;

    fn row(id: &str, kind: bool, wrong_proven: bool) -> ForeignRow {
        ForeignRow {
            id: id.to_owned(),
            package: "p-dkms".to_owned(),
            operator: "o".to_owned(),
            crashed: true,
            kind: Some(kind),
            culprit: None,
            root: Some(Root::Partly),
            confidence: Some(Confidence::Proven),
            provable: true,
            proven_and_right: !wrong_proven,
            wrong_proven,
            said: None,
        }
    }

    #[test]
    fn totals_count_crashes_and_what_is_right() {
        let calm = ForeignRow { crashed: false, kind: None, root: None, ..row("c", true, false) };
        let mut draw = Draw::default();
        draw.calm.insert("p-dkms".to_owned(), ["d".to_owned(), "e".to_owned()].into());
        let drawn = Drawn { draws: vec![draw] };
        let rows = vec![row("b", true, false), row("a", false, true), calm];
        let table = ForeignTable::new(rows, &drawn);
        let all = table.totals["all"];
        assert_eq!((all.rows, all.not_crashed, all.proven, all.wrong_proven), (2, 3, 2, 1));
        assert_eq!((all.kinds.of, all.kinds.right, all.culprits.of), (2, 1, 0));
        assert_eq!((all.roots.of, all.roots.full, all.roots.partly), (2, 0, 2));
        assert_eq!(table.totals["p-dkms"], all);
        assert!(table.to_text().starts_with("id  kind"), "{}", table.to_text());
    }

    #[test]
    fn what_was_right_and_is_not_is_a_fall() {
        let table = |rows| ForeignTable::new(rows, &Drawn::default());
        let before = table(vec![row("a", true, false), row("b", false, true)]);
        let after = table(vec![row("a", true, true)]);
        assert_eq!(after.falls(&before, false).len(), 1);
        assert_eq!(after.falls(&before, true).len(), 2);
        assert_eq!(before.falls(&after, true), [""; 0]);
    }
}
