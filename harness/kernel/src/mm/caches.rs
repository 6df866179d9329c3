// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caches of the slab allocator (`struct kmem_cache`, `include/linux/slub_def.h`, `mm/slab.h`).
//!
//! Only SLUB: Debian's and RHEL's kernels have no other since 2.6.32 (RHEL 7 has it as well), and
//! upstream removed the others in 6.5.

use crate::memory::VirtualMemory as _;
use crate::object::Object;
use crate::{Kernel, Listing, Unavailable, list};

/// Caches that are listed at most.
const MAX_CACHES: usize = 65_536;
/// Bytes of an object that are believed; the largest ones have 8 KiB.
const MAX_SIZE: u64 = 32 << 20;
/// Longest name of a cache.
const MAX_NAME: usize = 128;

/// A cache of objects of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlabCache {
    /// Address of its `struct kmem_cache`.
    pub address: u64,
    /// Name; of several caches that were merged that of the first.
    pub name: String,
    /// Bytes that users of an object may use.
    pub object_size: u64,
    /// Bytes from one object to the next.
    pub size: u64,
    /// Bytes up to what the allocator keeps behind an object (`inuse`).
    pub in_use: u64,
    /// Where in a free object the pointer to the next one is.
    pub free_pointer: u64,
    /// Bytes of the red zone in front of an object.
    pub left_pad: u64,
    /// What a free pointer is mixed with (`CONFIG_SLAB_FREELIST_HARDENED`).
    pub secret: Option<u64>,
    /// What is checked.
    pub checks: Checks,
    /// Per-CPU offset of its `struct kmem_cache_cpu`, if CPUs have slabs of their own.
    pub per_cpu: Option<u64>,
}

/// What is checked of a cache's objects (`slub_debug`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checks {
    /// Bytes around objects (`Z`).
    pub red_zones: bool,
    /// What is behind objects and what the allocator keeps of them (`P`).
    pub poison: bool,
    /// Contents of free objects (`P`): not of those that must keep them, for a constructor or RCU.
    pub contents: bool,
    /// Who allocated and freed (`U`).
    pub users: bool,
    /// The size that was asked for, behind that (`kmalloc-*` caches with `U`, since 6.1).
    pub sizes: bool,
}

/// Names and values of the flags: an enumeration of bits since 6.9, before that constants that no
/// debug information has and that never changed (`include/linux/slab.h`).
const RED_ZONE: (&str, u64) = ("_SLAB_RED_ZONE", 0x400);
const POISON: (&str, u64) = ("_SLAB_POISON", 0x800);
const OBJECT_POISON: (&str, u64) = ("_SLAB_OBJECT_POISON", 0x8000_0000);
const STORE_USER: (&str, u64) = ("_SLAB_STORE_USER", 0x1_0000);
/// Set for `kmalloc-*` caches since 6.1, when their objects began to have their size noted
/// (`slub_debug_orig_size`); before, the bit was nobody's.
const KMALLOC: (&str, u64) = ("_SLAB_KMALLOC", 0x1000);

impl Kernel<'_> {
    /// Caches in the kernel's order, youngest first.
    ///
    /// # Errors
    /// If the list's start is unknown. Damage further on is in the listing.
    pub fn slab_caches(&self) -> Result<Listing<SlabCache>, Unavailable> {
        let link = self.field("kmem_cache", "list")?.offset;
        let links = list::walk(self, self.symbol("slab_caches")?, MAX_CACHES, "the list of caches");
        let mut caches = Listing { items: Vec::new(), damage: links.damage };
        for at in links.items {
            match self.slab_cache(at.wrapping_sub(link)) {
                Ok(cache) => caches.items.push(cache),
                Err(why) => caches.damage.push(why),
            }
        }
        Ok(caches)
    }

    /// The cache whose `struct kmem_cache` is at `address`.
    ///
    /// # Errors
    /// If it cannot be read or makes no sense.
    pub fn slab_cache(&self, address: u64) -> Result<SlabCache, Unavailable> {
        let cache = self.object("kmem_cache", address);
        let optional = |name: &str| match self.has_field("kmem_cache", name) {
            true => cache.number(name).map(Some),
            false => Ok(None),
        };
        let size = cache.number("size")?;
        let found = SlabCache {
            address,
            name: self.cache_name(&cache)?,
            object_size: cache.number("object_size")?,
            size,
            in_use: cache.number("inuse")?,
            free_pointer: cache.number("offset")?,
            left_pad: optional("red_left_pad")?.unwrap_or(0),
            secret: optional("random")?,
            checks: self.checks(cache.number("flags")?),
            per_cpu: optional("cpu_slab")?.filter(|offset| *offset != 0),
        };
        let inner = [found.object_size, found.in_use, found.left_pad];
        if !(8..=MAX_SIZE).contains(&size)
            || inner.iter().any(|part| *part > size)
            || found.free_pointer > size - 8
        {
            let words = format!("kmem_cache 0x{address:016x} makes no sense (size {size})");
            return Err(Unavailable::Damaged(words));
        }
        Ok(found)
    }

    fn cache_name(&self, cache: &Object<'_, '_>) -> Result<String, Unavailable> {
        let name = cache.number("name")?;
        // The name of a cache of a module that is gone may be gone with it.
        Ok(self.read_string(name, MAX_NAME).unwrap_or_else(|_| format!("(name at {name:#x})")))
    }

    fn checks(&self, flags: u64) -> Checks {
        let is_set = |(name, value): (&str, u64)| {
            let bit = self.enumerator(name);
            let bit = bit.and_then(|bit| 1_u64.checked_shl(u32::try_from(bit).ok()?));
            flags & bit.unwrap_or(value) != 0
        };
        let (poison, users) = (is_set(POISON), is_set(STORE_USER));
        Checks {
            red_zones: is_set(RED_ZONE),
            poison,
            contents: poison && is_set(OBJECT_POISON),
            users,
            sizes: users && is_set(KMALLOC),
        }
    }
}
