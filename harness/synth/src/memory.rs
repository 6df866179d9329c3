// SPDX-License-Identifier: MIT OR Apache-2.0
//! The memory of the machine that is dumped.

use std::collections::BTreeMap;

use crate::bytes::wide;

/// Bytes in a page.
pub const PAGE: usize = 4096;

/// What becomes of a page of memory in the dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// It is written.
    Kept(Vec<u8>),
    /// It is left out on purpose.
    Excluded,
    /// It should be written, but the writer had no more space.
    Unwritten,
}

/// Pages by their number; a page that is not here is no memory.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The pages.
    pub pages: BTreeMap<u64, Page>,
}

impl Memory {
    /// No memory at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes bytes at a physical address; pages that were not there come with zeros.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> &mut Self {
        for (address, byte) in (address..).zip(bytes) {
            let page = wide(PAGE);
            let entry = self.pages.entry(address / page).or_insert(Page::Excluded);
            if !matches!(entry, Page::Kept(_)) {
                *entry = Page::Kept(vec![0; PAGE]);
            }
            if let Page::Kept(kept) = entry {
                kept[usize::try_from(address % page).expect("less than a page")] = *byte;
            }
        }
        self
    }

    /// Writes a 64-bit integer as x86-64 has it in memory.
    pub fn write_u64(&mut self, address: u64, value: u64) -> &mut Self {
        self.write(address, &value.to_le_bytes())
    }

    /// Says what becomes of a page.
    pub fn set(&mut self, pfn: u64, page: Page) -> &mut Self {
        self.pages.insert(pfn, page);
        self
    }

    /// One more than the last page number, 0 for no memory.
    #[must_use]
    pub fn max_pfn(&self) -> u64 {
        self.pages.last_key_value().map_or(0, |(pfn, _)| pfn + 1)
    }

    /// A page that compresses well with any packing and whose bytes tell its number: the number,
    /// a counting pattern, then one byte over and over.
    #[must_use]
    pub fn telling_page(pfn: u64) -> Vec<u8> {
        let mut page = pfn.to_le_bytes().to_vec();
        page.extend((0..=255_u8).map(|n| n.wrapping_mul(7)));
        page.extend((0..64_u8).flat_map(|n| [n, 1, 2, 3]));
        let filler = page[0] ^ 0xa5;
        page.resize(PAGE, filler);
        page
    }

    /// A page that does not compress, from a small generator seeded with its number.
    #[must_use]
    pub fn noisy_page(pfn: u64) -> Vec<u8> {
        let mut state = pfn.wrapping_mul(2).wrapping_add(1);
        let mut next = || {
            // Marsaglia's xorshift64.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..PAGE).map(|_| next()).collect()
    }
}
