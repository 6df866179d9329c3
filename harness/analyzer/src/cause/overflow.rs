// SPDX-License-Identifier: MIT OR Apache-2.0
//! The buffer that a function of the C library was about to run over (`CONFIG_FORTIFY_SOURCE`).

use std::collections::BTreeSet;

use iced_x86::Register;
use unwind::Frame;

use super::taken::{position, registers_at};
use crate::diagnosis::About;
use crate::express::{Expression, Writer};
use crate::fault::{named, with_callers};
use crate::flow::{CallTarget, Code, Slicer, Start, call_target};
use crate::scene::Scene;

/// Functions that measure a string; the check is of what they return (`include/linux/fortify-string.h`).
const MEASURING: [&str; 4] = ["strlen", "strnlen", "__real_strlen", "__real_strnlen"];
/// Instructions between the measure and the check.
const NEAR: usize = 64;

/// The string that was measured before the check of the first frame, which does not end inside of its buffer.
pub(super) fn unterminated(scene: &dyn Scene, frames: &[Frame]) -> Option<(Expression, About)> {
    let frame = frames.first()?;
    let code = scene.function_code(frame.pc.for_lookup())?;
    let measure = measured(scene, &code, position(&code, frame)?)?;
    let keeps = |target| scene.keeps_registers(target);
    let registers = registers_at(scene, frames, &code, measure);
    let slicer = Slicer::new(&code, scene, &keeps, Start { position: measure, registers });
    let term = with_callers(scene, frames, 0, slicer.register(Register::RDI));
    let term = named(scene, frames, frame.pc.for_lookup(), &term);
    let writer = Writer::new(scene, frame.pc.for_lookup());
    let string = writer.referent(&term, None).filter(|c| !c.has_distance() && !c.is_number())?;
    // The first character stands for the array that it is in.
    let part = writer.part_at(&term, 1);
    let string = part.as_ref().map_or(string, |part| part.expression.clone());
    Some((string, About { part, ..About::default() }))
}

/// The call that measures, of all ways to the end the only one.
fn measured(scene: &dyn Scene, code: &Code, end: usize) -> Option<usize> {
    let mut seen = BTreeSet::from([end]);
    let mut pending = vec![end];
    let mut found = BTreeSet::new();
    while let Some(at) = pending.pop() {
        let is_call = at != end
            && matches!(call_target(code.instruction(at)), Some(CallTarget::Direct(target))
                if code.at(target).is_none());
        if is_call {
            found.insert(at);
            continue;
        }
        if seen.len() > NEAR {
            return None;
        }
        pending.extend(code.predecessors(at).iter().copied().filter(|it| seen.insert(*it)));
    }
    let [only] = found.into_iter().collect::<Vec<_>>()[..] else { return None };
    let Some(CallTarget::Direct(target)) = call_target(code.instruction(only)) else { return None };
    scene.is_in(target, &MEASURING).then_some(only)
}
