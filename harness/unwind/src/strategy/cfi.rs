// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caller by a row of DWARF call frame information.

use super::{CODE_SEGMENTS, Caller, Context, Refusal};
use crate::registers::KERNEL_HALF;
use crate::{
    CfaRule, CfiRow, ExceptionFrame, Frame, Pc, Register, RegisterRule, Registers, StopReason,
    Trust,
};

/// Bytes from rip to cs in what the CPU pushes.
const CS: u64 = 8;
/// Bytes from rip to rflags there.
const FLAGS: u64 = 16;
/// Bytes from rip to ss there.
const SS: u64 = 32;
/// Bytes from rip down to the word below: an error code that the CPU pushed, or what the entry code
/// pushed in its place.
const ORIG_RAX: u64 = 8;

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    if !context.in_text(frame) {
        return Err(Refusal::NotMine);
    }
    let pc = frame.pc.for_lookup();
    let row = context.tables.cfi(pc).ok_or(Refusal::NotMine)?;
    if row.return_address == RegisterRule::Undefined {
        return Err(Refusal::End(StopReason::Root));
    }
    let no_rule = || Refusal::Failed(StopReason::NoRule { pc });
    let cfa = cfa(context, frame, &row).ok_or_else(no_rule)?;
    let slot = match row.return_address {
        RegisterRule::Offset(offset) => Some(cfa.wrapping_add_signed(offset)),
        _ => None,
    };
    let rip = match slot {
        Some(slot) => context.read(slot)?,
        None => value(context, frame, row.return_address, None, cfa).ok_or_else(no_rule)?,
    };
    let mut registers = Registers::default();
    registers.rip = rip;
    for register in Register::ALL {
        let rule = row.rule(register);
        registers.set(register, value(context, frame, rule, Some(register), cfa));
    }
    let hardware = row.hardware_words().map(|offset| cfa.wrapping_add_signed(offset));
    if row.signal || hardware.is_some() {
        let cfa = Some(cfa);
        let is_call = matches!(frame.pc, Pc::Return(_));
        let found = interrupted(context, registers, hardware, is_call);
        return found.map(|caller| Caller { cfa, ..caller });
    }
    Ok(Caller {
        pc: Pc::Return(rip),
        registers,
        trust: Trust::Cfi,
        exception: None,
        slot,
        cfa: Some(cfa),
    })
}

/// The code that an exception interrupted (the words are held against what a CPU pushes: on the
/// stack for interrupts the rows of CentOS 7's `entry_64.S` are eight bytes off, so that its vector
/// is taken for rip; the form of the stack tells it then), or the user code that made a system call. `hardware` is
/// the address of the words that the CPU pushed, if it did; `is_call` is whether the entry code has
/// called another function, and so saved all that it saves.
fn interrupted(
    context: &Context<'_>,
    mut registers: Registers,
    hardware: Option<u64>,
    is_call: bool,
) -> Result<Caller, Refusal> {
    if let Some(address) = hardware {
        registers.cs = Some(context.read(address.wrapping_add(CS))?);
        registers.flags = Some(context.read(address.wrapping_add(FLAGS))?);
        registers.ss = context.memory.read_u64(address.wrapping_add(SS));
        let below = address.wrapping_sub(ORIG_RAX);
        registers.orig_rax = is_call.then(|| context.memory.read_u64(below)).flatten();
        if !registers.cs.is_some_and(|cs| CODE_SEGMENTS.contains(&(cs & 0xffff))) {
            return Err(Refusal::Failed(StopReason::BadPc { pc: registers.rip }));
        }
        if !registers.is_user() && is_of_no_code(&registers, address) {
            return Err(Refusal::End(StopReason::Root));
        }
    } else if registers.rip < KERNEL_HALF {
        return Err(Refusal::End(super::system_call(registers)));
    }
    Ok(Caller {
        pc: Pc::Interrupted(registers.rip),
        registers,
        trust: Trust::Exact,
        exception: hardware.map(|address| ExceptionFrame { address, full: false }),
        slot: None,
        cfa: None,
    })
}

/// Whether kernel registers that lie at `address` were never those of running code.
///
/// Situation: `copy_thread` of 3.10 (`arch/x86/kernel/process_64.c`) makes registers for a new
/// kernel thread that are all zero but for cs, flags and rsp, which points to themselves;
/// `ret_from_fork` is described as if they were of interrupted code. The registers of a call to
/// address 0 were pushed below its stack pointer.
fn is_of_no_code(registers: &Registers, address: u64) -> bool {
    registers.rip == 0 && registers.get(Register::Rsp).is_some_and(|rsp| rsp <= address)
}

/// The callee-saved registers that ORC does not know, from the frame's row, if that row agrees
/// with ORC about the frame: hand-written stack switches have wrong rows (5.12 and later).
pub(crate) fn callee_saved(context: &Context<'_>, frame: &Frame, caller: &mut Caller) {
    let Some(row) = context.tables.cfi(frame.pc.for_lookup()) else { return };
    let expected = caller.cfa;
    let agrees = !row.signal && row.return_address == RegisterRule::Offset(-8);
    let Some(cfa) = cfa(context, frame, &row).filter(|cfa| agrees && Some(*cfa) == expected) else {
        return;
    };
    for register in Register::CALLEE_SAVED {
        if caller.registers.get(register).is_none() {
            let found = value(context, frame, row.rule(register), Some(register), cfa);
            caller.registers.set(register, found);
        }
    }
}

fn cfa(context: &Context<'_>, frame: &Frame, row: &CfiRow) -> Option<u64> {
    match row.cfa {
        CfaRule::RegisterOffset { register, offset } => {
            Some(frame.registers.get(register)?.wrapping_add_signed(offset))
        }
        CfaRule::Expression(expression) => {
            context.tables.evaluate(expression, &frame.registers, context.memory, None)
        }
    }
}

fn value(
    context: &Context<'_>,
    frame: &Frame,
    rule: RegisterRule,
    own: Option<Register>,
    cfa: u64,
) -> Option<u64> {
    let evaluate = |expression| {
        context.tables.evaluate(expression, &frame.registers, context.memory, Some(cfa))
    };
    match rule {
        RegisterRule::Undefined => None,
        RegisterRule::SameValue => frame.registers.get(own?),
        RegisterRule::Offset(offset) => context.memory.read_u64(cfa.wrapping_add_signed(offset)),
        RegisterRule::ValOffset(offset) => Some(cfa.wrapping_add_signed(offset)),
        RegisterRule::Register(register) => frame.registers.get(register),
        RegisterRule::Expression(expression) => context.memory.read_u64(evaluate(expression)?),
        RegisterRule::ValExpression(expression) => evaluate(expression),
    }
}
