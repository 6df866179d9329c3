// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an instruction does with memory, and what becomes of an address that one makes.

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register};

use crate::flow::{
    ARGUMENTS, CallTarget, Code, RegisterSet, call_target, copied, is_call, number, written,
};
use crate::scene::Scene;
use crate::symbol_name::source_name;

/// Instructions that are followed from where an address is made.
const NEAR: usize = 24;

/// What is done with a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// A value is stored.
    Set,
    /// 0 is stored.
    Cleared,
    /// It becomes larger.
    Raised,
    /// It becomes smaller.
    Lowered,
    /// What marks an entry of a list that is out is stored.
    TakenOut,
    /// Its own address is stored: as in the links of an empty list.
    Initialised,
    /// Its address is handed to a function.
    Given {
        /// The function.
        function: String,
        /// Which argument, the first is 0.
        argument: usize,
    },
}

/// What the instruction at a position does with its operand in memory; `None` if it only reads it.
pub(super) fn act(code: &Code, at: usize) -> Option<Act> {
    let instruction = code.instruction(at);
    if instruction.op0_kind() != OpKind::Memory {
        return None;
    }
    let immediate = instruction.try_immediate(1).ok().map(u64::cast_signed);
    Some(match instruction.mnemonic() {
        Mnemonic::Inc => Act::Raised,
        Mnemonic::Dec => Act::Lowered,
        Mnemonic::Add => sign(immediate, true),
        Mnemonic::Sub => sign(immediate, false),
        Mnemonic::Xadd => sign(constant(code, at, instruction.op1_register()), true),
        Mnemonic::Mov if stores_itself(instruction) => Act::Initialised,
        Mnemonic::Mov => match immediate.or_else(|| constant(code, at, instruction.op1_register()))
        {
            Some(0) => Act::Cleared,
            Some(number) if is_list_poison(number.cast_unsigned()) => Act::TakenOut,
            _ => Act::Set,
        },
        Mnemonic::Cmp
        | Mnemonic::Test
        | Mnemonic::Push
        | Mnemonic::Call
        | Mnemonic::Jmp
        | Mnemonic::Bt
        | Mnemonic::Div
        | Mnemonic::Idiv
        | Mnemonic::Mul
        | Mnemonic::Imul => return None,
        _ => Act::Set,
    })
}

/// Whether the instruction stores an address to the place that it leads to.
fn stores_itself(instruction: &Instruction) -> bool {
    instruction.op1_kind() == OpKind::Register
        && instruction.op1_register() == instruction.memory_base()
        && instruction.memory_index() == Register::None
        && instruction.memory_displacement64() == 0
}

fn sign(number: Option<i64>, adds: bool) -> Act {
    match number {
        Some(number) if (number > 0) == adds => Act::Raised,
        Some(_) => Act::Lowered,
        None => Act::Set,
    }
}

/// The number that was put into a register shortly before.
fn constant(code: &Code, at: usize, register: Register) -> Option<i64> {
    let wanted = number(register)?;
    let mut factory = InstructionInfoFactory::new();
    let bits = u32::try_from(register.size() * 8).ok()?;
    for before in (0..at).rev().take(NEAR) {
        let instruction = code.instruction(before);
        if !written(&mut factory, instruction).contains(wanted) {
            continue;
        }
        let value = match instruction.mnemonic() {
            Mnemonic::Mov => instruction.try_immediate(1).ok()?,
            // Each bit is set, whatever it was.
            Mnemonic::Or if instruction.try_immediate(1).ok()? == u64::MAX => u64::MAX,
            _ => return None,
        };
        let unused = 64_u32.checked_sub(bits)?;
        return Some((value << unused).cast_signed() >> unused);
    }
    None
}

/// What becomes of the address that the instruction at a position makes: it is stored into the part itself, or
/// handed to a function. `is_store` tells of a position whether the part may be stored to there.
pub(super) fn follow(
    scene: &dyn Scene,
    code: &Code,
    made: usize,
    is_store: impl Fn(usize) -> bool,
) -> Option<Act> {
    let mut held = RegisterSet::default();
    held.insert(number(code.instruction(made).op0_register())?);
    let mut factory = InstructionInfoFactory::new();
    let mut at = made;
    for _ in 0..NEAR {
        let &[next] = code.successors(at).as_slice() else { return None };
        at = next;
        let instruction = code.instruction(at);
        let holds = |register: Register| number(register).is_some_and(|it| held.contains(it));
        let stores =
            instruction.op0_kind() == OpKind::Memory && instruction.mnemonic() == Mnemonic::Mov;
        if stores && instruction.op1_kind() == OpKind::Register && holds(instruction.op1_register())
        {
            let is_own = is_store(at) || holds(instruction.memory_base());
            return is_own.then_some(Act::Initialised);
        }
        if stores
            && holds(instruction.memory_base())
            && instruction.memory_index() == Register::None
        {
            return Some(Act::Set);
        }
        let is_jump = matches!(call_target(instruction), Some(CallTarget::Direct(target)) if code.at(target).is_none());
        if is_call(instruction) || is_jump {
            let Some(CallTarget::Direct(target)) = call_target(instruction) else { return None };
            let (name, _) = scene.symbol_at(target)?;
            let argument = ARGUMENTS.iter().position(|it| holds(*it))?;
            return Some(Act::Given { function: source_name(&name).to_owned(), argument });
        }
        let copy = copied(instruction).filter(|(_, from)| held.contains(*from));
        held.remove_all(written(&mut factory, instruction));
        if let Some((to, _)) = copy {
            held.insert(to);
        }
    }
    None
}

/// Whether the number is one of `LIST_POISON1` and `LIST_POISON2` (`include/linux/poison.h`, x86-64).
const fn is_list_poison(number: u64) -> bool {
    const BASE: u64 = 0xdead_0000_0000_0000;
    const MOST: u64 = 0x0020_0200;
    number > BASE && number <= BASE + MOST
}
