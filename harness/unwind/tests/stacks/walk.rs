// SPDX-License-Identifier: MIT OR Apache-2.0
//! Walks by ORC, over exceptions and changes of stack, and how they end.

use crate::machine::{
    BARE, ENTRY, FUNCTION_A, FUNCTION_B, FUNCTION_C, IRQ, KERNEL_CS, NMI, STACK_BYTES, TASK,
    addresses, append_pt_regs, call_entry, regs_entry, section, trusts,
};
use crate::scene::{
    SP_IN_A, USER_REGS, USER_RIP, USER_RSP, exactly_one, stack_of_two_functions, two_functions,
    user_rip,
};
use test_assembler::{Label, LabelMaker};
use unwind::orc::{Bp, Cfa, Kind, OrcEntry};
use unwind::{ExceptionFrame, Pc, Register, Registers, StackKind, Start, StopReason, Trust, walk};

#[test]
fn calls_by_orc_end_at_the_registers_of_user_mode() {
    let machine = two_functions().with(SP_IN_A, stack_of_two_functions());
    let walk = machine.walk_from(Registers::at(FUNCTION_A + 5, SP_IN_A));
    assert_eq!(addresses(&walk), [FUNCTION_A + 5, FUNCTION_B + 0x40, ENTRY + 0x80]);
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Orc, Trust::Orc]);
    let sps: Vec<u64> = walk.frames.iter().map(|frame| frame.sp).collect();
    assert_eq!(sps, [SP_IN_A, SP_IN_A + 8, USER_REGS]);
    assert_eq!(walk.frames[0].cfa, Some(SP_IN_A + 8));
    assert_eq!(walk.frames[1].cfa, Some(USER_REGS));
    assert!(walk.frames.iter().all(|frame| frame.stack == Some(StackKind::Task)));
    let StopReason::User(user) = walk.stop else { panic!("stopped by {}", walk.stop) };
    assert_eq!(user.rip, USER_RIP);
    assert_eq!(user.get(Register::Rsp), Some(USER_RSP));
    assert_eq!(user.get(Register::Rdi), Some(0xd1));
    assert_eq!(user.get(Register::R15), Some(0x1f));
}

#[test]
fn only_the_instruction_before_a_return_address_is_looked_up() {
    // The call is the last instruction of B: its return address is the first of C, which has
    // other rules.
    let machine = two_functions()
        .with(SP_IN_A, section().D64(FUNCTION_C).append_repeated(0, 0x18).D64(ENTRY + 0x80));
    let walk = machine.walk_from(Registers::at(FUNCTION_A, SP_IN_A));
    assert_eq!(walk.frames[1].pc, Pc::Return(FUNCTION_C));
    assert_eq!(walk.frames[1].pc.for_lookup(), FUNCTION_C - 1);
    assert_eq!(addresses(&walk)[2], ENTRY + 0x80, "the rule of B, not of C, found the caller");
}

#[test]
fn frame_pointer_is_restored_by_orc() {
    let saved = 0xffff_8880_dead_b000_u64;
    let by_bp = OrcEntry {
        kind: Kind::Call,
        cfa: Cfa::Register { base: Register::Rbp, offset: 16 },
        bp: Bp::AtCfa(-16),
        signal: false,
    };
    let sp = TASK + 0x1000;
    let bp = Label::new();
    let stack = section()
        .set_start_const(sp)
        .append_repeated(0, 0x80)
        .mark(&bp)
        .D64(saved)
        .D64(FUNCTION_B + 0x40);
    let machine = two_functions().orc_entry(BARE, by_bp).with(sp, stack);
    let mut registers = Registers::at(BARE, sp);
    registers.set(Register::Rbp, bp.value());
    registers.set(Register::Rbx, Some(7));
    let walk = machine.walk_from(registers);
    assert_eq!(walk.frames[1].sp, sp + 0x90);
    assert_eq!(walk.frames[1].registers.get(Register::Rbp), Some(saved));
    assert_eq!(walk.frames[1].registers.get(Register::Rbx), None, "ORC does not tell rbx");
}

