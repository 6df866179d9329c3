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
    /// A buffer to load into, so that a page that fails to load costs no other page its place.
    spare: Box<[u8]>,
}

struct Page {
    pfn: Pfn,
    bytes: Box<[u8]>,
}

impl PageCache {
    pub(crate) fn new(page_size: usize) -> Self {
        let spare = vec![0; page_size].into_boxed_slice();
        Self { sets: (0..SETS).map(|_| Vec::new()).collect(), spare }
    }

    /// The page, from the cache or from `load`, which fills a buffer of one page. A page that
    /// fails to load is not kept.
    #[expect(
        clippy::indexing_slicing,
        reason = "a set's number is below SETS, a way is one of its set, and a set with a page is not empty"
    )]
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
        load(&mut self.spare)?;
        let next_spare = match set.len() {
            WAYS => set.pop().expect("a full set has a last page").bytes,
            _ => vec![0; self.spare.len()].into_boxed_slice(),
        };
        let bytes = std::mem::replace(&mut self.spare, next_spare);
        set.insert(0, Page { pfn, bytes });
        Ok(&set[0].bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a page whose only byte is its number, and says whether it had to be loaded.
    fn loads(cache: &mut PageCache, pfn: u64) -> bool {
        let mut loaded = false;
        let page = cache.get(Pfn(pfn), |page| -> Result<(), ()> {
            loaded = true;
            page[0] = u8::try_from(pfn / SETS as u64).unwrap();
            Ok(())
        });
        assert_eq!(page, Ok(&[u8::try_from(pfn / SETS as u64).unwrap()][..]));
        loaded
    }

    #[test]
    fn page_used_longest_ago_goes_first() {
        let mut cache = PageCache::new(1);
        let same_set = |n: u64| 7 + n * SETS as u64;
        for n in 0..4 {
            assert!(loads(&mut cache, same_set(n)));
        }
        assert!(!loads(&mut cache, same_set(0)));
        assert!(loads(&mut cache, same_set(4)));
        assert!(!loads(&mut cache, same_set(0)));
        assert!(loads(&mut cache, same_set(1)));
    }

    #[test]
    fn page_that_fails_to_load_displaces_none() {
        let mut cache = PageCache::new(1);
        for n in 0..4 {
            loads(&mut cache, n * SETS as u64);
        }
        let failing = cache.get(Pfn(9 * SETS as u64), |_| Err("lost"));
        assert_eq!(failing, Err("lost"));
        for n in 0..4 {
            assert!(!loads(&mut cache, n * SETS as u64));
        }
    }
}
