// SPDX-License-Identifier: MIT OR Apache-2.0
//! Code that is unwound by rbp, and code that must not be.

use crate::machine::{
    BARE, ENTRY, FUNCTION_A, FUNCTION_B, FUNCTION_C, KERNEL_CS, Machine, TASK, addresses,
    append_pt_regs, call_entry, section, trusts,
};
use crate::scene::{exactly_one, two_functions};
use test_assembler::{Label, LabelMaker};
use unwind::orc::{Bp, Cfa, Kind, OrcEntry};
use unwind::{ExceptionFrame, Pc, Register, Registers, StopReason, Trust};

/// BPF programs and kernels with frame pointers: no table covers the code.
#[test]
fn chain_of_frame_pointers() {
    let sp = TASK + 0x100;
    let (inner, outer) = (Label::new(), Label::new());
    let stack = section()
        .set_start_const(sp)
        .append_repeated(0, 0x20)
        .mark(&inner)
        .D64(&outer)
        .D64(BARE + 0x140)
        .append_repeated(0, 0x20)
        .mark(&outer)
        .D64(0)
        .D64(FUNCTION_B + 0x40)
        .append_repeated(0, 0x100);
    let machine = two_functions().call_before(BARE + 0x140).with(sp, stack);
    let mut registers = Registers::at(BARE + 0x20, sp);
    registers.set(Register::Rbp, inner.value());
    let walk = machine.walk_from(registers);
    assert_eq!(addresses(&walk)[..3], [BARE + 0x20, BARE + 0x140, FUNCTION_B + 0x40]);
    assert_eq!(trusts(&walk)[1..3], [Trust::FramePointer, Trust::FramePointer]);
    assert_eq!(walk.frames[1].sp, sp + 0x30);
    assert_eq!(walk.frames[1].registers.get(Register::Rbp), outer.value());
}

/// Interrupted at `push %rbp`, between it and `mov %rsp,%rbp`, and at `ret`: rbp is the caller's.
#[test]
fn code_without_its_frame_yet_does_not_skip_the_caller() {
    let sp = TASK + 0x100;
    let code = [0x90, 0x55, 0x48, 0x89, 0xe5, 0x90, 0xc3, 0x90];
    let cases = [(1, 0), (2, 8), (6, 0)];
    for (instruction, pushed) in cases {
        let stack = section()
            .append_repeated(0, pushed)
            .D64(BARE + 0x140)
            .append_repeated(0, 0x100)
            .D64(0)
            .D64(FUNCTION_B + 0x40)
            .append_repeated(0, 0x100);
        let pushed = u64::try_from(pushed).expect("small");
        let bp = sp + pushed + 0x108;
        let machine = two_functions()
            .call_before(BARE + 0x140)
            .with(BARE, section().append_bytes(&code).append_repeated(0x90, 8))
            .with(sp, stack);
        let mut registers = Registers::at(BARE + instruction, sp);
        registers.set(Register::Rbp, Some(bp));
        let walk = machine.walk_from(registers);
        let expected = [BARE + instruction, BARE + 0x140, FUNCTION_B + 0x40];
        assert_eq!(addresses(&walk)[..3], expected);
        assert_eq!(walk.frames[1].trust, Trust::FramePointer);
        assert_eq!(walk.frames[1].registers.get(Register::Rbp), Some(bp));
    }
}

