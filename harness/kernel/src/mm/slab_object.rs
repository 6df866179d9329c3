// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is known of an object of the slab allocator.

use super::caches::SlabCache;
use super::slab::{Slab, SlabPlace};
use super::slab_layout::SlotPart;
use super::track::Track;
use crate::{Kernel, Unavailable, VirtualMemory as _};

/// Red zone of a free object, and of one in use (`include/linux/poison.h`).
const RED_INACTIVE: u8 = 0xbb;
const RED_ACTIVE: u8 = 0xcc;
/// Contents of a free object, its last byte, and of filling.
const POISON_FREE: u8 = 0x6b;
const POISON_END: u8 = 0xa5;
const POISON_IN_USE: u8 = 0x5a;
/// Objects on the free lists of one slab are no more than a slab has.
const MAX_CHECKED: u64 = 1 << 20;

/// An object and what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlabObject {
    /// The slab, with its cache.
    pub slab: Slab,
    /// Where the slab is kept.
    pub place: Option<SlabPlace>,
    /// Number in the slab.
    pub index: u64,
    /// Where the object starts.
    pub start: u64,
    /// Distance of the address asked for from there; negative in the red zone before it.
    pub offset: i64,
    /// What the address asked for is part of.
    pub part: SlotPart,
    /// Whether the object is in use.
    pub state: ObjectState,
    /// What is wrong with the bytes that the allocator watches (`slub_debug`), in words.
    pub damage: Vec<String>,
    /// Who allocated it last, if the allocator notes that.
    pub allocated: Option<Track>,
    /// Who freed it last; of an object in use, before it was allocated again.
    pub freed: Option<Track>,
    /// What could not be read.
    pub unknown: Vec<Unavailable>,
}

/// Whether an object is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectState {
    /// On none of the lists of free objects.
    Allocated,
    /// On the slab's own list of free objects.
    Free,
    /// On the list of free objects that a CPU took for itself.
    FreeOnCpu(u32),
    /// On none of the lists of free objects, with the red zones of a free one.
    FreeByZones,
    /// On a list of free objects, with the red zones of one in use.
    InUseByZones,
    /// The lists of free objects are damaged or cannot be read.
    Unknown(String),
}

impl ObjectState {
    /// Whether the object is free; `None` if that is not known.
    #[must_use]
    pub const fn is_free(&self) -> Option<bool> {
        match self {
            Self::Free | Self::FreeOnCpu(_) | Self::FreeByZones => Some(true),
            Self::Allocated => Some(false),
            Self::InUseByZones | Self::Unknown(_) => None,
        }
    }
}

