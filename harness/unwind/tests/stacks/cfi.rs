// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of call frame information, evaluated.

use crate::machine::{BARE, FUNCTION_A, FUNCTION_B, Machine, TASK, call_entry, section, trusts};
use unwind::{
    CfaRule, CfiRow, Expression, Pc, Register, RegisterRule, Registers, StopReason, Trust,
};

const SP: u64 = TASK + 0x100;

/// `push %rbx; sub $0x10,%rsp`
fn row() -> CfiRow {
    let mut row = CfiRow::new(CfaRule::RegisterOffset { register: Register::Rsp, offset: 0x20 });
    row.set_rule(Register::Rbx, RegisterRule::Offset(-16));
    row
}

fn machine() -> Machine {
    let stack =
        section().append_repeated(0xcc, 0x10).D64(0xbb).D64(FUNCTION_B + 0x40).D64(0).D64(0);
    Machine::new().call_before(FUNCTION_B + 0x40).with(SP, stack)
}

fn registers() -> Registers {
    let mut registers = Registers::at(BARE, SP);
    registers.set(Register::Rbx, Some(1));
    registers.set(Register::R12, Some(12));
    registers.set(Register::Rax, Some(10));
    registers
}

#[test]
fn row_restores_what_the_abi_promises() {
    let walk = machine().cfi_row(BARE, row()).walk_from(registers());
    let caller = &walk.frames[1];
    assert_eq!(caller.pc, Pc::Return(FUNCTION_B + 0x40));
    assert_eq!(caller.sp, SP + 0x20);
    assert_eq!(caller.trust, Trust::Cfi);
    assert_eq!(caller.registers.get(Register::Rbx), Some(0xbb), "from the stack");
    assert_eq!(caller.registers.get(Register::R12), Some(12), "unchanged by convention");
    assert_eq!(caller.registers.get(Register::Rax), None, "lost in the call");
    assert_eq!(walk.frames[0].cfa, Some(SP + 0x20));
}

#[test]
fn every_kind_of_rule() {
    let mut row = row();
    row.cfa = CfaRule::Expression(Expression(0x20));
    row.set_rule(Register::Rdi, RegisterRule::Register(Register::R12));
    row.set_rule(Register::Rsi, RegisterRule::ValOffset(-4));
    row.set_rule(Register::R8, RegisterRule::Expression(Expression(16)));
    row.set_rule(Register::R9, RegisterRule::ValExpression(Expression(16)));
    row.set_rule(Register::Rbp, RegisterRule::Undefined);
    let walk = machine().cfi_row(BARE, row).walk_from(registers());
    let caller = &walk.frames[1];
    assert_eq!(caller.sp, SP + 0x20);
    assert_eq!(caller.registers.get(Register::Rdi), Some(12));
    assert_eq!(caller.registers.get(Register::Rsi), Some(SP + 0x1c));
    assert_eq!(caller.registers.get(Register::R8), Some(0xbb));
    assert_eq!(caller.registers.get(Register::R9), Some(SP + 0x10));
    assert_eq!(caller.registers.get(Register::Rbp), None);
}

#[test]
fn row_without_return_address_is_the_root() {
    let mut row = row();
    row.return_address = RegisterRule::Undefined;
    let walk = machine().cfi_row(BARE, row).walk_from(registers());
    assert_eq!((walk.frames.len(), walk.stop), (1, StopReason::Root));
}

#[test]
fn signal_row_gives_an_interrupted_instruction() {
    let mut row = row();
    row.signal = true;
    let walk = machine().cfi_row(BARE, row).walk_from(registers());
    assert_eq!(walk.frames[1].pc, Pc::Interrupted(FUNCTION_B + 0x40));
}

/// ORC tells rsp and rbp only; the row adds the other callee-saved registers.
#[test]
fn row_that_agrees_with_orc_adds_registers() {
    let machine = machine().orc_entry(BARE, call_entry(0x20)).cfi_row(BARE, row());
    let walk = machine.walk_from(registers());
    assert_eq!(trusts(&walk)[..2], [Trust::Exact, Trust::Orc]);
    assert_eq!(walk.frames[1].registers.get(Register::Rbx), Some(0xbb));
    assert_eq!(walk.frames[1].registers.get(Register::R12), Some(12));
}

/// Stack switches in inline assembly (5.12 and later) have wrong rows; ORC is right.
#[test]
fn row_that_contradicts_orc_is_ignored() {
    let machine = machine().orc_entry(FUNCTION_A, call_entry(0x20));
    let wrong = CfiRow::new(CfaRule::RegisterOffset { register: Register::Rsp, offset: 0x28 });
    let mut registers = registers();
    registers.rip = FUNCTION_A;
    let walk = machine.cfi_row(FUNCTION_A, wrong).walk_from(registers);
    assert_eq!(walk.frames[1].pc, Pc::Return(FUNCTION_B + 0x40));
    assert_eq!(walk.frames[1].registers.get(Register::R12), None);
}
