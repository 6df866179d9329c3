// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a call entered a function directly.

use debuginfo::{Absent, FrameState, Image};
use iced_x86::{Decoder, DecoderOptions, FlowControl, Mnemonic, OpKind};

use crate::express::Names as _;
use crate::machine::Machine;
use crate::scene::Scene as _;

/// Bytes of `call rel32`.
const DIRECT_CALL: u64 = 5;
/// Jumps that are followed from where a call went: a static call's trampoline is one.
const MAX_JUMPS: usize = 3;
/// `endbr64`, before which nothing of a function runs.
const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];

/// Whether the call that returns to `returns` went to the entry of the function that has the code
/// at `inside`. `caller` is the frame that made the call.
///
/// # Errors
/// It went elsewhere, or nothing proves where it went.
pub(super) fn check(
    machine: &Machine<'_>,
    image: &Image<'_>,
    returns: u64,
    inside: u64,
    caller: &dyn FrameState,
) -> Result<(), Absent> {
    let entry = machine.image_at(inside).and_then(|image| image.function_entry(inside).found());
    let entry = entry.ok_or(Absent::NoCaller)?;
    let direct = direct_target(machine, returns);
    if direct.is_some_and(|target| leads_to(machine, target, entry)) {
        return Ok(());
    }
    match image.call_target(returns, caller) {
        Some(target) if leads_to(machine, target, entry) => Ok(()),
        Some(_) => Err(Absent::OtherCallee),
        None => match direct.filter(|target| machine.symbol_at(*target).is_some()) {
            Some(target) if !is_thunk(machine, target) => Err(Absent::OtherCallee),
            _ => Err(Absent::Indirect),
        },
    }
}

/// Where a direct call before a return address went.
fn direct_target(machine: &Machine<'_>, returns: u64) -> Option<u64> {
    let start = returns.checked_sub(DIRECT_CALL)?;
    let bytes = machine.code_bytes(start);
    let instruction = Decoder::with_ip(64, &bytes, start, DecoderOptions::NONE).decode();
    let call = instruction.mnemonic() == Mnemonic::Call
        && instruction.op0_kind() == OpKind::NearBranch64
        && instruction.next_ip() == returns;
    call.then(|| instruction.near_branch_target())
}

/// Whether what runs from `target` on does nothing but arrive at `entry`.
fn leads_to(machine: &Machine<'_>, target: u64, entry: u64) -> bool {
    let mut at = target;
    for _ in 0..MAX_JUMPS {
        if at == entry {
            return true;
        }
        let bytes = machine.code_bytes(at);
        let skip = if bytes.starts_with(&ENDBR64) { ENDBR64.len() } else { 0 };
        let start = at.wrapping_add(skip as u64);
        let rest = bytes.get(skip..).unwrap_or_default();
        let jump = Decoder::with_ip(64, rest, start, DecoderOptions::NONE).decode();
        let direct = jump.flow_control() == FlowControl::UnconditionalBranch
            && jump.op0_kind() == OpKind::NearBranch64;
        if !direct {
            return false;
        }
        at = jump.near_branch_target();
    }
    at == entry
}

fn is_thunk(machine: &Machine<'_>, target: u64) -> bool {
    machine.symbol_at(target).is_some_and(|(name, _)| name.starts_with("__x86_indirect_"))
}
