// SPDX-License-Identifier: MIT OR Apache-2.0
//! What used up a kernel stack.

use unwind::{Frame, Pc, StopReason, Walk, fold};

use crate::scene::Scene;
use crate::symbol_name::source_name;

/// Of a stack that was used up by recursion, the recursion has at least half.
const SHARE: u64 = 2;
/// Bytes of a stack that the kernel's entry code has, at most.
const NEAR_END: u64 = 1 << 10;

/// What used a stack up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhaustion {
    /// Functions that called each other over and over, or those with the largest frames.
    pub functions: Vec<String>,
    /// How many frames the recursion has; `None` if large frames used the stack up.
    pub frames: Option<usize>,
}

/// The recursion that used at least half of `bytes` of stack, if one did.
pub(crate) fn recursion(
    machine: &dyn Scene,
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

/// The functions with the largest of `frames`, the innermost first; `None` where no size is known.
pub(crate) fn largest(machine: &dyn Scene, frames: &[Frame]) -> Option<(Pc, Exhaustion)> {
    let size = |frame: &Frame| frame.cfa.map_or(0, |cfa| cfa.saturating_sub(frame.sp));
    let most = frames.iter().map(size).max().filter(|most| *most > 0)?;
    let mut all = frames.iter().filter(|frame| size(frame) == most);
    let first = all.next()?;
    let mut functions = vec![name(machine, first.pc)];
    for function in all.map(|frame| name(machine, frame.pc)) {
        if !functions.contains(&function) {
            functions.push(function);
        }
    }
    Some((first.pc, Exhaustion { functions, frames: None }))
}

/// Name of the function at `pc`, as in its source.
pub(crate) fn name(machine: &dyn Scene, pc: Pc) -> String {
    let code = machine.code_name(pc.for_lookup());
    code.map_or_else(|| "?".to_owned(), |code| source_name(&code.symbol).to_owned())
}

impl Exhaustion {
    /// In words; without the number of frames, which another boot changes, if `stable`.
    pub(crate) fn words(&self, stable: bool) -> String {
        let functions = self.functions.join("`, `");
        match self.frames {
            Some(frames) if !stable => {
                format!("stack exhausted by recursion of `{functions}` ({frames} frames in a row)")
            }
            Some(_) => format!("stack exhausted by recursion of `{functions}`"),
            None => format!("stack exhausted by large frames, the largest of `{functions}`"),
        }
    }
}

/// Whether the frames, those of the walk that are sure, show what used the stack up that ends at `high`.
/// Of a stack that could not be walked to its end, what is not seen may be a recursion.
pub(crate) fn is_seen(walk: &Walk, frames: &[Frame], high: u64, exhaustion: &Exhaustion) -> bool {
    let walked = frames.last().map_or(0, |frame| frame.sp);
    let are_all = frames.len() == walk.frames.len();
    let is_whole = are_all && matches!(walk.stop, StopReason::User(_) | StopReason::Root)
        || high.saturating_sub(walked) < NEAR_END;
    is_whole || exhaustion.frames.is_some()
}

#[cfg(test)]
mod tests {
    use unwind::{Pc, Registers, Trust};

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
