// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map from one address space to offsets in a file, made of stretches that may have been
//! given in any order and one over another.

use std::collections::BTreeMap;

use crate::{ReadAt, ReadError};

/// Stretches that do not overlap, by their first address.
#[derive(Debug, Default)]
pub(crate) struct Extents {
    by_start: BTreeMap<u64, Extent>,
}

/// A stretch of addresses and where it starts in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    length: u64,
    file: u64,
}

/// Why bytes at an address cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gap {
    /// No stretch has the address.
    Outside { address: u64 },
    /// The file does not give what it should have of the stretch from there on.
    Unreadable { address: u64, error: ReadError },
}

impl Extents {
    /// Adds a stretch; where it overlaps others, it takes their place. False, and nothing is
    /// added, if its end does not fit in an address.
    pub(crate) fn insert(&mut self, start: u64, length: u64, file: u64) -> bool {
        let Some(end) = start.checked_add(length) else { return false };
        if file.checked_add(length).is_none() {
            return false;
        }
        if length == 0 {
            return true;
        }
        let before = self.by_start.range_mut(..start).next_back();
        if let Some((&other, extent)) = before
            && extent.length > start - other
        {
            let old = *extent;
            extent.length = start - other;
            self.keep_tail(other, old, end);
        }
        while let Some((&other, &old)) = self.by_start.range(start..end).next() {
            self.by_start.remove(&other);
            self.keep_tail(other, old, end);
        }
        self.by_start.insert(start, Extent { length, file });
        true
    }

    /// Puts back what `old`, which started at `start`, had past `end`.
    fn keep_tail(&mut self, start: u64, old: Extent, end: u64) {
        let cut = end - start;
        if old.length > cut {
            self.by_start.insert(end, Extent { length: old.length - cut, file: old.file + cut });
        }
    }

    /// Where `address` is in the file and how many bytes follow it there, itself included.
    pub(crate) fn find(&self, address: u64) -> Option<(u64, u64)> {
        let (start, extent) = self.by_start.range(..=address).next_back()?;
        let into = address - start;
        (into < extent.length).then(|| (extent.file + into, extent.length - into))
    }

    /// Fills `buffer` from `address` on, across as many stretches as it takes.
    pub(crate) fn read(
        &self,
        file: &dyn ReadAt,
        address: u64,
        buffer: &mut [u8],
    ) -> Result<(), Gap> {
        let mut at = address;
        let mut rest = buffer;
        while !rest.is_empty() {
            let (offset, available) = self.find(at).ok_or(Gap::Outside { address: at })?;
            let taken = usize::try_from(available).unwrap_or(usize::MAX).min(rest.len());
            let (now, later) = rest.split_at_mut(taken);
            file.read_at(offset, now).map_err(|error| Gap::Unreadable { address: at, error })?;
            rest = later;
            // No stretch ends past the last address, so only the end of the last one saturates.
            at = at.saturating_add(taken.try_into().unwrap_or(u64::MAX));
        }
        Ok(())
    }

    /// Whether any stretch has one of these addresses.
    pub(crate) fn overlaps(&self, start: u64, length: u64) -> bool {
        let end = start.saturating_add(length);
        self.find(start).is_some() || self.by_start.range(start..end).next().is_some()
    }

    /// The first start of a stretch after `address`.
    pub(crate) fn next_start(&self, address: u64) -> Option<u64> {
        self.by_start.range(address.checked_add(1)?..).next().map(|(start, _)| *start)
    }

    /// The first address past all stretches, 0 if there are none.
    pub(crate) fn end(&self) -> u64 {
        self.by_start.last_key_value().map_or(0, |(start, extent)| start + extent.length)
    }

    /// Number of addresses covered.
    pub(crate) fn total(&self) -> u64 {
        self.by_start.values().map(|extent| extent.length).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(extents: &Extents, addresses: std::ops::Range<u64>) -> Vec<Option<u64>> {
        addresses.map(|address| extents.find(address).map(|(file, _)| file)).collect()
    }

    #[test]
    fn later_stretch_replaces_the_middle_of_an_earlier_one() {
        let mut extents = Extents::default();
        assert!(extents.insert(10, 6, 100));
        assert!(extents.insert(12, 2, 200));
        let expected = [None, Some(100), Some(101), Some(200), Some(201), Some(104), Some(105)];
        assert_eq!(file_of(&extents, 9..16), expected);
        assert_eq!(extents.total(), 6);
    }

    #[test]
    fn later_stretch_swallows_several_and_cuts_the_last() {
        let mut extents = Extents::default();
        for start in [0, 4, 8] {
            assert!(extents.insert(start, 3, 100 + start));
        }
        assert!(extents.insert(2, 7, 50));
        let mut expected = vec![Some(100), Some(101)];
        expected.extend((50..57).map(Some));
        expected.extend([Some(109), Some(110), None]);
        assert_eq!(file_of(&extents, 0..12), expected);
        assert_eq!(extents.next_start(2), Some(9));
    }

    #[test]
    fn stretch_past_the_last_address_is_refused() {
        let mut extents = Extents::default();
        assert!(!extents.insert(u64::MAX - 3, 8, 0));
        assert!(!extents.insert(0, 8, u64::MAX - 3));
        assert_eq!(extents.end(), 0);
    }
}
