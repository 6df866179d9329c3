// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that were read from memory whose owner gave it back: a freed object, the frame of a
//! function that returned.

use iced_x86::Register;
use kernel::mm::PAGE;
use kernel::mm::page::PageUse;
use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::{ObjectState, SlabObject};
use unwind::Frame;

use super::caller::with_callers;
use super::cursor::may_be_past_end;
use super::found::Found;
use super::noted::{noted, tracks};
use super::outside::{Read, outside};
use super::pointer::pointer;
use crate::claim::Claim;
use crate::diagnosis::Nature;
use crate::express::Writer;
use crate::flow::{
    CallTarget, Round, Slicer, Start, Term, TermKind, between, call_target, evaluate,
    evaluate_round, full, is_call,
};
use crate::identify::{FreedMemory, Identity, Pattern, Poison};
use crate::scene::{RanOn, Scene};
use crate::thunk::lower;

/// What pages are that were given back.
const PAGES: FreedMemory = FreedMemory::Pages;
/// Where a block of free pages is larger than 2^this pages, any number that is an address may lead into one.
const LARGEST_BY_CHANCE: u32 = 3;

/// What a value on the way was read from, if its owner gave it back. `sp` is the stack pointer at the
/// fault in `frames[0]`, `round` the round of a loop on the way.
pub(super) fn gone(
    scene: &dyn Scene,
    frames: &[Frame],
    (writer, round): (Writer<'_>, Option<Round>),
    term: &Term,
    sp: u64,
) -> Option<Found> {
    if let TermKind::Caller { pc, term } = &term.kind {
        return gone(scene, frames, (writer.at(*pc), round), term, sp);
    }
    // The variable is what the round before made of it.
    if let TermKind::Walk { first, next, .. } = &term.kind {
        let (source, earlier) = match round {
            Some(round) => round.source(first, next)?,
            None => (first.as_ref(), None),
        };
        return gone(scene, frames, (writer, earlier), source, sp);
    }
    for part in term.parts() {
        if let Some(found) = gone(scene, frames, (writer, round), part, sp) {
            return Some(found);
        }
    }
    let TermKind::Load { address, size, .. } = &term.kind else { return None };
    let variable = round.map(|round| round.variable);
    let at = evaluate_round(address, scene, variable)?;
    let identity = scene.identity(at)?;
    let read = Read { writer, term, address, size: *size, place: &identity };
    let pointer = pointer(scene, address, at, variable);
    if let Some(found) = pointer.and_then(|pointer| outside(scene, &read, pointer)) {
        return Some(found);
    }
    let is_known = pointer.is_some();
    let since = Since { scene, frames, pc: writer.pc(), site: term.site };
    let expression = writer.expression(term).ok();
    let words = format!("{} is read from", read.named());
    if let Some(found) = free_page(&identity, &words) {
        let after = since.freed(pointer.map_or(at, |pointer| pointer.value));
        let is_certain = is_known && after == After::Nothing && was_free_page(scene, &identity);
        let is_past = pointer.is_some_and(|pointer| may_be_past_end(scene, &read, pointer));
        let nature = freed(PAGES, is_certain, is_past);
        let about = read.about(found.about);
        return Some(Found { nature, expression, about, ..found })
            .filter(|_| after != After::Freed);
    }
    if let Some(slab) = &identity.slab {
        let after = since.freed(slab.start);
        let found = free_object(scene, slab, words).filter(|_| after != After::Freed)?;
        let is_certain = is_known && after == After::Nothing && was_free(scene, slab, at);
        let what = FreedMemory::Object { cache: slab.slab.cache.name.clone() };
        let is_past = pointer.is_some_and(|pointer| may_be_past_end(scene, &read, pointer));
        let about = read.about(found.about);
        let nature = freed(what, is_certain, is_past);
        return Some(Found { nature, expression, about, ..found });
    }
    let stack = &identity.stack.as_ref().filter(|place| !place.guard)?.stack;
    // Nothing of a live frame lies below the stack pointer: the kernel has no red zone there.
    if at >= sp || !(stack.low..stack.high).contains(&sp) {
        return None;
    }
    let words = format!("{} is read at ", read.named());
    let claim = Claim::new(Some(true)).text(words).data(at);
    let claim = claim.text(", below the stack pointer, which is ").data(sp);
    Some(Found { claim: Some(claim), expression, ..Nature::Returned.into() })
}

/// What was read from free memory, by a pointer that may be `is_past` the end of what lies before.
const fn freed(what: FreedMemory, is_certain: bool, is_past: bool) -> Nature {
    match is_past {
        true => Nature::FreedOrPast { what },
        false => Nature::Freed { what, is_certain },
    }
}

/// What was read from a page, if it is free.
fn free_page(identity: &Identity, read: &str) -> Option<Found> {
    let page = identity.page.as_ref().filter(|_| identity.freed_memory() == Some(PAGES))?;
    let claim = Claim::new(Some(true)).text(format!("{read} a page that is free: "));
    let claim = claim.data(identity.address & !(PAGE - 1));
    let claim = match page.used_for {
        PageUse::FreeOnCpu { cpu, .. } => {
            claim.volatile(format!(", on the list of free pages of CPU {cpu}"))
        }
        PageUse::Free { order } => claim.volatile(format!(", in a free block of order {order}")),
        PageUse::Slab
        | PageUse::Unreferenced
        | PageUse::Anonymous
        | PageUse::File(_)
        | PageUse::Reserved
        | PageUse::Kernel => claim,
    };
    Some(Found { claim: Some(claim), ..Nature::Freed { what: PAGES, is_certain: false }.into() })
}

/// Whether the page that is free by now was so at the fault, as with an object, and was somebody's before.
fn was_free_page(scene: &dyn Scene, identity: &Identity) -> bool {
    let word = scene.word(identity.address, 8);
    let held = word.and_then(|word| scene.identity(word)?.pattern);
    if matches!(held, Some(Pattern::Poison { poison: Poison::Page, .. })) {
        return true;
    }
    match (identity.page.as_ref().map(|page| page.used_for), scene.ran_on()) {
        (Some(PageUse::FreeOnCpu { cpu, .. }), RanOn::OneOfSeveral(own)) => own == Some(cpu),
        (Some(PageUse::FreeOnCpu { .. }), RanOn::TheOnlyOne) => true,
        (Some(PageUse::Free { order }), RanOn::TheOnlyOne) => order <= LARGEST_BY_CHANCE,
        _ => false,
    }
}

/// Whether the object that is free by now was so at the fault: other CPUs go on until they are stopped.
fn was_free(scene: &dyn Scene, slab: &SlabObject, at: u64) -> bool {
    let own = match scene.ran_on() {
        RanOn::TheOnlyOne => return true,
        RanOn::OneOfSeveral(own) => own,
    };
    let is_filled = || {
        let held = scene.word(at, 8).and_then(|word| scene.identity(word)?.pattern);
        matches!(held, Some(Pattern::Poison { .. } | Pattern::FreePointer { .. }))
    };
    own.is_some_and(|own| slab.state == ObjectState::FreeOnCpu(own)) || is_filled()
}

/// What ran between a read and the fault.
struct Since<'s> {
    scene: &'s dyn Scene,
    frames: &'s [Frame],
    /// An address inside of the function that read.
    pc: u64,
    /// The instruction that read.
    site: u64,
}

