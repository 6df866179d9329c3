// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pointers that go through the elements of an array, and may have gone past its end.
//!
//! Example: `slot = ring->next++` behind the last slot of the ring: what is read there is the neighbour's, and that
//! may be free.

use iced_x86::{Mnemonic, OpKind};
use kernel::mm::PAGE;
use kernel::mm::page::PageUse;
use kernel::mm::slab_object::{ObjectState, SlabObject};
use kernel::mm::track::Track;

use super::outside::Read;
use super::pointer::Pointer;
use crate::flow::{Code, Slicer, Start, Term, TermKind};
use crate::identify::Identity;
use crate::scene::Scene;

/// Free memory that was read.
struct Free<'i> {
    start: u64,
    size: u64,
    /// An address in what lies before it.
    before: u64,
    slab: Option<&'i SlabObject>,
}

impl<'i> Free<'i> {
    fn of(place: &'i Identity) -> Self {
        let Some(slab) = place.slab.as_deref() else {
            let start = place.address & !(PAGE - 1);
            return Self { start, size: PAGE, before: start.wrapping_sub(1), slab: None };
        };
        let cache = &slab.slab.cache;
        let distance = if slab.index > 0 { cache.size } else { 1 };
        let before = slab.start.wrapping_sub(distance);
        Self { start: slab.start, size: cache.object_size, before, slab: Some(slab) }
    }

    /// Whether the allocator noted that code of a module had the memory.
    fn was_modules(&self, scene: &dyn Scene) -> bool {
        let is_modules = |track: &Track| {
            let mut stack = track.stack.iter().chain([&track.caller]);
            stack.any(|at| scene.is_outside(at.wrapping_sub(1)))
        };
        let tracks = self.slab.map(|slab| [&slab.allocated, &slab.freed]);
        tracks.into_iter().flatten().flatten().any(is_modules)
    }
}

/// Whether the pointer to free memory may as well have gone past the end of what is in use before that: it leads to
/// where an element of an array would be, and the code goes on by elements, or that is the very end of what lies
/// before.
pub(super) fn may_be_past_end(scene: &dyn Scene, read: &Read<'_>, pointer: Pointer) -> bool {
    let free = Free::of(read.place);
    let structure = read.writer.unbounded().structure_at(read.address, read.size);
    let element = structure.map_or(u64::from(read.size), |(_, structure, _)| structure.size);
    let inside = pointer.value.wrapping_sub(free.start);
    // Farther from the pointer is what is no part of an element.
    let is_of_one = read.place.address.wrapping_sub(pointer.value) < element;
    let may_be_element =
        is_of_one && inside.is_multiple_of(element) && element.saturating_mul(2) <= free.size;
    if pointer.has_index || !may_be_element || free.was_modules(scene) {
        return false;
    }
    // In a page, what has one structure only is not rare.
    let is_end = inside == 0 && free.slab.is_some() && free.size.is_multiple_of(element);
    (is_end || steps(scene, read.writer.pc(), read.address)) && is_used(scene, free.before)
}

/// Whether something is in use at the address.
fn is_used(scene: &dyn Scene, address: u64) -> bool {
    let Some(place) = scene.identity(address) else { return false };
    match (place.slab, place.page) {
        (Some(slab), _) => slab.state == ObjectState::Allocated,
        (None, Some(page)) => page.used_for == PageUse::Kernel,
        (None, None) => false,
    }
}

/// Whether the function that read the pointer from memory stores it back as it is some bytes further on. `pc` is in the
/// function that computed the address from it.
fn steps(scene: &dyn Scene, pc: u64, address: &Term) -> bool {
    match &address.kind {
        TermKind::Caller { pc, term } => steps(scene, *pc, term),
        TermKind::Argument { term, .. } | TermKind::Variable { term, .. } => steps(scene, pc, term),
        TermKind::Sum { base, index: None, .. } => steps(scene, pc, base),
        TermKind::Load { address: place, size: 8, .. } => {
            let Some(code) = scene.function_code(pc) else { return false };
            (0..code.instructions().len()).any(|at| is_step(scene, (&code, at), address, place))
        }
        _ => false,
    }
}

/// Whether the instruction stores what was read from the place there, with a number added.
fn is_step(scene: &dyn Scene, (code, at): (&Code, usize), read: &Term, place: &Term) -> bool {
    let instruction = code.instruction(at);
    if instruction.op0_kind() != OpKind::Memory || instruction.memory_size().size() != 8 {
        return false;
    }
    let keeps = |target| scene.keeps_registers(target);
    let slicer = Slicer::new(code, scene, &keeps, Start { position: at, registers: [None; 16] });
    let adds = match (instruction.mnemonic(), instruction.op1_kind()) {
        (Mnemonic::Add | Mnemonic::Sub, _) => true,
        (Mnemonic::Mov, OpKind::Register) => {
            let stored = slicer.register(instruction.op1_register());
            matches!(&stored.bare().kind, TermKind::Sum { base, index: None, offset }
                if *offset != 0 && base.bare().same_computation(read))
        }
        _ => false,
    };
    adds && slicer.operand_address().bare().same_computation(place.bare())
}
