// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether an object of the slab allocator is the one that code of a module means, and not one that was freed there.

use kernel::mm::slab_object::SlabObject;
use kernel::mm::track::Track;

use crate::scene::Scene;

/// Functions that allocate an object and copy another one into it (`mm/util.c`, 3.10 to 6.12).
const COPYING: [&str; 2] = ["kmemdup", "kmemdup_noprof"];
/// What functions have in their names that free for others: RCU, and the driver core.
const FOR_OTHERS: [&str; 3] = ["rcu", "devres", "devm_"];
/// Words of new objects (`POISON_FREE` and `POISON_INUSE` of `include/linux/poison.h`).
const FILLING: [u64; 2] = [0x6b6b_6b6b_6b6b_6b6b, 0x5a5a_5a5a_5a5a_5a5a];
/// Bytes of a word.
const WORD: usize = 8;

/// Whether what the object holds was put there since whoever has a pointer to it got that: the allocator noted that code
/// of a module allocated it, and that no code of a module freed one there before; and it is not the copy of another
/// one.
///
/// Example: what still has a pointer to a session that was freed reads the filling of a new object, too, if
/// somebody else got the memory and has not written there yet.
pub(crate) fn is_first_owners(scene: &dyn Scene, slab: &SlabObject) -> bool {
    let Some(allocated) = &slab.allocated else { return false };
    let is_copy = |at: &u64| scene.is_in(at.wrapping_sub(1), &COPYING);
    calls(allocated).any(|at| is_modules(scene, at))
        && !calls(allocated).any(is_copy)
        && slab.freed.as_ref().is_none_or(|freed| is_of_others(scene, freed))
        && is_written(scene, slab)
}

/// The calls that led to the allocator, the caller's first.
fn calls(track: &Track) -> impl Iterator<Item = &u64> {
    [&track.caller].into_iter().chain(&track.stack)
}

fn is_modules(scene: &dyn Scene, call: &u64) -> bool {
    scene.is_outside(call.wrapping_sub(1))
}

/// Whether the kernel freed something of its own: no code of a module asked for that, nor can have left it to others.
fn is_of_others(scene: &dyn Scene, freed: &Track) -> bool {
    let is_for_others = |call: &u64| {
        let name = scene.code_name(call.wrapping_sub(1));
        name.is_none_or(|name| FOR_OTHERS.iter().any(|mark| name.symbol.contains(mark)))
    };
    !freed.stack.is_empty() && !calls(freed).any(|at| is_modules(scene, at) || is_for_others(at))
}

/// Whether something was written to the object: what is filled everywhere may be the copy of one that is free.
fn is_written(scene: &dyn Scene, slab: &SlabObject) -> bool {
    // Its last byte has another filling.
    let end = slab.start.saturating_add(slab.slab.cache.object_size).saturating_sub(1);
    let mut words = (slab.start..end).step_by(WORD).filter(|at| at.saturating_add(8) <= end);
    words.any(|at| scene.word(at, 8).is_some_and(|word| !FILLING.contains(&word)))
}
