// SPDX-License-Identifier: MIT OR Apache-2.0
//! What kernel code itself reported by a fatal warning or by `panic()`.
//!
//! The stack begins with the functions that report; whom they report comes after them, maybe
//! beyond the exception of a `WARN()`'s trap.

use unwind::Frame;

use super::canary::{canary, overrun};
use super::check_kind::check_of;
use super::given::given;
use super::subject::{Checker, Subject};
use super::taken::spinlock_before;
use super::{name, place};
use crate::blame::{blamed, tied};
use crate::claim::Claim;
use crate::diagnosis::{Check, Diagnosis, Grounds, What};
use crate::fault::called;
use crate::formats;
use crate::kind::CrashKind;
use crate::machine::Machine;
use crate::scene::Scene;
use crate::told::Told;

/// Frames that may be those of the report.
const REPORTING_FRAMES: usize = 24;

/// Functions between the code that something is wrong with and the crash.
const REPORTING: [&str; 50] = [
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
    // `lib/list_debug.c`, `lib/refcount.c` and `mm/usercopy.c` of 3.10.
    "__list_add",
    "__list_add_rcu",
    "__list_del_entry",
    "list_del",
    "refcount_add",
    "refcount_inc",
    "refcount_dec",
    "refcount_sub_and_test",
    "report_usercopy",
    "kasan_report",
    "end_report",
    "print_report",
    "__ubsan_handle_out_of_bounds",
];

/// Functions that a module calls to stop the machine.
const PANICS: [&str; 3] = ["panic", "vpanic", "nmi_panic"];

/// What the kernel complains of in a function that reports.
fn complaint_of(function: &str) -> Option<CrashKind> {
    Some(match function {
        "refcount_warn_saturate" | "refcount_error_report" => CrashKind::Refcount,
        "__stack_chk_fail" => CrashKind::StackProtector,
        "fortify_panic" | "__fortify_panic" | "__fortify_report" | "usercopy_abort" => {
            CrashKind::Fortify
        }
        "__list_add_valid"
        | "__list_add_valid_or_report"
        | "__list_del_entry_valid"
        | "__list_del_entry_valid_or_report" => CrashKind::ListCorruption,
        "__warn_printk" | "warn_slowpath_fmt" | "warn_slowpath_null" => CrashKind::Warn,
        _ => return None,
    })
}

/// Diagnoses what the frames from `panic()` outwards report.
pub(super) fn diagnose(
    machine: &dyn Scene,
    dump: Option<&Machine<'_>>,
    frames: &[Frame],
    told: &Told,
) -> Diagnosis {
    let kind = told.kind.unwrap_or(CrashKind::Panic);
    let from = reported(machine, frames);
    let from = access(machine, frames, from, told).unwrap_or(from);
    let guilty = blamed(machine, frames, from);
    let pc = frames.get(guilty).map(|frame| frame.pc);
    let blame = tied(machine, frames, from, guilty);
    let mut diagnosis = Diagnosis { pc, blame, ..Diagnosis::of_kind(kind) };
    let Some(frame) = frames.get(guilty) else { return diagnosis };
    let is_outside = machine.is_outside(frame.pc.for_lookup());
    diagnosis.grounds = if is_outside && guilty == from {
        Grounds::Shown
    } else if is_outside {
        Grounds::Inferred
    } else {
        Grounds::None
    };
    diagnosis.what = What::Check(Check::new(check_of(kind, told)));
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
    if is_outside && matches!(kind, CrashKind::Warn | CrashKind::Bug) {
        diagnosis.given = given(machine, None, frames.get(guilty..).unwrap_or_default());
    }
    if guilty == from
        && let Some(called) = called(machine, frame)
    {
        let words = format!("{} called `{called}`", place(machine, frame));
        diagnosis.evidence.push(Claim::new(Some(true)).text(words));
        // The log cannot be read, which would tell what the kernel complained of.
        if kind == CrashKind::Panic && !PANICS.contains(&called.as_str()) {
            let kind = complaint_of(&called);
            diagnosis.grounds = if kind.is_some() { Grounds::Inferred } else { Grounds::None };
            let unread = Told { kind, ..Told::default() };
            let kind = kind.unwrap_or(CrashKind::Unknown);
            diagnosis.what = What::Check(Check::new(check_of(kind, &unread)));
            diagnosis.unknown =
                Some("the log does not say what the kernel complained of".to_owned());
        }
    }
    if kind == CrashKind::StackProtector {
        match dump.and_then(|dump| canary(dump, frame)) {
            Some(claim) => diagnosis.evidence.push(claim),
            None => diagnosis.grounds = diagnosis.grounds.max(Grounds::Inferred),
        }
        if let (Some((array, claim)), What::Check(check)) =
            (dump.and_then(|dump| overrun(dump, frame)), &mut diagnosis.what)
        {
            check.expression = Some(array);
            diagnosis.evidence.push(claim);
        }
    }
    if kind == CrashKind::SleepingInAtomic
        && let Some((claim, lock)) =
            spinlock_before(machine, frames.get(guilty..).unwrap_or_default())
    {
        diagnosis.evidence.push(claim);
        if let What::Check(check) = &mut diagnosis.what {
            check.expression = lock;
        }
    }
    if kind == CrashKind::Refcount && is_outside {
        counter(machine, frames, guilty, &mut diagnosis);
    }
    if kind == CrashKind::Sysrq {
        asked_for(machine, frames, &mut diagnosis);
    } else if !is_outside {
        diagnosis.unknown =
            Some("no module from outside of the kernel's tree is on the stack".to_owned());
    }
    diagnosis
}

