// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caller by the chain of saved frame pointers: `[rbp]` is the caller's, `[rbp + 8]` the return
//! address. For kernels built with frame pointers and for generated code (BPF), which has them.

use super::{Caller, Context, Refusal};
use crate::{Frame, Pc, Register, Registers, Trust};

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    let bp = frame.registers.get(Register::Rbp).ok_or(Refusal::NotMine)?;
    let on_frame_stack = context
        .stacks
        .stack_of(frame.sp)
        .is_some_and(|stack| stack.low <= bp && bp.saturating_add(16) <= stack.high);
    if !bp.is_multiple_of(8) || bp < frame.sp || !on_frame_stack || !context.in_text(frame) {
        return Err(Refusal::NotMine);
    }
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
