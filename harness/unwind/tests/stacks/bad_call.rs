// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls to addresses that are no code.

use crate::machine::{
    BARE, ENTRY, FUNCTION_A, FUNCTION_B, KERNEL_CS, Machine, TASK, addresses, append_pt_regs,
    section, trusts,
};
use crate::scene::{SP_IN_A, USER_RIP, stack_of_two_functions, two_functions, user_rip};
use test_assembler::{Label, LabelMaker};
use unwind::{Pc, Register, Registers, Trust};

#[test]
fn null_call_finds_the_caller_and_keeps_all_registers() {
    let machine = two_functions().with(SP_IN_A, stack_of_two_functions());
    let mut registers = Registers::at(0, SP_IN_A);
    registers.set(Register::Rax, Some(0));
    registers.set(Register::Rdi, Some(0x1234));
    registers.set(Register::Rbp, Some(SP_IN_A + 0x10));
    let walk = machine.walk_from(registers);
    assert_eq!(walk.frames[0].pc, Pc::Interrupted(0));
    assert_eq!(walk.frames[1].pc, Pc::Return(FUNCTION_B + 0x40));
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Call, Trust::Orc]);
    assert_eq!(walk.frames[1].registers.get(Register::Rdi), Some(0x1234));
    assert_eq!(walk.frames[1].registers.get(Register::Rsp), Some(SP_IN_A + 8));
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

/// The page fault of a call through NULL: A (its handler) ← entry code ← [rip 0] ← B.
#[test]
fn null_call_seen_from_the_panic_path() {
    let sp = SP_IN_A - 8 - 168 - 8;
    let regs = Label::new();
    let stack = section().set_start_const(sp).D64(ENTRY + 0x80).mark(&regs);
    let stack = append_pt_regs(stack, 0, KERNEL_CS, SP_IN_A)
        .D64(0) // the CPU aligned the stack
        .append_section(stack_of_two_functions());
    let machine = two_functions().with(sp, stack);
    let walk = machine.walk_from(Registers::at(FUNCTION_A + 1, sp));
    let handler = [FUNCTION_A + 1, ENTRY + 0x80];
    assert_eq!(addresses(&walk), [&handler[..], &[0, FUNCTION_B + 0x40, ENTRY + 0x80]].concat());
    let fault = &walk.frames[2];
    assert_eq!((fault.pc, fault.trust), (Pc::Interrupted(0), Trust::Exact));
    assert_eq!(fault.exception.map(|frame| frame.address), regs.value());
    let caller = &walk.frames[3];
    assert_eq!((caller.pc, caller.trust), (Pc::Return(FUNCTION_B + 0x40), Trust::Call));
    assert_eq!(caller.registers.get(Register::Rdi), Some(0xd1), "still as saved at the fault");
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

#[test]
fn bad_calls_of_every_sort() {
    let unmapped_module = 0xffff_ffff_c0de_0000;
    for bad in [0, 8, 0x6b6b_6b6b_6b6b_6b6b, 0xdead_0000_0000_0100, unmapped_module, u64::MAX] {
        let machine = two_functions().with(SP_IN_A, stack_of_two_functions());
        let walk = machine.walk_from(Registers::at(bad, SP_IN_A));
        assert_eq!(trusts(&walk), [Trust::Exact, Trust::Call, Trust::Orc], "pc {bad:#x}");
        assert_eq!(addresses(&walk), [bad, FUNCTION_B + 0x40, ENTRY + 0x80]);
    }
}

/// A jump or return to a bad address pushes nothing: what lies at rsp is some local variable.
#[test]
fn word_at_rsp_that_no_call_pushed_is_not_believed() {
    let sp = SP_IN_A - 8;
    // A pointer to a function, as a variable: the bytes before it are no call.
    let stack = section().D64(BARE + 0x10).append_section(stack_of_two_functions());
    let machine = two_functions().with(BARE, section().append_repeated(0x90, 64)).with(sp, stack);
    let walk = machine.walk_from(Registers::at(0, sp));
    assert_eq!(addresses(&walk), [0, FUNCTION_B + 0x40, ENTRY + 0x80]);
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Scan, Trust::Scan]);
}

#[test]
fn bad_call_with_unreadable_code_is_believed() {
    let machine = Machine::new().with(TASK, section().D64(BARE + 0x10));
    let walk = machine.walk_from(Registers::at(0, TASK));
    assert_eq!(walk.frames[1].pc, Pc::Return(BARE + 0x10));
    assert_eq!(walk.frames[1].trust, Trust::Call);
}
