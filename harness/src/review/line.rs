// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line of a source, as a report's data has it: by its text where the sources were at hand, which forms before the
//! fourth did not have, else by its number.

use serde::{Deserialize, Serialize};

/// A line of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Line {
    line: Option<u32>,
    source: Option<String>,
}

impl Line {
    /// Whether it may be the same line in a report of a later form: that may know more of it, and nothing else. A
    /// number alone cannot be held to a text alone.
    pub(super) fn may_be(&self, new: &Self) -> bool {
        let is_named_anew = self.source.is_none() && new.source.is_some();
        let same_number = known(self.line.as_ref(), new.line.as_ref());
        let same_text = known(self.source.as_ref(), new.source.as_ref());
        same_text && (same_number || is_named_anew && new.line.is_none())
    }

    /// As in `:7` or `: return 0;`, behind the file.
    pub(super) fn words(&self) -> Option<String> {
        match (self.line, &self.source) {
            (Some(line), _) => Some(format!(":{line}")),
            (None, Some(text)) => Some(format!(": {text}")),
            (None, None) => None,
        }
    }
}

/// What was known has to be known still; what was not may be anything.
pub(super) fn known<T: PartialEq>(old: Option<&T>, new: Option<&T>) -> bool {
    old.is_none() || old == new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: Option<u32>, source: Option<&str>) -> Line {
        Line { line, source: source.map(str::to_owned) }
    }

    #[test]
    fn a_text_is_held_to_a_text_and_a_number_to_a_number() {
        let (seven, eight) = (line(Some(7), None), line(Some(8), None));
        let (put, get) = (line(None, Some("put(a);")), line(None, Some("get(a);")));
        for (old, new, is) in [
            (&seven, &seven, true),
            (&seven, &eight, false),
            (&put, &put, true),
            (&put, &get, false),
            (&seven, &put, true),
            (&put, &seven, false),
            (&line(None, None), &put, true),
            (&put, &line(None, None), false),
        ] {
            assert_eq!(old.may_be(new), is, "{old:?} {new:?}");
        }
    }
}
