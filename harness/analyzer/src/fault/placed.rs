// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the pointers on the way to a bad one lead.
//!
//! `container_of()` with the wrong member gives a pointer into the middle of the right object: what is
//! read through it is some other member, or what lies behind the structure.

use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::{ObjectState, SlabObject};

use super::foot::Foot;
use super::found::Found;
use super::noted::{by, is_of_a_module, noted};
use super::pointer::pointer;
use super::reads::innermost;
use crate::claim::Claim;
use crate::diagnosis::{About, Nature};
use crate::express::{Expression, Structure, Writer};
use crate::flow::{Round, Term, TermKind, evaluate, evaluate_round};
use crate::scene::Scene;

/// What is larger is no index, but an address, or a distance between two of them: of `per_cpu_ptr(stats, cpu)` the
/// compiler may take either for the pointer.
const LARGEST_INDEX: u64 = 1 << 44;

/// Whether the value may be an index, of either sign.
pub(super) const fn may_be_index(value: u64) -> bool {
    value <= LARGEST_INDEX || value >= LARGEST_INDEX.wrapping_neg()
}

/// The innermost pointer on the way that leads into the middle of an object of the slab allocator, where
/// what it points to does not fit.
pub(super) fn misplaced(
    scene: &dyn Scene,
    (writer, round): (Writer<'_>, Option<Round>),
    term: &Term,
) -> Option<Found> {
    innermost(writer, term, &|writer, _, read| misplaced_read(scene, (writer, round), read))
}

/// The same of one that was read: how its address was computed, and its bytes.
fn misplaced_read(
    scene: &dyn Scene,
    (writer, round): (Writer<'_>, Option<Round>),
    (address, size): (&Term, u8),
) -> Option<Found> {
    let (_, structure, inside) = writer.unbounded().structure_at(address, size)?;
    let place = evaluate_round(address, scene, round.map(|round| round.variable))?;
    let value = place.wrapping_sub(inside.cast_unsigned());
    let slab = scene.identity(value)?.slab.filter(|slab| slab.part == SlotPart::Object)?;
    let at = value.wrapping_sub(slab.start);
    let whole = slab.slab.cache.object_size;
    if at.checked_add(structure.size)? <= whole || slab.state != ObjectState::Allocated {
        return None;
    }
    if at == 0 {
        return short(scene, (writer, address, size), (value, structure, inside), &slab);
    }
    // In an object that has room for several, the last may be one that is shorter on purpose.
    if structure.size.saturating_mul(2) <= whole {
        return None;
    }
    let named = |writer: Writer<'_>| Some(writer.structure_at(address, size)?.0);
    let expression = named(writer);
    let name =
        named(writer.unbounded()).map_or_else(|| "the pointer".to_owned(), |c| format!("`{c}`"));
    let claim = Claim::new(Some(true)).text(format!("{name} is ")).data(value);
    let cache = slab.slab.cache.name.clone();
    let words = format!(", {at:#x} bytes into an object of {cache} of {whole:#x} bytes, at ");
    let claim = claim.text(words).data(slab.start);
    let claim = Some(claim.text(format!("; a struct {} has {:#x}", structure.tag, structure.size)));
    let is_outside = place.wrapping_sub(slab.start).checked_add(size.into())? > whole;
    let is_certain = is_outside && is_of_a_module(scene, &slab)
        || is_computed(scene, address, round, (value, &slab));
    let nature = Nature::Misplaced { cache, structure: structure.tag, is_certain };
    let computed = match &address.bare().kind {
        TermKind::Sum { base, .. } => Some(base.site),
        _ => Some(address.site),
    };
    let computed = computed.filter(|site| *site != 0);
    Some(Found {
        claim,
        expression,
        about: About { computed, ..About::default() },
        ..nature.into()
    })
}

/// Whether the code computed the pointer `value` from another one into the same object: an object that was freed, and
/// whose memory has another owner by now, is led to by a pointer that was kept.
fn is_computed(
    scene: &dyn Scene,
    address: &Term,
    round: Option<Round>,
    (value, slab): (u64, &SlabObject),
) -> bool {
    let mut term = address.bare();
    while let TermKind::Sum { base, index: None, .. } = &term.kind {
        let from = evaluate_round(base, scene, round.map(|round| round.variable));
        let is_inside = |from: u64| from.wrapping_sub(slab.start) < slab.slab.cache.object_size;
        if from.is_some_and(|from| from != value && is_inside(from)) {
            return true;
        }
        term = base.bare();
    }
    false
}

/// An object that begins where it should and ends before what was read of it: too little was allocated.
fn short(
    scene: &dyn Scene,
    (writer, address, size): (Writer<'_>, &Term, u8),
    (value, structure, inside): (u64, Structure, i64),
    slab: &SlabObject,
) -> Option<Found> {
    let whole = slab.slab.cache.object_size;
    let end = u64::try_from(inside).ok()?.checked_add(size.into())?;
    if end <= whole {
        return None;
    }
    let pointer = writer.unbounded().structure_at(address, size)?.0;
    let cache = slab.slab.cache.name.clone();
    let claim = Claim::new(Some(true)).text(format!("`{pointer}` is ")).data(value);
    let words = format!(", an object of {cache} of {whole:#x} bytes; {end:#x} were read of it");
    let claim = Some(claim.text(words));
    let Structure { tag, size: needs } = structure;
    let is_certain = is_of_a_module(scene, slab);
    let nature = Nature::Short { cache, size: whole, structure: tag, needs, is_certain };
    Some(Found { claim, about: noted(slab), ..nature.into() })
}

/// An array on the way that is not known to have the element that is asked for.
pub(super) enum Past {
    /// It has none.
    Outside {
        /// The number.
        index: Expression,
        /// The array.
        array: Expression,
        /// What shows it.
        claim: Claim,
    },
    /// It is declared with fewer, at the end of a structure, and memory around it goes on that far.
    Declared {
        /// The array.
        array: Expression,
        /// Its elements.
        count: u64,
    },
}

/// The innermost array on the way whose declaration has no element of the number that is asked for.
pub(super) fn past_end(scene: &dyn Scene, writer: Writer<'_>, term: &Term) -> Option<Past> {
    innermost(writer, term, &|writer, _, (address, size)| {
        let bound = writer.bound(address, size)?;
        let value = evaluate(bound.index, scene).or(bound.index.observed)?;
        if value < bound.count || !may_be_index(value) {
            return None;
        }
        if bound.is_last && is_inside(scene, address, size) {
            return Some(Past::Declared { array: bound.array, count: bound.count });
        }
        let index = writer.expression(bound.index).ok().filter(|c| !c.is_number())?;
        let claim = Claim::new(Some(true)).text(format!("`{index}` is ")).data(value);
        let claim = claim.text(format!(", and `{}` has {} elements", bound.array, bound.count));
        Some(Past::Outside { index, array: bound.array, claim })
    })
}

/// Whether bytes at a distance from a pointer are in the object of the allocator that it leads to.
fn is_inside(scene: &dyn Scene, address: &Term, size: u8) -> bool {
    let inside = || {
        let at = evaluate(address, scene).or(address.observed)?;
        let pointer = pointer(scene, address, at, None)?;
        let slab = scene.identity(pointer.value)?.slab?;
        let end = at.checked_sub(slab.start)?.checked_add(size.into())?;
        Some(end <= slab.slab.cache.object_size)
    };
    inside() == Some(true)
}

/// Who allocated the object that a pointer was read from, where the allocator noted that: one that has
/// another owner by now is not what the code takes it for.
pub(super) fn owner(scene: &dyn Scene, foot: &Foot<'_, '_>) -> Option<Claim> {
    let slab = scene.identity(foot.loaded_from(scene)?)?.slab?;
    let allocated = slab.allocated.as_ref().filter(|_| slab.state == ObjectState::Allocated)?;
    let claim = Claim::new(Some(true)).text("the object that it was read from, of ");
    let claim = claim.text(slab.slab.cache.name.as_str()).text(", was allocated by ");
    let claim = by(scene, allocated, claim);
    Some(match &slab.freed {
        Some(freed) => by(scene, freed, claim.text("; the one before it was freed by ")),
        None => claim,
    })
}
