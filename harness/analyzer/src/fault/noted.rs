// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the slab allocator noted of an object.

use kernel::mm::slab_object::SlabObject;
use kernel::mm::track::Track;
use unwind::Pc;

use crate::claim::Claim;
use crate::diagnosis::About;
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
