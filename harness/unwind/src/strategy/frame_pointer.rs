// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caller by the chain of saved frame pointers: `[rbp]` is the caller's, `[rbp + 8]` the return
//! address. For kernels built with frame pointers and for generated code (BPF), which has them.
//!
//! Not for code that an ORC table covers, even if the table says "undefined". Situation: a kernel
//! without frame pointers, where rbp may still hold what some outer function put there. Example:
//! `panic` has a frame pointer for its variable arguments, `__crash_kexec` is left out by objtool
//! (`STACK_FRAME_NON_STANDARD`); following rbp from the latter skips `panic`.

use super::{Caller, Context, Refusal};
use crate::call::is_after_call;
use crate::{Frame, Pc, Register, Registers, StopReason, Trust};

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    if !context.in_text(frame) || context.tables.orc(frame.pc.for_lookup()).is_some() {
        return Err(Refusal::NotMine);
    }
    let own = frame.registers.get(Register::Rbp);
    let (slot, bp) = match slot_without_frame(context, frame) {
        Some(slot) => (slot, own),
        None => {
            let bp = own.filter(|bp| may_be_frame(context, frame, *bp)).ok_or(Refusal::NotMine)?;
            (bp.wrapping_add(8), Some(context.read(bp)?))
        }
    };
    let rip = context.read(slot)?;
    if is_after_call(context.memory, context.tables, rip) == Some(false)
        && !context.tables.is_return_trampoline(rip)
    {
        return Err(Refusal::Failed(StopReason::BadPc { pc: rip }));
    }
    let cfa = slot.wrapping_add(8);
    let mut registers = Registers::at(rip, cfa);
    registers.set(Register::Rbp, bp);
    Ok(Caller {
        pc: Pc::Return(rip),
        registers,
        trust: Trust::FramePointer,
        exception: None,
        slot: Some(slot),
        cfa: Some(cfa),
    })
}

/// Whether `bp` points at two words above `sp` on the frame's stack.
fn may_be_frame(context: &Context<'_>, frame: &Frame, bp: u64) -> bool {
    bp.is_multiple_of(8)
        && bp >= frame.sp
        && context.stacks.stack_of(frame.sp).is_some_and(|stack| {
            stack.low <= bp && bp.checked_add(16).is_some_and(|end| end <= stack.high)
        })
}

/// Where the return address is, if the code was interrupted before it set up its frame or after it
/// took it down. `rbp` is still, or again, the caller's.
fn slot_without_frame(context: &Context<'_>, frame: &Frame) -> Option<u64> {
    const PUSH_RBP: u8 = 0x55;
    const RET: u8 = 0xc3;
    const MOV_RSP_TO_RBP: [u8; 3] = [0x48, 0x89, 0xe5];
    let Pc::Interrupted(pc) = frame.pc else { return None };
    let mut code = [0; 4];
    context.memory.read_bytes(pc.checked_sub(1)?, &mut code)?;
    if code[1] == PUSH_RBP || code[1] == RET {
        Some(frame.sp)
    } else if code[0] == PUSH_RBP && code[1..] == MOV_RSP_TO_RBP {
        frame.sp.checked_add(8)
    } else {
        None
    }
}
