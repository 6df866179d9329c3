// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a pointer into freed memory may be the end of what lies before it.
//!
//! Example: the cursor of a ring that wraps nowhere is one slot behind the last one, which is where the next object of
//! the slab begins, and that one is free.

use kernel::mm::PAGE;
use kernel::mm::page::PageUse;
use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::ObjectState;

use crate::identify::Identity;
use crate::scene::Scene;

/// In words, why it may be.
pub(super) const DOUBT: &str =
    "either that was freed, or the pointer is one element behind the end of what lies before it";

/// Whether the pointer, of which `home` is what is there, may have gone there element by element, each of `size`
/// bytes, from an array in use that ends where its object or page begins.
pub(super) fn may_be_end(scene: &dyn Scene, home: &Identity, size: u64) -> bool {
    // What is allocated by itself has an object that has no room for two.
    let has_room = |whole: u64| size.checked_mul(2).is_some_and(|two| two <= whole);
    let (start, whole) = match &home.slab {
        Some(slab) => (slab.start, slab.slab.cache.object_size),
        None => (home.address & !(PAGE - 1), PAGE),
    };
    let is_element = home.address.wrapping_sub(start).checked_rem(size) == Some(0);
    if !is_element || !has_room(whole) || is_noted(scene, home) {
        return false;
    }
    let Some(before) = start.checked_sub(1).and_then(|last| scene.identity(last)) else {
        return false;
    };
    match &before.slab {
        Some(slab) => {
            let whole = slab.slab.cache.object_size;
            slab.part == SlotPart::Object
                && slab.state == ObjectState::Allocated
                && slab.start.checked_add(whole) == Some(start)
                && has_room(whole)
        }
        None => before.page.is_some_and(|page| page.used_for == PageUse::Kernel),
    }
}

/// Whether the allocator noted that a module freed what is there.
fn is_noted(scene: &dyn Scene, home: &Identity) -> bool {
    let freed = home.slab.as_ref().and_then(|slab| slab.freed.as_ref());
    freed.is_some_and(|track| scene.is_outside(track.caller))
}
