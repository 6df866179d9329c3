// SPDX-License-Identifier: MIT OR Apache-2.0
//! What changed between two reports, without what belongs to one of them alone, so that the same
//! change of many reports is seen to be the same.
//!
//! A path names a field, not the entry of a list. Of a sentence only the words around what changed
//! are left: what holds anything but letters (a name, a number, an expression) is `…`.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::pair::Pair;

/// Stands for a word that belongs to one report alone.
const SOME: &str = "…";

/// What changed between two reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(BTreeSet<Piece>);

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// A field, or an entry of a list, came.
    Came(String),
    /// One went.
    Went(String),
    /// A value is another.
    Value {
        /// The field.
        path: String,
        /// Words that went, and what stands for them now; both empty where only names or
        /// numbers changed.
        words: (String, String),
    },
    /// Lines of the text are others, where the data says the same.
    Text {
        /// Words that went, and what stands for them now.
        words: (String, String),
    },
    /// Only the number of the form.
    Number,
}

impl Pattern {
    /// What changed, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.0.iter()
    }

    pub(super) fn between(old: &Pair, new: &Pair) -> Self {
        let data = |pair: &Pair| serde_json::from_str(&pair.data.as_ref()?.text).ok();
        let mut pieces = BTreeSet::new();
        if let Some((old, new)) = data(old).zip(data(new)) {
            values("", &old, &new, &mut pieces);
        }
        if pieces.is_empty() && old.text() != new.text() {
            pieces.insert(Piece::Text { words: reworded(old.text(), new.text()) });
        }
        if pieces.is_empty() {
            pieces.insert(Piece::Number);
        }
        Self(pieces)
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |words: &(String, String), f: &mut fmt::Formatter<'_>| match words {
            (old, new) if old.is_empty() && new.is_empty() => {
                write!(f, "other names or numbers in it")
            }
            (old, new) if old.is_empty() => write!(f, "`{new}` is new in it"),
            (old, new) if new.is_empty() => write!(f, "`{old}` is no longer in it"),
            (old, new) => write!(f, "`{old}` is now `{new}`"),
        };
        match self {
            Self::Came(path) => write!(f, "{path} is new"),
            Self::Went(path) => write!(f, "{path} is gone"),
            Self::Value { path, words } => {
                write!(f, "{path}: ")?;
                said(words, f)
            }
            Self::Text { words } => {
                write!(f, "the text: ")?;
                said(words, f)
            }
            Self::Number => write!(f, "nothing but the number of the form"),
        }
    }
}

/// What changed between two values at a path.
fn values(path: &str, old: &Value, new: &Value, pieces: &mut BTreeSet<Piece>) {
    let path = path.to_owned();
    match (old, new) {
        _ if old == new => {}
        (Value::Object(was), Value::Object(is)) => {
            let below = |key: &str| {
                if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
            };
            for (key, value) in was {
                match is.get(key) {
                    Some(new) => values(&below(key), value, new, pieces),
                    None => drop(pieces.insert(Piece::Went(below(key)))),
                }
            }
            let came = is.keys().filter(|key| !was.contains_key(*key));
            pieces.extend(came.map(|key| Piece::Came(below(key))));
        }
        (Value::Array(was), Value::Array(is)) => lists(&format!("{path}[]"), was, is, pieces),
        (Value::Null, _) => drop(pieces.insert(Piece::Came(path))),
        (_, Value::Null) => drop(pieces.insert(Piece::Went(path))),
        (Value::String(was), Value::String(is)) => {
            pieces.insert(Piece::Value { path, words: reworded(was, is) });
        }
        _ => {
            let words = (old.to_string(), new.to_string());
            pieces.insert(Piece::Value { path, words });
        }
    }
}

