// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames that have returned, by the frame pointers that they left on a stack.
//!
//! Situation: on 3.10, which has frame pointers and no guard pages, a few functions with large
//! buffers write over the end of their stack and return; a timer interrupt then reads the
//! `thread_info` that they overwrote and crashes. Nobody is on the stack any more, but what the
//! functions saved there still leads from frame to frame: `[rbp]` is the caller's `rbp`, and
//! `[rbp + 8]` returns into it. A chain of both over most of the stack does not come about by
//! chance.

use unwind::{Pc, Stack, Tables as _, is_after_call};

use super::exhaustion::{Exhaustion, name};
use super::words::StackWords;
use crate::machine::Machine;

/// Frames that a chain has at least.
const LEAST: usize = 4;
/// A chain leads over at least one of so many parts of its stack.
const SHARE: u64 = 2;

/// A frame that a chain leads to.
#[derive(Debug, Clone, Copy)]
struct Left {
    /// Where the return address into its function is.
    slot: u64,
    /// The return address.
    address: u64,
    /// Bytes from there to its own frame pointer.
    size: u64,
}

/// The function with the largest of the frames that were deepest on the stack.
pub(crate) fn largest_left(machine: &Machine<'_>, stack: &Stack) -> Option<(Pc, Exhaustion)> {
    let words: Vec<u64> =
        StackWords::new(machine.kernel(), stack.low, stack.high).map(|(_, word)| word).collect();
    // With a page left out, a word's place does not tell its address.
    let whole = u64::try_from(words.len()).ok()? == (stack.high - stack.low) / 8;
    let first = (0..words.len()).find_map(|index| {
        let chain = chain(machine, stack, &words, index);
        let (low, last) = (chain.first()?, chain.last()?);
        let span = (last.slot + last.size).saturating_sub(low.slot);
        (chain.len() >= LEAST && span >= (stack.high - stack.low) / SHARE).then_some(chain)
    });
    let largest = first.filter(|_| whole)?.into_iter().max_by_key(|frame| frame.size)?;
    let pc = Pc::Return(largest.address);
    Some((pc, Exhaustion { functions: vec![name(machine, pc)], frames: None }))
}

/// The frames that are linked from the saved frame pointer at `index`.
fn chain(machine: &Machine<'_>, stack: &Stack, words: &[u64], mut index: usize) -> Vec<Left> {
    let mut frames = Vec::new();
    while let Some(&[bp, address]) = words.get(index..).and_then(|rest| rest.first_chunk::<2>()) {
        let at = stack.low + 8 * index as u64;
        let inside = bp > at && bp < stack.high && bp.is_multiple_of(8);
        if !inside || !returns_to_code(machine, address) {
            break;
        }
        let slot = at + 8;
        frames.push(Left { slot, address, size: bp - slot });
        index = usize::try_from((bp - stack.low) / 8).unwrap_or(usize::MAX);
    }
    frames
}

fn returns_to_code(machine: &Machine<'_>, address: u64) -> bool {
    machine.is_text(address.wrapping_sub(1))
        && is_after_call(machine.kernel(), machine, address) == Some(true)
}
