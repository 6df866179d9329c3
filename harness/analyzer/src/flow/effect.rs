// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one instruction does to the registers.

use iced_x86::{
    FlowControl, Instruction, InstructionInfoFactory, InstructionInfoOptions, Mnemonic, OpAccess,
    OpKind, Register,
};

use super::registers::{RegisterSet, number};

/// Where a call or jump goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallTarget {
    /// To an address in the instruction.
    Direct(u64),
    /// To the address in a register.
    Register(Register),
    /// To the address in memory.
    Memory,
}

/// Where this call or jump goes; `None` if it is neither.
pub fn call_target(instruction: &Instruction) -> Option<CallTarget> {
    match instruction.flow_control() {
        FlowControl::Call | FlowControl::UnconditionalBranch => {
            Some(CallTarget::Direct(instruction.near_branch_target()))
        }
        FlowControl::IndirectCall | FlowControl::IndirectBranch => match instruction.op0_kind() {
            OpKind::Register => Some(CallTarget::Register(instruction.op0_register())),
            OpKind::Memory => Some(CallTarget::Memory),
            _ => None,
        },
        _ => None,
    }
}

/// The registers, by number, that a whole one is copied to and from.
pub fn copied(instruction: &Instruction) -> Option<(u8, u8)> {
    let is_copy = instruction.mnemonic() == Mnemonic::Mov
        && instruction.op0_kind() == OpKind::Register
        && instruction.op1_kind() == OpKind::Register
        && instruction.op0_register().is_gpr64();
    let registers = || number(instruction.op0_register()).zip(number(instruction.op1_register()));
    is_copy.then(registers).flatten()
}

/// Whether the instruction is a call, direct or not.
pub fn is_call(instruction: &Instruction) -> bool {
    matches!(instruction.flow_control(), FlowControl::Call | FlowControl::IndirectCall)
}

/// General registers that the instruction itself may write.
pub fn written(factory: &mut InstructionInfoFactory, instruction: &Instruction) -> RegisterSet {
    let mut set = RegisterSet::default();
    let info = factory.info_options(instruction, InstructionInfoOptions::NO_MEMORY_USAGE);
    for used in info.used_registers() {
        let writes = matches!(
            used.access(),
            OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        );
        if let (true, Some(number)) = (writes, number(used.register())) {
            set.insert(number);
        }
    }
    set
}
