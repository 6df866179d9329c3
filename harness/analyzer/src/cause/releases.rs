// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether code may give a lock back in a way that its own instructions do not show.
//!
//! That a lock is still taken is sure only if nothing on the way can have given it back: no call through a
//! pointer, which may lead anywhere, no function of the module that does, and none that is switched on and off.

use std::collections::BTreeSet;
use std::ops::Range;

use iced_x86::{Instruction, Mnemonic};

use super::lock_functions::{LockSort, gives_back, gives_back_inline, is_for_others, taking};
use crate::flow::{CallTarget, Code, call_target, is_call};
use crate::link::through_thunk;
use crate::scene::Scene;

/// Functions of the module that are looked into: behind more, anything may be.
const MOST: usize = 64;
/// Bytes of the instruction that stands where a static key's branch is off (`arch/x86/kernel/jump_label.c`).
const SWITCHED_OFF: [usize; 2] = [2, 5];

/// Functions of one module that are looked through.
const MAX_FUNCTIONS: usize = 1 << 14;

/// Whether a function of the module gives a lock of that sort back which it has not taken, or may: what one task
/// took another one may have given back.
pub(super) fn is_handed_over(scene: &dyn Scene, module: &str, sort: LockSort) -> bool {
    let entries = scene.functions_of(module);
    if entries.len() > MAX_FUNCTIONS {
        return true;
    }
    entries.into_iter().any(|entry| {
        let Some(code) = scene.function_code(entry) else { return true };
        let called: Vec<u64> = code.instructions().iter().filter_map(direct).collect();
        let takes = |target: &u64| taking(scene, *target).is_some_and(|it| it.is_of(sort));
        let gives = |target: &u64| gives_back(scene, *target, sort);
        called.iter().any(|target| is_for_others(scene, *target))
            || called.iter().any(gives) && !called.iter().any(takes)
    })
}

/// Whether one of the instructions at the positions may give a lock of that sort back behind a call, or be a
/// branch that was another way then.
pub(super) fn may_release(
    scene: &dyn Scene,
    (code, positions): (&Code, &[usize]),
    sort: LockSort,
) -> bool {
    let mut seen = BTreeSet::from([code.entry()]);
    let mut may =
        |at: &usize| by_instruction(scene, code, code.instruction(*at), (sort, &mut seen));
    positions.iter().any(&mut may)
}

fn by_instruction(
    scene: &dyn Scene,
    code: &Code,
    instruction: &Instruction,
    (sort, seen): (LockSort, &mut BTreeSet<u64>),
) -> bool {
    // The first instruction of a function is ftrace's.
    let is_entry = instruction.ip() < code.entry().saturating_add(16);
    let is_nothing = instruction.mnemonic() == Mnemonic::Nop
        // Of two bytes it is decoded as what it was before.
        || instruction.mnemonic() == Mnemonic::Xchg
            && instruction.op0_register() == instruction.op1_register();
    if is_nothing && SWITCHED_OFF.contains(&instruction.len()) && !is_entry {
        return true;
    }
    match call_target(instruction) {
        Some(CallTarget::Register(_) | CallTarget::Memory) => is_call(instruction),
        Some(CallTarget::Direct(target)) if code.at(target).is_some() => false,
        Some(CallTarget::Direct(target)) if through_thunk(scene, target).is_some() => true,
        Some(CallTarget::Direct(target)) => {
            scene.is_outside(target) && by_function(scene, target, (sort, seen))
        }
        None => false,
    }
}

/// The address that the instruction calls.
fn direct(instruction: &Instruction) -> Option<u64> {
    match call_target(instruction) {
        Some(CallTarget::Direct(target)) => Some(target),
        _ => None,
    }
}

/// Whether a function of the module gives such a lock back, or may.
fn by_function(
    scene: &dyn Scene,
    function: u64,
    (sort, seen): (LockSort, &mut BTreeSet<u64>),
) -> bool {
    // It was looked into, or is being.
    if !seen.insert(function) {
        return false;
    }
    if seen.len() > MOST {
        return true;
    }
    let Some(code) = scene.function_code(function) else { return true };
    let all: Range<usize> = 0..code.instructions().len();
    { all }.any(|at| {
        let instruction = code.instruction(at);
        direct(instruction).is_some_and(|target| gives_back(scene, target, sort))
            || sort.spins() && gives_back_inline(scene, instruction.ip())
            || by_instruction(scene, &code, instruction, (sort, seen))
    })
}
