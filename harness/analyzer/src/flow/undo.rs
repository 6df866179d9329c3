// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a register held before it was moved on by numbers that stand in the code.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::code::Code;
use super::registers::number;
use super::since::{Since, between};
use super::stack::immediate;

/// Instructions that are gone over.
const MOST: usize = 32;

/// How far what a register held before the instruction at `position` is from what it holds at the end, where there
/// is only one way between the two, on which nothing else is done to it than that numbers are added.
///
/// Example: `p = next->data; next++; free(p)`: compilers step a loop's pointer before the call, and what it was is
/// what it is less the step.
pub(super) fn distance(
    code: &Code,
    since: &Since,
    (position, end): (usize, usize),
    register: u8,
) -> Option<i64> {
    // A loop around the end alone may have made more steps.
    if between(code, position, end).contains(&end) {
        return None;
    }
    let (mut at, mut distance) = (position, 0_i64);
    for _ in 0..MOST {
        if at == end {
            return Some(distance);
        }
        if since.own(at).contains(register) {
            distance = distance.checked_sub(step(code.instruction(at), register)?)?;
        }
        let &[next] = code.successors(at).as_slice() else { return None };
        at = next;
    }
    None
}

/// What the instruction adds to the register.
fn step(instruction: &Instruction, register: u8) -> Option<i64> {
    let to = instruction.op0_register();
    let is_own = instruction.op0_kind() == OpKind::Register && to.is_gpr64();
    if !is_own || number(to) != Some(register) {
        return None;
    }
    match instruction.mnemonic() {
        Mnemonic::Add => immediate(instruction),
        Mnemonic::Sub => immediate(instruction)?.checked_neg(),
        Mnemonic::Inc => Some(1),
        Mnemonic::Dec => Some(-1),
        Mnemonic::Lea
            if instruction.memory_base() == to && instruction.memory_index() == Register::None =>
        {
            Some(instruction.memory_displacement64().cast_signed())
        }
        _ => None,
    }
}