impl Kernel<'_> {
    /// The object whose place in `slab` holds `address`; none if it lies behind the last object.
    #[must_use]
    pub fn slab_object(&self, slab: Slab, address: u64) -> Option<SlabObject> {
        let (index, offset) = slab.slot(address)?;
        let start = slab.cache.object(slab.base, index);
        let part = slab.cache.part(offset);
        let state = match self.object_state(&slab, start) {
            Ok(state) => self.contradicted(&slab.cache, start, &state).unwrap_or(state),
            Err(why) => ObjectState::Unknown(why.to_string()),
        };
        let mut unknown = Vec::new();
        let mut ask = |asked: Result<Option<Track>, Unavailable>| match asked {
            Ok(track) => track,
            Err(why) => {
                unknown.push(why);
                None
            }
        };
        let allocated = ask(self.slab_track(&slab.cache, start, 0));
        let freed = ask(self.slab_track(&slab.cache, start, 1));
        let place = self.slab_place(&slab).unwrap_or_else(|why| {
            unknown.push(why);
            None
        });
        let damage = self.object_damage(&slab, start, &state).unwrap_or_else(|why| {
            unknown.push(why);
            Vec::new()
        });
        Some(SlabObject {
            slab,
            place,
            index,
            start,
            offset,
            part,
            state,
            damage,
            allocated,
            freed,
            unknown,
        })
    }

    /// Whether the object at `start` is free.
    ///
    /// # Errors
    /// If a list of free objects is damaged or cannot be read and does not have it.
    pub fn object_state(&self, slab: &Slab, start: u64) -> Result<ObjectState, Unavailable> {
        for cpu in self.possible_cpus()? {
            let own = self.cpu_slab(&slab.cache, cpu)?;
            let Some((_, first)) = own.filter(|(page, _)| *page == slab.page) else { continue };
            if self.free_objects(slab, first)?.contains(&start) {
                return Ok(ObjectState::FreeOnCpu(cpu));
            }
        }
        let free = self.free_objects(slab, slab.free)?;
        Ok(if free.contains(&start) { ObjectState::Free } else { ObjectState::Allocated })
    }

    /// What the red zones say of an object, if it is not what the lists of free objects say.
    ///
    /// Situation: SLUB finds a slab damaged and goes on. It takes all of its objects for used from
    /// then on (`alloc_debug_processing`), the free ones too: they are on no list, and their red
    /// zones are still those of free objects, which nobody overwrote.
    fn contradicted(
        &self,
        cache: &SlabCache,
        start: u64,
        state: &ObjectState,
    ) -> Option<ObjectState> {
        let zones = self.red_zones(cache, start).ok()?;
        let all = |wanted: u8| !zones.is_empty() && zones.iter().all(|byte| *byte == wanted);
        match state {
            ObjectState::Allocated if all(RED_INACTIVE) => Some(ObjectState::FreeByZones),
            ObjectState::Free | ObjectState::FreeOnCpu(_) if all(RED_ACTIVE) => {
                Some(ObjectState::InUseByZones)
            }
            _ => None,
        }
    }

    /// The bytes of both red zones; none if the cache has none.
    fn red_zones(&self, cache: &SlabCache, start: u64) -> Result<Vec<u8>, Unavailable> {
        if !cache.checks.red_zones {
            return Ok(Vec::new());
        }
        let right = cache.in_use.saturating_sub(cache.object_size);
        let places = [
            (start.wrapping_sub(cache.left_pad), cache.left_pad),
            (start.wrapping_add(cache.object_size), right),
        ];
        let mut zones = Vec::new();
        for (at, bytes) in places {
            let length = usize::try_from(bytes.min(MAX_CHECKED)).unwrap_or(0);
            let lost = |source| Unavailable::memory("red zone", source);
            zones.extend(self.read_bytes(at, length).map_err(lost)?);
        }
        Ok(zones)
    }

    /// What is wrong with the bytes that the allocator watches.
    fn object_damage(
        &self,
        slab: &Slab,
        start: u64,
        state: &ObjectState,
    ) -> Result<Vec<String>, Unavailable> {
        let cache = &slab.cache;
        let in_use = *state == ObjectState::Allocated;
        let mut damage = Vec::new();
        if !matches!(state, ObjectState::Allocated | ObjectState::Free | ObjectState::FreeOnCpu(_))
        {
            return Ok(damage);
        }
        if cache.checks.red_zones {
            let red = if in_use { RED_ACTIVE } else { RED_INACTIVE };
            let left = start.wrapping_sub(cache.left_pad);
            self.check(&mut damage, "red zone before it", left, cache.left_pad, red)?;
            let right = start.wrapping_add(cache.object_size);
            let bytes = cache.in_use.saturating_sub(cache.object_size);
            self.check(&mut damage, "red zone behind it", right, bytes, red)?;
        }
        if cache.checks.contents && !in_use && cache.object_size > 0 {
            let last = cache.object_size - 1;
            self.check(&mut damage, "freed contents", start, last, POISON_FREE)?;
            self.check(&mut damage, "freed contents", start.wrapping_add(last), 1, POISON_END)?;
        }
        if cache.checks.poison {
            let used = self.notes_end(cache, start)?;
            let end = cache.size.saturating_sub(cache.left_pad);
            let at = start.wrapping_add(used);
            self.check(&mut damage, "padding", at, end.saturating_sub(used), POISON_IN_USE)?;
        }
        Ok(damage)
    }

    fn check(
        &self,
        damage: &mut Vec<String>,
        what: &str,
        at: u64,
        bytes: u64,
        wanted: u8,
    ) -> Result<(), Unavailable> {
        let length = usize::try_from(bytes.min(MAX_CHECKED)).unwrap_or(0);
        let lost = |source| Unavailable::memory(what, source);
        let found = self.read_bytes(at, length).map_err(lost)?;
        let first = found.iter().enumerate().find(|(_, byte)| **byte != wanted);
        if let Some((first, byte)) = first {
            let at = at.wrapping_add(first as u64);
            damage.push(format!(
                "{what} is overwritten at 0x{at:016x}: 0x{byte:02x} instead of 0x{wanted:02x}"
            ));
        }
        Ok(())
    }
}
