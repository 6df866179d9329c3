// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entry code of CentOS 7's 3.10 that no table covers: a dump without its `vmlinux`.

use crate::machine::{
    BARE, IRQ, KERNEL_CS, Machine, STACK_BYTES, TASK, USER_CS, addresses, append_pt_regs, section,
    trusts,
};
use crate::scene::{USER_RIP, USER_RSP, user_rip};
use unwind::{ExceptionFrame, Pc, Register, Registers, Trust};

/// The handler, the entry code that called it, the code that was interrupted and its caller.
const HANDLER: u64 = BARE + 0x20;
const STUB: u64 = BARE + 0x140;
const VICTIM: u64 = BARE + 0x250;
const OUTER: u64 = BARE + 0x340;
/// The value of `rbp` that [`append_pt_regs`] writes.
const VICTIM_BP: u64 = 0xb9;

fn machine() -> Machine {
    Machine::new().call_before(STUB).call_before(OUTER)
}

/// The handler with its frame at `bp`.
fn handler(bp: u64) -> Registers {
    let mut registers = Registers::at(HANDLER, bp);
    registers.set(Register::Rbp, Some(bp));
    registers
}

/// `page_fault` calls with all registers at its stack pointer; its handler's saved `rbp` is that
/// of the code at fault.
#[test]
fn exception_with_all_registers_is_found_without_tables() {
    for cs in [KERNEL_CS, USER_CS] {
        let sp = TASK + 0x1000;
        let rip = if cs == USER_CS { USER_RIP } else { VICTIM };
        let stack = append_pt_regs(section().D64(VICTIM_BP).D64(STUB), rip, cs, USER_RSP);
        let walk = machine().with(sp, stack).walk_from(handler(sp));
        assert_eq!(addresses(&walk)[..2], [HANDLER, STUB]);
        if cs == USER_CS {
            assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
            continue;
        }
        let victim = &walk.frames[2];
        assert_eq!((victim.pc, victim.trust), (Pc::Interrupted(VICTIM), Trust::Exact));
        let expected = ExceptionFrame { address: sp + 16, full: true };
        assert_eq!(victim.exception, Some(expected));
        assert_eq!(victim.registers.get(Register::R12), Some(0x1c));
    }
}

/// A system call: the words of cs, rflags and rsp are those that some exception left.
#[test]
fn system_call_at_the_top_of_the_stack_is_found_without_tables() {
    let regs = TASK + STACK_BYTES - 168;
    let words = section().D64(VICTIM_BP).D64(STUB);
    let stack = append_pt_regs(words, USER_RIP, 0xdead, TASK + 0x200);
    let walk = machine().with(regs - 16, stack).walk_from(handler(regs - 16));
    assert_eq!((addresses(&walk), user_rip(&walk.stop)), (vec![HANDLER, STUB], Some(USER_RIP)));
    let unwind::StopReason::User(registers) = walk.stop else { panic!("{:?}", walk.stop) };
    assert_eq!((registers.get(Register::Rsp), registers.flags), (None, Some(0x1b)));
    assert_eq!(registers.get(Register::R12), Some(0x1c));
}

/// An interrupt: the frames of its handler are on the CPU's stack, at whose top is the address of
/// the saved `rbp`. The slots of `rbx` and `r12` to `r15` are stale.
#[test]
fn interrupt_is_found_by_the_link_at_the_top_of_its_stack() {
    let regs = TASK + 0x1000;
    let frame = regs + 0x400;
    let outer = section().D64(0).D64(OUTER);
    let top = IRQ + STACK_BYTES;
    let link = section().D64(frame).D64(STUB).D64(regs + 32);
    let walk = machine()
        .with(regs, partial(frame, regs + 0x200))
        .with(frame, outer)
        .with(top - 24, link)
        .walk_from(handler(top - 24));
    assert_eq!(addresses(&walk)[..4], [HANDLER, STUB, VICTIM, OUTER]);
    let victim = &walk.frames[2];
    assert_eq!((victim.pc, victim.sp), (Pc::Interrupted(VICTIM), regs + 0x200));
    assert_eq!(victim.exception, Some(ExceptionFrame { address: regs + 128, full: false }));
    assert_eq!(victim.registers.get(Register::Rbp), Some(frame));
    for stale in [Register::Rbx, Register::R12, Register::R15] {
        assert_eq!(victim.registers.get(stale), None, "{stale:?}");
    }
    // Those that a call may change it saves, in the order of `struct pt_regs`.
    let saved = [Register::R11, Register::R8, Register::Rax, Register::Rcx, Register::Rdi];
    for register in saved {
        assert_eq!(victim.registers.get(register), Some(0x7777_7777_7777_7777), "{register:?}");
    }
    assert_eq!((victim.registers.ss, victim.registers.orig_rax), (Some(0x18), Some(!0xef)));
}

/// Registers of which an interrupt saved `rbp` and those behind it; the first four are stale.
fn partial(bp: u64, rsp: u64) -> test_assembler::Section {
    let saved = section().append_repeated(0x66, 4 * 8).D64(bp).append_repeated(0x66, 8);
    let saved = saved.append_repeated(0x77, 9 * 8).D64(!0xef);
    saved.D64(VICTIM).D64(KERNEL_CS).D64(0x246).D64(rsp).D64(0x18)
}

/// `call_softirq` pushes `rbp`, makes it its frame and goes to the CPU's stack, where it pushes it
/// again.
#[test]
fn softirq_leads_back_to_the_stack_it_left() {
    let frame = TASK + 0x1000;
    let top = IRQ + STACK_BYTES;
    let walk = machine()
        .with(frame, section().D64(0).D64(OUTER))
        .with(top - 24, section().D64(frame).D64(STUB).D64(frame))
        .walk_from(handler(top - 24));
    assert_eq!(addresses(&walk)[..3], [HANDLER, STUB, OUTER]);
    assert_eq!(trusts(&walk)[1..3], [Trust::FramePointer, Trust::FramePointer]);
    assert_eq!(walk.frames[2].sp, frame + 16);
}

/// Words that only look like saved registers: another `rbp`, no segment of code, no flags.
#[test]
fn words_that_are_no_saved_registers_are_not_taken_for_them() {
    let sp = TASK + 0x1000;
    for (bp, cs) in [(VICTIM_BP + 8, KERNEL_CS), (VICTIM_BP, 0x12)] {
        let stack = append_pt_regs(section().D64(bp).D64(STUB), VICTIM, cs, USER_RSP);
        let walk = machine().with(sp, stack).walk_from(handler(sp));
        assert!(walk.frames.iter().all(|frame| frame.exception.is_none()), "{bp:x} {cs:x}");
    }
}
