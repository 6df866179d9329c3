// SPDX-License-Identifier: MIT OR Apache-2.0
//! A part of the runs, for one of several machines.

use std::str::FromStr;

/// The M-th of N parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    index: usize,
    count: usize,
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no part such as 1/3");
        // As cargo-nextest names its partitions too.
        let parts = text.strip_prefix("count:").unwrap_or(text);
        let (index, count) = parts.split_once('/').ok_or_else(bad)?;
        let (index, count) = (index.parse().map_err(|_| bad())?, count.parse().map_err(|_| bad())?);
        if !(1..=count).contains(&index) {
            return Err(bad());
        }
        Ok(Self { index, count })
    }
}

impl Partition {
    /// Keeps this part: every N-th, so that the guests of a case and slow neighbours are shared out.
    /// All parts together are the whole.
    pub fn keep<T>(self, items: &mut Vec<T>) {
        let mut at = 0;
        items.retain(|_| {
            at += 1;
            (at - 1) % self.count == self.index - 1
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_together_are_the_whole() {
        let mut all = Vec::new();
        for text in ["1/3", "count:2/3", "3/3"] {
            let mut items: Vec<u32> = (0..10).collect();
            text.parse::<Partition>().unwrap().keep(&mut items);
            assert!((3..=4).contains(&items.len()));
            all.extend(items);
        }
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<u32>>());
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for text in ["", "0/3", "4/3", "1", "a/b", "1/0"] {
            assert!(text.parse::<Partition>().is_err(), "{text}");
        }
    }
}
