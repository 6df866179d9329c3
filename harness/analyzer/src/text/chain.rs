// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the files tell of a trace: which lines of one that the kernel could not unwind belong to it, and
//! what the callers had in registers.

use iced_x86::{Decoder, DecoderOptions, FlowControl};
use unwind::orc::{Cfa, Kind};
use unwind::{CfaRule, CfiRow, Frame, Register, RegisterRule, Registers, Trust};

use super::scene::TextScene;
use super::stack::TextFrame;
use crate::cfi_rows;
use crate::express::Names as _;
use crate::flow::Words as _;
use crate::link::through_thunk;
use crate::scene::Scene as _;

/// Lines among which the caller of a function is looked for.
const NEAR: usize = 24;
/// `call rel32`, and its length.
const CALL: u8 = 0xe8;
const CALL_LENGTH: u64 = 5;
/// Longest `call` through a pointer without prefixes: opcode, ModRM, SIB, displacement.
const LONGEST_CALL: u64 = 7;

/// Where the call before a return address goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// To that address.
    Direct(u64),
    /// Through a pointer.
    Indirect,
}

/// The frames that belong to a trace of which the kernel was sure of none: each was called by the next,
/// as far as its code tells. Without files, or if one is sure, they stay as they are.
pub(super) fn chained(
    scene: &TextScene<'_>,
    frames: Vec<TextFrame>,
    is_fetch: bool,
) -> Vec<TextFrame> {
    let is_sure = |frame: &TextFrame| frame.trust == Trust::Told;
    if frames.iter().any(is_sure) {
        return with_first_caller(scene, frames);
    }
    if scene.files.kernel().is_none() {
        return frames;
    }
    let mut all = frames.into_iter();
    let Some(first) = all.next() else { return Vec::new() };
    let rest: Vec<TextFrame> = all.collect();
    let entry = |frame: &TextFrame| {
        let address = scene.locate(&frame.place)?;
        scene.function_entry(address.wrapping_sub(u64::from(!frame.is_interrupted)))
    };
    let mut current = first.place.symbol.as_ref().filter(|_| !is_fetch).and_then(|_| entry(&first));
    let is_bad_call = first.place.symbol.is_none() || is_fetch;
    let mut chain = vec![first];
    let mut at = 0;
    loop {
        let left = rest.get(at..).unwrap_or_default();
        // The call to a bad address has just put there where it returns to.
        let is_return = is_bad_call && chain.len() == 1 && !left.is_empty();
        let Some(next) = is_return.then_some(0).or_else(|| caller(scene, left, current)) else {
            break;
        };
        let Some(frame) = left.get(next) else { break };
        current = entry(frame);
        let trust = if chain.len() == 1 { frame.trust } else { Trust::Told };
        let is_behind = left.iter().take(next + 1).any(|frame| frame.is_behind);
        chain.push(TextFrame { trust, is_behind, ..frame.clone() });
        at += next + 1;
    }
    chain
}

/// Bytes of a function before it has a frame pointer of its own: a call that traces it, and what saves its
/// caller's.
const BEFORE_FRAME: u64 = 5 + 1 + 3;

/// The frames, with the caller of the first one made sure. A kernel that unwinds by frame pointers is not
/// sure of it where the function has no frame of its own: it is at its start, or in assembly.
fn with_first_caller(scene: &TextScene<'_>, mut frames: Vec<TextFrame>) -> Vec<TextFrame> {
    let [first, next, ..] = frames.as_slice() else { return frames };
    if next.trust != Trust::Scan {
        return frames;
    }
    let entry = scene.locate(&first.place).and_then(|address| scene.function_entry(address));
    let is_called = match call(scene, next) {
        _ if next.is_behind || !first.is_interrupted => false,
        Some(Call::Direct(target)) => entry
            .is_some_and(|entry| target == entry || scene.function_entry(target) == Some(entry)),
        Some(Call::Indirect) => is_at_start(first),
        None => scene.files.is_empty() && is_at_start(first),
    };
    match frames.get_mut(1).filter(|_| is_called) {
        Some(next) => next.trust = Trust::Told,
        None => drop(frames.remove(1)),
    }
    frames
}

/// Whether the function has no frame pointer of its own yet.
fn is_at_start(frame: &TextFrame) -> bool {
    let extent = frame.place.symbol.as_ref().and_then(|symbol| symbol.extent);
    extent.is_some_and(|(offset, _)| offset < BEFORE_FRAME)
}

/// Whether the frame is where a function calls what traces it: at its beginning, behind an `endbr64` or
/// not.
fn is_traced(frame: &TextFrame) -> bool {
    let extent = frame.place.symbol.as_ref().and_then(|symbol| symbol.extent);
    extent.is_some_and(|(offset, _)| [5, 9].contains(&offset))
}

