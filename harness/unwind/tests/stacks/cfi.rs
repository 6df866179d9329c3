// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of call frame information, evaluated.

use crate::machine::{
    BARE, FUNCTION_A, FUNCTION_B, KERNEL_CS, Machine, NMI, TASK, USER_CS, addresses, call_entry,
    section, trusts,
};
use crate::scene::{USER_RIP, USER_RSP, user_rip};
use unwind::{
    CfaRule, CfiRow, ExceptionFrame, Expression, Pc, Register, RegisterRule, Registers, StopReason,
    Trust,
};

const SP: u64 = TASK + 0x100;

/// `push %rbx; sub $0x10,%rsp`
fn row() -> CfiRow {
    let mut row = CfiRow::new(CfaRule::RegisterOffset { register: Register::Rsp, offset: 0x20 });
    row.set_rule(Register::Rbx, RegisterRule::Offset(-16));
    row
}

/// See the machine of the tests.
fn expression(offset: u64) -> Expression {
    Expression { code: BARE, offset, length: 1 }
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
    row.cfa = CfaRule::Expression(expression(0x20));
    row.set_rule(Register::Rdi, RegisterRule::Register(Register::R12));
    row.set_rule(Register::Rsi, RegisterRule::ValOffset(-4));
    row.set_rule(Register::R8, RegisterRule::Expression(expression(16)));
    row.set_rule(Register::R9, RegisterRule::ValExpression(expression(16)));
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

/// As 3.10's entry code describes an exception: the five words that the CPU pushed are at the
/// stack pointer, `rbp` is not touched yet.
fn exception_row() -> CfiRow {
    let mut row = CfiRow::new(CfaRule::RegisterOffset { register: Register::Rsp, offset: 0x28 });
    row.signal = true;
    row.return_address = RegisterRule::Offset(-0x28);
    row.set_rule(Register::Rsp, RegisterRule::Offset(-0x10));
    row
}

/// The walk from code with that row, with these words (rip, cs, rflags, rsp, ss) at its stack
/// pointer.
fn walk_over(row: CfiRow, words: [u64; 5]) -> unwind::Walk {
    let stack = words.into_iter().fold(section(), |section, word| section.D64(word));
    let machine = Machine::new().with(SP, stack).cfi_row(BARE, row);
    let mut registers = Registers::at(BARE, SP);
    registers.set(Register::Rbp, Some(0xb9));
    machine.walk_from(registers)
}

#[test]
fn words_of_an_exception_in_kernel_mode() {
    let sp = SP + 0x400;
    let walk = walk_over(exception_row(), [FUNCTION_B, KERNEL_CS, 0x246, sp, 0x18]);
    let caller = &walk.frames[1];
    assert_eq!(caller.pc, Pc::Interrupted(FUNCTION_B));
    assert_eq!((caller.sp, caller.trust), (sp, Trust::Exact));
    assert_eq!((caller.registers.cs, caller.registers.flags), (Some(KERNEL_CS), Some(0x246)));
    assert_eq!(caller.registers.get(Register::Rbp), Some(0xb9));
    assert_eq!(caller.exception, Some(ExceptionFrame { address: SP, full: false }));
}

/// An NMI has its own stack, above the one that it interrupted.
#[test]
fn words_above_the_stack_that_was_interrupted() {
    let sp = NMI + 0x100;
    let words = section().D64(FUNCTION_B).D64(KERNEL_CS).D64(0x246).D64(SP).D64(0x18);
    let machine = Machine::new().with(sp, words).cfi_row(BARE, exception_row());
    let walk = machine.walk_from(Registers::at(BARE, sp));
    assert_eq!((walk.frames[1].pc, walk.frames[1].sp), (Pc::Interrupted(FUNCTION_B), SP));
}

/// A call through a null pointer: the frame at address 0 is what the reader looks for.
#[test]
fn words_of_a_fault_at_address_zero() {
    let walk = walk_over(exception_row(), [0, KERNEL_CS, 0x246, SP + 0x400, 0x18]);
    assert_eq!(addresses(&walk)[..2], [BARE, 0]);
}

#[test]
fn words_of_an_exception_in_user_mode() {
    let walk = walk_over(exception_row(), [USER_RIP, USER_CS, 0x246, USER_RSP, 0x2b]);
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
    let StopReason::User(registers) = walk.stop else { panic!("the walk goes on") };
    assert_eq!(registers.get(Register::Rsp), Some(USER_RSP));
}

/// `stub_execve` of 3.10 holds the words of user mode, but its rows lack the augmentation `S`.
#[test]
fn words_of_user_mode_in_a_row_without_augmentation() {
    let mut row = exception_row();
    row.signal = false;
    let walk = walk_over(row, [USER_RIP, USER_CS, 0x246, USER_RSP, 0x2b]);
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

/// `system_call` of 3.10: rip is where `struct pt_regs` has it, cs and rsp are stale; the flags are
/// in r11.
#[test]
fn system_call_with_stale_words() {
    let mut row = exception_row();
    row.set_rule(Register::Rsp, RegisterRule::ValOffset(0));
    row.set_rule(Register::R11, RegisterRule::Offset(-0x18));
    let walk = walk_over(row, [USER_RIP, KERNEL_CS, 0x246, SP + 0x400, 0x18]);
    assert_eq!((walk.frames.len(), user_rip(&walk.stop)), (1, Some(USER_RIP)));
    let StopReason::User(registers) = walk.stop else { panic!("{:?}", walk.stop) };
    let told = (registers.get(Register::Rsp), registers.cs, registers.flags);
    assert_eq!(told, (None, None, Some(0x246)));
}

/// `system_call` of 3.10, before it stores anything: rip is in rcx.
#[test]
fn system_call_with_rip_in_a_register() {
    let mut row = CfiRow::new(CfaRule::RegisterOffset { register: Register::Rsp, offset: 0x28 });
    row.signal = true;
    row.return_address = RegisterRule::Register(Register::Rcx);
    let mut registers = Registers::at(BARE, SP);
    registers.set(Register::Rcx, Some(USER_RIP));
    let walk = Machine::new().cfi_row(BARE, row).walk_from(registers);
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

/// `copy_thread` of 3.10 makes registers for a kernel thread in which rsp points to themselves
/// (0x80 below rip); behind `ret_from_fork` there is nothing.
#[test]
fn kernel_thread_ends_at_registers_that_never_ran() {
    let walk = walk_over(exception_row(), [0, KERNEL_CS, 0x202, SP - 0x80, 0x18]);
    assert_eq!((walk.frames.len(), walk.stop), (1, StopReason::Root));
}

/// The row for the stack of interrupts in CentOS 7's 3.10 is eight bytes off: rip would be the
/// vector and cs an address. The link at the top of that stack is right.
#[test]
fn row_that_takes_the_vector_for_rip_is_refused() {
    let walk = walk_over(exception_row(), [!0xef, FUNCTION_A, KERNEL_CS, 0x246, SP + 0x400]);
    assert!(walk.frames.iter().all(|frame| frame.exception.is_none()), "{walk:?}");
}
