// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much of a cache is used: `kmem -s`.

use super::PAGE;
use super::caches::SlabCache;
use super::slab::Slab;
use crate::{Kernel, Unavailable, VirtualMemory as _};

/// Objects of a CPU's own list that are followed at most; a slab has at most 32767.
const MAX_FREE: u64 = 1 << 15;

/// How much of a cache is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SlabUse {
    /// Slabs.
    pub slabs: u64,
    /// Objects that there is room for.
    pub objects: u64,
    /// Objects in use. Those that a CPU keeps for its next allocations are not.
    pub allocated: u64,
    /// Bytes of a slab, as new ones are made.
    pub slab_bytes: u64,
}

impl Kernel<'_> {
    /// How much of a cache is used.
    ///
    /// # Errors
    /// If the counts (`CONFIG_SLUB_DEBUG`) or a list of its slabs cannot be read.
    pub fn slab_use(&self, cache: &SlabCache) -> Result<SlabUse, Unavailable> {
        let order = self.object("kmem_cache", cache.address).number("oo.x")? >> 16;
        let mut found = SlabUse { slab_bytes: PAGE << order.min(20), ..SlabUse::default() };
        let mut free = 0_u64;
        for (_, node) in self.cache_nodes(cache)? {
            let counts = self.object("kmem_cache_node", node);
            found.slabs = found.slabs.saturating_add(counts.number("nr_slabs.counter")?);
            found.objects = found.objects.saturating_add(counts.number("total_objects.counter")?);
            for page in self.node_partial(node)? {
                free = free.saturating_add(self.slab_room(page)?);
            }
        }
        for cpu in self.possible_cpus()? {
            if let Some((page, first)) = self.cpu_slab(cache, cpu)?.filter(|(page, _)| *page != 0) {
                let kept = self.count_free(cache, page, first)?;
                free = free.saturating_add(self.slab_room(page)?).saturating_add(kept);
            }
            for page in self.cpu_partial(cache, cpu)? {
                free = free.saturating_add(self.slab_room(page)?);
            }
        }
        found.allocated = found.objects.saturating_sub(free);
        Ok(found)
    }

    /// Objects of the slab that are free for every CPU.
    fn slab_room(&self, page: u64) -> Result<u64, Unavailable> {
        let (objects, in_use) = self.slab_counts(page)?;
        Ok(objects.saturating_sub(in_use))
    }

    /// Objects on the list that begins with `first`, of the slab of `page`.
    fn count_free(&self, cache: &SlabCache, page: u64, first: u64) -> Result<u64, Unavailable> {
        if first == 0 {
            return Ok(0);
        }
        let physical = self.space().physical(first);
        let physical = physical.map_err(|why| Unavailable::memory("a free object", why))?;
        let slab: Option<Slab> = self.slab_at(physical)?.filter(|slab| slab.page == page);
        let foreign = || {
            let words = format!("the free list of {} leads out of its slab", cache.name);
            Unavailable::Damaged(words)
        };
        let slab = slab.ok_or_else(foreign)?;
        let (mut next, mut count) = (first, 0);
        while next != 0 && count < MAX_FREE {
            count += 1;
            let at = next.wrapping_add(cache.free_pointer);
            let stored = self.read_u64(at);
            let stored = stored.map_err(|why| Unavailable::memory("a free object", why))?;
            next = slab.free_pointer(stored, at).ok_or_else(foreign)?;
        }
        Ok(count)
    }
}
