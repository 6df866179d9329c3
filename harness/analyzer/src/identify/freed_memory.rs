// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether an address leads into memory whose owner gave it back to an allocator.

use std::fmt;

use kernel::mm::page::PageUse;
use kernel::mm::slab_layout::SlotPart;

use super::{AddressRegion, Identity};

/// Memory that is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FreedMemory {
    /// An object of the slab allocator.
    Object {
        /// Its cache.
        cache: String,
    },
    /// Whole pages: what `alloc_pages()` gave, `kmalloc()` of more than two pages, or a slab of which
    /// all objects were freed.
    Pages,
}

impl FreedMemory {
    /// The cache of the object, if it is one.
    #[must_use]
    pub fn cache(&self) -> Option<&str> {
        match self {
            Self::Object { cache } => Some(cache),
            Self::Pages => None,
        }
    }
}

impl fmt::Display for FreedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object { cache } => write!(f, "a freed object of {cache}"),
            Self::Pages => f.write_str("freed pages"),
        }
    }
}

impl Identity {
    /// The free memory that the address leads into.
    ///
    /// Pages are asked for where all memory is mapped, and nowhere else: another mapping of a page
    /// that is free is one that was not taken down yet.
    #[must_use]
    pub fn freed_memory(&self) -> Option<FreedMemory> {
        if let Some(slab) = &self.slab {
            let is_free = slab.part == SlotPart::Object && slab.state.is_free() == Some(true);
            return is_free.then(|| FreedMemory::Object { cache: slab.slab.cache.name.clone() });
        }
        let page = self.page.as_ref().filter(|_| self.region == AddressRegion::DirectMap)?;
        let is_free = matches!(page.used_for, PageUse::Free { .. } | PageUse::FreeOnCpu { .. });
        is_free.then_some(FreedMemory::Pages)
    }
}
