// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where rsp and rbp stand at each instruction, relative to the function's entry.
//!
//! Offsets are from the slot of the return address: rsp is 0 at entry, -8 after one push. Found
//! by walking forwards over all paths; where two paths disagree, the offset is not known.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::code::Code;

/// Offsets of rsp and of a frame pointer in rbp before an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offsets {
    /// rsp minus the address of the return address' slot.
    pub(super) rsp: Option<i64>,
    /// The same of rbp, where rbp was set from rsp.
    pub(super) rbp: Option<i64>,
}

/// Offsets before each instruction; `None` for code that no path from the entry reaches.
pub(super) fn offsets(code: &Code) -> Vec<Option<Offsets>> {
    let mut known: Vec<Option<Offsets>> = vec![None; code.instructions().len()];
    let Some(entry) = code.at(code.entry()) else { return known };
    let mut pending = vec![(entry, Offsets { rsp: Some(0), rbp: None })];
    // Each instruction's offsets can only lose knowledge, at most twice, so this ends.
    while let Some((position, incoming)) = pending.pop() {
        let Some(here) = known.get_mut(position) else { continue };
        let merged = match *here {
            None => incoming,
            Some(before) => Offsets {
                rsp: before.rsp.filter(|_| before.rsp == incoming.rsp),
                rbp: before.rbp.filter(|_| before.rbp == incoming.rbp),
            },
        };
        if *here == Some(merged) {
            continue;
        }
        *here = Some(merged);
        let after = step(code.instruction(position), merged);
        pending.extend(code.successors(position).into_iter().map(|next| (next, after)));
    }
    known
}

/// Offsets after the instruction.
fn step(instruction: &Instruction, before: Offsets) -> Offsets {
    let mut after = before;
    match instruction.mnemonic() {
        // A call pushes and its callee pops.
        Mnemonic::Call => {}
        Mnemonic::Leave => {
            after.rsp = before.rbp.map(|rbp| rbp + 8);
            after.rbp = None;
        }
        Mnemonic::Mov if writes(instruction, Register::RBP) => {
            after.rbp = before.rsp.filter(|_| instruction.op1_register() == Register::RSP);
        }
        Mnemonic::Mov if writes(instruction, Register::RSP) => {
            after.rsp = before.rbp.filter(|_| instruction.op1_register() == Register::RBP);
        }
        Mnemonic::Lea if writes(instruction, Register::RSP) => after.rsp = lea(instruction, before),
        Mnemonic::Lea if writes(instruction, Register::RBP) => after.rbp = lea(instruction, before),
        Mnemonic::Add | Mnemonic::Sub if writes(instruction, Register::RSP) => {
            let amount = immediate(instruction).map(|amount| match instruction.mnemonic() {
                Mnemonic::Sub => amount.wrapping_neg(),
                _ => amount,
            });
            after.rsp = before.rsp.zip(amount).map(|(rsp, amount)| rsp.wrapping_add(amount));
        }
        _ if writes(instruction, Register::RSP) => after.rsp = None,
        _ => {
            if writes(instruction, Register::RBP) {
                after.rbp = None;
            }
            let pushed = i64::from(instruction.stack_pointer_increment());
            after.rsp = before.rsp.map(|rsp| rsp.wrapping_add(pushed));
        }
    }
    after
}

fn writes(instruction: &Instruction, register: Register) -> bool {
    instruction.op_count() > 0
        && instruction.op0_kind() == OpKind::Register
        && instruction.op0_register().full_register() == register
        && !matches!(instruction.mnemonic(), Mnemonic::Push | Mnemonic::Cmp | Mnemonic::Test)
}

fn lea(instruction: &Instruction, before: Offsets) -> Option<i64> {
    let base = match instruction.memory_base() {
        Register::RSP => before.rsp,
        Register::RBP => before.rbp,
        _ => None,
    }?;
    let plain = instruction.memory_index() == Register::None;
    plain.then(|| base.wrapping_add(instruction.memory_displacement64().cast_signed()))
}

/// The second operand, if it is a number.
pub(super) fn immediate(instruction: &Instruction) -> Option<i64> {
    let immediate = (instruction.op_count() > 1).then(|| instruction.try_immediate(1).ok())?;
    immediate.map(u64::cast_signed)
}
