// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a function was given as the parameter that was bad, by the module's code that called it.

use unwind::Frame;

use super::caller::{argument_in, handed_on};
use super::chain::origin;
use crate::claim::Claim;
use crate::diagnosis::{Diagnosis, Grounds, Passed};
use crate::express::{Pointee, Writer};
use crate::flow::{Term, TermKind, evaluate};
use crate::link::{Link, link};
use crate::scene::Scene;
use crate::symbol_name::source_name;

/// Says in the diagnosis what the caller calls the parameter that the bad pointer is, where that is a member or
/// variable of its own; the term is of the first frame.
///
/// Example: `dec_inflight_ios(wb, res.found_seg)`, which knows it as `seg`.
pub(super) fn passed_on(
    scene: &dyn Scene,
    frames: &[Frame],
    term: &Term,
    diagnosis: &mut Diagnosis,
) {
    let TermKind::Entry(register) = term.bare().kind else { return };
    let value = term.observed.or_else(|| evaluate(term, scene)).or(term.bare().observed);
    let Some(value) = value else { return };
    // Wrapped, it is of a function further out.
    let own = position(frames, term);
    let Some(&(last, register)) = handed_on(scene, frames, own, register).last() else { return };
    let Some([function, caller, ..]) = frames.get(last..) else { return };
    let is_own = scene.is_outside(caller.pc.for_lookup());
    if !is_own || link(scene, function, caller) != Link::Called {
        return;
    }
    let callers = frames.get(last + 1..).unwrap_or_default();
    let Some((pc, passed)) = argument_in(scene, callers, register) else { return };
    let writer = Writer::new(scene, pc).used_as(Pointee::Data);
    let found = origin(scene, writer, callers, &passed, value);
    let is_shown = found.grounds == Grounds::Shown;
    let expression =
        found.expression.ok().filter(|c| is_shown && !c.is_number() && !c.has_distance());
    let (Some(expression), Some(term)) = (expression, found.term) else { return };
    let Some(name) = scene.symbol_at(pc) else { return };
    diagnosis.evidence.extend(found.steps);
    let words = format!("`{}` passes `{expression}`", source_name(&name.0));
    let claim = Claim::new(Some(true)).text(words);
    diagnosis.evidence.push(claim.at(scene.source_line(pc).as_ref()));
    let part = match &term.bare().kind {
        TermKind::Load { address, size, .. } => writer.unbounded().part_at(address, *size),
        TermKind::Local(slot) => {
            let address = Term::new(TermKind::StackAddress(*slot), term.site);
            writer.unbounded().part_at(&address, 8)
        }
        _ => None,
    };
    let about = diagnosis.about.get_or_insert_default();
    about.part = about.part.take().or(part);
    about.passed = Some(Passed { expression, pc });
}

/// Position of the frame of the function that the term's innermost part is of.
fn position(frames: &[Frame], term: &Term) -> usize {
    let mut own = 0;
    let mut term = term;
    loop {
        term = match &term.kind {
            TermKind::Caller { pc, term } => {
                let is_it = |frame: &Frame| frame.pc.for_lookup() == *pc;
                own = frames.iter().position(is_it).unwrap_or(own);
                term
            }
            TermKind::Argument { term, .. } | TermKind::Variable { term, .. } => term,
            _ => return own,
        };
    }
}
