// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caller of an address that is no code: NULL, not canonical, unmapped, freed.
//!
//! Situation: `call *%rax` with rax = 0. The call pushed its return address and then fetching the
//! first instruction faulted, so `[rsp]` is the return address, `rbp` is still the caller's, and
//! so is every other register. Example: the seed's crash in `process_bprm_put`; a walk by `rbp`
//! starts one function too high. Calls through `__x86_indirect_thunk_*` look the same: the thunk
//! leaves nothing on the stack.

use super::{Caller, Context, Refusal};
use crate::call::is_after_call;
use crate::{Frame, Pc, Register, StopReason, Trust};

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    let Pc::Interrupted(pc) = frame.pc else { return Err(Refusal::NotMine) };
    if context.in_text(frame) {
        return Err(Refusal::NotMine);
    }
    let rip = context.read(frame.sp)?;
    let returns_to_code = context.tables.is_text(rip.wrapping_sub(1))
        && is_after_call(context.memory, context.tables, rip) != Some(false);
    // A trampoline stands for a return address that was checked when it was replaced.
    if !returns_to_code && !context.tables.is_return_trampoline(rip) {
        return Err(Refusal::Failed(StopReason::BadPc { pc }));
    }
    let cfa = frame.sp.wrapping_add(8);
    let mut registers = frame.registers.clone();
    registers.rip = rip;
    registers.cs = None;
    registers.flags = None;
    registers.orig_rax = None;
    registers.set(Register::Rsp, Some(cfa));
    Ok(Caller {
        pc: Pc::Return(rip),
        registers,
        trust: Trust::Call,
        exception: None,
        slot: Some(frame.sp),
        cfa: Some(cfa),
    })
}
