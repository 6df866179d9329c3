// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is given to the slab allocator that never came from it.

use unwind::Frame;

use crate::identify::{AddressRegion, Identity};
use crate::scene::Scene;

/// Functions that free what they are given and nothing else (`mm/slab_common.c`, `mm/util.c`, 3.10 to 6.12).
pub(crate) const FREEING: [&str; 5] =
    ["kfree", "kfree_sensitive", "kzfree", "kvfree", "kmem_cache_free"];

/// What a pointer leads to that a function of the slab allocator was to free, where the allocator has nothing: the
/// image of the kernel or of a module, or a stack.
///
/// Example: `kfree(arg->data)` of a `data` that points to a static array faults where its page would be.
pub(super) fn unallocated(scene: &dyn Scene, frames: &[Frame], pointer: u64) -> Option<Identity> {
    let first = frames.first()?.pc.for_lookup();
    if !scene.is_in(first, &FREEING) {
        return None;
    }
    let identity = scene.identity(pointer)?;
    let has_no_objects = match identity.region {
        AddressRegion::Image | AddressRegion::Modules => true,
        AddressRegion::Vmalloc => identity.stack.is_some(),
        _ => false,
    };
    has_no_objects.then_some(identity)
}
