// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caller by a frame pointer that entry code marked: `rbp = pt_regs | 1`.
//!
//! Kernels with frame pointers do so since 4.10 (`ENCODE_FRAME_POINTER`,
//! `arch/x86/entry/calling.h`), because entry code has no frame of its own.

use super::{CODE_SEGMENTS, Caller, Context, Refusal};
use crate::{ExceptionFrame, Frame, Pc, Register, Trust};

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    let bp = frame.registers.get(Register::Rbp).ok_or(Refusal::NotMine)?;
    let address = bp & !1;
    let aligned = bp & 1 == 1 && address.is_multiple_of(8);
    if !aligned || !context.in_text(frame) || context.stacks.stack_of(address).is_none() {
        return Err(Refusal::NotMine);
    }
    let exception = ExceptionFrame { address, full: true };
    let registers =
        exception.registers(context.memory, &frame.registers).map_err(Refusal::Failed)?;
    // With FRED (6.9 and later) the bits above the selector hold event data.
    if !registers.cs.is_some_and(|cs| CODE_SEGMENTS.contains(&(cs & 0xffff))) {
        return Err(Refusal::NotMine);
    }
    Ok(Caller {
        pc: Pc::Interrupted(registers.rip),
        registers,
        trust: Trust::Exact,
        exception: Some(exception),
        slot: None,
        cfa: None,
    })
}
