// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to look at next, for each kind of crash.

use crate::fault::Diagnosis;
use crate::report::{Confidence, CrashKind};

/// What a colleague would look at next, most promising first; two lines at most.
pub fn advice(diagnosis: &Diagnosis) -> Vec<String> {
    let expression = diagnosis.expression.as_deref();
    let named = expression.map_or_else(|| "the pointer".to_owned(), |e| format!("`{e}`"));
    let mut lines = match &diagnosis.next {
        Some(next) => vec![next.clone()],
        None => by_kind(diagnosis.kind, expression, &named),
    };
    if diagnosis.confidence != Confidence::Proven
        && let Some(why) = &diagnosis.unknown
    {
        lines.insert(0, format!("what the dump could not tell: {why}"));
    }
    lines.truncate(2);
    lines
}

fn by_kind(kind: CrashKind, expression: Option<&str>, named: &str) -> Vec<String> {
    use CrashKind as K;
    let line = match kind {
        K::NullCall | K::NullRead | K::NullWrite => match expression {
            Some(e) if e.ends_with("()") => {
                format!("what makes `{e}` return NULL, and the check of its result that is missing")
            }
            _ => format!("who should have set {named}, and whether it may be NULL here"),
        },
        K::ErrPtr => format!("the IS_ERR() check of {named} that is missing"),
        K::Uninitialized => format!("the path on which {named} is not set"),
        K::UseAfterFree => {
            format!(
                "who freed the object while {named} was still in use, and the reference it lacks"
            )
        }
        K::DoubleFree => "the two places that free the object, and who owns it".to_owned(),
        K::ListCorruption => {
            "who takes the entry out of the list, and the lock that should keep the two apart"
                .to_owned()
        }
        K::HeapOverflow | K::OutOfBounds | K::Fortify => {
            "who wrote or read past the end: the object before this one, and its length checks"
                .to_owned()
        }
        K::StackProtector => {
            "what writes to the function's local arrays, and its length checks".to_owned()
        }
        K::StackOverflow => {
            "what ends the recursion, or which locals could be allocated".to_owned()
        }
        K::UserAccess => "copy_from_user(), copy_to_user() or get_user() in its place".to_owned(),
        K::UnloadedCode => {
            "the timer, work, hook or callback that the module left registered when it went"
                .to_owned()
        }
        K::FreedInitCode => {
            "why a function marked __init is called after initialization".to_owned()
        }
        K::DivideError => format!("the check that {named} is not 0"),
        K::Refcount => {
            "the get and put calls of the object: one put too many, or a get too late".to_owned()
        }
        K::SoftLockup | K::HardLockup | K::RcuStall => {
            "what should end the loop or release the lock, and who could not run meanwhile"
                .to_owned()
        }
        K::HungTask => "who should wake the task or give the lock back".to_owned(),
        K::Deadlock => "the order in which the locks are taken".to_owned(),
        K::SleepingInAtomic => {
            "the spinlock, RCU section or interrupt that the sleeping call is made in".to_owned()
        }
        K::OutOfMemory => {
            "what allocates without end: `kmem -s`, and the allocations of the module".to_owned()
        }
        _ => return Vec::new(),
    };
    vec![line]
}
