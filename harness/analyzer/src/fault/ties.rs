// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a bad value is tied to the code to blame: whether it came by way of it, and whether the code was
//! given what it declares.

use unwind::Frame;

use super::caller::handed_on;
use super::prototype::differs;
use crate::diagnosis::Blame;
use crate::express::Writer;
use crate::flow::Term;
use crate::scene::Scene;

/// What the term tells of a value that a function of the kernel used, or the code to blame itself.
/// `blamed` is an address in that code where it is another function than the writer's.
pub(super) fn tie(
    scene: &dyn Scene,
    frames: &[Frame],
    (writer, term): (Writer<'_>, &Term),
    blamed: Option<u64>,
    blame: &mut Blame,
) {
    blame.flows = blamed.is_none_or(|pc| term.leads_from(pc));
    blame.declared = !is_misdeclared(scene, frames, writer, term);
}

/// Whether the value, or the pointer that led to it, is a parameter of a function that is called with
/// other arguments than it declares.
fn is_misdeclared(scene: &dyn Scene, frames: &[Frame], writer: Writer<'_>, term: &Term) -> bool {
    let Some((pc, register)) = term.parameter(writer.pc()) else { return false };
    let at = frames.iter().position(|frame| frame.pc.for_lookup() == pc);
    let Some(at) = at else { return false };
    let all = handed_on(scene, frames, at, register).into_iter();
    let mut numbered = all.filter_map(|(at, it)| Some((at, Writer::number_of(it)?)));
    numbered.any(|(at, number)| differs(scene, frames, at, number))
}
