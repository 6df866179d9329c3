// SPDX-License-Identifier: MIT OR Apache-2.0
//! Free pages that CPUs keep for themselves (`struct per_cpu_pages`, `include/linux/mmzone.h`).
//!
//! What a CPU frees goes onto its own list for its zone first, and from there to the zone's blocks.
//! Nothing in the `struct page` of such a page tells it from one that was taken as a part of several
//! (`alloc_pages()` without `__GFP_COMP`): the lists themselves have to be read.

use std::collections::{BTreeMap, BTreeSet};

use super::page_array::PageArray;
use super::zones::Zone;
use crate::{Kernel, Unavailable, VirtualMemory as _, list};

/// Lists and blocks of them that are looked at, of all CPUs and zones.
const MAX_STEPS: usize = 1 << 20;
/// Lists of a CPU for a zone at most (there are 14 in 6.12).
const MAX_LISTS: u64 = 64;
/// Orders that have lists (`PAGE_ALLOC_COSTLY_ORDER` and those below), and the one of huge pages, whose
/// lists are behind theirs (`pageblock_order` of x86-64).
const ORDERS: [u32; 5] = [0, 1, 2, 3, 9];

/// A block of free pages on a CPU's own list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnBlock {
    /// The CPU.
    pub(crate) cpu: u32,
    /// It has 2^order pages.
    pub(crate) order: u32,
}

impl Kernel<'_> {
    /// The free block on a CPU's own list that a frame belongs to.
    pub(crate) fn own_block(&self, frame: u64, array: &PageArray) -> Option<OwnBlock> {
        let blocks = self.own_pages.get_or_init(|| self.own_blocks(array).unwrap_or_default());
        ORDERS.iter().find_map(|span| {
            let first = frame >> span << span;
            let block = blocks.get(&first).copied().filter(|block| block.order >= *span)?;
            self.is_listed(array.entry(first)).ok()?.then_some(block)
        })
    }

    /// Whether a block's first page is as one on a list: nobody refers to it, and its neighbours lead to it.
    fn is_listed(&self, page: u64) -> Result<bool, Unavailable> {
        let link = page.wrapping_add(self.field("page", "lru")?.offset);
        let what = |source| Unavailable::memory("a CPU's list of free pages", source);
        let word = |at: u64| self.read_u64(at).map_err(what);
        let (next, previous) = (word(link)?, word(link.wrapping_add(8))?);
        let is_linked = word(next.wrapping_add(8))? == link && word(previous)? == link;
        Ok(is_linked && self.page_references(page)? == 0)
    }

    /// The blocks of all CPUs' lists, by their first frames.
    fn own_blocks(&self, array: &PageArray) -> Result<BTreeMap<u64, OwnBlock>, Unavailable> {
        let lists = self.own_lists()?;
        let link = self.field("page", "lru")?.offset;
        let end = self.vmcore().info().max_pfn.0;
        let (mut blocks, mut left, mut seen) = (BTreeMap::new(), MAX_STEPS, BTreeSet::new());
        for zone in self.zones()?.iter().filter(|zone| zone.present != 0) {
            // In a damaged table of nodes one may stand more than once.
            if !seen.insert(zone.address) {
                continue;
            }
            for cpu in self.possible_cpus()? {
                if left == 0 {
                    return Ok(blocks);
                }
                left -= 1;
                // What cannot be read of one CPU says nothing of the others.
                let Ok(start) = self.own_start(zone, cpu, &lists) else { continue };
                for number in 0..lists.count {
                    let head = start.wrapping_add(number * 16);
                    let pages = list::walk(self, head, left, "a CPU's list of free pages");
                    left = left.saturating_sub(pages.items.len() + 1);
                    let block = OwnBlock { cpu, order: lists.order(number) };
                    let frame = |at: &u64| array.frame(at.wrapping_sub(link), end);
                    blocks.extend(pages.items.iter().filter_map(frame).map(|it| (it, block)));
                }
            }
        }
        Ok(blocks)
    }

    /// Where a CPU's lists for a zone begin.
    fn own_start(&self, zone: &Zone, cpu: u32, lists: &Lists) -> Result<u64, Unavailable> {
        let per_cpu = self.object("zone", zone.address).number(lists.pointer)?;
        Ok(per_cpu.wrapping_add(self.percpu_offset(cpu)?).wrapping_add(lists.offset))
    }

    /// `zone.per_cpu_pageset` since 5.14; `zone.pageset` before, where the lists were a part of what
    /// it leads to.
    fn own_lists(&self) -> Result<Lists, Unavailable> {
        let lists = self.field("per_cpu_pages", "lists")?;
        let (pointer, part) = if self.has_field("zone", "per_cpu_pageset") {
            ("per_cpu_pageset", 0)
        } else {
            ("pageset", self.field("per_cpu_pageset", "pcp")?.offset)
        };
        let kinds = self.enumerator("MIGRATE_PCPTYPES").and_then(|it| u64::try_from(it).ok());
        let kinds = kinds.filter(|kinds| *kinds > 0);
        Ok(Lists {
            pointer,
            offset: part.wrapping_add(lists.offset),
            count: (lists.size / 16).min(MAX_LISTS),
            kinds: kinds.ok_or_else(|| Unavailable::Type("MIGRATE_PCPTYPES".to_owned()))?,
        })
    }
}

/// The lists of a CPU for a zone.
struct Lists {
    /// The member of `struct zone` that leads to them.
    pointer: &'static str,
    /// Where they begin in what it leads to, in bytes.
    offset: u64,
    count: u64,
    /// Lists of one order (`MIGRATE_PCPTYPES`).
    kinds: u64,
}

impl Lists {
    /// The order of the blocks of a list (`order_to_pindex()` of `mm/page_alloc.c`; only order 0 before 5.14).
    fn order(&self, number: u64) -> u32 {
        let place = usize::try_from(number / self.kinds).unwrap_or(usize::MAX);
        ORDERS.get(place).or(ORDERS.last()).copied().unwrap_or(0)
    }
}
