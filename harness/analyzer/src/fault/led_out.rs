// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that were read outside of the object that they were looked for in, by a number that is too large.
//!
//! Example: of `table->slots[number]->name` with a number behind the last slot, the pointer that is taken
//! for a slot is what the neighbour holds, or NULL, or what the neighbour held before it was freed.

use kernel::mm::PAGE;
use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::ObjectState;

use super::found::Found;
use super::freed::noted;
use crate::claim::Claim;
use crate::diagnosis::{About, Nature};
use crate::express::Writer;
use crate::flow::{Round, Term, TermKind, evaluate_round};
use crate::scene::Scene;

/// The innermost value on the way that was read outside of the object of the slab allocator in use that
/// a pointer and a number were to lead into.
pub(super) fn led_out(
    scene: &dyn Scene,
    (writer, round): (Writer<'_>, Option<Round>),
    term: &Term,
) -> Option<Found> {
    match &term.kind {
        TermKind::Caller { pc, term } => return led_out(scene, (writer.at(*pc), round), term),
        TermKind::Walk { .. } => return None,
        _ => {}
    }
    let mut parts = term.parts().into_iter();
    if let Some(found) = parts.find_map(|part| led_out(scene, (writer, round), part)) {
        return Some(found);
    }
    let TermKind::Load { address, size: read, .. } = &term.kind else { return None };
    let TermKind::Sum { base, index: Some(_), .. } = &address.bare().kind else { return None };
    let value = |term: &Term| evaluate_round(term, scene, round.map(|round| round.variable));
    let (from, at) = (value(base)?, value(address)?);
    let place = scene.identity(at)?;
    let is_at_home = match &place.slab {
        Some(slab) => from.wrapping_sub(slab.start) < slab.slab.cache.object_size,
        // In a page there are objects or none.
        None => place.symbol.is_some() || from / PAGE == at / PAGE,
    };
    if is_at_home {
        return None;
    }
    let slab = scene.identity(from)?.slab?;
    let is_used = slab.part == SlotPart::Object && slab.state == ObjectState::Allocated;
    let size = slab.slab.cache.object_size;
    let at = at.wrapping_sub(slab.start).cast_signed();
    let is_inside = u64::try_from(at).is_ok_and(|at| at < size);
    // What is counted down from the end of one object begins where the next one does.
    let is_counted_down = at < 0 && from == slab.start;
    if !is_used || is_inside || is_counted_down {
        return None;
    }
    let cache = slab.slab.cache.name.clone();
    let expression = writer.expression(term).ok();
    let named = writer.unbounded().expression(term).ok();
    let named = named.map_or_else(|| "it".to_owned(), |text| format!("`{text}`"));
    let (distance, way) = (at.unsigned_abs(), if at < 0 { "before" } else { "behind" });
    let words =
        format!("{named} is read {distance:#x} bytes {way} the start of an object of {cache} ");
    let claim = Claim::new(Some(true)).text(words).text(format!("of {size:#x} bytes, at "));
    let claim = claim.data(slab.start);
    let part = writer.unbounded().part_at(address, *read);
    let nature = Nature::Outside { cache, at, size };
    let about = About { part, ..noted(&slab) };
    Some(Found { claim: Some(claim), expression, about, nature })
}
