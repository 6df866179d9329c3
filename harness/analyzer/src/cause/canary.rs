// SPDX-License-Identifier: MIT OR Apache-2.0
//! The canary of a function's frame, which was overwritten.

use debuginfo::{Location, Type};
use iced_x86::{Instruction, Mnemonic, OpKind, Register};
use unwind::Frame;

use crate::claim::Claim;
use crate::express::Expression;
use crate::express::Names as _;
use crate::flow::Words as _;
use crate::link::waits_in;
use crate::machine::Machine;
use crate::scene::Scene as _;

/// Where the canary is behind `gs`: the compiler knows no other place (x86-64's `-mstack-protector-guard`
/// by default; `fixed_percpu_data.stack_canary`, up to 6.14).
const CANARY: u64 = 40;
/// Instructions before the call of `__stack_chk_fail` among which the canary is loaded.
const NEAR: usize = 64;

/// What the frame has in its canary's place, and what the canary of the crashed task is. `frame` is the
/// one that called `__stack_chk_fail`; `None` if its canary is not found, or is what it should be.
pub(super) fn canary(machine: &Machine<'_>, frame: &Frame) -> Option<Claim> {
    let slot = slot(machine, frame)?;
    let held = machine.word(slot, 8)?;
    let kernel = machine.kernel();
    let task = kernel.crash().task.as_ref()?;
    let right = kernel.object("task_struct", task.address).number("stack_canary").ok()?;
    if held == right {
        return None;
    }
    let claim = Claim::new(Some(true)).text("the canary of its frame, at ").data(slot);
    Some(claim.text(", is ").data(held).text(" and should be ").data(right))
}

/// The local array of the frame that lies nearest below its canary, and what tells so: what overran wrote over
/// that first.
pub(super) fn overrun(machine: &Machine<'_>, frame: &Frame) -> Option<(Expression, Claim)> {
    let canary = slot(machine, frame)?;
    let pc = frame.pc.for_lookup();
    let image = machine.image_at(pc)?;
    let locals = image.locals(pc).found()?;
    let arrays = locals.into_iter().filter_map(|local| {
        let Location::Cfa(start) = local.location else { return None };
        let ty = local.ty?;
        let Type::Array { count: Some(count), .. } = image.resolve(ty).found()?.1 else {
            return None;
        };
        let start = frame.cfa?.checked_add_signed(start)?;
        let end = start.checked_add(image.type_size(ty).found()?)?;
        (end <= canary).then_some((end, local.name, count))
    });
    let (_, name, count) = arrays.max_by_key(|(end, ..)| *end)?;
    let words = format!("the array nearest below it is `{name}`, of {count} elements");
    Some((Expression::name(name), Claim::new(Some(true)).text(words)))
}

/// Where the function keeps its canary: it is loaded from there and compared with the one that `gs` leads
/// to.
fn slot(machine: &Machine<'_>, frame: &Frame) -> Option<u64> {
    let site = waits_in(machine, frame)?;
    let compares = |instruction: &Instruction| {
        let is_compare =
            matches!(instruction.mnemonic(), Mnemonic::Sub | Mnemonic::Xor | Mnemonic::Cmp);
        is_compare
            && instruction.segment_prefix() == Register::GS
            && instruction.op0_kind() == OpKind::Register
            && instruction.op1_kind() == OpKind::Memory
            && instruction.memory_base() == Register::None
            && instruction.memory_displacement64() == CANARY
    };
    // The jump to the call comes from anywhere in the function.
    let all = site.code.instructions();
    let (at, compare) = all.iter().enumerate().find(|(_, it)| compares(it))?;
    let register = compare.op0_register();
    let loads = |instruction: &&Instruction| {
        instruction.mnemonic() == Mnemonic::Mov
            && instruction.op0_kind() == OpKind::Register
            && instruction.op0_register() == register
            && instruction.op1_kind() == OpKind::Memory
    };
    let before = all.get(at.saturating_sub(NEAR)..at)?;
    let load = before.iter().rev().find(loads)?;
    let displacement = load.memory_displacement64();
    let base = match load.memory_base() {
        Register::RSP => frame.sp,
        Register::RBP => frame.registers.get(unwind::Register::Rbp)?,
        _ => return None,
    };
    Some(base.wrapping_add(displacement)).filter(|slot| machine.unreadable(*slot).is_none())
}
