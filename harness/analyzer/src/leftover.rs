// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether what stands in memory may be left of an earlier owner.

use crate::identify::{AddressRegion, Identity};
use crate::scene::Scene;
use kernel::mm::page::PageUse;

/// Why the mark of what was taken out of a list may be there, in words.
pub(crate) const MARK_LEFT: &str = "either it was taken out before, or it was never put in and has the mark of what had its memory before";

/// Whether memory in use at the address may hold what was written there before it was allocated: the allocators
/// do not clear it, nor fill it when it is freed.
///
/// Example: `kmalloc()` of an entry that is in no list yet gives memory of one that was taken out of its list and
/// freed, with the mark of that in its links.
pub(crate) fn may_be_left(scene: &dyn Scene, address: u64) -> bool {
    let Some(identity) = scene.identity(address) else { return false };
    may_be_refilled(&identity)
        && scene.clears_new_memory() != Some(true)
        && scene.clears_freed_memory() != Some(true)
}

/// Whether it is memory of an allocator that may have had it from somebody else, as far as is noted of it.
fn may_be_refilled(identity: &Identity) -> bool {
    if let Some(slab) = &identity.slab {
        let checks = slab.slab.cache.checks;
        let is_first = checks.users && slab.freed.is_none();
        return slab.state.is_free() != Some(true) && !checks.contents && !is_first;
    }
    let used_for = identity.page.as_ref().map(|page| page.used_for);
    identity.region == AddressRegion::DirectMap && used_for == Some(PageUse::Kernel)
}