/// Position of the frame whose access KFENCE reports: it is noticed by a page fault, and so lies behind
/// the exception.
fn access(machine: &dyn Scene, frames: &[Frame], from: usize, told: &Told) -> Option<usize> {
    told.detail.as_deref().filter(|detail| formats::is_by_page_fault(detail))?;
    if machine.is_outside(frames.get(blamed(machine, frames, from))?.pc.for_lookup()) {
        return None;
    }
    let behind = frames.iter().enumerate().skip(from + 1);
    behind.into_iter().find(|(_, frame)| frame.exception.is_some()).map(|(at, _)| at)
}

/// A crash that somebody asked for by sysrq-c has no other cause.
fn asked_for(machine: &dyn Scene, frames: &[Frame], diagnosis: &mut Diagnosis) {
    const HANDLER: &str = "sysrq_handle_crash";
    let handler = frames.iter().find(|frame| machine.is_in(frame.pc.for_lookup(), &[HANDLER]));
    let Some(handler) = handler.filter(|frame| frame.trust < unwind::Trust::Scan) else { return };
    diagnosis.pc = Some(handler.pc);
    diagnosis.grounds = Grounds::Shown;
    let claim = Claim::new(Some(true)).code(handler.pc.address());
    diagnosis.evidence.push(claim.text(" crashes the kernel on request"));
    diagnosis.what = What::Requested;
}

/// The counter that is complained of: its name and what it holds.
fn counter(machine: &dyn Scene, frames: &[Frame], guilty: usize, diagnosis: &mut Diagnosis) {
    let subject = Subject::of(machine, frames, guilty);
    let Some(subject) = subject.filter(|it| it.checker == Checker::Refcount) else { return };
    diagnosis.about = Some(subject.about.clone());
    let (Some(address), Some(name)) = (subject.value, subject.object.clone()) else { return };
    let Some(value) = machine.word(address, 4) else { return };
    let claim = Claim::new(Some(true)).text(format!("the counter `{name}` at ")).data(address);
    diagnosis.evidence.push(claim.text(" holds ").data(value));
    if let What::Check(check) = &mut diagnosis.what {
        check.expression = Some(name);
    }
}

/// Position of the first frame outside of the functions that report.
pub(super) fn reported(machine: &dyn Scene, frames: &[Frame]) -> usize {
    frames
        .iter()
        .take(REPORTING_FRAMES)
        .rposition(|frame| machine.is_in(frame.pc.for_lookup(), &REPORTING))
        .map_or(0, |last| last + 1)
}
