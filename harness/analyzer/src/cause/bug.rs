// SPDX-License-Identifier: MIT OR Apache-2.0
//! A check that failed and trapped: `BUG()`, `BUG_ON()`, or one of the kernel's own.

use unwind::Frame;

use super::{name, place};
use crate::blame::blamed;
use crate::claim::Claim;
use crate::express::Writer;
use crate::fault::{Diagnosis, Says, argument_of_call, called, condition};
use crate::flow::{Words as _, evaluate};
use crate::machine::Machine;
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene as _;
use kernel::mm::slab_object::ObjectState;

/// Bytes of `ud2`, the trap of `BUG()`.
const UD2: [u8; 2] = [0x0f, 0x0b];

/// `LIST_POISON1` of `include/linux/poison.h` on x86-64, since and before 4.3: the next of an entry
/// that is out.
const LIST_POISON: [u64; 2] = [0xdead_0000_0000_0100, 0xdead_0000_0010_0100];

/// Diagnoses a trap of the innermost frame.
pub(super) fn diagnose(machine: &Machine<'_>, frames: &[Frame], kind: CrashKind) -> Diagnosis {
    let guilty = blamed(machine, frames, 0);
    let mut diagnosis = Diagnosis {
        pc: frames.get(guilty).map(|frame| frame.pc),
        says: Some(says(kind)),
        ..Diagnosis::new(kind)
    };
    let (Some(first), Some(frame)) = (frames.first(), frames.get(guilty)) else { return diagnosis };
    let pc = first.pc.address();
    let trapped = machine.code_bytes(pc).starts_with(&UD2);
    let claim = Claim::new(Some(trapped)).code(pc);
    diagnosis.evidence.push(claim.text(" is the trap of a failed check (`ud2`)"));
    let is_outside = machine.is_outside(frame.pc.for_lookup());
    if guilty == 0 {
        if trapped {
            diagnosis.confidence = Confidence::Proven;
        }
        if kind == CrashKind::Bug {
            condition(machine, frames, &mut diagnosis);
        }
    } else if is_outside {
        diagnosis.confidence = Confidence::Likely;
        let running = || name(machine, frames.get(guilty - 1).unwrap_or(first));
        let called = called(machine, frame).unwrap_or_else(running);
        let words = format!("{} called `{called}`", place(machine, frame));
        diagnosis.evidence.push(Claim::new(Some(true)).text(words));
        diagnosis.helper = Some(called);
        if kind == CrashKind::ListCorruption && name(machine, first).contains("list_del") {
            deleted(machine, frames.get(guilty..).unwrap_or_default(), &mut diagnosis);
        }
        if kind == CrashKind::DoubleFree {
            freed(machine, frames.get(guilty..).unwrap_or_default(), &mut diagnosis);
        }
    }
    diagnosis
}

/// The entry that the frame's call takes out of a list: its name, and whether it is out already.
fn deleted(machine: &Machine<'_>, frames: &[Frame], diagnosis: &mut Diagnosis) {
    let Some((pc, term)) = argument_of_call(machine, frames) else { return };
    let Ok(text) = Writer::new(machine, pc).expression(&term) else { return };
    let Some(entry) = evaluate(&term, machine).or(term.observed) else { return };
    let name = text.strip_prefix('&').map_or_else(|| format!("*{text}"), str::to_owned);
    let Some(next) = machine.word(entry, 8) else { return };
    let is_out = LIST_POISON.contains(&next);
    let claim = Claim::new(Some(is_out)).text(format!("`{name}` at ")).data(entry);
    let claim = claim.text(" holds ").data(next);
    let words = if is_out { ", the mark of an entry that is out" } else { " as its next entry" };
    diagnosis.evidence.push(claim.text(words));
    if is_out {
        diagnosis.confidence = Confidence::Proven;
        let sentence = format!("list entry `{name}` is out of its list already: taken out again");
        diagnosis.says = Some(Says::new(format!("list entry {name} taken out twice"), sentence));
    }
    diagnosis.expression = Some(name);
}

/// The object that the frame's call frees: its name, and whether the dump has it as a free one.
fn freed(machine: &Machine<'_>, frames: &[Frame], diagnosis: &mut Diagnosis) {
    let Some((pc, term)) = argument_of_call(machine, frames) else { return };
    let text = Writer::new(machine, pc).expression(&term).ok();
    let Some(value) = evaluate(&term, machine).or(term.observed) else { return };
    let slab = machine.identity(value).and_then(|identity| identity.slab);
    let is_free = slab
        .as_ref()
        .is_some_and(|slab| matches!(slab.state, ObjectState::Free | ObjectState::FreeOnCpu(_)));
    let named = text.as_ref().map_or_else(|| "the object".to_owned(), |text| format!("`{text}`"));
    if let Some(slab) = &slab {
        let claim = Claim::new(Some(is_free)).text(format!("{named} is ")).data(value);
        let state = if is_free { "which is free already" } else { "in use" };
        let of = &slab.slab.cache.name;
        diagnosis.evidence.push(claim.text(format!(", an object of {of}, {state}")));
    }
    if is_free && text.is_some() {
        diagnosis.confidence = Confidence::Proven;
    }
    if let Some(text) = &text {
        let sentence = format!("double free: `{text}` is free already and freed again");
        diagnosis.says = Some(Says::new(format!("double free of {text}"), sentence));
    }
    diagnosis.expression = text;
}

fn says(kind: CrashKind) -> Says {
    Says::plain(match kind {
        CrashKind::Bug => "BUG",
        CrashKind::DoubleFree => "object freed that is not allocated",
        CrashKind::ListCorruption => "list with broken links changed",
        CrashKind::Fortify => "copy larger than its buffer",
        CrashKind::Refcount => "reference counter misused",
        CrashKind::UndefinedBehavior => "undefined behaviour caught by the compiler's check",
        CrashKind::InvalidOpcode => "instruction that the CPU does not know",
        _ => "failed check of the kernel",
    })
}