/// Position of the frame that called the function at `entry`; of one at a bad address, which a pointer led
/// to, that called through one.
fn caller(scene: &TextScene<'_>, frames: &[TextFrame], entry: Option<u64>) -> Option<usize> {
    let near = || frames.iter().take(NEAR).map(|frame| call(scene, frame));
    let is_direct = |call: Option<Call>| match (call, entry) {
        (Some(Call::Direct(target)), Some(entry)) => {
            target == entry || scene.function_entry(target) == Some(entry)
        }
        _ => false,
    };
    let direct = near().position(is_direct);
    // Code that the kernel made while it ran has no name; a function that is traced called it.
    let traced = || frames.iter().take(NEAR).position(is_traced).filter(|_| entry.is_none());
    direct.or_else(traced).or_else(|| near().position(|call| call == Some(Call::Indirect)))
}

/// The call before the frame's return address; `None` if there is none, or its code is not known.
fn call(scene: &TextScene<'_>, frame: &TextFrame) -> Option<Call> {
    let returns = scene.locate(&frame.place)?;
    let bytes = scene.files.bytes(returns.wrapping_sub(CALL_LENGTH), CALL_LENGTH)?;
    if let Some((&CALL, distance)) = bytes.split_first() {
        let distance = i32::from_le_bytes(distance.try_into().ok()?);
        let target = returns.wrapping_add_signed(i64::from(distance));
        let is_thunk = through_thunk(scene, target).is_some();
        return Some(if is_thunk { Call::Indirect } else { Call::Direct(target) });
    }
    (2..=LONGEST_CALL)
        .any(|length| is_indirect_call(scene, returns, length))
        .then_some(Call::Indirect)
}

/// Whether the bytes before a return address are an instruction of that length that calls through a pointer.
fn is_indirect_call(scene: &TextScene<'_>, returns: u64, length: u64) -> bool {
    let at = returns.wrapping_sub(length);
    let Some(bytes) = scene.files.bytes(at, length) else { return false };
    let instruction = Decoder::with_ip(64, &bytes, at, DecoderOptions::NONE).decode();
    let is_whole = u64::try_from(instruction.len()).is_ok_and(|it| it == length);
    is_whole && instruction.flow_control() == FlowControl::IndirectCall
}

/// Fills in what each caller had in registers, as far as the rules of unwinding tell without memory: what
/// its callee had not saved yet is still there.
pub(super) fn unwound(scene: &TextScene<'_>, frames: &mut [Frame]) {
    for at in 1..frames.len() {
        let Some((inner, outer)) = frames.split_at_mut_checked(at) else { return };
        let (Some(callee), Some(caller)) = (inner.last_mut(), outer.first_mut()) else { return };
        if caller.exception.is_some() {
            continue;
        }
        let Some((cfa, registers)) = before_call(scene, callee, caller.pc.address()) else {
            continue;
        };
        callee.cfa = Some(cfa);
        caller.sp = cfa;
        caller.registers = registers;
    }
}

/// The row that the kernel's ORC table makes of code that has no call frame information: assembly. What
/// it saved is not told, so that nothing is taken for kept.
fn by_orc(scene: &TextScene<'_>, pc: u64) -> Option<CfiRow> {
    let entry = scene.files.orc(pc)?;
    let (Kind::Call, Cfa::Register { base, offset }) = (entry.kind, entry.cfa) else { return None };
    let mut row = CfiRow::new(CfaRule::RegisterOffset { register: base, offset });
    for register in Register::CALLEE_SAVED {
        row.set_rule(register, RegisterRule::Undefined);
    }
    Some(row)
}

/// The canonical frame address of a frame, and the registers of its caller.
fn before_call(scene: &TextScene<'_>, frame: &Frame, returns: u64) -> Option<(u64, Registers)> {
    let pc = frame.pc.for_lookup();
    if !scene.is_text(pc) {
        // The call to a bad address has pushed nothing but where it returns to.
        let cfa = frame.registers.get(Register::Rsp)?.wrapping_add(8);
        let mut registers = frame.registers.clone();
        registers.rip = returns;
        registers.set(Register::Rsp, Some(cfa));
        return Some((cfa, registers));
    }
    let row = cfi_rows::row(scene.image_at(pc)?, pc).or_else(|| by_orc(scene, pc))?;
    let CfaRule::RegisterOffset { register, offset } = row.cfa else { return None };
    let cfa =
        frame.registers.get(register).filter(|value| *value != 0)?.wrapping_add_signed(offset);
    let mut registers = Registers::at(returns, cfa);
    for register in Register::CALLEE_SAVED {
        let value = match row.rule(register) {
            RegisterRule::SameValue => frame.registers.get(register),
            RegisterRule::Offset(offset) => scene.word(cfa.wrapping_add_signed(offset), 8),
            RegisterRule::Register(other) => frame.registers.get(other),
            _ => None,
        };
        registers.set(register, value);
    }
    Some((cfa, registers))
}
