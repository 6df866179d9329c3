// SPDX-License-Identifier: MIT OR Apache-2.0
//! Return addresses into code that is gone.

use crate::machine::{
    ENTRY, FUNCTION_A, TASK, USER_CS, addresses, append_pt_regs, call_entry, section, trusts,
};
use crate::scene::{SP_IN_A, USER_RIP, USER_RSP, two_functions, user_rip};
use unwind::{Registers, Trust};

/// In the area for modules; nothing is mapped there any more.
const UNLOADED: u64 = 0xffff_ffff_c012_3040;

/// A function of an unloaded module called A. Nothing tells how large its frame is, so the way on
/// is a scan.
#[test]
fn unloaded_module_is_a_frame_and_unwinding_goes_on() {
    let stack = append_pt_regs(
        section().D64(UNLOADED).append_repeated(0, 0x18).D64(ENTRY + 0x80),
        USER_RIP,
        USER_CS,
        USER_RSP,
    );
    let mut machine = two_functions().with(SP_IN_A, stack);
    machine.gone = std::iter::once(UNLOADED - 0x40..UNLOADED + 0x40).collect();
    let walk = machine.walk_from(Registers::at(FUNCTION_A, SP_IN_A));
    assert_eq!(addresses(&walk), [FUNCTION_A, UNLOADED, ENTRY + 0x80]);
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Orc, Trust::Scan]);
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

/// The boot CPU's idle task was called from the kernel's start, whose memory is given back; its
/// tables are still in `vmlinux`.
#[test]
fn tables_of_freed_code_are_used() {
    const START: u64 = 0xffff_ffff_8200_0040;
    let stack = append_pt_regs(
        section().D64(START).append_repeated(0xcc, 8).D64(ENTRY + 0x80),
        USER_RIP,
        USER_CS,
        USER_RSP,
    );
    let mut machine =
        two_functions().orc_entry(START - 0x40, call_entry(0x10)).with(TASK + 0x1000, stack);
    machine.gone = std::iter::once(START - 0x40..START + 0x40).collect();
    let walk = machine.walk_from(Registers::at(FUNCTION_A, TASK + 0x1000));
    assert_eq!(addresses(&walk), [FUNCTION_A, START, ENTRY + 0x80]);
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Orc, Trust::Orc]);
}

/// A word that looks like such an address is no reason to stop a scan there.
#[test]
fn scan_passes_code_that_is_gone() {
    let stack = append_pt_regs(
        section().D64(1).D64(UNLOADED).append_repeated(0, 0x10).D64(ENTRY + 0x80),
        USER_RIP,
        USER_CS,
        USER_RSP,
    );
    let mut machine = two_functions().with(SP_IN_A, stack);
    machine.gone = std::iter::once(UNLOADED - 0x40..UNLOADED + 0x40).collect();
    let walk = machine.walk_from(Registers::at(UNLOADED, SP_IN_A));
    assert_eq!(addresses(&walk), [UNLOADED, ENTRY + 0x80]);
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Scan]);
}
