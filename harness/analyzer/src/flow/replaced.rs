// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that the code stores to again after it was read.
//!
//! Example: `slot = ring->next; ring->next = slot + 1; slot->payload->length`: what `ring->next` holds in the dump is
//! not what was read.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::code::Code;
use super::registers::number;
use super::since::{Since, between, is_passed};
use super::stack::immediate;
use super::term::Kept;

/// Instructions that are gone over.
const MOST: usize = 32;

/// What was stored where the instruction at `position` read, if control came past that store on each way to `end` and
/// it is known to be another value.
pub(super) fn replaced(code: &Code, since: &Since, position: usize, end: usize) -> Option<Kept> {
    let read = code.instruction(position);
    let stores = |at: &usize| *at != position && stores_to(code.instruction(*at), read);
    let mut stores: Vec<usize> = (0..code.instructions().len()).filter(stores).collect();
    // The ways through the code are dearer to find, and most of what is read is stored to nowhere.
    if stores.is_empty() {
        return None;
    }
    let ran = between(code, position, end);
    stores.retain(|at| ran.contains(at));
    // Another register may be meant by then.
    let is_moved = |at: &usize| {
        let on_the_way = between(code, position, *at);
        on_the_way.iter().chain([&position]).any(|at| {
            let registers = [read.memory_base(), read.memory_index()];
            registers.iter().any(|it| number(*it).is_some_and(|it| since.own(*at).contains(it)))
        })
    };
    stores.retain(|at| !is_moved(at));
    let &by = stores.iter().find(|at| is_passed(code, (position, end), **at))?;
    let stored = stored(code, since, position, by)?;
    // What the others have stored is not looked at.
    Some(if stores.len() == 1 { stored } else { Kept::Replaced })
}

/// Whether the instruction stores as many bytes where the other one reads, by the same registers.
fn stores_to(instruction: &Instruction, read: &Instruction) -> bool {
    let is_store = matches!(
        instruction.mnemonic(),
        Mnemonic::Mov | Mnemonic::Add | Mnemonic::Sub | Mnemonic::Inc | Mnemonic::Dec
    );
    is_store && instruction.op0_kind() == OpKind::Memory && place(instruction) == place(read)
}

/// The memory that the instruction names, and how many bytes of it.
fn place(it: &Instruction) -> impl PartialEq {
    let base = Some(it.memory_base()).filter(|base| *base != Register::RIP);
    let index = (it.memory_index(), it.memory_index_scale());
    let size = it.memory_size().size();
    (base, index, it.memory_displacement64(), it.segment_prefix(), size)
}

/// What the instruction at `store` stored where the one at `position` read, where there is only one way between the two;
/// `None` if it may be the same.
///
/// Example: `if (recent) hook = recent; …; recent = hook;` stores what was read, on one of two ways.
fn stored(code: &Code, since: &Since, position: usize, store: usize) -> Option<Kept> {
    let read = code.instruction(position);
    let is_whole = read.mnemonic() == Mnemonic::Mov && read.op0_kind() == OpKind::Register;
    let to = number(read.op0_register()).filter(|_| is_whole)?;
    let stored = code.instruction(store);
    let by = stored.ip();
    match stored.mnemonic() {
        Mnemonic::Mov if stored.op1_kind() == OpKind::Register => {}
        // A number may be the one that was read.
        Mnemonic::Mov => return None,
        _ => return Some(Kept::Moved { added: step(stored)?, by }),
    }
    let mut sum = 0_i64;
    let mut wanted = number(stored.op1_register())?;
    let mut at = store;
    for _ in 0..MOST {
        let &[before] = code.predecessors(at) else { return None };
        at = before;
        if at == position {
            return (wanted == to && sum != 0).then_some(Kept::Moved { added: sum, by });
        }
        if since.own(at).contains(wanted) {
            let instruction = code.instruction(at);
            let Some((from, more)) = moved(instruction) else {
                return is_other(instruction, read).then_some(Kept::Replaced);
            };
            (wanted, sum) = (from, sum.checked_add(more)?);
        }
    }
    None
}

/// The register that the instruction computes its own from by adding a number, and that.
fn moved(instruction: &Instruction) -> Option<(u8, i64)> {
    let own = number(instruction.op0_register());
    let own = own.filter(|_| instruction.op0_kind() == OpKind::Register)?;
    Some(match instruction.mnemonic() {
        Mnemonic::Mov if instruction.op1_kind() == OpKind::Register => {
            (number(instruction.op1_register())?, 0)
        }
        Mnemonic::Lea if instruction.memory_index() == Register::None => {
            let distance = instruction.memory_displacement64().cast_signed();
            (number(instruction.memory_base())?, distance)
        }
        _ => (own, step(instruction)?),
    })
}

/// What the instruction adds to its first operand.
fn step(instruction: &Instruction) -> Option<i64> {
    match instruction.mnemonic() {
        Mnemonic::Inc => Some(1),
        Mnemonic::Dec => Some(-1),
        Mnemonic::Add => immediate(instruction),
        Mnemonic::Sub => immediate(instruction)?.checked_neg(),
        _ => None,
    }
}

/// Whether it loads a register from other memory than the one that reads: the link to the next one, most often.
fn is_other(instruction: &Instruction, read: &Instruction) -> bool {
    let is_load =
        instruction.mnemonic() == Mnemonic::Mov && instruction.op1_kind() == OpKind::Memory;
    is_load && place(instruction) != place(read)
}
