// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel stack that was used up.
//!
//! Since 4.9 a page that is not mapped lies below each task's stack. Touching it faults, the fault
//! finds no stack to save its registers on either, and that is a double fault, which has a stack
//! of its own. What used the stack up is told by the walk from the registers of that fault.

use unwind::{Frame, Pc, Trust, Walk, fold};

use crate::claim::Claim;
use crate::fault::Diagnosis;
use crate::machine::Machine;
use crate::report::{Confidence, CrashKind};
use crate::signature::source_name;

/// How far below its stack a stack pointer still tells whose stack it left: the guard page, and
/// locals that were skipped over it.
const REACH: u64 = 64 << 10;
/// Of a stack that was used up by recursion, the recursion has at least half.
const SHARE: u64 = 2;

/// What used a stack up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhaustion {
    /// Functions that called each other over and over, or the one with the largest frame.
    pub functions: Vec<String>,
    /// How many frames the recursion has; `None` if large frames used the stack up.
    pub frames: Option<usize>,
}

/// The diagnosis of a fault that left its task's stack at the lower end; `None` if it did not.
pub(crate) fn exhausted(machine: &Machine<'_>, walk: &Walk) -> Option<Diagnosis> {
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
    let claim = Claim::new(Some(true)).text("the stack pointer ").data(first.sp);
    let claim = claim.text(" is below the task stack, which ends at ").data(stack.low);
    let words = "unwinding by the tables leads from there to the functions that used the stack";
    let walked = Claim::new(Some(on_stack)).text(words);
    Some(Diagnosis {
        pc: Some(culprit),
        confidence: if on_stack { Confidence::Proven } else { Confidence::Likely },
        evidence: vec![claim, walked],
        exhaustion: Some(exhaustion),
        ..Diagnosis::new(CrashKind::StackOverflow)
    })
}

/// The recursion that used at least half of `bytes` of stack, if one did.
pub(super) fn recursion(
    machine: &Machine<'_>,
    frames: &[Frame],
    bytes: u64,
) -> Option<(Pc, Exhaustion)> {
    let used = |run: &unwind::Run| {
        let last = frames.get(run.first + run.period * run.rounds - 1);
        last.zip(frames.get(run.first)).map_or(0, |(last, first)| last.sp.saturating_sub(first.sp))
    };
    let runs = fold(frames);
    let longest = runs.iter().filter(|run| run.rounds > 1).max_by_key(|run| used(run))?;
    if used(longest) < bytes / SHARE {
        return None;
    }
    let round = frames.get(longest.first..longest.first + longest.period)?;
    let functions = round.iter().map(|frame| name(machine, frame.pc)).collect();
    let frames = Some(longest.rounds * longest.period);
    Some((round.first()?.pc, Exhaustion { functions, frames }))
}

/// The largest of `frames`.
pub(super) fn largest(machine: &Machine<'_>, frames: &[Frame]) -> Option<(Pc, Exhaustion)> {
    let size = |frame: &&Frame| frame.cfa.map_or(0, |cfa| cfa.saturating_sub(frame.sp));
    let frame = frames.iter().max_by_key(size)?;
    Some((frame.pc, Exhaustion { functions: vec![name(machine, frame.pc)], frames: None }))
}

/// Name of the function at `pc`, as in its source.
pub(super) fn name(machine: &Machine<'_>, pc: Pc) -> String {
    use crate::printer::CodeNames;
    let code = machine.code_name(pc.for_lookup());
    code.map_or_else(|| "?".to_owned(), |code| source_name(&code.symbol).to_owned())
}

impl Exhaustion {
    /// In words; without the number of frames, which another boot changes, if `stable`.
    pub(crate) fn words(&self, stable: bool) -> String {
        let functions = self.functions.join(", ");
        match self.frames {
            Some(frames) if !stable => {
                format!("stack exhausted by recursion of `{functions}` ({frames} frames)")
            }
            Some(_) => format!("stack exhausted by recursion of `{functions}`"),
            None => format!("stack exhausted by large frames, the largest of `{functions}`"),
        }
    }
}
