// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caller of entry code that no table describes, by the form of what it left on the stack.
//!
//! Situation: a dump of CentOS 7's 3.10 (`arch/x86/kernel/entry_64.S`) without its `vmlinux`. That
//! kernel has frame pointers but no ORC, and its entry code makes no frame: `rbp` is still that of
//! the code that was interrupted, so that following it skips that code. Its registers are found
//! because they hold the same `rbp`:
//!
//! * exceptions and NMIs save all registers and call with them at the stack pointer;
//! * system calls do so as well, at the top of the task's stack, but segment, flags and stack pointer
//!   are not among them: an older exception's may lie there;
//! * interrupts save those that a call may change; then the word at the stack pointer, at the top
//!   of the CPU's stack for interrupts, is the address of the saved `rbp`;
//! * `call_softirq` has a frame on the stack it left, and its `rbp` at the stack pointer as well.

use super::{CODE_SEGMENTS, Caller, Context, Refusal};
use crate::registers::KERNEL_HALF;
use crate::{ExceptionFrame, Frame, PT_REGS_WORDS, Pc, Register, Registers, Trust};

/// Bytes from the start of `struct pt_regs` to rbp, and to what the CPU pushed.
const RBP: u64 = 32;
const HARDWARE: u64 = 128;
/// Bits of `rflags` that are always set, and those that may be.
const FLAGS_SET: u64 = 2;
const FLAGS_POSSIBLE: u64 = 0x3f_7fd7;

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    let is_call = matches!(frame.pc, Pc::Return(_));
    if !is_call || !context.in_text(frame) || context.tables.orc(frame.pc.for_lookup()).is_some() {
        return Err(Refusal::NotMine);
    }
    let bp = frame.registers.get(Register::Rbp).ok_or(Refusal::NotMine)?;
    let word = |address| context.memory.read_u64(address);
    if word(frame.sp.wrapping_add(RBP)) == Some(bp) && interrupted(context, frame.sp) {
        let exception = ExceptionFrame { address: frame.sp, full: true };
        return saved(context, frame, exception);
    }
    if word(frame.sp.wrapping_add(RBP)) == Some(bp) && is_top(context, frame.sp) {
        let saved = ExceptionFrame { address: frame.sp, full: true };
        let registers = saved.registers(context.memory, &frame.registers);
        let registers = registers.map_err(Refusal::Failed)?;
        if registers.rip < KERNEL_HALF {
            return Err(Refusal::End(super::system_call(registers)));
        }
    }
    let link = word(frame.sp).ok_or(Refusal::NotMine)?;
    let stack = context.stacks.stack_of(link).ok_or(Refusal::NotMine)?;
    if word(link) == Some(bp) && interrupted(context, link.wrapping_sub(RBP)) {
        let start = link.wrapping_sub(RBP);
        let address = start.wrapping_add(HARDWARE);
        let mut caller = saved(context, frame, ExceptionFrame { address, full: false })?;
        caller.registers.set_scratch(|index| word(start.wrapping_add(index * 8)));
        return Ok(caller);
    }
    if link == bp && context.stacks.stack_of(frame.sp).is_some_and(|own| own != stack) {
        return softirq(context, bp);
    }
    Err(Refusal::NotMine)
}

/// Whether a `struct pt_regs` at `address` ends where its stack does.
fn is_top(context: &Context<'_>, address: u64) -> bool {
    let end = address.wrapping_add(8 * PT_REGS_WORDS as u64);
    context.stacks.stack_of(address).is_some_and(|stack| stack.high == end)
}

/// Whether the `struct pt_regs` at `address` has segment and flags of code.
fn interrupted(context: &Context<'_>, address: u64) -> bool {
    let word = |offset| context.memory.read_u64(address.wrapping_add(HARDWARE + offset));
    let is_code = word(8).is_some_and(|cs| CODE_SEGMENTS.contains(&cs));
    let flags = word(16);
    is_code && flags.is_some_and(|flags| flags & FLAGS_SET != 0 && flags & !FLAGS_POSSIBLE == 0)
}

fn saved(
    context: &Context<'_>,
    frame: &Frame,
    exception: ExceptionFrame,
) -> Result<Caller, Refusal> {
    let registers =
        exception.registers(context.memory, &frame.registers).map_err(Refusal::Failed)?;
    Ok(Caller {
        pc: Pc::Interrupted(registers.rip),
        registers,
        trust: Trust::Exact,
        exception: Some(exception),
        slot: None,
        cfa: None,
    })
}

fn softirq(context: &Context<'_>, bp: u64) -> Result<Caller, Refusal> {
    let slot = bp.wrapping_add(8);
    let cfa = bp.wrapping_add(16);
    let rip = context.read(slot)?;
    let mut registers = Registers::at(rip, cfa);
    registers.set(Register::Rbp, Some(context.read(bp)?));
    Ok(Caller {
        pc: Pc::Return(rip),
        registers,
        trust: Trust::FramePointer,
        exception: None,
        slot: Some(slot),
        cfa: Some(cfa),
    })
}
