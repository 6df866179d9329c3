// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where walks begin.

use crate::machine::{ENTRY, FUNCTION_B, Machine, TASK, USER_CS, addresses, section};
use crate::scene::{SP_IN_A, USER_RIP, USER_RSP, stack_of_two_functions, two_functions, user_rip};
use unwind::{InactiveLayout, Pc, Register, Registers, Trust, start_from_inactive};

#[test]
fn registers_of_user_mode_have_no_kernel_frames() {
    let mut registers = Registers::at(USER_RIP, USER_RSP);
    registers.cs = Some(USER_CS);
    let walk = Machine::new().walk_from(registers);
    assert!(walk.frames.is_empty());
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

const LAYOUT: InactiveLayout = InactiveLayout {
    r15: Some(0),
    r14: Some(8),
    r13: Some(16),
    r12: Some(24),
    bx: Some(32),
    bp: Some(40),
    ret_addr: 48,
    size: 56,
    ret_from_fork: Some(ENTRY + 0x200),
};

#[test]
fn sleeping_task_starts_behind_its_switch() {
    let sp = SP_IN_A - 0x30;
    let stack = section().D64(15).D64(14).D64(13).D64(12).D64(3).D64(6);
    let machine = two_functions().with(sp, stack.append_section(stack_of_two_functions()));
    let start = start_from_inactive(&machine, sp, &LAYOUT).expect("all in memory");
    assert_eq!(start.pc, Pc::Return(FUNCTION_B + 0x40));
    assert_eq!(start.registers.get(Register::R12), Some(12));
    assert_eq!(start.registers.get(Register::Rbp), Some(6));
    let walk = machine.walk(start);
    assert_eq!(addresses(&walk), [FUNCTION_B + 0x40, ENTRY + 0x80]);
    assert_eq!(walk.frames[0].sp, SP_IN_A + 8);
    assert_eq!(walk.frames[0].trust, Trust::Exact);
}

#[test]
fn task_that_never_ran_starts_at_ret_from_fork() {
    let sp = TASK + 0x3000;
    let stack = section().append_repeated(0, 48).D64(ENTRY + 0x200);
    let machine = Machine::new().with(sp, stack);
    let start = start_from_inactive(&machine, sp, &LAYOUT).expect("all in memory");
    assert_eq!(start.pc, Pc::Interrupted(ENTRY + 0x200));
    assert_eq!(start_from_inactive(&machine, sp + 0x100, &LAYOUT), None);
    assert_eq!(start_from_inactive(&machine, u64::MAX - 3, &LAYOUT), None);
}
