// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's own management of memory: pages, slabs, the vmalloc area, zones.
//!
//! Everything is asked for by address first, so that the identification of one address costs a
//! handful of reads; lists of everything are for those commands that show everything.

pub mod caches;
mod clearing;
pub mod depot;
mod freelist;
pub mod kfence;
pub(crate) mod own_pages;
pub mod page;
pub mod page_array;
pub mod page_flags;
mod resident;
pub mod slab;
pub mod slab_layout;
mod slab_list;
pub mod slab_object;
pub mod slab_use;
pub mod track;
pub mod usage;
pub mod vma;
pub mod vmalloc;
pub mod zones;

/// Bytes of a page on x86-64.
pub const PAGE: u64 = 4096;
