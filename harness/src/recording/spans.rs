// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes here and there in something large.

use std::collections::BTreeMap;

/// Stretches of bytes by where they start; none touches another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spans(BTreeMap<u64, Vec<u8>>);

impl Spans {
    /// Adds bytes; of those that are there already, the new ones count.
    pub(super) fn insert(&mut self, start: u64, bytes: &[u8]) {
        if bytes.is_empty() || self.holds(start, bytes) {
            return;
        }
        let end = start.saturating_add(length(bytes));
        let mut joined = (start, bytes.to_vec());
        while let Some((first, known)) = self.touching(start, end) {
            self.0.remove(&first);
            joined = join((first, known), joined);
        }
        self.0.insert(joined.0, joined.1);
    }

    /// Fills `buffer` from `start` on, if all of it is there.
    pub(super) fn fill(&self, start: u64, buffer: &mut [u8]) -> bool {
        let Some(bytes) = self.get(start, buffer.len()) else { return false };
        buffer.copy_from_slice(bytes);
        true
    }

    /// The stretches in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.0.iter().map(|(start, bytes)| (*start, bytes.as_slice()))
    }

    fn get(&self, start: u64, wanted: usize) -> Option<&[u8]> {
        let (first, bytes) = self.0.range(..=start).next_back()?;
        let offset = usize::try_from(start - first).ok()?;
        bytes.get(offset..offset.checked_add(wanted)?)
    }

    fn holds(&self, start: u64, bytes: &[u8]) -> bool {
        self.get(start, bytes.len()) == Some(bytes)
    }

    /// A stretch that has a byte from `start` to `end`, or ends or begins there.
    fn touching(&self, start: u64, end: u64) -> Option<(u64, Vec<u8>)> {
        let (first, bytes) = self.0.range(..=end).next_back()?;
        let touches = first.saturating_add(length(bytes)) >= start;
        touches.then(|| (*first, bytes.clone()))
    }
}

/// Two stretches that touch as one; the second one's bytes count.
fn join(old: (u64, Vec<u8>), new: (u64, Vec<u8>)) -> (u64, Vec<u8>) {
    let start = old.0.min(new.0);
    let end = [&old, &new].map(|(start, bytes)| start.saturating_add(length(bytes)));
    let size = end.into_iter().max().unwrap_or(start) - start;
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    for (first, part) in [&old, &new] {
        let place = usize::try_from(first - start).unwrap_or(usize::MAX);
        if let Some(there) = bytes.get_mut(place..place.saturating_add(part.len())) {
            there.copy_from_slice(part);
        }
    }
    (start, bytes)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(spans: &Spans) -> Vec<(u64, Vec<u8>)> {
        spans.iter().map(|(start, bytes)| (start, bytes.to_vec())).collect()
    }

    #[test]
    fn stretches_that_touch_or_overlap_become_one() {
        let mut spans = Spans::default();
        spans.insert(10, b"cd");
        spans.insert(20, b"x");
        spans.insert(12, b"ef");
        spans.insert(8, b"abc");
        assert_eq!(parts(&spans), [(8, b"abcdef".to_vec()), (20, b"x".to_vec())]);
        spans.insert(5, b"0123456789abcdef");
        assert_eq!(parts(&spans), [(5, b"0123456789abcdef".to_vec())]);
    }

    #[test]
    fn only_what_is_all_there_is_given() {
        let mut spans = Spans::default();
        spans.insert(100, b"hello");
        let mut buffer = [0; 3];
        assert!(spans.fill(101, &mut buffer));
        assert_eq!(&buffer, b"ell");
        assert!(!spans.fill(103, &mut buffer));
        assert!(!spans.fill(99, &mut buffer));
    }
}
