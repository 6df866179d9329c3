// SPDX-License-Identifier: MIT OR Apache-2.0
//! The function tracer's entry in CentOS 7's 3.10, which makes no frame.

use crate::machine::{BARE, FUNCTION_B, Machine, TASK, addresses, section};
use unwind::{Pc, Register, Registers};

/// The tracer's function, its entry, the function traced and the one that called that.
const TRACER: u64 = BARE + 0x20;
const STUB: u64 = BARE + 0x140;
const TRACED: u64 = BARE + 0x205;
const CALLER: u64 = BARE + 0x340;
const OUTER: u64 = FUNCTION_B + 0x40;

/// The stack when the tracer's function runs: its frame, what `MCOUNT_SAVE_FRAME` made, the return
/// addresses into the traced function and its caller, whose frame is at `bp`.
fn machine(copied: u64) -> (Machine, Registers) {
    let sp = TASK + 0x1000;
    let bp = sp + 0x200;
    let words = section()
        .D64(bp)
        .D64(STUB)
        .append_repeated(0x5a, 128)
        .D64(copied)
        .append_repeated(0x5a, 32)
        .D64(TRACED)
        .D64(CALLER);
    let code = section().D8(0xe8).append_repeated(0, 4).append_bytes(&[0x55, 0x48, 0x89, 0xe5]);
    let machine = Machine::new()
        .with(TRACED - 5, code)
        .with(sp, words)
        .with(bp, section().D64(0).D64(OUTER))
        .call_before(STUB)
        .call_before(CALLER)
        .call_before(OUTER);
    let mut registers = Registers::at(TRACER, sp);
    registers.set(Register::Rbp, Some(sp));
    (machine, registers)
}

/// Following rbp alone would skip the traced function and its caller.
#[test]
fn the_traced_function_and_its_caller_are_behind_the_tracers_entry() {
    let (machine, registers) = machine(TRACED);
    let walk = machine.walk_from(registers);
    assert_eq!(addresses(&walk)[..5], [TRACER, STUB, TRACED, CALLER, OUTER]);
    assert_eq!(walk.frames[2].pc, Pc::Interrupted(TRACED));
}

/// Both words have to be the same.
#[test]
fn a_word_without_its_copy_is_no_traced_function() {
    let (machine, registers) = machine(TRACED + 1);
    assert_eq!(addresses(&machine.walk_from(registers))[..3], [TRACER, STUB, OUTER]);
}
