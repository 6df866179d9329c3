// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that were read outside of what their pointer leads to.
//!
//! Example: of `table->slots[number]->name` with a number behind the last slot, the pointer that is taken
//! for a slot is what the neighbour holds, or NULL, or what the neighbour held before it was freed.

use kernel::mm::PAGE;
use kernel::mm::page::{Page, PageUse};
use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::{ObjectState, SlabObject};

use super::found::Found;
use super::noted::{is_of_a_module, noted};
use super::pointer::{Pointer, pointer};
use super::reads::innermost;
use crate::claim::Claim;
use crate::diagnosis::{About, Nature, Owner, Place};
use crate::express::Writer;
use crate::flow::{Round, Term, evaluate_round};
use crate::identify::{AddressRegion, Identity, NULL_PAGE};
use crate::scene::Scene;

/// The last element of an array that a program names by a constant is nearer to its start.
const FARTHEST: u64 = 1 << 14;

/// A value that was read from memory.
pub(super) struct Read<'t> {
    pub(super) writer: Writer<'t>,
    /// The value.
    pub(super) term: &'t Term,
    /// How its address was computed.
    pub(super) address: &'t Term,
    /// Bytes that were read.
    pub(super) size: u8,
    /// The address.
    pub(super) place: &'t Identity,
}

impl Read<'_> {
    /// As C, with numbers where there are no names.
    pub(super) fn named(&self) -> String {
        let text = self.writer.unbounded().expression(self.term).ok();
        text.map_or_else(|| "it".to_owned(), |text| format!("`{text}`"))
    }

    /// The member that was read.
    pub(super) fn about(&self, about: About) -> About {
        About { part: self.writer.unbounded().part_at(self.address, self.size), ..about }
    }
}

/// What the pointer leads to, if that is in use and the value was read outside of it: by an index, or from memory
/// that is free.
pub(super) fn outside(scene: &dyn Scene, read: &Read<'_>, pointer: Pointer) -> Option<Found> {
    let at = read.place.address;
    let is_free = read.place.freed_memory().is_some();
    if is_at_home(read.place, pointer.value) || !(pointer.has_index || is_free) {
        return None;
    }
    let home = scene.identity(pointer.value)?;
    if let Some(slab) = home.slab {
        let is_used = slab.part == SlotPart::Object && slab.state == ObjectState::Allocated;
        return is_used.then(|| of_object(scene, read, pointer, &slab)).flatten();
    }
    let page = home.page.filter(|_| home.region == AddressRegion::DirectMap)?;
    let size = bytes(&page)?;
    let start = match page.order {
        0 => pointer.value & !(PAGE - 1),
        // Large pages lie at multiples of their size.
        _ => pointer.value & !(size - 1),
    };
    let inside = at.wrapping_sub(start);
    // How many pages were taken together is known of those alone that know it themselves.
    let is_outside = if page.order > 0 { inside >= size } else { is_free };
    is_outside.then(|| {
        let size = Some(size).filter(|_| page.order > 0);
        found(read, Place::Pages, (start, inside.cast_signed(), size), About::default(), false)
    })
}

/// The innermost value on the way that was read behind the end of the object of the slab allocator in use whose start
/// its pointer leads to, and by a constant: an element of an array that has fewer.
pub(super) fn behind(
    scene: &dyn Scene,
    (writer, round): (Writer<'_>, Option<Round>),
    term: &Term,
) -> Option<Found> {
    innermost(writer, term, &|writer, term, (address, size)| {
        let variable = round.map(|round| round.variable);
        let at = evaluate_round(address, scene, variable)?;
        let pointer = pointer(scene, address, at, variable).filter(|_| at > NULL_PAGE)?;
        // Per-CPU variables are at constant distances, too, but farther.
        if at.wrapping_sub(pointer.value) > FARTHEST {
            return None;
        }
        let place = scene.identity(at)?;
        if is_at_home(&place, pointer.value) {
            return None;
        }
        let slab = scene.identity(pointer.value)?.slab?;
        let is_used = slab.part == SlotPart::Object && slab.state == ObjectState::Allocated;
        if !is_used || pointer.value != slab.start || at < slab.start {
            return None;
        }
        let read = Read { writer, term, address, size, place: &place };
        of_object(scene, &read, pointer, &slab)
    })
}

/// Whether the pointer leads to where the value was read, as far as that place tells.
fn is_at_home(place: &Identity, pointer: u64) -> bool {
    match &place.slab {
        Some(slab) => pointer.wrapping_sub(slab.start) < slab.slab.cache.object_size,
        // In a page there are objects or none.
        None => place.symbol.is_some() || pointer / PAGE == place.address / PAGE,
    }
}

fn of_object(
    scene: &dyn Scene,
    read: &Read<'_>,
    pointer: Pointer,
    slab: &SlabObject,
) -> Option<Found> {
    let size = slab.slab.cache.object_size;
    let inside = read.place.address.wrapping_sub(slab.start).cast_signed();
    let is_inside = u64::try_from(inside).is_ok_and(|inside| inside < size);
    // What is counted down from the end of one object begins where the next one does.
    let is_counted_down = inside < 0 && pointer.value == slab.start;
    if is_inside || is_counted_down {
        return None;
    }
    let place = Place::Slab(Owner { cache: slab.slab.cache.name.clone() });
    let is_certain = pointer.has_index && is_of_a_module(scene, slab);
    Some(found(read, place, (slab.start, inside, Some(size)), noted(slab), is_certain))
}

/// Bytes of the large page that a page in use belongs to.
const fn bytes(page: &Page) -> Option<u64> {
    match page.used_for {
        PageUse::Kernel => Some(PAGE << page.order),
        PageUse::Slab
        | PageUse::Free { .. }
        | PageUse::FreeOnCpu { .. }
        | PageUse::Unreferenced
        | PageUse::Anonymous
        | PageUse::File(_)
        | PageUse::Reserved => None,
    }
}

fn found(
    read: &Read<'_>,
    place: Place,
    (start, at, size): (u64, i64, Option<u64>),
    about: About,
    is_certain: bool,
) -> Found {
    let (distance, way) = (at.unsigned_abs(), if at < 0 { "before" } else { "behind" });
    let words = format!("{} is read {distance:#x} bytes {way} the start of ", read.named());
    let of = size.map(|size| format!(" of {size:#x} bytes")).unwrap_or_default();
    // Of pages that were taken together, only large ones tell which is the first.
    let what = match (&place, size) {
        (Place::Pages, None) => "an allocated page".to_owned(),
        _ => place.words(),
    };
    let claim = Claim::new(Some(true)).text(words).text(format!("{what}{of}, at "));
    let claim = Some(claim.data(start));
    let nature = Nature::Outside { place, at, size, is_certain };
    let expression = read.writer.expression(read.term).ok();
    Found { nature, claim, expression, about: read.about(about) }
}
