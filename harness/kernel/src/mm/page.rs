// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel knows of a page frame (`struct page`, `include/linux/mm_types.h`).
//!
//! A page that belongs to a larger one leads to its head, which has the flags that count.

use vmcore::PhysAddr;

use super::PAGE;
use super::own_pages::OwnBlock;
use super::page_array::PageArray;
use crate::{Kernel, Unavailable};

/// Highest order of a block of free pages, and of a large page that is believed.
const MAX_ORDER: u64 = 18;
/// Bits of `page.page_type` that tell it since 6.12 (`PGTY_*`).
const TYPE_SHIFT: u32 = 24;

/// A page frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Number of the frame.
    pub frame: u64,
    /// Address of its `struct page`.
    pub address: u64,
    /// Address of the `struct page` of the large page that it belongs to, its own if it is none.
    pub head: u64,
    /// Order of the large page.
    pub order: u32,
    /// `flags`, of the page itself.
    pub flags: u64,
    /// References to the large page (`_refcount`, `_count` before 4.6).
    pub references: i32,
    /// How often it is mapped into processes, where it has such a count.
    pub maps: Option<i32>,
    /// `mapping`, with its low bits.
    pub mapping: u64,
    /// `index`.
    pub index: u64,
    /// What it is used for.
    pub used_for: PageUse,
}

/// What a page is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageUse {
    /// Objects of the slab allocator; [`Kernel::slab_at`] tells which.
    Slab,
    /// Nothing: part of a free block of that order.
    Free {
        /// Order of the block.
        order: u32,
    },
    /// Nothing: part of a free block that a CPU keeps for itself.
    FreeOnCpu {
        /// The CPU.
        cpu: u32,
        /// Order of the block.
        order: u32,
    },
    /// Nothing refers to it, and it is in no block of free pages: it is about to be freed, or belongs
    /// to several that were taken together, of which the first has the reference.
    Unreferenced,
    /// Memory of processes that belongs to no file.
    Anonymous,
    /// Contents of a file; the address of its `struct address_space`.
    File(u64),
    /// The kernel's image, its page array and the like: never managed.
    Reserved,
    /// Taken by the kernel for itself, without any mark of what for.
    Kernel,
}