/// What changed between two lists: as many entries in the place of as many others are the same
/// entries, changed.
fn lists(path: &str, old: &[Value], new: &[Value], pieces: &mut BTreeSet<Piece>) {
    let texts = |list: &[Value]| list.iter().map(Value::to_string).collect::<Vec<_>>();
    let operations = capture_diff_slices(Algorithm::Myers, &texts(old), &texts(new));
    for operation in &operations {
        let (was, is) = (&old[operation.old_range()], &new[operation.new_range()]);
        if matches!(operation, DiffOp::Equal { .. }) {
            continue;
        }
        if was.len() == is.len() {
            was.iter().zip(is).for_each(|(was, is)| values(path, was, is, pieces));
            continue;
        }
        pieces.extend((!was.is_empty()).then(|| Piece::Went(path.to_owned())));
        pieces.extend((!is.is_empty()).then(|| Piece::Came(path.to_owned())));
    }
}

/// The words that went and those that came.
fn reworded(old: &str, new: &str) -> (String, String) {
    let (old, new) = (words(old), words(new));
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    let changed = operations.iter().filter(|operation| !matches!(operation, DiffOp::Equal { .. }));
    let (mut went, mut came) = (Vec::new(), Vec::new());
    for operation in changed {
        went.extend(Some(old[operation.old_range()].join(" ")).filter(|words| !words.is_empty()));
        came.extend(Some(new[operation.new_range()].join(" ")).filter(|words| !words.is_empty()));
    }
    (went.join(", "), came.join(", "))
}

/// The words of a sentence; those that belong to it alone are all the same.
fn words(text: &str) -> Vec<&str> {
    let letters = |word: &str| {
        word.trim_matches(|c: char| ",.:;()".contains(c)).chars().all(|c| c.is_alphabetic())
    };
    text.split_whitespace().map(|word| if letters(word) { word } else { SOME }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::sample;
    use serde_json::json;

    fn pieces(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let (old, mut new) = (sample::report(), sample::report());
        change(&mut new);
        let mut pieces = BTreeSet::new();
        values("", &old, &new, &mut pieces);
        pieces.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_change_is_one_piece_whatever_the_report_is_of() {
        assert_eq!(pieces(|_| {}), [""; 0]);
        assert_eq!(
            pieces(|new| new["verdict"]["seen"] = json!({"by": "x"})),
            ["verdict.seen is new"]
        );
        assert_eq!(
            pieces(|new| new["backtraces"]["fault"]
                .as_array_mut()
                .unwrap()
                .iter_mut()
                .for_each(|frame| frame["trust"] = json!("cfi"))),
            ["backtraces.fault[].trust: `orc` is now `cfi`"]
        );
        assert_eq!(
            pieces(|new| new["verdict"]["evidence"]
                .as_array_mut()
                .unwrap()
                .push(json!({"claim": "rdi is 7", "confirmed": true}))),
            ["verdict.evidence[] is new"]
        );
        assert_eq!(
            pieces(|new| new["verdict"]["evidence"][0]["claim"] = json!("rax was 0")),
            ["verdict.evidence[].claim: `is` is now `was`"]
        );
        assert_eq!(pieces(|new| new["task"] = Value::Null), ["task is gone"]);
    }

    #[test]
    fn names_and_numbers_are_not_told_apart() {
        let same = |a: (&str, &str), b: (&str, &str)| {
            assert_eq!(reworded(a.0, a.1), reworded(b.0, b.1));
        };
        same(
            ("`a->b` is NULL: called at `a.c:7`", "`a->b` is NULL, called at `a.c:7`"),
            ("`x` is NULL: called at `y.c:9`", "`x` is NULL, called at `y.c:9`"),
        );
        assert_eq!(reworded("at `a.c:7`", "at `a.c:9`"), (String::new(), String::new()));
        assert_ne!(reworded("it is 7", "it was 7"), reworded("it is 7", "it is not 7"));
    }

    #[test]
    fn the_text_is_looked_at_where_the_data_says_the_same() {
        let pair = |text: &str| {
            let report = serde_json::from_value(sample::report()).unwrap();
            Pair::new("", crate::review::Form(1), text, &report)
        };
        let pieces = |old: &str, new: &str| {
            let pattern = Pattern::between(&pair(old), &pair(new));
            pattern.pieces().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(pieces("TASK sh\n", "RAN sh\n"), ["the text: `TASK` is now `RAN`"]);
        assert_eq!(pieces("a\n", "a\n"), ["nothing but the number of the form"]);
    }
}