/// Functions that align their stack have `rbp` saved where it points.
#[test]
fn frame_pointer_may_be_saved_relative_to_itself() {
    let sp = TASK + 0x1000;
    let (bp, saved) = (Label::new(), 0xffff_8880_dead_b000_u64);
    let stack = section()
        .set_start_const(sp)
        .append_repeated(0, 0x40)
        .mark(&bp)
        .D64(saved)
        .append_repeated(0, 0x20)
        .D64(FUNCTION_B + 0x40);
    let aligned = OrcEntry { bp: Bp::AtBp(0), ..call_entry(0x70) };
    let machine = two_functions().orc_entry(BARE, aligned).with(sp, stack);
    let mut registers = Registers::at(BARE, sp);
    registers.set(Register::Rbp, bp.value());
    let walk = machine.walk_from(registers);
    assert_eq!(walk.frames[1].pc, Pc::Return(FUNCTION_B + 0x40));
    assert_eq!(walk.frames[1].registers.get(Register::Rbp), Some(saved));
}

/// The CPU aligns the stack before it saves registers, so the end of `pt_regs` says nothing.
#[test]
fn stack_pointer_of_interrupted_code_is_the_saved_one() {
    let regs = TASK + 0x2000;
    let interrupted_sp = regs + 168 + 8;
    let stack = append_pt_regs(section(), FUNCTION_A + 3, KERNEL_CS, interrupted_sp)
        .D64(0) // alignment
        .D64(FUNCTION_B + 0x40);
    let machine = two_functions().with(regs, stack);
    let walk = machine.walk_from(Registers::at(ENTRY + 0x10, regs));
    let frame = &walk.frames[1];
    assert_eq!(frame.pc, Pc::Interrupted(FUNCTION_A + 3));
    assert_eq!(frame.sp, interrupted_sp);
    assert_eq!(frame.trust, Trust::Exact);
    assert_eq!(frame.exception, Some(ExceptionFrame { address: regs, full: true }));
    assert_eq!(frame.registers.get(Register::Rbx), Some(0xb8));
    assert_eq!(frame.registers.orig_rax, Some(u64::MAX));
    assert_eq!(walk.frames[2].pc, Pc::Return(FUNCTION_B + 0x40));
}

#[test]
fn partial_exception_frame_leaves_other_registers() {
    let sp = TASK + 0x2000;
    let stack = section()
        .D64(FUNCTION_A + 3)
        .D64(KERNEL_CS)
        .D64(0x202)
        .D64(sp + 0x28)
        .D64(0x18)
        .D64(FUNCTION_B + 0x40);
    let machine = two_functions().orc_entry(BARE, regs_entry(Kind::RegsPartial)).with(sp, stack);
    let mut registers = Registers::at(BARE, sp);
    registers.set(Register::Rax, Some(0xaaaa));
    let walk = machine.walk_from(registers);
    let frame = &walk.frames[1];
    assert_eq!(frame.pc, Pc::Interrupted(FUNCTION_A + 3));
    assert_eq!(frame.registers.get(Register::Rax), Some(0xaaaa));
    assert_eq!(frame.registers.flags, Some(0x202));
    assert_eq!(frame.registers.cs, Some(KERNEL_CS));
    assert_eq!(frame.exception, Some(ExceptionFrame { address: sp, full: false }));
}

