// SPDX-License-Identifier: MIT OR Apache-2.0
//! Return addresses that the kernel replaced.

use crate::machine::{
    BARE, ENTRY, FUNCTION_A, FUNCTION_B, FUNCTION_C, USER_CS, addresses, append_pt_regs,
    call_entry, section, trusts,
};
use crate::scene::{SP_IN_A, USER_RIP, USER_RSP, two_functions, user_rip};
use unwind::{Registers, Trust};

/// `return_to_handler` stands where the return address was; ftrace remembers the real one.
#[test]
fn return_trampoline_is_replaced_by_what_it_hides() {
    let trampoline = BARE + 0x200;
    let stack = append_pt_regs(
        section().D64(trampoline).append_repeated(0, 0x18).D64(trampoline),
        USER_RIP,
        USER_CS,
        USER_RSP,
    );
    let mut machine = two_functions().with(SP_IN_A, stack);
    machine.trampoline = Some(trampoline);
    machine.real_returns = vec![FUNCTION_B + 0x40, ENTRY + 0x80];
    let walk = machine.walk_from(Registers::at(FUNCTION_A, SP_IN_A));
    assert_eq!(addresses(&walk), [FUNCTION_A, FUNCTION_B + 0x40, ENTRY + 0x80]);
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Orc, Trust::Orc]);
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

#[test]
fn return_trampoline_that_hides_an_unknown_address_is_a_frame() {
    let trampoline = BARE + 0x200;
    let stack = append_pt_regs(
        section()
            .D64(trampoline)
            .D64(FUNCTION_C) // a function pointer in the caller's frame
            .append_repeated(0, 0x10)
            .D64(ENTRY + 0x80),
        USER_RIP,
        USER_CS,
        USER_RSP,
    );
    // The trampoline's own rule would take the word at rsp, which is the caller's variable.
    let mut machine = two_functions()
        .orc_entry(BARE, call_entry(8))
        .with(FUNCTION_C - 8, section().append_repeated(0x90, 8))
        .with(SP_IN_A, stack);
    machine.trampoline = Some(trampoline);
    let walk = machine.walk_from(Registers::at(FUNCTION_A, SP_IN_A));
    assert_eq!(addresses(&walk), [FUNCTION_A, trampoline, ENTRY + 0x80]);
    assert_eq!(walk.frames[1].pc.for_lookup(), trampoline);
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Orc, Trust::Scan]);
}

/// A traced function ended in a jump through a bad pointer, so its trampoline is at rsp.
#[test]
fn bad_jump_under_a_return_trampoline() {
    let trampoline = BARE + 0x200;
    let stack = section().D64(trampoline).append_repeated(0, 0x18).D64(ENTRY + 0x80);
    let mut machine = two_functions()
        .with(trampoline - 8, section().append_repeated(0x90, 16))
        .with(SP_IN_A, stack);
    machine.trampoline = Some(trampoline);
    machine.real_returns = vec![FUNCTION_B + 0x40];
    let walk = machine.walk_from(Registers::at(0, SP_IN_A));
    assert_eq!(addresses(&walk), [0, FUNCTION_B + 0x40, ENTRY + 0x80]);
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Call, Trust::Orc]);
}
