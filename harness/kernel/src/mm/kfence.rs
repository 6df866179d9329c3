// SPDX-License-Identifier: MIT OR Apache-2.0
//! Objects that KFENCE placed (`mm/kfence/`, 5.12 and later): now and then an allocation of a slab
//! cache gets a page of its own, with a guard page on each side, so that access outside of the
//! object faults.
//!
//! Such a page is marked as a slab, but the object does not begin where a slab's would. The pool
//! begins with two guard pages; then each object's page is followed by its guard page.

use super::PAGE;
use super::track::Track;
use crate::{Kernel, Unavailable, VirtualMemory as _};

/// `CONFIG_KFENCE_NUM_OBJECTS` where the size of the table does not tell.
const USUAL_OBJECTS: u64 = 255;
/// Return addresses of a stack at most (`KFENCE_STACK_DEPTH` is 64).
const MAX_ADDRESSES: u64 = 64;

/// An object of KFENCE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KfenceObject {
    /// Name of the cache it was allocated from.
    pub cache: String,
    /// Where it starts.
    pub start: u64,
    /// Bytes that were asked for.
    pub size: u64,
    /// Distance of the address asked for from its start.
    pub offset: i64,
    /// Whether it is in use: its memory is not given to others for long after it was freed.
    pub allocated: bool,
    /// Who allocated it; `when` is in nanoseconds since boot.
    pub allocated_by: Track,
    /// Who freed it, if it is free.
    pub freed_by: Option<Track>,
}

impl Kernel<'_> {
    /// Whether KFENCE's pool holds `address`: objects are placed there by other rules.
    #[must_use]
    pub fn is_kfence(&self, address: u64) -> bool {
        self.kfence_pool().is_some_and(|(pool, objects)| {
            address.wrapping_sub(pool) < objects.saturating_add(1).saturating_mul(2 * PAGE)
        })
    }

    /// Start of the pool, and for how many objects it is.
    fn kfence_pool(&self) -> Option<(u64, u64)> {
        let pool = self.read_u64(self.symbol("__kfence_pool").ok()?).ok()?;
        let table = self.image().and_then(|image| image.symbol("kfence_metadata"));
        let entry = self.size_of("kfence_metadata").ok()?.max(1);
        let objects = table.map(|table| table.size / entry).filter(|count| *count > 0);
        (pool != 0).then(|| (pool, objects.unwrap_or(USUAL_OBJECTS)))
    }

    /// The object that KFENCE placed in the page of `address`; none if it never placed one, or in
    /// a guard page.
    ///
    /// # Errors
    /// If its notes cannot be read.
    pub fn kfence_object(&self, address: u64) -> Result<Option<KfenceObject>, Unavailable> {
        let Some((pool, objects)) = self.kfence_pool() else { return Ok(None) };
        let pair = address.wrapping_sub(pool) / (2 * PAGE);
        let Some(index) = pair.checked_sub(1).filter(|index| *index < objects) else {
            return Ok(None);
        };
        let entry = self.object("kfence_metadata", self.kfence_entry(index)?);
        let start = entry.number("addr")?;
        if start == 0 || start / PAGE != address / PAGE {
            return Ok(None);
        }
        let freed =
            i64::from(entry.int("state")?) == self.enumerator("KFENCE_OBJECT_FREED").unwrap_or(2);
        let track = |path: &str| self.kfence_track(entry.address_of(path)?);
        Ok(Some(KfenceObject {
            cache: self.slab_cache(entry.number("cache")?)?.name,
            start,
            size: entry.number("size")?,
            offset: address.wrapping_sub(start).cast_signed(),
            allocated: !freed,
            allocated_by: track("alloc_track")?,
            freed_by: if freed { Some(track("free_track")?) } else { None },
        }))
    }

    /// Address of the notes of an object: in an array to 6.4, in memory that a pointer leads to
    /// since.
    fn kfence_entry(&self, index: u64) -> Result<u64, Unavailable> {
        let symbol = self.symbol("kfence_metadata")?;
        let size = self.size_of("kfence_metadata")?;
        let known = self.image().and_then(|image| image.symbol("kfence_metadata"));
        let table = match known.is_some_and(|table| table.size == 8) {
            true => self
                .read_u64(symbol)
                .map_err(|source| Unavailable::memory("kfence_metadata", source))?,
            false => symbol,
        };
        Ok(table.wrapping_add(index * size))
    }

    fn kfence_track(&self, at: u64) -> Result<Track, Unavailable> {
        let track = self.object("kfence_track", at);
        let entries = track.address_of("stack_entries")?;
        let count = track.number("num_stack_entries")?.min(MAX_ADDRESSES);
        let what = |source| Unavailable::memory("kfence_track", source);
        let address = |index: u64| self.read_u64(entries.wrapping_add(index * 8)).map_err(what);
        let stack = (0..count).map(address).collect::<Result<Vec<_>, _>>()?;
        Ok(Track {
            caller: stack.first().copied().unwrap_or(0),
            cpu: track.int("cpu")?,
            pid: track.int("pid")?,
            when: track.number("ts_nsec")?,
            stack,
            no_stack: None,
        })
    }
}