/// 5.12 and later: `call_on_irqstack` saves the task's stack pointer on top of the IRQ stack.
#[test]
fn irq_stack_leads_back_to_the_task_stack() {
    let indirect = OrcEntry {
        kind: Kind::Call,
        cfa: Cfa::Indirect { base: Register::Rsp, offset: 0, add: 0x18 },
        bp: Bp::Same,
        signal: false,
    };
    let irq_sp = IRQ + STACK_BYTES - 0x10;
    let task_sp = USER_REGS - 0x38;
    let machine = two_functions()
        .orc_entry(BARE, indirect)
        .call_before(BARE + 0x20)
        .with(irq_sp, section().D64(BARE + 0x20).D64(task_sp))
        .with(task_sp, section().append_repeated(0, 0x10).append_section(stack_of_two_functions()));
    let walk = machine.walk_from(Registers::at(FUNCTION_A + 1, irq_sp));
    let stacks: Vec<_> = walk.frames.iter().map(|frame| frame.stack).collect();
    let (irq, task) = (Some(StackKind::Irq), Some(StackKind::Task));
    assert_eq!(stacks, [irq, irq, task, task]);
    assert_eq!(addresses(&walk)[2], FUNCTION_B + 0x40);
    assert_eq!(walk.frames[2].sp, task_sp + 0x18);
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

#[test]
fn everything_after_a_scanned_frame_is_scanned() {
    let sp = SP_IN_A - 0x10;
    let stack = section().D64(0x1234).D64(BARE + 0x10).append_section(stack_of_two_functions());
    let machine = two_functions().with(BARE, section().append_repeated(0x90, 64)).with(sp, stack);
    let walk = machine.walk_from(Registers::at(BARE, sp));
    assert_eq!(addresses(&walk), [BARE, FUNCTION_B + 0x40, ENTRY + 0x80]);
    assert_eq!(trusts(&walk), [Trust::Exact, Trust::Scan, Trust::Scan]);
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

/// A stale frame: the rule that fits its code points at a word which no call pushed.
#[test]
fn rules_after_a_scan_are_held_to_return_addresses_of_calls() {
    let sp = SP_IN_A - 0x30;
    let stack = section()
        .D64(0x1234)
        .D64(FUNCTION_B + 0x40) // stale
        .append_repeated(0, 0x18)
        .D64(BARE + 0x10) // where the rule of B has the return address: code, but after no call
        .append_section(stack_of_two_functions());
    let machine = two_functions().with(BARE, section().append_repeated(0x90, 64)).with(sp, stack);
    let walk = machine.walk_from(Registers::at(BARE, sp));
    assert_eq!(addresses(&walk)[1..3], [FUNCTION_B + 0x40, FUNCTION_B + 0x40]);
    assert_eq!(walk.frames[2].sp, SP_IN_A + 8);
    assert_eq!(user_rip(&walk.stop), Some(USER_RIP));
}

#[test]
fn end_of_stack_is_the_root() {
    let end = OrcEntry { kind: Kind::EndOfStack, ..call_entry(0) };
    let machine = two_functions().orc_entry(BARE, end).with(TASK, section().D64(BARE + 0x10));
    let walk = machine.walk_from(Registers::at(FUNCTION_A, TASK));
    assert_eq!(addresses(&walk), [FUNCTION_A, BARE + 0x10]);
    assert_eq!(walk.stop, StopReason::Root);
}

#[test]
fn unreadable_stack_is_named() {
    let machine = two_functions();
    let walk = machine.walk_from(Registers::at(FUNCTION_A, TASK + 0x10));
    assert_eq!(exactly_one(&walk.frames).sp, TASK + 0x10);
    assert_eq!(walk.stop, StopReason::NoMemory { address: TASK + 0x10 });
}

#[test]
fn saved_stack_pointer_below_the_frame_is_a_loop() {
    let regs = TASK + 0x800;
    let machine = two_functions().with(regs, append_pt_regs(section(), 0, KERNEL_CS, regs - 0x100));
    let walk = machine.walk_from(Registers::at(ENTRY, regs));
    assert_eq!(exactly_one(&walk.frames).pc, Pc::Interrupted(ENTRY));
    assert_eq!(walk.stop, StopReason::NoProgress { sp: regs - 0x100 });
}

/// A call without a frame: broken table.
#[test]
fn stack_pointer_that_stays_is_a_loop() {
    let machine = two_functions()
        .orc_entry(BARE, call_entry(0))
        .with(TASK, section().D64(BARE + 0x10).D64(0));
    let walk = machine.walk_from(Registers::at(BARE, TASK + 8));
    assert_eq!(exactly_one(&walk.frames).pc, Pc::Interrupted(BARE));
    assert_eq!(walk.stop, StopReason::NoProgress { sp: TASK + 8 });
}

#[test]
fn a_stack_that_was_left_is_not_entered_again() {
    let (nmi, task) = (NMI + 0x100, TASK + 0x100);
    let machine = two_functions()
        .with(nmi, append_pt_regs(section(), ENTRY, KERNEL_CS, task))
        .with(task, append_pt_regs(section(), 0, KERNEL_CS, nmi + 0x800));
    let walk = machine.walk_from(Registers::at(ENTRY, nmi));
    assert_eq!(walk.frames.len(), 2);
    assert_eq!(walk.frames[1].stack, Some(StackKind::Task));
    assert_eq!(walk.stop, StopReason::NoProgress { sp: nmi + 0x800 });
}

#[test]
fn limit_counts_frames() {
    let machine = two_functions().with(SP_IN_A, stack_of_two_functions());
    for limit in 0..3 {
        let start = Start::interrupted(Registers::at(FUNCTION_A, SP_IN_A));
        let walk = walk(&machine, &machine, &machine, start, limit);
        assert_eq!(walk.frames.len(), limit);
        assert_eq!(walk.stop, StopReason::Limit);
    }
}
