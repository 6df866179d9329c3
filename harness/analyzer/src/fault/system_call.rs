// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the process gave to the system call in which a fault happened.

use unwind::Frame;

use crate::flow::{Term, TermKind, evaluate};
use crate::identify::NULL_PAGE;
use crate::scene::Scene;

/// Bytes of a word of the saved registers.
const WORD: u64 = 8;
/// Words of `struct pt_regs` with the arguments of a system call: r10, r9, r8, rdx, rsi, rdi.
const GIVEN: [u64; 6] = [7, 8, 9, 12, 13, 14];
/// Words with rcx and rip, which are the same: the instruction `syscall` puts rip into rcx.
const RCX: u64 = 11;
const RIP: u64 = 16;
/// Words at the start that kernels up to 4.1 do not save (`ARGOFFSET`).
const LEFT_OUT: u64 = 6;

/// Whether the process gave the pointer, or one of the values that it was computed from without memory, to the
/// system call that the stack begins with.
///
/// Example: `buf` of `write()` is in rsi still as the kernel saved that, when a driver reads `buf[3]`.
pub(super) fn is_given(
    scene: &dyn Scene,
    frames: &[Frame],
    term: Option<&Term>,
    pointer: u64,
) -> bool {
    let given = given(scene, frames);
    let is_its = |value: u64| value >= NULL_PAGE && given.contains(&value);
    is_its(pointer) || term.is_some_and(|term| is_of(scene, term, &is_its))
}

/// The arguments of the system call.
fn given(scene: &dyn Scene, frames: &[Frame]) -> Vec<u64> {
    let Some(sp) = frames.last().map(|frame| frame.sp) else { return Vec::new() };
    let word = |start: u64, index: u64| scene.word(start.wrapping_add(index * WORD), 8);
    let is_start = |start: &u64| {
        let rip = word(*start, RIP).filter(|rip| *rip >= NULL_PAGE && rip >> 63 == 0);
        rip.is_some() && word(*start, RCX) == rip
    };
    let starts = [sp, sp.wrapping_sub(LEFT_OUT * WORD)];
    let start = starts.into_iter().find(is_start);
    start.map_or_else(Vec::new, |start| {
        GIVEN.into_iter().filter_map(|index| word(start, index)).collect()
    })
}

/// Whether a value that the term was computed from is one of those; what memory had is not looked behind.
fn is_of(scene: &dyn Scene, term: &Term, is_its: &dyn Fn(u64) -> bool) -> bool {
    if term.observed.or_else(|| evaluate(term, scene)).is_some_and(is_its) {
        return true;
    }
    match &term.kind {
        TermKind::Load { .. } => false,
        TermKind::Walk { first, .. } => is_of(scene, first, is_its),
        _ => term.parts().into_iter().any(|part| is_of(scene, part, is_its)),
    }
}
