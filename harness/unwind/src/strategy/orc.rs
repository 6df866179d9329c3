// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caller by the kernel's ORC tables.

use super::{Caller, Context, Refusal};
use crate::orc::{Bp, Cfa, Kind, OrcEntry};
use crate::{ExceptionFrame, Frame, Pc, Register, Registers, StopReason, Trust};

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    if !context.in_known_text(frame) {
        return Err(Refusal::NotMine);
    }
    let pc = frame.pc.for_lookup();
    let entry = context.tables.orc(pc).ok_or(Refusal::NotMine)?;
    match entry.kind {
        Kind::Undefined => Err(Refusal::Failed(StopReason::NoRule { pc })),
        Kind::EndOfStack => Err(Refusal::End(StopReason::Root)),
        Kind::Call => call(context, frame, &entry),
        Kind::Regs => exception(context, frame, &entry, true),
        Kind::RegsPartial => exception(context, frame, &entry, false),
    }
}

fn call(context: &Context<'_>, frame: &Frame, entry: &OrcEntry) -> Result<Caller, Refusal> {
    let cfa = cfa(context, frame, entry)?;
    let slot = cfa.wrapping_sub(8);
    let rip = context.read(slot)?;
    let mut registers = Registers::at(rip, cfa);
    registers.set(Register::Rbp, bp(context, frame, entry, cfa));
    Ok(Caller {
        pc: if entry.signal { Pc::Interrupted(rip) } else { Pc::Return(rip) },
        registers,
        trust: Trust::Orc,
        exception: None,
        slot: Some(slot),
        cfa: Some(cfa),
    })
}

fn exception(
    context: &Context<'_>,
    frame: &Frame,
    entry: &OrcEntry,
    full: bool,
) -> Result<Caller, Refusal> {
    let address = cfa(context, frame, entry)?;
    let exception = ExceptionFrame { address, full };
    let mut registers =
        exception.registers(context.memory, &frame.registers).map_err(Refusal::Failed)?;
    if entry.bp != Bp::Same {
        registers.set(Register::Rbp, bp(context, frame, entry, address));
    }
    let rip = registers.rip;
    Ok(Caller {
        pc: if entry.signal { Pc::Interrupted(rip) } else { Pc::Return(rip) },
        registers,
        trust: Trust::Exact,
        exception: Some(exception),
        slot: None,
        cfa: None,
    })
}

fn cfa(context: &Context<'_>, frame: &Frame, entry: &OrcEntry) -> Result<u64, Refusal> {
    let no_rule = || Refusal::Failed(StopReason::NoRule { pc: frame.pc.for_lookup() });
    let register = |register| frame.registers.get(register).ok_or_else(no_rule);
    match entry.cfa {
        Cfa::Undefined => Err(no_rule()),
        Cfa::Register { base, offset } => Ok(register(base)?.wrapping_add_signed(offset)),
        Cfa::Indirect { base, offset, add } => {
            let at = register(base)?.wrapping_add_signed(offset);
            Ok(context.read(at)?.wrapping_add_signed(add))
        }
    }
}

/// A frame pointer that cannot be read is only unknown: the next entry may not need it.
fn bp(context: &Context<'_>, frame: &Frame, entry: &OrcEntry, cfa: u64) -> Option<u64> {
    let own = frame.registers.get(Register::Rbp);
    match entry.bp {
        Bp::Same => own,
        Bp::AtCfa(offset) => context.memory.read_u64(cfa.wrapping_add_signed(offset)),
        Bp::AtBp(offset) => context.memory.read_u64(own?.wrapping_add_signed(offset)),
        Bp::Unknown => None,
    }
}
