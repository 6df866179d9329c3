// SPDX-License-Identifier: MIT OR Apache-2.0
//! What failed, by the kind of crash and what the log says of it.

use crate::diagnosis::{CheckKind, Complaint, Freed, ListEntry, Overflow};
use crate::formats;
use crate::kind::CrashKind;
use crate::told::Told;

/// The check that a crash of the kind comes of.
pub(super) fn check_of(kind: CrashKind, told: &Told) -> CheckKind {
    let detail = told.detail.as_deref();
    match kind {
        CrashKind::Bug => CheckKind::Bug,
        CrashKind::InvalidOpcode => CheckKind::InvalidOpcode,
        CrashKind::UndefinedBehavior => CheckKind::Undefined,
        CrashKind::DoubleFree => CheckKind::DoubleFree(Freed::Unknown),
        CrashKind::Refcount => {
            CheckKind::Refcount(detail.map_or(Complaint::Other, formats::complaint))
        }
        CrashKind::StackProtector => CheckKind::StackProtector,
        CrashKind::SleepingInAtomic => CheckKind::SleepingInAtomic,
        CrashKind::OutOfMemory => CheckKind::OutOfMemory,
        CrashKind::Fortify => CheckKind::Fortify(Overflow::Either),
        CrashKind::ListCorruption => {
            CheckKind::List(detail.map_or(ListEntry::Unknown, formats::list_complaint))
        }
        CrashKind::Warn if is_fatal(told) => CheckKind::Warn,
        CrashKind::Warn => CheckKind::Warning,
        CrashKind::Panic => CheckKind::Panic { words: words(told) },
        other => CheckKind::Other(other, words(told).or_else(|| said(other, told))),
    }
}

/// Whether the kernel ended by what it reports.
fn is_fatal(told: &Told) -> bool {
    told.headline.as_deref().is_none_or(|headline| headline.starts_with(formats::PANIC))
}

/// What a check of the kernel's says, where it prints more than a kind.
fn said(kind: CrashKind, told: &Told) -> Option<String> {
    let words = match kind {
        CrashKind::UseAfterFree => "use after free",
        CrashKind::HeapOverflow => "access outside of a heap object",
        CrashKind::NullRead => "use of a NULL pointer",
        CrashKind::UserAccess => "access to memory of user space",
        CrashKind::GeneralProtection => "access to a wild address",
        CrashKind::OutOfBounds => "access out of bounds",
        CrashKind::Uninitialized => "use of memory that was never set",
        CrashKind::DataRace => "data race",
        CrashKind::BadPage => match told.headline.as_deref() {
            Some(line) if line.starts_with("BUG: Bad page") => "page in a bad state",
            _ => "memory that is not counted right",
        },
        CrashKind::MemoryLeak => "memory leak",
        CrashKind::AllocationFailure => "allocation that failed",
        CrashKind::HungTask => "work that makes no progress",
        CrashKind::Lockdep => return told.headline.as_deref().map(formats::rule),
        _ => return None,
    };
    Some(words.to_owned())
}

/// What was given to `panic()`, but where that only says that a report is fatal.
fn words(told: &Told) -> Option<String> {
    let headline = told.headline.as_deref().filter(|headline| headline.starts_with(formats::PANIC));
    headline.filter(|_| told.detail.is_none()).map(formats::panic_words)
}
