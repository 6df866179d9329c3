// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel stack that was used up.
//!
//! Since 4.9 a page that is not mapped lies below each task's stack. Touching it faults, the fault
//! finds no stack to save its registers on either, and that is a double fault, which has a stack
//! of its own. What used the stack up is told by the walk from the registers of that fault.

use unwind::{Frame, Trust, Walk, fold};

use crate::claim::Claim;
use crate::diagnosis::{Diagnosis, Grounds, What};
use crate::formats;
use crate::machine::Machine;
use crate::scene::Scene;
use crate::stacks::exhaustion::{Exhaustion, is_seen, largest, name, recursion};
use crate::told::Told;

/// How far below its stack a stack pointer still tells whose stack it left: the guard page, and
/// locals that were skipped over it.
const REACH: u64 = 64 << 10;

/// Frames of a recursion that is believed without the stack's own size, of a text.
const DEEP: usize = 16;

/// The same, of a text: what its trace has over and over, or the largest frames.
pub(super) fn of_text(scene: &dyn Scene, walk: &Walk, told: &Told) -> Option<Diagnosis> {
    let frames = &walk.frames;
    let deep = || {
        let runs = fold(frames);
        let longest =
            runs.iter().filter(|run| run.rounds > 1).max_by_key(|run| run.rounds * run.period)?;
        let (rounds, period) = (longest.rounds, longest.period);
        let round = frames
            .get(longest.first..longest.first + period)
            .filter(|_| rounds * period >= DEEP)?;
        let functions = round.iter().map(|frame| name(scene, frame.pc)).collect();
        Some((round.first()?.pc, Exhaustion { functions, frames: Some(rounds * period) }))
    };
    let is_told = told.headline.as_deref().is_some_and(formats::is_stack_overflow);
    let large = || largest(scene, frames).filter(|_| is_told);
    let (culprit, exhaustion) = deep().or_else(large)?;
    let words = "the kernel's log says that the stack was used up";
    let says = is_told.then(|| Claim::new(Some(true)).text(words));
    Some(Diagnosis {
        pc: Some(culprit),
        grounds: Grounds::Inferred,
        evidence: says.into_iter().collect(),
        ..Diagnosis::new(What::Exhausted(exhaustion))
    })
}

/// The diagnosis of a fault that left its task's stack at the lower end; `None` if it did not.
pub(super) fn exhausted(machine: &Machine<'_>, walk: &Walk) -> Option<Diagnosis> {
    let task = machine.kernel().crash().task.as_ref()?;
    let stack = machine.kernel().task_stack(task)?;
    let first = walk.frames.first()?;
    // The push that did not fit has moved nothing yet.
    if first.sp > stack.low || stack.low - first.sp > REACH {
        return None;
    }
    let frames: Vec<Frame> =
        walk.frames.iter().take_while(|frame| frame.trust < Trust::Call).cloned().collect();
    let on_stack = frames.iter().any(|frame| (stack.low..stack.high).contains(&frame.sp));
    let (culprit, exhaustion) = recursion(machine, &frames, stack.high - stack.low)
        .or_else(|| largest(machine, &frames))?;
    let is_seen = on_stack && is_seen(walk, &frames, stack.high, &exhaustion);
    let claim = Claim::new(Some(true)).text("the stack pointer ").data(first.sp);
    let words = if first.sp < stack.low {
        " is below the task stack, which ends at "
    } else {
        " leaves no room on the task stack, which ends at "
    };
    let claim = claim.text(words).data(stack.low);
    let words = "unwinding by the tables leads from there to the functions that used the stack";
    let walked = Claim::new(Some(on_stack)).text(words);
    Some(Diagnosis {
        pc: Some(culprit),
        grounds: if is_seen { Grounds::Shown } else { Grounds::Inferred },
        evidence: vec![claim, walked],
        ..Diagnosis::new(What::Exhausted(exhaustion))
    })
}
