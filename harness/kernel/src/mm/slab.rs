// SPDX-License-Identifier: MIT OR Apache-2.0
//! A slab: pages next to each other that hold objects of one cache.
//!
//! Its description lies over the `struct page` of its first page: as `struct slab` since 5.17, as
//! members of `struct page` itself before.

use std::collections::BTreeSet;

use vmcore::PhysAddr;

use super::PAGE;
use super::caches::SlabCache;
use super::page::PageUse;
use crate::{Kernel, Unavailable, list};

/// Slabs of one list that are followed at most.
const MAX_SLABS: usize = 1 << 20;
/// NUMA nodes that are looked at, at most (`MAX_NUMNODES` is 1024).
const MAX_NODES: u64 = 1024;

/// A slab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slab {
    /// Address of the `struct page` of its first page.
    pub page: u64,
    /// Where its first object's place begins, in the mapping of all memory.
    pub base: u64,
    /// Bytes of its pages.
    pub bytes: u64,
    /// How many objects it has room for.
    pub objects: u64,
    /// How many of them are in use, or kept by a CPU for its next allocations.
    pub in_use: u64,
    /// Whether it belongs to a CPU.
    pub frozen: bool,
    /// First object of its own list of free ones.
    pub free: u64,
    /// The cache.
    pub cache: SlabCache,
}

/// Where a slab is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlabPlace {
    /// A CPU takes its next objects from it.
    Active(u32),
    /// In a CPU's reserve of slabs with room.
    CpuPartial(u32),
    /// On a node's list of slabs with room.
    NodePartial(u64),
    /// Not listed, as all of its objects are in use.
    Full,
}