impl Kernel<'_> {
    /// The page frame that a physical address lies in.
    ///
    /// # Errors
    /// If the kernel has no such frame, or its `struct page` cannot be read.
    pub fn page_at(&self, physical: PhysAddr) -> Result<Page, Unavailable> {
        let array = self.page_array()?;
        let frame = physical.0 / PAGE;
        let address = array.entry(frame);
        let page = self.object("page", address);
        let flags = page.number("flags")?;
        let (head, order) = self.page_head(address, flags)?;
        let whole = self.object("page", head);
        let references = self.page_references(head)?;
        let map_count = page.int("_mapcount.counter")?;
        let mut found = Page {
            frame,
            address,
            head,
            order,
            flags,
            references,
            maps: None,
            mapping: whole.number("mapping")?,
            index: page.number("index")?,
            used_for: PageUse::Kernel,
        };
        found.used_for = self.page_use(&found, &array)?;
        let counted = !matches!(found.used_for, PageUse::Slab | PageUse::Free { .. });
        // A value far below zero is a type (`page_type` shares the place).
        found.maps = (counted && map_count >= -1).then(|| map_count.saturating_add(1));
        Ok(found)
    }

    /// References to the page whose `struct page` is there.
    pub(super) fn page_references(&self, page: u64) -> Result<i32, Unavailable> {
        let page = self.object("page", page);
        if self.has_field("page", "_refcount") {
            return page.int("_refcount.counter");
        }
        page.int("_count.counter")
    }

    /// Head and order of the large page that the page at `address` belongs to.
    ///
    /// `compound_head` since 4.3, a flag and `first_page` before. The order is in the second page:
    /// in the low byte of the folio's `_flags_1` since 6.6, `compound_order` before, where 3.10 has
    /// `lru.prev`.
    fn page_head(&self, address: u64, flags: u64) -> Result<(u64, u32), Unavailable> {
        let names = self.page_flags()?;
        let page = self.object("page", address);
        let head = if self.has_field("page", "compound_head") {
            let link = page.number("compound_head")?;
            if link & 1 == 1 { link - 1 } else { address }
        } else if flags & names.mask("tail") != 0 {
            page.number("first_page")?
        } else {
            address
        };
        if self.object("page", head).number("flags")? & names.mask("head") == 0 {
            return Ok((address, 0));
        }
        let second = self.object("page", head.wrapping_add(self.size_of("page")?));
        let order = if self.has_field("page", "compound_order") {
            second.number("compound_order")?
        } else if self.has_field("folio", "_flags_1") {
            self.object("folio", head).number("_flags_1")? & 0xff
        } else if self.has_field("folio", "_folio_order") {
            self.object("folio", head).number("_folio_order")?
        } else {
            second.number("lru.prev")?
        };
        let order = u32::try_from(order.min(MAX_ORDER + 1)).unwrap_or(u32::MAX);
        if u64::from(order) > MAX_ORDER {
            let words = format!("page 0x{head:016x} has an impossible order");
            return Err(Unavailable::Damaged(words));
        }
        Ok((head, order))
    }

    fn page_use(&self, page: &Page, array: &PageArray) -> Result<PageUse, Unavailable> {
        if self.is_slab_page(page.head)? {
            return Ok(PageUse::Slab);
        }
        if let Some(order) = self.free_block(page.frame, array) {
            return Ok(PageUse::Free { order });
        }
        let names = self.page_flags()?;
        if page.flags & names.mask("reserved") != 0 {
            return Ok(PageUse::Reserved);
        }
        // PAGE_MAPPING_ANON and PAGE_MAPPING_MOVABLE of include/linux/page-flags.h.
        Ok(match page.mapping & 3 {
            _ if page.references <= 0 => match self.own_block(page.frame, array) {
                Some(OwnBlock { cpu, order }) => PageUse::FreeOnCpu { cpu, order },
                None => PageUse::Unreferenced,
            },
            1 | 3 => PageUse::Anonymous,
            0 if page.mapping >> 63 == 1 => PageUse::File(page.mapping),
            _ => PageUse::Kernel,
        })
    }

    /// Whether a page is the slab allocator's: a flag, since 6.10 a type of page. VMCOREINFO tells
    /// the type's value.
    pub(super) fn is_slab_page(&self, head: u64) -> Result<bool, Unavailable> {
        let page = self.object("page", head);
        let flag = self.page_flags()?.mask("slab");
        if flag != 0 {
            return Ok(page.number("flags")? & flag != 0);
        }
        let value = self.info().number("PAGE_SLAB_MAPCOUNT_VALUE");
        Ok(value.is_some_and(|value| self.has_type(head, value)))
    }

    /// Whether a page has the type whose value VMCOREINFO tells as `value`: the upper byte of
    /// `page_type` since 6.12, all of it (or of `_mapcount`) before.
    fn has_type(&self, page: u64, value: i64) -> bool {
        let page = self.object("page", page);
        let field =
            if self.has_field("page", "page_type") { "page_type" } else { "_mapcount.counter" };
        let Ok(stored) = page.int(field) else { return false };
        // The other generation's values have bits cleared all over (`~PG_buddy`).
        let by_byte = self.has_field("page", "page_type") && value.trailing_zeros() >= TYPE_SHIFT;
        let value = i32::from_le_bytes(first_four(value));
        if by_byte { stored >> TYPE_SHIFT == value >> TYPE_SHIFT } else { stored == value }
    }

    /// Order of the block of free pages that a frame belongs to: its first page says so.
    fn free_block(&self, frame: u64, array: &PageArray) -> Option<u32> {
        let value = self.info().number("PAGE_BUDDY_MAPCOUNT_VALUE")?;
        (0..=MAX_ORDER).find_map(|span| {
            let first = array.entry(frame & !((1 << span) - 1));
            if !self.has_type(first, value) {
                return None;
            }
            let order = self.object("page", first).number("private").ok()?;
            let fits = (span..=MAX_ORDER).contains(&order);
            u32::try_from(order).ok().filter(|_| fits)
        })
    }
}

fn first_four(value: i64) -> [u8; 4] {
    let bytes = value.to_le_bytes();
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}
