// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel stack that was used up.
//!
//! Since 4.9 a page that is not mapped lies below each task's stack. Touching it faults, the fault
//! finds no stack to save its registers on either, and that is a double fault, which has a stack
//! of its own. What used the stack up is told by the walk from the registers of that fault.

use unwind::{Frame, StopReason, Trust, Walk};

use crate::claim::Claim;
use crate::diagnosis::{Diagnosis, Grounds, What};
use crate::machine::Machine;
use crate::stacks::exhaustion::{Exhaustion, largest, recursion};

/// How far below its stack a stack pointer still tells whose stack it left: the guard page, and
/// locals that were skipped over it.
const REACH: u64 = 64 << 10;
/// Bytes of a stack that the kernel's entry code has, at most.
const NEAR_END: u64 = 1 << 10;

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

/// Whether the frames, those of the walk that are sure, show what used the stack up that ends at `high`.
/// Of a stack that could not be walked to its end, what is not seen may be a recursion.
fn is_seen(walk: &Walk, frames: &[Frame], high: u64, exhaustion: &Exhaustion) -> bool {
    let walked = frames.last().map_or(0, |frame| frame.sp);
    let are_all = frames.len() == walk.frames.len();
    let is_whole = are_all && matches!(walk.stop, StopReason::User(_) | StopReason::Root)
        || high.saturating_sub(walked) < NEAR_END;
    is_whole || exhaustion.frames.is_some()
}

#[cfg(test)]
mod tests {
    use unwind::{Pc, Registers};

    use super::*;

    const LOW: u64 = 0xffff_c900_0000_0000;
    const HIGH: u64 = LOW + (16 << 10);

    fn frame(sp: u64) -> Frame {
        Frame {
            pc: Pc::Return(0xffff_ffff_8100_0000),
            sp,
            cfa: None,
            registers: Registers::default(),
            trust: Trust::Orc,
            stack: None,
            exception: None,
        }
    }

    /// Whether large frames are shown to be what used the stack up, by a walk up to `sp` that ended so.
    fn shows_large_frames(sp: u64, stop: StopReason) -> bool {
        let walk = Walk { frames: vec![frame(LOW), frame(sp)], stop };
        let exhaustion = Exhaustion { functions: vec!["vsnprintf".to_owned()], frames: None };
        is_seen(&walk, &walk.frames, HIGH, &exhaustion)
    }

    /// A page of the stack was missing in a dump, and 140 frames of a recursion behind it: what was
    /// left had its largest frames in the kernel's printing of numbers.
    #[test]
    fn large_frames_are_shown_only_by_a_stack_walked_to_its_end() {
        assert!(shows_large_frames(HIGH - 0x400, StopReason::Root));
        assert!(shows_large_frames(HIGH - 0x100, StopReason::NoRule { pc: 0 }));
        assert!(!shows_large_frames(LOW + 0x1000, StopReason::NoMemory { address: LOW + 0x1000 }));
        assert!(!shows_large_frames(HIGH - 0x800, StopReason::Limit));
    }

    #[test]
    fn a_recursion_is_shown_by_the_part_of_the_stack_that_it_has() {
        let stop = StopReason::NoMemory { address: LOW + 0x3000 };
        let walk = Walk { frames: vec![frame(LOW), frame(LOW + 0x2fc0)], stop };
        let recursion = Exhaustion { functions: vec!["descend".to_owned()], frames: Some(120) };
        assert!(is_seen(&walk, &walk.frames, HIGH, &recursion));
    }

    #[test]
    fn a_walk_that_goes_on_by_guesses_does_not_show_the_stacks_end() {
        let walk = Walk { frames: vec![frame(LOW), frame(HIGH - 0x800)], stop: StopReason::Root };
        let large = Exhaustion { functions: vec!["vsnprintf".to_owned()], frames: None };
        assert!(!is_seen(&walk, &walk.frames[..1], HIGH, &large));
    }
}
