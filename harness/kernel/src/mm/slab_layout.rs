// SPDX-License-Identifier: MIT OR Apache-2.0
//! How SLUB lays an object out (`calculate_sizes`, `object_err` and the drawing at `check_bytes` in
//! `mm/slub.c`):
//!
//! ```text
//! | red zone | object | red zone | free pointer | who allocated | who freed | padding |
//!            ^ start           in_use
//! ```
//!
//! Of these only the object is always there. The free pointer lies inside of a free object unless
//! its contents must be kept (constructor, poison, RCU).

use super::caches::SlabCache;

/// Part of an object's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotPart {
    /// The red zone in front of it.
    LeftRedZone,
    /// The object.
    Object,
    /// The red zone, or the filling up to a word, behind it.
    RightRedZone,
    /// The pointer to the next free object, where that is outside of the object.
    FreePointer,
    /// Who allocated or freed it, and filling.
    Tracking,
}

impl std::fmt::Display for SlotPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::LeftRedZone => "the red zone before the object",
            Self::Object => "the object",
            Self::RightRedZone => "the filling or red zone behind the object",
            Self::FreePointer => "the free pointer behind the object",
            Self::Tracking => "the allocator's notes behind the object",
        })
    }
}

impl SlabCache {
    /// Whether the free pointer lies behind the object.
    #[must_use]
    pub const fn free_pointer_outside(&self) -> bool {
        self.free_pointer >= self.in_use
    }

    /// Distance from an object's start to the first track.
    #[must_use]
    pub const fn tracks(&self) -> u64 {
        if self.free_pointer_outside() { self.in_use + 8 } else { self.in_use }
    }

    /// Start of the object of that number in the slab at `base`.
    #[must_use]
    pub const fn object(&self, base: u64, index: u64) -> u64 {
        base.wrapping_add(index.wrapping_mul(self.size)).wrapping_add(self.left_pad)
    }

    /// The part of a slot that is `offset` bytes from the object's start.
    #[must_use]
    pub const fn part(&self, offset: i64) -> SlotPart {
        if offset < 0 {
            return SlotPart::LeftRedZone;
        }
        let offset = offset.cast_unsigned();
        if offset < self.object_size {
            SlotPart::Object
        } else if offset < self.in_use {
            SlotPart::RightRedZone
        } else if self.free_pointer_outside() && offset < self.tracks() {
            SlotPart::FreePointer
        } else {
            SlotPart::Tracking
        }
    }
}
