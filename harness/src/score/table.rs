// SPDX-License-Identifier: MIT OR Apache-2.0
//! All rows, their totals, and what fell since another table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use analyzer::report::Confidence;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Row;
use crate::json;

/// Version of the form of [`Table`].
const SCHEMA_VERSION: u32 = 1;

/// The score of all cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Version of this form.
    pub schema_version: u32,
    /// Of each guest, and of all as `all`.
    pub totals: BTreeMap<String, Totals>,
    /// Each case on each guest.
    pub rows: Vec<Row>,
}

/// Sums of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Rows.
    pub rows: u32,
    /// Runs.
    pub runs: u32,
    /// Runs that ended as expected.
    pub reproduced: u32,
    /// Rows that expect a kind, and those that have it.
    pub kinds: Share,
    /// Rows that expect a culprit, and those that have it.
    pub culprits: Share,
    /// Rows whose verdicts are all proven.
    pub proven: u32,
    /// Rows with a verdict that is called proven and is not right.
    pub wrong_proven: u32,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// All.
    pub of: u32,
    /// Those that are right.
    pub right: u32,
}

impl Share {
    pub(crate) fn add(&mut self, answer: Option<bool>) {
        self.of += u32::from(answer.is_some());
        self.right += u32::from(answer == Some(true));
    }

    pub(crate) fn words(self) -> String {
        let percent = (self.right * 1000).checked_div(self.of).unwrap_or(1000);
        format!("{}/{} ({}.{} %)", self.right, self.of, percent / 10, percent % 10)
    }
}

impl Totals {
    fn add(&mut self, row: &Row) {
        self.rows += 1;
        self.runs += row.runs;
        self.reproduced += row.reproduced;
        self.kinds.add(row.kind);
        self.culprits.add(row.culprit);
        self.proven += u32::from(row.confidence == Some(Confidence::Proven));
        self.wrong_proven += u32::from(row.wrong_proven);
    }
}

impl Table {
    /// A table of rows, in the order of cases and guests.
    #[must_use]
    pub fn new(mut rows: Vec<Row>) -> Self {
        rows.sort_by_key(Row::name);
        let mut totals = BTreeMap::<String, Totals>::new();
        for row in &rows {
            totals.entry(row.guest.clone()).or_default().add(row);
            totals.entry("all".to_owned()).or_default().add(row);
        }
        Self { schema_version: SCHEMA_VERSION, totals, rows }
    }

    /// As JSON, with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::text(self)
    }

    /// For people: a line for each row, what is wrong below it, the totals at the end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let width = self.rows.iter().map(|row| row.case.len()).max().unwrap_or(4).max(4);
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{:width$}  {:9}  {:>5}  {:5}  {:7}  confidence",
            "case", "guest", "rate", "kind", "culprit"
        );
        for row in &self.rows {
            let rate = match row.runs {
                0 => "-".to_owned(),
                runs => format!("{}/{runs}", row.reproduced),
            };
            let confidence = row.confidence.map_or("-", confidence_word);
            let _ = writeln!(
                text,
                "{:width$}  {:9}  {rate:>5}  {:5}  {:7}  {confidence}",
                row.case,
                row.guest,
                mark(row.kind),
                mark(row.culprit)
            );
            for difference in &row.differences {
                let _ = writeln!(text, "    {difference}");
            }
        }
        text.push('\n');
        for (guest, totals) in &self.totals {
            let _ = writeln!(text, "{guest}: {}", totals.words());
        }
        text
    }

    /// What is worse here than in another table. Rows that are not here are no fall unless all
    /// rows have to be here.
    #[must_use]
    pub fn falls(&self, before: &Self, all: bool) -> Vec<String> {
        let now: BTreeMap<String, &Row> = self.rows.iter().map(|row| (row.name(), row)).collect();
        let mut falls = BTreeSet::new();
        for old in &before.rows {
            match now.get(&old.name()) {
                Some(new) if fell(old.rank(), new.rank()) => {
                    falls.insert(format!("{}: {}", old.name(), new.differences.join("; ")));
                }
                None if all => {
                    falls.insert(format!("{}: missing", old.name()));
                }
                _ => {}
            }
        }
        falls.into_iter().collect()
    }
}

impl Totals {
    fn words(&self) -> String {
        let reproduced = Share { of: self.runs, right: self.reproduced };
        let reproduced = match self.runs {
            0 => String::new(),
            _ => format!("reproduced {}, ", reproduced.words()),
        };
        format!(
            "{} rows, {reproduced}kind {}, culprit {}, proven {}, wrong proven {}",
            self.rows,
            self.kinds.words(),
            self.culprits.words(),
            self.proven,
            self.wrong_proven
        )
    }
}

/// Whether anything that was right is not.
fn fell(old: (bool, bool, bool, bool), new: (bool, bool, bool, bool)) -> bool {
    (old.0 && !new.0) || (old.1 && !new.1) || (old.2 && !new.2) || (old.3 && !new.3)
}

pub(crate) fn mark(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "right",
        Some(false) => "WRONG",
        None => "-",
    }
}

pub(crate) fn confidence_word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proven => "proven",
        Confidence::Likely => "likely",
        Confidence::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(case: &str, kind: Option<bool>, wrong_proven: bool) -> Row {
        Row {
            case: case.to_owned(),
            guest: "g".to_owned(),
            runs: 2,
            reproduced: 2,
            kind,
            culprit: Some(true),
            confidence: Some(Confidence::Proven),
            said: None,
            wrong_proven,
            differences: vec!["kind: bug, not deadlock".to_owned()],
        }
    }

    #[test]
    fn totals_count_what_is_expected_only() {
        let table = Table::new(vec![row("b", None, false), row("a", Some(true), true)]);
        let totals = table.totals["all"];
        assert_eq!((totals.rows, totals.runs, totals.proven, totals.wrong_proven), (2, 4, 2, 1));
        assert_eq!((totals.kinds.right, totals.kinds.of), (1, 1));
        assert!(table.to_text().contains("g: 2 rows, reproduced 4/4 (100.0 %), kind 1/1"));
    }

    #[test]
    fn what_was_right_and_is_not_is_a_fall() {
        let before = Table::new(vec![row("a", Some(true), false), row("b", Some(false), false)]);
        let after = Table::new(vec![row("a", Some(false), false), row("b", Some(true), false)]);
        assert_eq!(after.falls(&before, true), ["a@g: kind: bug, not deadlock"]);
        assert_eq!(before.falls(&before, true), [""; 0]);
        let less = Table::new(vec![row("b", Some(false), true)]);
        assert_eq!(less.falls(&before, false).len(), 1);
        assert_eq!(less.falls(&before, true).len(), 2);
    }
}
