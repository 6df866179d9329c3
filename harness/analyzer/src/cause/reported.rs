// SPDX-License-Identifier: MIT OR Apache-2.0
//! What kernel code itself reported by a fatal warning or by `panic()`.
//!
//! The stack begins with the functions that report; whom they report comes after them, maybe
//! beyond the exception of a `WARN()`'s trap.

use unwind::Frame;

use super::lock::spinlock_before;
use super::{name, place};
use crate::blame::blamed;
use crate::claim::Claim;
use crate::express::Writer;
use crate::fault::{Diagnosis, Says, argument_of_call, called};
use crate::flow::{Words as _, evaluate};
use crate::machine::Machine;
use crate::report::{Confidence, CrashKind};
use crate::told::Told;

/// Frames that may be those of the report.
const REPORTING_FRAMES: usize = 24;

/// Functions between the code that something is wrong with and the crash.
const REPORTING: [&str; 41] = [
    "panic",
    "vpanic",
    "nmi_panic",
    "check_panic_on_warn",
    "oops_end",
    "die",
    "__warn",
    "warn_slowpath_common",
    "warn_slowpath_fmt",
    "warn_slowpath_null",
    "__warn_printk",
    "report_bug",
    "__report_bug",
    "fixup_bug",
    "handle_bug",
    "do_trap",
    "do_error_trap",
    "do_invalid_op",
    "invalid_op",
    "exc_invalid_op",
    "asm_exc_invalid_op",
    "refcount_warn_saturate",
    "refcount_error_report",
    "__stack_chk_fail",
    "__fortify_report",
    "__fortify_panic",
    "fortify_panic",
    "usercopy_abort",
    "__check_object_size",
    "__schedule_bug",
    "__might_resched",
    "__might_sleep",
    "___might_sleep",
    "__list_add_valid",
    "__list_add_valid_or_report",
    "__list_del_entry_valid",
    "__list_del_entry_valid_or_report",
    "kasan_report",
    "end_report",
    "print_report",
    "__ubsan_handle_out_of_bounds",
];

/// Diagnoses what the frames from `panic()` outwards report.
pub(super) fn diagnose(machine: &Machine<'_>, frames: &[Frame], told: &Told) -> Diagnosis {
    let kind = told.kind.unwrap_or(CrashKind::Panic);
    let from = reported(machine, frames);
    let guilty = blamed(machine, frames, from);
    let mut diagnosis =
        Diagnosis { pc: frames.get(guilty).map(|frame| frame.pc), ..Diagnosis::new(kind) };
    let Some(frame) = frames.get(guilty) else { return diagnosis };
    let is_outside = crate::scene::Scene::is_outside(machine, frame.pc.for_lookup());
    diagnosis.confidence = if is_outside && guilty == from {
        Confidence::Proven
    } else if is_outside {
        Confidence::Likely
    } else {
        Confidence::Unknown
    };
    diagnosis.says = Some(says(kind, told));
    if guilty > from
        && let Some(inner) = frames.get(from)
    {
        let running = guilty.checked_sub(1).and_then(|at| frames.get(at)).unwrap_or(inner);
        let called = called(machine, frame).unwrap_or_else(|| name(machine, running));
        let claim = Claim::new(Some(true)).text(format!("{} called ", place(machine, frame)));
        let claim = claim.text(format!("`{called}`"));
        diagnosis.evidence.push(claim.text(format!(", reported in `{}`", name(machine, inner))));
        diagnosis.helper = Some(called);
    }
    if kind == CrashKind::SleepingInAtomic
        && let Some(claim) = spinlock_before(machine, frames.get(guilty..).unwrap_or_default())
    {
        diagnosis.evidence.push(claim);
    }
    if kind == CrashKind::Refcount && is_outside {
        counter(machine, frames.get(guilty..).unwrap_or_default(), &mut diagnosis);
    }
    if kind == CrashKind::Sysrq {
        asked_for(machine, frames, &mut diagnosis);
    } else if !is_outside {
        diagnosis.unknown =
            Some("no module from outside of the kernel's tree is on the stack".to_owned());
    }
    diagnosis
}

/// A crash that somebody asked for by sysrq-c has no other cause.
fn asked_for(machine: &Machine<'_>, frames: &[Frame], diagnosis: &mut Diagnosis) {
    const HANDLER: &str = "sysrq_handle_crash";
    let handler = frames.iter().find(|frame| machine.is_in(frame.pc.for_lookup(), &[HANDLER]));
    let Some(handler) = handler.filter(|frame| frame.trust < unwind::Trust::Scan) else { return };
    diagnosis.pc = Some(handler.pc);
    diagnosis.confidence = Confidence::Proven;
    let claim = Claim::new(Some(true)).code(handler.pc.address());
    diagnosis.evidence.push(claim.text(" crashes the kernel on request"));
    diagnosis.says = Some(Says::new(
        "crash requested by sysrq",
        "the crash was requested by sysrq-c".to_owned(),
    ));
}

/// The counter that the frame's call complained of: its name and what it holds.
fn counter(machine: &Machine<'_>, frames: &[Frame], diagnosis: &mut Diagnosis) {
    let Some((pc, term)) = argument_of_call(machine, frames) else { return };
    let Ok(text) = Writer::new(machine, pc).expression(&term) else { return };
    let Some(address) = evaluate(&term, machine).or(term.observed) else { return };
    let name = text.strip_prefix('&').map_or_else(|| format!("*{text}"), str::to_owned);
    let Some(value) = machine.word(address, 4) else { return };
    let claim = Claim::new(Some(true)).text(format!("the counter `{name}` at ")).data(address);
    diagnosis.evidence.push(claim.text(" holds ").data(value));
    diagnosis.expression = Some(name);
}

/// Position of the first frame outside of the functions that report.
pub(super) fn reported(machine: &Machine<'_>, frames: &[Frame]) -> usize {
    frames
        .iter()
        .take(REPORTING_FRAMES)
        .rposition(|frame| machine.is_in(frame.pc.for_lookup(), &REPORTING))
        .map_or(0, |last| last + 1)
}

fn says(kind: CrashKind, told: &Told) -> Says {
    let detail = told.detail.as_deref().map(|detail| detail.trim_end_matches(['.', ' ']));
    let message = told.headline.as_deref().map(panic_message).unwrap_or_default();
    match kind {
        CrashKind::Refcount => Says::plain(match detail {
            Some(detail) if detail.contains("underflow") => "reference counter dropped below zero",
            Some(detail) if detail.contains("addition on 0") => {
                "reference taken on an object whose counter is zero"
            }
            Some(detail) if detail.contains("saturated") => "reference counter overflowed",
            _ => "reference counter misused",
        }),
        CrashKind::StackProtector => {
            Says::plain("a local buffer overflowed over the stack's canary")
        }
        CrashKind::SleepingInAtomic => Says::plain("sleeps where sleeping is forbidden"),
        CrashKind::OutOfMemory => Says::plain("no memory left for an allocation"),
        CrashKind::Fortify => Says::plain("copy larger than its buffer"),
        CrashKind::ListCorruption => Says::plain("list with broken links changed"),
        CrashKind::Warn => Says::plain("fatal warning"),
        CrashKind::Panic => Says::new("panic called", format!("panic(\"{message}\") is called")),
        _ => Says::plain(message),
    }
}

/// The text given to `panic()`.
fn panic_message(headline: &str) -> String {
    let text = headline.strip_prefix("Kernel panic - not syncing: ").unwrap_or(headline);
    text.trim_end().to_owned()
}
