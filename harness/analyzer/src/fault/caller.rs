// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a function was given, looked up in the function that called it.
//!
//! Two things need that. A parameter may be gone from all registers by the time of the fault,
//! while the caller still has it. And a clone that the compiler made (`.isra`, `.constprop`) takes
//! other arguments than the source says: `session_rate.isra.0(session->limits)` has no parameter
//! of that name, so that only the caller's expression means something.

use unwind::{Frame, Pc, Trust};

use super::by_number;
use crate::express::Writer;
use crate::flow::{CallTarget, Slicer, Start, Term, TermKind, call_target, evaluate};
use crate::scene::Scene;

/// Callers that are asked, one after the other.
const MAX_CALLERS: usize = 8;

/// The term with what the callers know of the function's arguments. `frames[0]` is the function
/// itself.
pub(super) fn with_callers(scene: &dyn Scene, frames: &[Frame], term: Term) -> Term {
    resolve(scene, frames, term, MAX_CALLERS)
}

fn resolve(scene: &dyn Scene, frames: &[Frame], mut term: Term, left: usize) -> Term {
    match term.kind {
        TermKind::Entry(_) | TermKind::EntryStack(_) => return argument(scene, frames, term, left),
        TermKind::Load { ref mut address, .. } => inside(scene, frames, address, left),
        TermKind::Sum { ref mut base, ref mut index, .. } => {
            inside(scene, frames, base, left);
            if let Some((index, _)) = index {
                inside(scene, frames, index, left);
            }
        }
        _ => {}
    }
    term
}

fn inside(scene: &dyn Scene, frames: &[Frame], term: &mut Box<Term>, left: usize) {
    let taken = std::mem::replace(&mut **term, Term::unknown("", 0));
    **term = resolve(scene, frames, taken, left);
}

/// The argument: named as the function names it and observed in the caller, or where the function
/// has no name for it, as the caller computed it.
fn argument(scene: &dyn Scene, frames: &[Frame], term: Term, left: usize) -> Term {
    let Some(function) = frames.first() else { return term };
    let named = Writer::new(scene, function.pc.for_lookup()).expression(&term).is_ok();
    if named && term.observed.is_some() {
        return term;
    }
    let Some((pc, passed)) = passed(scene, frames, &term, left) else { return term };
    let observed = term.observed.or_else(|| evaluate(&passed, scene)).or(passed.observed);
    if named {
        return term.observed(observed);
    }
    let site = passed.site;
    Term::new(TermKind::Caller { pc, term: Box::new(passed) }, site).observed(observed)
}

/// What the caller put into the argument's register, and an address inside the caller.
fn passed(scene: &dyn Scene, frames: &[Frame], term: &Term, left: usize) -> Option<(u64, Term)> {
    let TermKind::Entry(register) = term.kind else { return None };
    let left = left.checked_sub(1)?;
    let [function, caller, ..] = frames else { return None };
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
    // A function that was called and went on with a jump is not on the stack, and what it passed
    // on is not known.
    let target = match call_target(&code.instructions()[position])? {
        CallTarget::Direct(target) => Some(target),
        CallTarget::Register(register) => evaluate(&slicer.register(register), scene),
        CallTarget::Memory => evaluate(&slicer.memory_operand(8), scene),
    };
    if target != Some(entry) {
        return None;
    }
    let value = slicer.register(register);
    Some((pc, resolve(scene, frames.get(1..)?, value, left)))
}
