// SPDX-License-Identifier: MIT OR Apache-2.0
//! Last resort: the next word on the stack that may be a return address. It may be stale.

use super::{Caller, Context, Refusal};
use crate::call::is_after_call;
use crate::{Frame, Pc, Register, Registers, Stack, StopReason, Trust};

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    let Some(stack) = context.stacks.stack_of(frame.sp) else { return Err(Refusal::NotMine) };
    let mut slot = frame.sp.checked_next_multiple_of(8).ok_or(Refusal::NotMine)?;
    while slot.checked_add(8).is_some_and(|end| end <= stack.high) {
        let rip = context.read(slot)?;
        if context.tables.is_text(rip.wrapping_sub(1))
            && is_after_call(context.memory, context.tables, rip) != Some(false)
        {
            let mut registers = Registers::at(rip, slot + 8);
            registers.set(Register::Rbp, frame_pointer(context, frame, &stack, slot));
            return Ok(Caller {
                pc: Pc::Return(rip),
                registers,
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

/// The caller's `rbp`, as far as one can guess: the saved one if `rbp` points right below the
/// return address, the same if it points above (an outer function's frame pointer).
///
/// Situation: code without any table was called by a function that finds its stack by rbp.
/// Example: `__crash_kexec` called by `panic`; without rbp the scan would go on through `panic`'s
/// own frame and take `_printk`, long returned, for its caller.
fn frame_pointer(context: &Context<'_>, frame: &Frame, stack: &Stack, slot: u64) -> Option<u64> {
    let bp = frame.registers.get(Register::Rbp)?;
    if bp.checked_add(8) == Some(slot) {
        context.memory.read_u64(bp)
    } else {
        (bp > slot && bp < stack.high && bp.is_multiple_of(8)).then_some(bp)
    }
}