/// Kernels with frame pointers since 4.10: entry code sets rbp = pt_regs | 1. FRED (6.9) has event
/// data above the code segment.
#[test]
fn encoded_frame_pointer_is_an_exception_frame() {
    let regs = TASK + 0x800;
    for cs in [KERNEL_CS, 0x0102_000e_0000_0000 | KERNEL_CS] {
        let stack = append_pt_regs(section().D64(0), FUNCTION_A + 9, cs, regs + 168)
            .D64(FUNCTION_B + 0x40)
            .append_repeated(0, 0x18)
            .D64(ENTRY + 0x80);
        let machine = two_functions().with(regs - 8, stack);
        let mut registers = Registers::at(BARE, regs - 8);
        registers.set(Register::Rbp, Some(regs | 1));
        let walk = machine.walk_from(registers);
        assert_eq!(walk.frames[1].pc, Pc::Interrupted(FUNCTION_A + 9));
        assert_eq!(walk.frames[1].exception, Some(ExceptionFrame { address: regs, full: true }));
        assert_eq!(walk.frames[1].trust, Trust::Exact);
        assert_eq!(walk.frames[2].pc, Pc::Return(FUNCTION_B + 0x40));
    }
}

#[test]
fn odd_frame_pointer_to_no_saved_registers_is_ignored() {
    let machine = Machine::new().with(TASK, section().append_repeated(0x77, 0x4000));
    let mut registers = Registers::at(BARE, TASK);
    registers.set(Register::Rbp, Some(TASK + 0x101));
    let walk = machine.walk_from(registers);
    assert_eq!(exactly_one(&walk.frames).pc, Pc::Interrupted(BARE));
    assert_eq!(walk.stop, StopReason::NoRule { pc: BARE });
}

/// `__crash_kexec` (no ORC rule) was called by `panic`, which has a frame pointer.
#[test]
fn frame_pointer_is_not_followed_from_code_that_orc_calls_undefined() {
    let undefined =
        OrcEntry { kind: Kind::Undefined, cfa: Cfa::Undefined, bp: Bp::Same, signal: false };
    let panic_entry = OrcEntry {
        cfa: Cfa::Register { base: Register::Rbp, offset: 16 },
        bp: Bp::AtCfa(-16),
        ..call_entry(0)
    };
    let sp = TASK + 0x100;
    let stale = FUNCTION_A + 0x40;
    let stack = section()
        .append_repeated(0, 0x40) // locals of __crash_kexec
        .D64(BARE + 0x40) // return address into panic
        .append_repeated(0, 0x10)
        .D64(stale) // left over in panic's locals
        .D64(0) // panic's saved rbp
        .D64(FUNCTION_B + 0x40)
        .append_repeated(0, 0x100);
    let machine = two_functions()
        .orc_entry(FUNCTION_C + 0x1000 * 3, undefined)
        .orc_entry(BARE, panic_entry)
        .call_before(BARE + 0x40)
        .call_before(stale)
        .with(sp, stack);
    let mut registers = Registers::at(FUNCTION_C + 0x1000 * 3, sp);
    registers.set(Register::Rbp, Some(sp + 0x60));
    let walk = machine.walk_from(registers);
    assert_eq!(addresses(&walk)[1..3], [BARE + 0x40, FUNCTION_B + 0x40]);
    assert_eq!(trusts(&walk)[1..3], [Trust::Scan, Trust::Scan]);
}

/// Code that ORC calls undefined, but that has a frame pointer of its own.
#[test]
fn scan_takes_the_saved_frame_pointer_below_a_return_address() {
    let undefined =
        OrcEntry { kind: Kind::Undefined, cfa: Cfa::Undefined, bp: Bp::Same, signal: false };
    let sp = TASK + 0x100;
    let (bp, saved) = (Label::new(), TASK + 0x800);
    let stack = section()
        .set_start_const(sp)
        .append_repeated(0, 0x20)
        .mark(&bp)
        .D64(saved)
        .D64(FUNCTION_B + 0x40)
        .append_repeated(0, 0x40);
    let machine = two_functions().orc_entry(BARE, undefined).with(sp, stack);
    let mut registers = Registers::at(BARE, sp);
    registers.set(Register::Rbp, bp.value());
    let walk = machine.walk_from(registers);
    assert_eq!(walk.frames[1].pc, Pc::Return(FUNCTION_B + 0x40));
    assert_eq!(walk.frames[1].registers.get(Register::Rbp), Some(saved));
}
