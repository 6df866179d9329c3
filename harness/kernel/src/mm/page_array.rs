// SPDX-License-Identifier: MIT OR Apache-2.0
//! The array of all `struct page`, which is mapped at `vmemmap_base`: frame *n* is its entry *n*.

use crate::{Kernel, Unavailable, VirtualMemory as _};

/// Where the array is without `CONFIG_RANDOMIZE_MEMORY`, with four and five levels of tables
/// (`Documentation/arch/x86/x86_64/mm.rst`).
const VMEMMAP: [u64; 2] = [0xffff_ea00_0000_0000, 0xffd4_0000_0000_0000];

/// Where the array of `struct page` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageArray {
    /// Address of the entry of frame 0.
    pub base: u64,
    /// Bytes of an entry.
    pub size: u64,
}

impl PageArray {
    /// The entry of a frame.
    #[must_use]
    pub const fn entry(&self, frame: u64) -> u64 {
        self.base.wrapping_add(frame.wrapping_mul(self.size))
    }

    /// The frame whose entry holds `address`, if frames below `end` are described there.
    #[must_use]
    pub const fn frame(&self, address: u64, end: u64) -> Option<u64> {
        match address.checked_sub(self.base) {
            Some(offset) if offset / self.size < end => Some(offset / self.size),
            _ => None,
        }
    }
}

impl Kernel<'_> {
    /// Where the array of `struct page` is.
    ///
    /// # Errors
    /// If the size of an entry is unknown.
    #[expect(clippy::indexing_slicing, reason = "the table has an entry for each of two formats")]
    pub fn page_array(&self) -> Result<PageArray, Unavailable> {
        let base = self.symbol("vmemmap_base").ok().and_then(|at| self.read_u64(at).ok());
        let base = base
            .filter(|base| base >> 63 == 1)
            .unwrap_or_else(|| VMEMMAP[usize::from(self.space().layout().format.five_levels)]);
        Ok(PageArray { base, size: self.size_of("page")?.max(1) })
    }
}