impl Kernel<'_> {
    /// The slab that holds a physical address; none if its page is used otherwise.
    ///
    /// # Errors
    /// If the page's or the slab's description cannot be read or makes no sense.
    pub fn slab_at(&self, physical: PhysAddr) -> Result<Option<Slab>, Unavailable> {
        let page = self.page_at(physical)?;
        if page.used_for != PageUse::Slab {
            return Ok(None);
        }
        let array = self.page_array()?;
        let first = array.frame(page.head, u64::MAX).unwrap_or(page.frame);
        let physical = PhysAddr(first.saturating_mul(PAGE));
        let map = self.direct_map();
        let none = || Unavailable::Damaged("where memory is mapped is not known".to_owned());
        let base = map.and_then(|map| map.address(physical)).ok_or_else(none)?;
        self.slab(page.head, base, PAGE << page.order).map(Some)
    }

    /// Name of the structure that describes a slab.
    fn slab_structure(&self) -> &'static str {
        if self.has_field("slab", "slab_cache") { "slab" } else { "page" }
    }

    pub(super) fn slab(&self, page: u64, base: u64, bytes: u64) -> Result<Slab, Unavailable> {
        let slab = self.object(self.slab_structure(), page);
        let cache = self.slab_cache(slab.number("slab_cache")?)?;
        let objects = slab.number("objects")?;
        if objects.saturating_mul(cache.size) > bytes {
            let words = format!("slab 0x{page:016x} has more objects than room");
            return Err(Unavailable::Damaged(words));
        }
        Ok(Slab {
            page,
            base,
            bytes,
            objects,
            in_use: slab.number("inuse")?,
            frozen: slab.number("frozen")? != 0,
            free: slab.number("freelist")?,
            cache,
        })
    }

    /// Objects of a slab that are allocated: those in use, less the ones that a CPU keeps for its
    /// next allocations.
    ///
    /// # Errors
    /// If a list of free objects is damaged or cannot be read.
    pub fn slab_allocated(&self, slab: &Slab) -> Result<u64, Unavailable> {
        let mut kept = 0_u64;
        for cpu in self.possible_cpus()? {
            let own = self.cpu_slab(&slab.cache, cpu)?;
            if let Some((_, first)) = own.filter(|(page, _)| *page == slab.page) {
                kept = kept.saturating_add(self.free_objects(slab, first)?.len() as u64);
            }
        }
        Ok(slab.in_use.saturating_sub(kept))
    }

    /// Objects that the slab of `page` has room for, and those that are not free for every CPU.
    pub(super) fn slab_counts(&self, page: u64) -> Result<(u64, u64), Unavailable> {
        let slab = self.object(self.slab_structure(), page);
        Ok((slab.number("objects")?, slab.number("inuse")?))
    }

    /// What the CPU `cpu` keeps for a cache: its slab, and the first of the free objects that it
    /// took from that slab's list. 5.17 renamed `page` to `slab`.
    pub(super) fn cpu_slab(
        &self,
        cache: &SlabCache,
        cpu: u32,
    ) -> Result<Option<(u64, u64)>, Unavailable> {
        let Some(offset) = cache.per_cpu else { return Ok(None) };
        let at = offset.wrapping_add(self.percpu_offset(cpu)?);
        let own = self.object("kmem_cache_cpu", at);
        let member = if self.has_field("kmem_cache_cpu", "slab") { "slab" } else { "page" };
        Ok(Some((own.number(member)?, own.number("freelist")?)))
    }

    /// Where a slab is kept; none if it is on no list that is looked at.
    ///
    /// # Errors
    /// If a list cannot be read.
    pub fn slab_place(&self, slab: &Slab) -> Result<Option<SlabPlace>, Unavailable> {
        for cpu in self.possible_cpus()? {
            if self.cpu_slab(&slab.cache, cpu)?.is_some_and(|(own, _)| own == slab.page) {
                return Ok(Some(SlabPlace::Active(cpu)));
            }
            if self.cpu_partial(&slab.cache, cpu)?.contains(&slab.page) {
                return Ok(Some(SlabPlace::CpuPartial(cpu)));
            }
        }
        if slab.in_use == slab.objects && !slab.frozen {
            return Ok(Some(SlabPlace::Full));
        }
        for (node, at) in self.cache_nodes(&slab.cache)? {
            if self.node_partial(at)?.contains(&slab.page) {
                return Ok(Some(SlabPlace::NodePartial(node)));
            }
        }
        Ok(None)
    }

    /// Pages of the slabs in a CPU's reserve.
    pub(super) fn cpu_partial(
        &self,
        cache: &SlabCache,
        cpu: u32,
    ) -> Result<BTreeSet<u64>, Unavailable> {
        let mut found = BTreeSet::new();
        let Some(offset) = cache.per_cpu.filter(|_| self.has_field("kmem_cache_cpu", "partial"))
        else {
            return Ok(found);
        };
        let at = offset.wrapping_add(self.percpu_offset(cpu)?);
        let mut next = self.object("kmem_cache_cpu", at).number("partial")?;
        while next != 0 && found.len() < MAX_SLABS && found.insert(next) {
            next = self.object(self.slab_structure(), next).number("next")?;
        }
        Ok(found)
    }

    /// Numbers of the nodes and addresses of their `struct kmem_cache_node`.
    pub(super) fn cache_nodes(&self, cache: &SlabCache) -> Result<Vec<(u64, u64)>, Unavailable> {
        let field = self.field("kmem_cache", "node")?;
        // The array has room for every node, and a cache's memory only for those there are.
        let known = self.symbol("nr_node_ids").ok();
        let known = known.and_then(|at| crate::VirtualMemory::read_u32(self, at).ok());
        let count = known.map_or(1, u64::from).min(field.size / 8).min(MAX_NODES);
        let mut nodes = Vec::new();
        for node in 0..count {
            let at = cache.address.wrapping_add(field.offset).wrapping_add(node * 8);
            let what = |source| Unavailable::memory("kmem_cache.node", source);
            let pointer = crate::VirtualMemory::read_u64(self, at).map_err(what)?;
            if pointer != 0 {
                nodes.push((node, pointer));
            }
        }
        Ok(nodes)
    }

    /// Pages of the slabs with room of the `struct kmem_cache_node` at `node`.
    pub(super) fn node_partial(&self, node: u64) -> Result<BTreeSet<u64>, Unavailable> {
        let structure = self.slab_structure();
        let member = if self.has_field(structure, "slab_list") { "slab_list" } else { "lru" };
        let link = self.field(structure, member)?.offset;
        let head = self.object("kmem_cache_node", node).address_of("partial")?;
        let links = list::walk(self, head, MAX_SLABS, "a node's list of slabs");
        match links.damage.into_iter().next() {
            Some(why) => Err(why),
            None => Ok(links.items.into_iter().map(|at| at.wrapping_sub(link)).collect()),
        }
    }
}
