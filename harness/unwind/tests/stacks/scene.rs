// SPDX-License-Identifier: MIT OR Apache-2.0
//! A user task in a system call, two functions deep.

use crate::machine::{
    ENTRY, FUNCTION_A, FUNCTION_B, FUNCTION_C, Machine, STACK_BYTES, TASK, USER_CS, append_pt_regs,
    call_entry, regs_entry, section,
};
use unwind::orc::Kind;
use unwind::{Frame, StopReason};

pub(crate) const USER_RIP: u64 = 0x46_1857;
pub(crate) const USER_RSP: u64 = 0x7ffe_bcee_f8c8;
/// Registers of user mode are at the top of the task's stack.
pub(crate) const USER_REGS: u64 = TASK + STACK_BYTES - 168;

/// Calls within the test kernel: A was called by B, B by the entry code.
pub(crate) fn two_functions() -> Machine {
    Machine::new()
        .orc_entry(FUNCTION_A, call_entry(8))
        .orc_entry(FUNCTION_B, call_entry(0x20))
        .orc_entry(FUNCTION_C, call_entry(8))
        .orc_entry(ENTRY, regs_entry(Kind::Regs))
        .call_before(FUNCTION_B + 0x40)
        .call_before(FUNCTION_C + 0x40)
        .call_before(ENTRY + 0x80)
}

/// From `rsp` of A up to the registers of user mode.
pub(crate) fn stack_of_two_functions() -> test_assembler::Section {
    append_pt_regs(
        section()
            .D64(FUNCTION_B + 0x40) // return address of A
            .append_repeated(0xcc, 0x18) // locals of B
            .D64(ENTRY + 0x80), // return address of B
        USER_RIP,
        USER_CS,
        USER_RSP,
    )
}

pub(crate) const SP_IN_A: u64 = USER_REGS - 0x28;

pub(crate) fn user_rip(stop: &StopReason) -> Option<u64> {
    match stop {
        StopReason::User(registers) => Some(registers.rip),
        _ => None,
    }
}

pub(crate) fn exactly_one(frames: &[Frame]) -> &Frame {
    assert_eq!(frames.len(), 1);
    &frames[0]
}
