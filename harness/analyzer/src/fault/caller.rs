// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a function was given, looked up in the function that called it.
//!
//! Two things need that. A parameter may be gone from all registers by the time of the fault,
//! while the caller still has it. And a clone that the compiler made (`.isra`, `.constprop`) takes
//! other arguments than the source says: `session_rate.isra.0(session->limits)` has no parameter
//! of that name, so that only the caller's expression means something.

use iced_x86::Register;
use unwind::{Frame, Pc, Trust};

use crate::express::Writer;
use crate::flow::{Slicer, Start, Term, TermKind, evaluate, evaluate_unobserved, full};
use crate::link::{Link, by_number, link, waits_in};
use crate::scene::Scene;

/// Callers that are asked, one after the other.
const MAX_CALLERS: usize = 8;

/// The term with what the callers know of the function's arguments. `frames[0]` is the function
/// itself; callers up to `frames[guilty]` are always asked, since their names are the ones that
/// people know.
pub(crate) fn with_callers(
    scene: &dyn Scene,
    frames: &[Frame],
    guilty: usize,
    mut term: Term,
) -> Term {
    let callers = Callers { scene, guilty };
    callers.resolve(frames, 0, &mut term);
    term
}

/// What the caller passed as the argument that the term is, in the function that has the code at `pc`, if memory tells
/// that: an address inside of the caller, the value as it computed it, and what that is.
pub(super) fn passed_by_memory(
    scene: &dyn Scene,
    frames: &[Frame],
    pc: u64,
    term: &Term,
) -> Option<(u64, Term, u64)> {
    let at = frames.iter().position(|frame| frame.pc.for_lookup() == pc)?;
    let (pc, passed) = Callers { scene, guilty: at }.passed(frames, at, term)?;
    let value = evaluate_unobserved(&passed, scene)?;
    Some((pc, passed, value))
}

/// The first argument of the call that the frame waits in: an address inside of its function, and
/// the value.
pub(crate) fn argument_of_call(scene: &dyn Scene, frames: &[Frame]) -> Option<(u64, Term)> {
    argument_in(scene, frames, Register::RDI)
}

/// What the function was given as its first argument, by a register that still has it.
pub(crate) fn given(scene: &dyn Scene, frame: &Frame) -> Option<u64> {
    given_in(scene, frame, Register::RDI)
}

/// What the function was given in the register, by one that still has it.
pub(crate) fn given_in(scene: &dyn Scene, frame: &Frame, register: Register) -> Option<u64> {
    copied(scene, frame, &Term::new(TermKind::Entry(register), 0))
}

/// What a function was given, by a register that still has a copy of it where the function is.
///
/// Example: `kfree()` copies its argument where it is no small number, behind its first branch.
fn copied(scene: &dyn Scene, function: &Frame, term: &Term) -> Option<u64> {
    let code = scene.function_code(function.pc.for_lookup())?;
    let start = match function.pc {
        Pc::Interrupted(pc) => {
            Start { position: code.at(pc)?, registers: by_number(&function.registers) }
        }
        Pc::Return(_) => waits_in(scene, function)?.start(),
    };
    let registers = start.registers;
    let keeps = |target| scene.keeps_registers(target);
    let slicer = Slicer::new(&code, scene, &keeps, start);
    let is_copy = |number: u8| slicer.register(full(number)).bare().kind == term.kind;
    let kept = (0..).zip(registers).filter_map(|(number, value)| Some((number, value?)));
    let mut kept = kept.filter(|(number, _)| full(*number) != Register::RSP);
    kept.find(|(number, _)| is_copy(*number)).map(|(_, value)| value)
}

/// The argument in a register of the call that the frame waits in.
pub(crate) fn argument_in(
    scene: &dyn Scene,
    frames: &[Frame],
    register: Register,
) -> Option<(u64, Term)> {
    let caller = frames.first().filter(|caller| caller.trust != Trust::Scan)?;
    let site = waits_in(scene, caller)?;
    let keeps = |target| scene.keeps_registers(target);
    let term = Slicer::new(&site.code, scene, &keeps, site.start()).register(register);
    Some((caller.pc.for_lookup(), with_callers(scene, frames, 0, term)))
}

