// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a function was given, looked up in the function that called it.
//!
//! Two things need that. A parameter may be gone from all registers by the time of the fault,
//! while the caller still has it. And a clone that the compiler made (`.isra`, `.constprop`) takes
//! other arguments than the source says: `session_rate.isra.0(session->limits)` has no parameter
//! of that name, so that only the caller's expression means something.

use iced_x86::Register;
use unwind::{Frame, Pc, Trust};

use super::by_number;
use super::thunk::thunk_register;
use crate::express::Writer;
use crate::flow::{CallTarget, Slicer, Start, Term, TermKind, call_target, evaluate};
use crate::scene::Scene;

/// Callers that are asked, one after the other.
const MAX_CALLERS: usize = 8;

/// The term with what the callers know of the function's arguments. `frames[0]` is the function
/// itself; callers up to `frames[guilty]` are always asked, since their names are the ones that
/// people know.
pub(super) fn with_callers(
    scene: &dyn Scene,
    frames: &[Frame],
    guilty: usize,
    mut term: Term,
) -> Term {
    let callers = Callers { scene, guilty };
    callers.resolve(frames, 0, &mut term);
    term
}

/// The first argument of the call that the frame waits in: an address inside of its function, and
/// the value.
pub(crate) fn argument_of_call(scene: &dyn Scene, frames: &[Frame]) -> Option<(u64, Term)> {
    argument_in(scene, frames, Register::RDI)
}

/// The argument in a register of the call that the frame waits in.
pub(super) fn argument_in(
    scene: &dyn Scene,
    frames: &[Frame],
    register: Register,
) -> Option<(u64, Term)> {
    let caller = frames.first().filter(|caller| caller.trust != Trust::Scan)?;
    let Pc::Return(address) = caller.pc else { return None };
    let pc = caller.pc.for_lookup();
    let code = scene.function_code(pc)?;
    let position = code.before(address)?;
    let keeps = |target| scene.keeps_registers(target);
    let start = Start { position, registers: by_number(&caller.registers) };
    let term = Slicer::new(&code, scene, &keeps, start).register(register);
    Some((pc, with_callers(scene, frames, 0, term)))
}

/// The register that a call of a thunk goes through; `None` if the target is no thunk.
fn through_thunk(scene: &dyn Scene, target: u64) -> Option<Register> {
    let (name, offset) = scene.symbol_at(target)?;
    thunk_register(&name, offset)
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
        if keep {
            return term.observed(observed);
        }
        let site = passed.site;
        Term::new(TermKind::Caller { pc, term: Box::new(passed) }, site).observed(observed)
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
        let Pc::Return(address) = caller.pc else { return None };
        let pc = caller.pc.for_lookup();
        let code = scene.function_code(pc)?;
        let position = code.before(address)?;
        let entry = scene.function_code(function.pc.for_lookup())?.entry();
        let keeps = |target| scene.keeps_registers(target);
        let start = Start { position, registers: by_number(&caller.registers) };
        let slicer = Slicer::new(&code, scene, &keeps, start);
        // A function that was called and went on with a jump is not on the stack, and what it
        // passed on is not known.
        let target = match call_target(code.instruction(position))? {
            CallTarget::Direct(target) => match through_thunk(scene, target) {
                Some(register) => evaluate(&slicer.register(register), scene),
                None => Some(target),
            },
            CallTarget::Register(register) => evaluate(&slicer.register(register), scene),
            CallTarget::Memory => evaluate(&slicer.memory_operand(8), scene),
        };
        if target != Some(entry) {
            return None;
        }
        let mut value = slicer.register(register);
        self.resolve(frames, at + 1, &mut value);
        Some((pc, value))
    }
}
