// SPDX-License-Identifier: MIT OR Apache-2.0
//! Last resort: the next word on the stack that may be a return address. It may be stale.

use super::{Caller, Context, Refusal};
use crate::call::is_after_call;
use crate::{Frame, Pc, Registers, StopReason, Trust};

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    let Some(stack) = context.stacks.stack_of(frame.sp) else { return Err(Refusal::NotMine) };
    let mut slot = frame.sp.checked_next_multiple_of(8).ok_or(Refusal::NotMine)?;
    while slot.checked_add(8).is_some_and(|end| end <= stack.high) {
        let rip = context.read(slot)?;
        if context.tables.is_text(rip.wrapping_sub(1))
            && is_after_call(context.memory, context.tables, rip) != Some(false)
        {
            return Ok(Caller {
                pc: Pc::Return(rip),
                registers: Registers::at(rip, slot + 8),
                trust: Trust::Scan,
                exception: None,
                slot: Some(slot),
                cfa: None,
            });
        }
        slot += 8;
    }
    Err(Refusal::Failed(StopReason::NoRule { pc: frame.pc.for_lookup() }))
}
