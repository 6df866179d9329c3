// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lists of free objects.
//!
//! Each free object holds the address of the next one. With `CONFIG_SLAB_FREELIST_HARDENED` (4.14
//! and later) it is mixed with the cache's secret and the address it is stored at, since 5.7 with
//! the bytes of that address swapped (`freelist_ptr` in `mm/slub.c`). Nothing tells which; of the
//! two readings only the right one leads to an object of the same slab, or is NULL.

use std::collections::BTreeSet;

use super::slab::Slab;
use crate::{Kernel, Unavailable, VirtualMemory as _};

/// What a stored free pointer may mean.
fn readings(stored: u64, at: u64, secret: Option<u64>) -> Vec<u64> {
    match secret {
        None => vec![stored],
        Some(secret) => vec![stored ^ secret ^ at.swap_bytes(), stored ^ secret ^ at],
    }
}

impl Slab {
    /// Number of the object whose place holds `address`, and the distance from its start, which is
    /// negative in the red zone in front of it; none behind the last object.
    #[must_use]
    pub fn slot(&self, address: u64) -> Option<(u64, i64)> {
        let index = address.checked_sub(self.base)?.checked_div(self.cache.size)?;
        let start = self.cache.object(self.base, index);
        (index < self.objects).then(|| (index, address.wrapping_sub(start).cast_signed()))
    }

    /// Whether an object starts at `address`.
    #[must_use]
    pub fn is_object(&self, address: u64) -> bool {
        self.slot(address).is_some_and(|(_, offset)| offset == 0)
    }

    /// What the word `stored` at `at` means as a free pointer: an object of this slab, or 0 for
    /// the end of the list.
    #[must_use]
    pub fn free_pointer(&self, stored: u64, at: u64) -> Option<u64> {
        let readings = readings(stored, at, self.cache.secret);
        readings.into_iter().find(|next| *next == 0 || self.is_object(*next))
    }
}

impl Kernel<'_> {
    /// Objects on the list that begins with `first`, all of `slab`.
    pub(super) fn free_objects(
        &self,
        slab: &Slab,
        first: u64,
    ) -> Result<BTreeSet<u64>, Unavailable> {
        let mut found = BTreeSet::new();
        let mut next = first;
        while next != 0 {
            let broken = |why: &str| {
                let words = format!("the free list of slab 0x{:016x} {why}", slab.page);
                Err(Unavailable::Damaged(words))
            };
            if !slab.is_object(next) {
                return broken(&format!("leads to 0x{next:016x}, which is none of its objects"));
            }
            if !found.insert(next) {
                return broken(&format!("runs in a circle at 0x{next:016x}"));
            }
            let at = next.wrapping_add(slab.cache.free_pointer);
            let stored = self.read_u64(at);
            let stored = stored.map_err(|source| Unavailable::memory("a free object", source))?;
            next = match slab.free_pointer(stored, at) {
                Some(next) => next,
                None => return broken(&format!("is damaged at 0x{at:016x} (0x{stored:016x})")),
            };
        }
        Ok(found)
    }
}
