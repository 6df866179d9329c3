// SPDX-License-Identifier: MIT OR Apache-2.0
//! All slabs of a cache: `kmem -S`.

use vmcore::PhysAddr;

use super::PAGE;
use super::caches::SlabCache;
use super::slab::Slab;
use crate::Kernel;

/// Page frames that are looked at, at most: 64 GiB.
const MAX_FRAMES: u64 = 16 << 20;

impl Kernel<'_> {
    /// How many page frames [`Self::slabs_of`] looks at, if that is not all of them.
    #[must_use]
    pub fn slabs_cut(&self) -> Option<u64> {
        (self.vmcore().info().max_pfn.0 > MAX_FRAMES).then_some(MAX_FRAMES)
    }

    /// The slabs of a cache, as they lie in memory. Those whose objects are all in use are on no
    /// list, so each page frame is looked at, as far as [`Self::slabs_cut`] says; one that cannot be
    /// read is none of the cache's.
    #[must_use]
    pub fn slabs_of(&self, cache: &SlabCache) -> Vec<Slab> {
        let end = self.vmcore().info().max_pfn.0.min(MAX_FRAMES);
        let mut found = Vec::new();
        let mut frame = 0;
        while frame < end {
            let slab = self.slab_at(PhysAddr(frame * PAGE)).ok().flatten();
            // The first frame of a slab comes first.
            frame += slab.as_ref().map_or(1, |slab| (slab.bytes / PAGE).max(1));
            found.extend(slab.filter(|slab| slab.cache.address == cache.address));
        }
        found
    }
}