/// The parameters that an argument of `frames[at]` was before functions further out passed it on as it
/// was: the positions of these frames, and the registers.
pub(super) fn handed_on(
    scene: &dyn Scene,
    frames: &[Frame],
    at: usize,
    register: Register,
) -> Vec<(usize, Register)> {
    let mut found = vec![(at, register)];
    while let Some(&(at, register)) = found.last().filter(|_| found.len() < MAX_CALLERS) {
        let site = frames.get(at..).and_then(|frames| match frames {
            [function, caller, ..] if link(scene, function, caller) == Link::Called => {
                waits_in(scene, caller)
            }
            _ => None,
        });
        let Some(site) = site else { break };
        let keeps = |target| scene.keeps_registers(target);
        let term = Slicer::new(&site.code, scene, &keeps, site.start()).register(register);
        let TermKind::Entry(outer) = term.kind else { break };
        found.push((at + 1, outer));
    }
    found
}

struct Callers<'s> {
    scene: &'s dyn Scene,
    guilty: usize,
}

impl Callers<'_> {
    /// Replaces the arguments inside of the term of `frames[at]`.
    fn resolve(&self, frames: &[Frame], at: usize, term: &mut Term) {
        match term.kind {
            TermKind::Entry(_) | TermKind::EntryStack(_) => {
                let taken = std::mem::replace(term, Term::unknown("", 0));
                *term = self.argument(frames, at, taken);
            }
            // Its own function resolved it.
            TermKind::Caller { .. } => {}
            _ => term.parts_mut().into_iter().for_each(|part| self.resolve(frames, at, part)),
        }
    }

    /// The argument: named as the function names it and observed in the caller, or where the
    /// function has no name for it, as the caller computed it.
    fn argument(&self, frames: &[Frame], at: usize, term: Term) -> Term {
        let Some(function) = frames.get(at) else { return term };
        let named = Writer::new(self.scene, function.pc.for_lookup()).expression(&term).is_ok();
        let keep = named && at >= self.guilty;
        if keep && term.observed.is_some() {
            return term;
        }
        let Some((pc, passed)) = self.passed(frames, at, &term) else { return term };
        let observed = term.observed.or_else(|| evaluate(&passed, self.scene)).or(passed.observed);
        let observed = observed.or_else(|| copied(self.scene, function, &term));
        if keep {
            return term.observed(observed);
        }
        let site = passed.site;
        let caller = Term::new(TermKind::Caller { pc, term: Box::new(passed) }, site);
        let TermKind::Entry(register) = term.kind else { return caller.observed(observed) };
        let pc = function.pc.for_lookup();
        let kind = TermKind::Argument { pc, register, term: Box::new(caller.observed(observed)) };
        Term::new(kind, site).observed(observed)
    }

    /// What the caller put into the argument's register, and an address inside the caller.
    fn passed(&self, frames: &[Frame], at: usize, term: &Term) -> Option<(u64, Term)> {
        let TermKind::Entry(register) = term.kind else { return None };
        if at >= MAX_CALLERS {
            return None;
        }
        let (scene, function, caller) = (self.scene, frames.get(at)?, frames.get(at + 1)?);
        if function.trust == Trust::Scan || caller.trust == Trust::Scan {
            return None;
        }
        let pc = caller.pc.for_lookup();
        let site = waits_in(scene, caller)?;
        // A function that was called and went on with a jump that is not known is not on the stack,
        // and what it passed on is not known.
        if link(scene, function, caller) != Link::Called {
            return None;
        }
        let keeps = |target| scene.keeps_registers(target);
        let slicer = Slicer::new(&site.code, scene, &keeps, site.start());
        let mut value = slicer.register(register);
        self.resolve(frames, at + 1, &mut value);
        Some((pc, value))
    }
}
