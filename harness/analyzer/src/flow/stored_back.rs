// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that are read from memory, changed, and stored there again.

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpKind};

use super::code::Code;
use super::effect::{is_call, written};
use super::registers::number;

/// Instructions that are gone over, to each side.
const NEAR: usize = 6;

/// Position of the instruction that stores what the one at `position` computes to the place from which it was read;
/// nothing between the two comes from elsewhere, calls or stores, and control came past it to `end`.
///
/// Example: `new = cells->array + --cells->cursor`: what counts is the member as it is afterwards, and not what it
/// was when it was read, less 1.
pub(super) fn stored_back(code: &Code, position: usize, end: usize) -> Option<usize> {
    let instruction = code.instruction(position);
    let changes = matches!(
        instruction.mnemonic(),
        Mnemonic::Add | Mnemonic::Sub | Mnemonic::Inc | Mnemonic::Dec
    );
    let to = instruction.op0_register();
    if !changes || instruction.op0_kind() != OpKind::Register || to.size() < 4 {
        return None;
    }
    let mut factory = InstructionInfoFactory::new();
    let own = number(to)?;
    let mut at = position;
    let mut store = None;
    let mut kept = Vec::new();
    for _ in 0..NEAR {
        let &[next] = code.successors(at).as_slice() else { return None };
        if at == end {
            return None;
        }
        at = next;
        // Another way may lead there with another value.
        let &[_] = code.predecessors(at) else { return None };
        let instruction = code.instruction(at);
        if is_call(instruction) {
            return None;
        }
        if instruction.op0_kind() == OpKind::Memory {
            let is_it = instruction.mnemonic() == Mnemonic::Mov
                && instruction.op1_kind() == OpKind::Register
                && instruction.op1_register() == to;
            store = is_it.then_some(at);
            break;
        }
        if written(&mut factory, instruction).contains(own) {
            return None;
        }
        kept.push(at);
    }
    let store = store.filter(|store| *store != end)?;
    let place = code.instruction(store);
    // The address may have been made of the register itself, or of one that is changed on the way.
    let moves = |instruction: &Instruction, factory: &mut InstructionInfoFactory| {
        let written = written(factory, instruction);
        [place.memory_base(), place.memory_index()]
            .iter()
            .any(|part| number(*part).is_some_and(|part| written.contains(part)))
    };
    if kept.iter().any(|at| moves(code.instruction(*at), &mut factory))
        || moves(instruction, &mut factory)
    {
        return None;
    }
    let mut at = position;
    for _ in 0..NEAR {
        let &[before] = code.predecessors(at) else { return None };
        at = before;
        let instruction = code.instruction(at);
        let writes = written(&mut factory, instruction);
        if writes.contains(own) {
            let is_load = instruction.mnemonic() == Mnemonic::Mov
                && instruction.op0_register() == to
                && instruction.op1_kind() == OpKind::Memory;
            let is_moved = moves(instruction, &mut factory);
            return (is_load && !is_moved && is_same_place(instruction, place)).then_some(store);
        }
        let stores = instruction.op0_kind() == OpKind::Memory
            && !matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test);
        if stores || is_call(instruction) || moves(instruction, &mut factory) {
            return None;
        }
    }
    None
}

/// Whether both name the same memory, with the same registers.
fn is_same_place(one: &Instruction, other: &Instruction) -> bool {
    let place = |it: &Instruction| {
        (
            it.memory_base(),
            it.memory_index(),
            it.memory_index_scale(),
            it.memory_displacement64(),
            it.segment_prefix(),
            it.memory_size().size(),
        )
    };
    place(one) == place(other)
}
