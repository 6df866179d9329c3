// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the slab allocator noted of an object.

use kernel::mm::slab_object::{ObjectState, SlabObject};
use kernel::mm::track::Track;
use unwind::Pc;

use crate::claim::Claim;
use crate::diagnosis::About;
use crate::identify::Pattern;
use crate::scene::Scene;

/// Who allocated and freed the object, where the allocator noted that.
pub(crate) fn noted(slab: &SlabObject) -> About {
    let caller = |track: &Option<Track>| track.as_ref().map(|track| track.caller);
    About { freed: caller(&slab.freed), allocated: caller(&slab.allocated), ..About::default() }
}

/// Whether the allocator noted that code of a module from outside of the kernel's tree allocated the object: that of
/// somebody else has another owner by now, if what led there is a module's pointer.
pub(super) fn is_of_a_module(scene: &dyn Scene, slab: &SlabObject) -> bool {
    slab.allocated.as_ref().is_some_and(|track| scene.is_outside(track.caller))
}

/// Why an object in use that has the allocator's filling still may not be one that nobody has set.
pub(crate) const NEVER_WRITTEN: &str = "either nobody has set it, or what it led to was freed, and somebody else has the memory by now";

/// Whether the object is known to be what the code takes it for, and no earlier one that was freed: a module allocated
/// it, and freed none there, as far as the allocator noted; or its cache has objects of one kind, and some of it was
/// set.
pub(crate) fn is_new(scene: &dyn Scene, slab: &SlabObject) -> bool {
    let was_freed = slab.freed.as_ref().is_some_and(|track| scene.is_outside(track.caller));
    is_of_a_module(scene, slab) && !was_freed || is_of_one_kind(slab) && is_partly_set(scene, slab)
}

/// Why the mark of what was taken out of a list may be there.
pub(crate) const OLD_MARK: &str =
    "either it was taken out, or the mark is that of what had the memory before";

/// Whether what is read at the address may have been left by what had the memory before: in an object in use that was
/// not cleared when it was allocated.
pub(crate) fn may_be_old(scene: &dyn Scene, at: u64) -> bool {
    let slab = scene.identity(at).and_then(|identity| identity.slab);
    let slab = slab.filter(|slab| slab.state == ObjectState::Allocated);
    slab.is_some_and(|slab| {
        let is_first = slab.allocated.is_some() && slab.freed.is_none();
        !is_first && scene.clears_new_objects() != Some(true)
    })
}

/// Whether the cache is none of those that `kmalloc()` takes objects from.
fn is_of_one_kind(slab: &SlabObject) -> bool {
    !slab.slab.cache.name.contains("kmalloc-")
}

/// Whether a word of the object has something else than what the allocator fills new objects with.
fn is_partly_set(scene: &dyn Scene, slab: &SlabObject) -> bool {
    /// Bytes that are looked at.
    const MOST: u64 = 512;
    let is_filling = |word: u64| {
        let pattern = scene.identity(word).and_then(|identity| identity.pattern);
        matches!(pattern, Some(Pattern::Poison { poison, .. }) if poison.fills_new_objects())
    };
    let size = slab.slab.cache.object_size.min(MOST);
    let mut words = (0..size / 8).filter_map(|at| scene.word(slab.start.checked_add(at * 8)?, 8));
    words.any(|word| !is_filling(word))
}

/// Who that was, in words.
pub(super) fn tracks(scene: &dyn Scene, slab: &SlabObject, mut claim: Claim) -> Claim {
    if let Some(track) = &slab.freed {
        claim = by(scene, track, claim.text(", freed by "));
    }
    if let Some(track) = &slab.allocated {
        claim = by(scene, track, claim.text(", allocated by "));
    }
    claim
}

/// The code that called the allocator, with its line.
pub(super) fn by(scene: &dyn Scene, track: &Track, claim: Claim) -> Claim {
    let call = Pc::Return(track.caller).for_lookup();
    claim.code(track.caller).at(scene.source_line(call).as_ref())
}
