// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caller of the function tracer's entry, `ftrace_caller` of kernels without ORC.
//!
//! Situation: on CentOS 7's 3.10 a module hooks `security_bprm_check()`, is unloaded, and the
//! tracer calls what is gone. The traced function calls the tracer by its first instruction, before
//! it has a frame, and `ftrace_caller` (`arch/x86/kernel/mcount_64.S`) makes none: following rbp
//! skips the traced function and its caller, as the kernel's own trace does. `MCOUNT_SAVE_FRAME`
//! makes room for a `struct pt_regs` below the return address into the traced function and copies
//! that address into its `ip`, so that both words are the same.

use super::{Caller, Context, Refusal};
use crate::{Frame, Pc, Register, Trust};

/// Bytes from the start of `struct pt_regs` to `ip`, and its size.
const IP: u64 = 128;
const SIZE: u64 = 168;
/// A traced function starts with a call, `e8 rel32`, or with a no-op of that length once nobody
/// traces it any more.
const NOP: [u8; 5] = [0x0f, 0x1f, 0x44, 0, 0];

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    let is_call = matches!(frame.pc, Pc::Return(_));
    if !is_call || !context.in_text(frame) || context.tables.orc(frame.pc.for_lookup()).is_some() {
        return Err(Refusal::NotMine);
    }
    let word = |offset: u64| context.memory.read_u64(frame.sp.wrapping_add(offset));
    let rip = word(SIZE).filter(|rip| word(IP) == Some(*rip) && is_traced(context, *rip));
    let rip = rip.ok_or(Refusal::NotMine)?;
    let mut registers = frame.registers.clone();
    registers.rip = rip;
    let sp = frame.sp.wrapping_add(SIZE + 8);
    registers.set(Register::Rsp, Some(sp));
    Ok(Caller {
        // What runs next there is the rest of the function: it has no frame yet.
        pc: Pc::Interrupted(rip),
        registers,
        trust: Trust::FramePointer,
        exception: None,
        slot: Some(sp.wrapping_sub(8)),
        cfa: Some(sp),
    })
}

/// Whether a traced function goes on at `rip`.
fn is_traced(context: &Context<'_>, rip: u64) -> bool {
    let mut code = [0; NOP.len()];
    let start = rip.wrapping_sub(NOP.len() as u64);
    let read = context.memory.read_bytes(start, &mut code).is_some();
    read && context.tables.is_text(start) && (code[0] == 0xe8 || code == NOP)
}
