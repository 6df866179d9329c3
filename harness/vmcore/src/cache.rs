// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small cache of decompressed pages.

use crate::Pfn;

/// Sets that a page can fall into. A power of two; consecutive pages fall into different sets.
const SETS: usize = 256;
/// Pages in a set: with pages of 4 KiB the cache holds 4 MiB, enough for the page tables, stacks
/// and structures that one analysis comes back to.
const WAYS: usize = 4;

/// Pages by number; in each set the page used last comes first and the last one goes.
pub(crate) struct PageCache {
    sets: Vec<Vec<Page>>,
    page_size: usize,
}

struct Page {
    pfn: Pfn,
    bytes: Box<[u8]>,
}

impl PageCache {
    pub(crate) fn new(page_size: usize) -> Self {
        Self { sets: (0..SETS).map(|_| Vec::new()).collect(), page_size }
    }

    /// The page, from the cache or from `load`, which fills a buffer of one page. A page that
    /// fails to load is not kept.
    pub(crate) fn get<E>(
        &mut self,
        pfn: Pfn,
        load: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<&[u8], E> {
        let index = usize::try_from(pfn.0 % (SETS as u64)).expect("less than the number of sets");
        let set = &mut self.sets[index];
        if let Some(way) = set.iter().position(|page| page.pfn == pfn) {
            set[..=way].rotate_right(1);
            return Ok(&set[0].bytes);
        }
        let mut bytes = match set.len() {
            WAYS => set.pop().expect("a full set has a last page").bytes,
            _ => vec![0; self.page_size].into_boxed_slice(),
        };
        load(&mut bytes)?;
        set.insert(0, Page { pfn, bytes });
        Ok(&set[0].bytes)
    }
}