/// What can have happened to an object after it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nothing: no function was called.
    Nothing,
    /// A function was called that was given the object.
    Freed,
    /// Functions were called, and what they did is not known.
    Unknown,
}

impl Since<'_> {
    fn freed(&self, object: u64) -> After {
        let frame = self.frames.iter().position(|frame| frame.pc.for_lookup() == self.pc);
        let Some(frame) = frame else { return After::Unknown };
        let mut after = self.in_function(self.pc, Some(self.site), object);
        // What the function called since is still running.
        for inner in self.frames.iter().take(frame) {
            let pc = inner.pc.for_lookup();
            after = match (after, self.in_function(pc, None, object)) {
                (After::Freed, _) | (_, After::Freed) => After::Freed,
                (After::Nothing, After::Nothing) => After::Nothing,
                _ => After::Unknown,
            };
        }
        after
    }

    /// What the function with the code at `pc` called since `site`, or since it was entered.
    fn in_function(&self, pc: u64, site: Option<u64>, object: u64) -> After {
        if !self.scene.is_text(pc) {
            return After::Nothing;
        }
        let Some(code) = self.scene.function_code(pc) else { return After::Unknown };
        let end = code.at(pc).or_else(|| code.before(pc.wrapping_add(1)));
        let start = code.at(site.unwrap_or_else(|| code.entry()));
        let (Some(start), Some(end)) = (start, end) else { return After::Unknown };
        let mut after = After::Nothing;
        for at in between(&code, start, end) {
            let instruction = code.instruction(at);
            let keeps = |target| self.scene.keeps_registers(target);
            let is_known =
                matches!(call_target(instruction), Some(CallTarget::Direct(it)) if keeps(it));
            if !is_call(instruction) || is_known {
                continue;
            }
            let start = Start { position: at, registers: [None; 16] };
            let slicer = Slicer::new(&code, self.scene, &keeps, start);
            let callers = self.frames.iter().position(|frame| frame.pc.for_lookup() == pc);
            let callers = callers.and_then(|at| self.frames.get(at..)).unwrap_or_default();
            let is_given = |register| {
                let term = with_callers(self.scene, callers, 0, slicer.register(register));
                evaluate(&term, self.scene).or(term.observed) == Some(object)
            };
            if is_given(Register::RDI) || is_given(Register::RSI) {
                return After::Freed;
            }
            after = After::Unknown;
        }
        after
    }
}

/// Whether the address is inside of an object that is free.
pub(super) fn is_free(slab: &SlabObject) -> bool {
    slab.state.is_free() == Some(true) && slab.part == SlotPart::Object
}

/// What was read from an object, if it is free.
fn free_object(scene: &dyn Scene, slab: &SlabObject, read: String) -> Option<Found> {
    if !is_free(slab) {
        return None;
    }
    let cache = slab.slab.cache.name.clone();
    let claim = Claim::new(Some(true)).text(format!("{read} an object of {cache} that is free: "));
    let claim = Some(tracks(scene, slab, claim.data(slab.start)));
    let about = noted(slab);
    let what = FreedMemory::Object { cache };
    Some(Found { claim, about, ..Nature::Freed { what, is_certain: false }.into() })
}

/// The free object that a register leads into, where only the poison in a pointer's place tells of
/// it: of a timer in an object that was freed, `timer` is at hand, and with it who freed it.
pub(super) fn holder(
    scene: &dyn Scene,
    writer: Writer<'_>,
    registers: &[Option<u64>; 16],
) -> Option<Found> {
    (0..).zip(registers).find_map(|(number, value)| {
        let slab = scene.identity((*value)?)?.slab?;
        let register = full(number);
        let local = writer.local_in(register).map(|name| format!("`{name}`"));
        let name = local.unwrap_or_else(|| lower(register));
        free_object(scene, &slab, format!("{name} leads into"))
    })
}
