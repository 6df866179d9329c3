// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who allocated and who freed an object (`slub_debug=U`; `struct track` of `mm/slub.c`).
//!
//! The stack is in the structure itself (`addrs[]`, to 5.17 where `CONFIG_STACKTRACE` is on), or in the stack depot, whose
//! handle it has.

use super::caches::SlabCache;
use crate::{Kernel, Unavailable, VirtualMemory as _};

/// Return addresses that are taken at most (`TRACK_ADDRS_COUNT` is 16).
const MAX_ADDRESSES: u64 = 64;

/// Who did something to an object, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Return address of the caller.
    pub caller: u64,
    /// CPU.
    pub cpu: i32,
    /// Thread.
    pub pid: i32,
    /// In jiffies since boot, less the start of counting.
    pub when: u64,
    /// Return addresses, innermost first; empty where the kernel keeps no stack.
    pub stack: Vec<u64>,
    /// Why there is no stack, if there should be one.
    pub no_stack: Option<Unavailable>,
}

impl Kernel<'_> {
    /// Who allocated (0) or freed (1) the object at `start`; none if that is not noted, or has not
    /// happened.
    pub(super) fn slab_track(
        &self,
        cache: &SlabCache,
        start: u64,
        which: u64,
    ) -> Result<Option<Track>, Unavailable> {
        if !cache.checks.users {
            return Ok(None);
        }
        let size = self.size_of("track")?;
        let at = start.wrapping_add(cache.tracks()).wrapping_add(which * size);
        let track = self.object("track", at);
        let caller = track.number("addr")?;
        if caller == 0 {
            return Ok(None);
        }
        let (stack, no_stack) = match self.track_stack(at) {
            Ok(stack) => (stack, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        Ok(Some(Track {
            caller,
            cpu: track.int("cpu")?,
            pid: track.int("pid")?,
            when: track.number("when")?,
            stack,
            no_stack,
        }))
    }

    fn track_stack(&self, at: u64) -> Result<Vec<u64>, Unavailable> {
        let track = self.object("track", at);
        if self.has_field("track", "handle") {
            let handle = track.number("handle")?;
            return match u32::try_from(handle) {
                Ok(0) | Err(_) => Ok(Vec::new()),
                Ok(handle) => self.depot_stack(handle),
            };
        }
        let Ok(field) = self.field("track", "addrs") else { return Ok(Vec::new()) };
        let count = (field.size / 8).min(MAX_ADDRESSES);
        let mut stack = Vec::new();
        for index in 0..count {
            let slot = at.wrapping_add(field.offset).wrapping_add(index * 8);
            let what = |source| Unavailable::memory("track.addrs", source);
            match self.read_u64(slot).map_err(what)? {
                // 3.10 ends it with all ones where there were fewer.
                0 | u64::MAX => break,
                address => stack.push(address),
            }
        }
        Ok(stack)
    }

    /// Distance from the start of the object there to the end of the allocator's notes behind it:
    /// tracks and the size that was asked for.
    ///
    /// The size is an `unsigned int`, of later kernels (and of 6.12 since some update) an `unsigned
    /// long`. No structure tells which: the upper half of such a number is zero, and filling is not.
    pub(super) fn notes_end(&self, cache: &SlabCache, start: u64) -> Result<u64, Unavailable> {
        if !cache.checks.users {
            return Ok(cache.tracks());
        }
        let tracks = cache.tracks() + 2 * self.size_of("track")?;
        if !cache.checks.sizes {
            return Ok(tracks);
        }
        let upper = start.wrapping_add(tracks).wrapping_add(4);
        let upper = self.read_u32(upper).map_err(|source| Unavailable::memory("size", source))?;
        Ok(tracks + if upper == 0 { 8 } else { 4 })
    }
}
