// SPDX-License-Identifier: MIT OR Apache-2.0
//! Symbols by name: a hash table over the symbol table.
//!
//! A report asks for some forty names. Comparing each with the 150,000 names of a kernel took half
//! of its time; hashing them once takes less than two of those searches.

/// Positions in the symbol table, chained by the hash of their names.
#[derive(Debug)]
pub(crate) struct NameIndex {
    /// First position of each chain, plus one; 0 is an empty one. Its length is a power of two.
    heads: Vec<u32>,
    /// The next position of the chain, plus one, for each position.
    next: Vec<u32>,
}

impl NameIndex {
    /// Reads all names, in the order of the table.
    #[expect(
        clippy::indexing_slicing,
        reason = "a slot is below the number of heads, a position below that of names"
    )]
    pub(crate) fn new<'n>(
        names: impl DoubleEndedIterator<Item = &'n [u8]> + ExactSizeIterator,
    ) -> Self {
        let count = names.len();
        let mut index =
            Self { heads: vec![0; count.max(1).next_power_of_two()], next: vec![0; count] };
        // From the end, so that chains run in the order of the table.
        for (position, name) in names.enumerate().rev() {
            let head = index.slot(name);
            index.next[position] = index.heads[head];
            index.heads[head] = u32::try_from(position + 1).unwrap_or(0);
        }
        index
    }

    /// Positions whose names may be this one, in the order of the table.
    pub(crate) fn candidates(&self, name: &[u8]) -> impl Iterator<Item = usize> {
        let step = |link: u32| usize::try_from(link).ok()?.checked_sub(1);
        let first = self.heads.get(self.slot(name)).and_then(|link| step(*link));
        std::iter::successors(first, move |&position| step(*self.next.get(position)?))
    }

    fn slot(&self, name: &[u8]) -> usize {
        // Eight bytes at a time, by a multiplication whose upper half depends on all of them (the odd
        // number nearest to 2^64 divided by the golden ratio).
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(FACTOR).rotate_right(32);
        let (words, rest) = name.as_chunks::<8>();
        let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
        let rest = rest.iter().fold(1, |word, byte| word << 8 | u64::from(*byte));
        usize::try_from(mix(hash, rest)).unwrap_or(0) & (self.heads.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_the_order_of_the_table() {
        let names = ["schedule", "panic", "", "panic", "do_exit"];
        let index = NameIndex::new(names.iter().map(|name| name.as_bytes()));
        for (position, name) in names.iter().enumerate() {
            let same: Vec<usize> =
                index.candidates(name.as_bytes()).filter(|&at| names[at] == *name).collect();
            assert!(same.contains(&position), "{name}");
            assert!(same.is_sorted(), "{name}: {same:?}");
        }
        assert_eq!(index.candidates(b"absent").filter(|&at| names[at] == "absent").count(), 0);
    }

    #[test]
    fn no_symbols_are_no_trouble() {
        assert_eq!(NameIndex::new(std::iter::empty()).candidates(b"x").count(), 0);
    }
}
