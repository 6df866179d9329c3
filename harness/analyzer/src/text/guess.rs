// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a text tells where there is no code to look at.

use unwind::{Frame, Trust};

use super::helpers::is_helper;
use super::log_report::LogReport;
use super::stack::{Stack, TextFrame};
use crate::diagnosis::{
    BadPointer, Check, CheckKind, Diagnosis, Grounds, Role, Symptom, Use, What,
};
use crate::fault::of_value;
use crate::formats::{self, Checked};
use crate::identify::NULL_PAGE;
use crate::kind::CrashKind;
use crate::scene::Scene;
use crate::symbol_name::source_name;
use crate::told::Told;

/// Bits of the page fault's error code: a write, the fetch of an instruction.
const WRITE: u64 = 1 << 1;
const FETCH: u64 = 1 << 4;

/// A fault of code that a compiler put in to check another access (KASAN inline): what is at the address
/// that faulted tells nothing of that other one; the kernel says which it was. `false` if it is none.
pub(super) fn by_checker(report: &LogReport, diagnosis: &mut Diagnosis) -> bool {
    let checked = report.lines.iter().find_map(|line| formats::checked(&line.text));
    let Some(checked) = checked else { return false };
    diagnosis.what = match checked {
        Checked::Null => check(CrashKind::NullRead, "use of a NULL pointer"),
        Checked::User => check(CrashKind::UserAccess, "access to memory of user space"),
        Checked::Unknown => What::Kind(CrashKind::GeneralProtection),
    };
    diagnosis.evidence.clear();
    diagnosis.unknown = None;
    true
}

fn check(kind: CrashKind, words: &str) -> What {
    What::Check(Check::new(CheckKind::Other(kind, Some(words.to_owned()))))
}

/// A fault on memory whose instruction is not known: by the address and the error code that the kernel
/// printed.
pub(super) fn by_message(
    scene: &dyn Scene,
    frames: &[Frame],
    told: &Told,
    report: &LogReport,
    diagnosis: &mut Diagnosis,
) {
    let is_open =
        matches!(diagnosis.what, What::Kind(CrashKind::Unknown | CrashKind::GeneralProtection));
    let (Some(address), true) = (told.address, is_open) else { return };
    let error_code = report.die.map_or(0, |(error_code, _)| error_code);
    let is_fetch = error_code & FETCH != 0;
    let how = match (is_fetch, error_code & WRITE != 0) {
        (true, _) => Use::Call,
        (false, true) => Use::Write,
        (false, false) => Use::Read,
    };
    let symptom = if address < NULL_PAGE { Symptom::Null } else { Symptom::Bad };
    let nature = of_value(scene, address);
    diagnosis.what = What::Pointer(BadPointer {
        how,
        address,
        symptom,
        role: Role::Pointer,
        nature,
        expression: None,
        past: None,
        unset: None,
        unlinked: None,
        mistaken: None,
        overrun: false,
        below: false,
        tested: None,
        object: None,
    });
    diagnosis.unknown.get_or_insert_with(|| "the text has no code to look at".to_owned());
    if let Some(first) = frames.first().filter(|_| diagnosis.pc.is_none()) {
        diagnosis.pc = Some(first.pc);
    }
}

/// Where no module is to blame, the innermost function that does not only help.
pub(super) fn behind_helpers(
    scene: &dyn Scene,
    stack: &Stack,
    report: &LogReport,
    diagnosis: &mut Diagnosis,
) {
    if diagnosis.pc.is_some_and(|pc| scene.is_outside(pc.for_lookup())) {
        return;
    }
    // An NMI arrives at whatever runs.
    if diagnosis.kind() == CrashKind::Nmi {
        diagnosis.pc = None;
        return;
    }
    // Where a stack ended says little of what used it up.
    if diagnosis.kind() == CrashKind::StackOverflow {
        let is_chain = matches!(diagnosis.what, What::Exhausted(_));
        diagnosis.pc = diagnosis.pc.filter(|_| is_chain);
        return;
    }
    let is_known = |frame: &Frame| scene.code_name(frame.pc.for_lookup()).is_some();
    let all = stack.walk.frames.iter().zip(&stack.frames);
    // The first line of a check says where it was noticed; what is further in, reports it.
    let named = report.place().and_then(|place| place.symbol);
    let named = named.map(|symbol| symbol.name);
    let name = |told: &TextFrame| told.place.symbol.as_ref().map(|symbol| symbol.name.clone());
    let is_named = |told: &TextFrame| name(told).is_some() && name(told) == named;
    let from = stack.frames.iter().position(is_named).unwrap_or(0);
    let frames = all.skip(from);
    // For a fault in an interrupt, nobody is to blame whom that interrupted.
    let is_fault = report.is_fault();
    let mut is_inside = true;
    // Where the kernel was sure of no line, one that does not help is as good as another.
    let is_sure = stack.walk.frames.iter().skip(1).any(|frame| frame.trust != Trust::Scan);
    let within = frames.clone().take_while(move |(frame, _)| {
        is_inside &= !is_fault || frame.exception.is_none();
        is_inside
    });
    let own = within.clone().find(|(frame, told)| {
        let is_told = report.is_of_rule() && named.is_some() && is_named(told);
        is_known(frame)
            && (frame.trust != Trust::Scan || !is_sure)
            && (is_told && !is_check(told) || !helps(scene, frame, told))
    });
    let first = || frames.clone().find(|(frame, _)| is_known(frame));
    if let Some((frame, _)) = own.or_else(first) {
        diagnosis.pc = Some(frame.pc);
    }
}

/// Whether the function is one of a check of the preemption or of locks itself.
fn is_check(told: &TextFrame) -> bool {
    let name =
        told.place.symbol.as_ref().map(|symbol| source_name(&symbol.name)).unwrap_or_default();
    ["__this_cpu_preempt_check", "debug_smp_processor_id", "check_preemption_disabled"]
        .contains(&name)
        || name.starts_with("lockdep_")
}

/// Whether the frame's functions only help: the one that has the code, and those inlined into it.
fn helps(scene: &dyn Scene, frame: &Frame, told: &TextFrame) -> bool {
    let pc = frame.pc.for_lookup();
    let Some(name) = scene.code_name(pc) else { return true };
    if name.module.is_some() {
        return false;
    }
    let chain = scene.image_at(pc).and_then(|image| image.source(pc).found()).unwrap_or_default();
    let outer = chain.last().and_then(|source| source.file.clone());
    let file = outer.or_else(|| told.place.source.as_ref().map(|source| source.file.clone()));
    is_helper(source_name(&name.symbol), file.as_deref())
}

/// Nothing is proven by a text: there is no memory to look at.
pub(super) fn judged(report: &LogReport, diagnosis: &mut Diagnosis) {
    if report.panic.is_none() && report.die.is_none() {
        diagnosis.advice = formats::advice(&report.headline);
    }
    if diagnosis.grounds == Grounds::Shown {
        diagnosis.grounds = Grounds::Inferred;
        let why = "a text has no memory that could be looked at";
        diagnosis.unknown.get_or_insert_with(|| why.to_owned());
    }
}
