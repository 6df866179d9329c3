// SPDX-License-Identifier: MIT OR Apache-2.0
//! A check that failed and trapped: `BUG()`, `BUG_ON()`, or one of the kernel's own.

use unwind::Frame;

use super::check_kind::check_of;
use super::given::given;
use super::list_links::{deleted, put_between};
use super::overflow::{checking, overflow};
use super::room::room;
use super::subject::{Checker, Subject};
use super::{name, place};
use crate::blame::{blamed, tied};
use crate::claim::Claim;
use crate::diagnosis::{
    About, Check, CheckKind, Diagnosis, Freed, Given, Grounds, ListEntry, Overflow, What,
};
use crate::fault::{FREEING, called, condition, noted};
use crate::formats::{list_complaint, overflowing};
use crate::kind::CrashKind;
use crate::scene::Scene;
use crate::told::Told;

/// Bytes of `ud2`, the trap of `BUG()`.
const UD2: [u8; 2] = [0x0f, 0x0b];

/// Functions of the kernel whose `BUG()` says one thing only, by their names in the source
/// (`lib/list_debug.c`, `mm/usercopy.c`, `lib/string_helpers.c`, `mm/slub.c`, 4.8 to 6.12).
const CHECKS: [(&str, Says); 8] = [
    ("__list_add_valid", Says::List),
    ("__list_add_valid_or_report", Says::List),
    ("__list_del_entry_valid", Says::List),
    ("__list_del_entry_valid_or_report", Says::List),
    ("usercopy_abort", Says::UserCopy),
    ("fortify_panic", Says::Fortify),
    ("__fortify_panic", Says::Fortify),
    ("set_freepointer", Says::FreeAlready),
];

/// What a check says that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// The links of a list do not agree.
    List,
    /// What is to be copied does not fit the object.
    UserCopy,
    /// What is to be done does not fit the buffer.
    Fortify,
    /// `BUG_ON(object == fp)`: what is freed is the first of the free objects already.
    FreeAlready,
}

impl Says {
    const fn check(self) -> CheckKind {
        match self {
            Self::List => CheckKind::List(ListEntry::Unknown),
            Self::UserCopy => CheckKind::Fortify(Overflow::UserCopy),
            Self::Fortify => CheckKind::Fortify(Overflow::Buffer),
            Self::FreeAlready => CheckKind::DoubleFree(Freed::Unknown),
        }
    }
}

/// Functions that free what belongs to an object before they free the object itself (`net/core/skbuff.c`,
/// 3.10 to 6.12: `skb_release_all()`, then `kfree_skbmem()`).
const PARTS_FIRST: [&str; 8] = [
    "kfree_skb",
    "kfree_skb_reason",
    "sk_skb_reason_drop",
    "consume_skb",
    "__kfree_skb",
    "kfree_skb_list",
    "kfree_skb_list_reason",
    "dev_kfree_skb_any_reason",
];

/// Diagnoses a trap of the innermost frame, of the kind that the log tells.
pub(super) fn diagnose(
    machine: &dyn Scene,
    frames: &[Frame],
    kind: CrashKind,
    told: &Told,
) -> Diagnosis {
    let guilty = blamed(machine, frames, 0);
    let pc = frames.get(guilty).map(|frame| frame.pc);
    let blame = tied(machine, frames, 0, guilty);
    let says = frames.first().and_then(|first| by_function(machine, first));
    let mut check = Check::new(says.map_or_else(|| check_of(kind, told), Says::check));
    if let CheckKind::List(entry) = &mut check.kind {
        *entry = told.detail.as_deref().map_or(ListEntry::Unknown, list_complaint);
    }
    let kind = check.kind();
    let mut diagnosis = Diagnosis { pc, blame, ..Diagnosis::new(What::Check(check)) };
    let (Some(first), Some(frame)) = (frames.first(), frames.get(guilty)) else { return diagnosis };
    let at = first.pc.address();
    let bytes = machine.code_bytes(at);
    let trapped = bytes.starts_with(&UD2);
    let claim = Claim::new((!bytes.is_empty()).then_some(trapped)).code(at);
    let is_trap = trapped && kind == CrashKind::InvalidOpcode;
    diagnosis.evidence.push(claim.text(match is_trap {
        true => " is a trap of the code's own (`ud2`), which is none of the kernel's checks",
        false => " is the trap of a failed check (`ud2`)",
    }));
    if guilty == 0 {
        if trapped {
            diagnosis.grounds = Grounds::Shown;
        }
        if kind == CrashKind::Bug || is_trap {
            let (claims, expression) = condition(machine, frames);
            diagnosis.evidence.extend(claims);
            let kind = if is_trap { CheckKind::Trap } else { CheckKind::Bug };
            diagnosis.what = What::Check(Check { kind, expression });
        }
    } else if diagnosis.blame.outside {
        called_by(machine, (frames, guilty), frame, (says, kind, told), &mut diagnosis);
    }
    diagnosis
}

/// Diagnoses a failed check of the kernel in a function that a module called, or further in.
fn called_by(
    machine: &dyn Scene,
    (frames, guilty): (&[Frame], usize),
    frame: &Frame,
    (says, kind, told): (Option<Says>, CrashKind, &Told),
    diagnosis: &mut Diagnosis,
) {
    diagnosis.grounds = Grounds::Inferred;
    let inner = guilty.checked_sub(1).and_then(|at| frames.get(at));
    let running = inner.map(|inner| name(machine, inner));
    let Some(called) = called(machine, frame).or(running) else { return };
    let words = format!("{} called `{called}`", place(machine, frame));
    diagnosis.evidence.push(Claim::new(Some(true)).text(words));
    // What the check says is what the module's call came to, where the call went there at once.
    let is_direct = guilty == 1 && diagnosis.blame.linked;
    match says {
        Some(Says::FreeAlready) => {}
        Some(_) if is_direct => diagnosis.grounds = Grounds::Shown,
        None if is_direct && kind == CrashKind::Bug => {
            diagnosis.grounds = Grounds::Shown;
            let own = frames.get(guilty..).unwrap_or_default();
            let inner = frames.get(guilty.saturating_sub(1));
            diagnosis.given = given(machine, inner, own);
            let given = diagnosis.given.iter().flat_map(|it| &it.objects);
            let given = given.map(|it| it.expression.clone()).collect();
            let kind = CheckKind::Called { function: called, given };
            diagnosis.what = What::Check(Check::new(kind));
            let words = diagnosis.given.as_ref().map(Given::words);
            diagnosis.evidence.extend(words.map(|words| Claim::new(Some(true)).text(words)));
            return;
        }
        _ => {}
    }
    diagnosis.helper = Some(called.clone());
    if says == Some(Says::Fortify) {
        overflows(machine, (frames, guilty), told, diagnosis);
    }
    if let Some(subject) = Subject::of(machine, frames, guilty) {
        let given = Subject::given(machine, frames, guilty, subject.checker);
        let is_free = |subject: &Subject| is_free(machine, subject) == Some(true);
        // `kfree_skb(skb)` of an skb that is free frees its buffer, too, and that may be what is
        // noticed first: what the module freed is the skb.
        // Of other functions, it may have been freed once, on the way.
        let given = given.filter(is_free).filter(|given| given.value != subject.value);
        let is_guess = given.is_some() && !PARTS_FIRST.contains(&called.as_str());
        about(machine, given.as_ref().unwrap_or(&subject), kind, diagnosis);
        if is_guess {
            diagnosis.grounds = diagnosis.grounds.max(Grounds::Inferred);
        }
        let neighbours = Subject::neighbours(machine, frames, guilty);
        put_between(machine, &subject, &neighbours, diagnosis);
    }
    if says == Some(Says::FreeAlready) && diagnosis.grounds == Grounds::Inferred {
        let is_its = diagnosis.blame.linked && FREEING.contains(&called.as_str());
        noticed(is_its, diagnosis);
    }
}

/// Functions that write as much as they are told to (`include/linux/fortify-string.h`).
const WRITING: [&str; 4] = ["memcpy", "memmove", "memset", "strncpy"];

/// What would run over its buffer: the function, and the buffer, as far as they show.
fn overflows(
    machine: &dyn Scene,
    (frames, guilty): (&[Frame], usize),
    told: &Told,
    diagnosis: &mut Diagnosis,
) {
    let own = frames.get(guilty..).unwrap_or_default();
    let pc = own.first().map(|frame| frame.pc.for_lookup());
    let function = told.detail.as_deref().and_then(overflowing).map(str::to_owned);
    let function = function.or_else(|| checking(machine, pc?));
    let found = overflow(machine, own, function.as_deref()).filter(|_| guilty == 1);
    let about = match (found, &mut diagnosis.what) {
        (Some((found, expression, about, claim)), What::Check(check)) => {
            check.kind = CheckKind::Fortify(found);
            check.expression = Some(expression);
            diagnosis.evidence.extend(claim);
            about
        }
        _ => About::default(),
    };
    let is_writing = function.as_deref().is_some_and(|it| WRITING.contains(&it));
    let room = pc.and_then(|pc| room(machine, pc)).filter(|_| guilty == 1 && is_writing);
    diagnosis.about = Some(About { function, room, ..about });
}

/// The allocator itself found that the object is free. `is_its`: the function that the module called
/// frees what it is given and nothing else.
fn noticed(is_its: bool, diagnosis: &mut Diagnosis) {
    let What::Check(check) = &mut diagnosis.what else { return };
    if !is_its || check.kind != CheckKind::DoubleFree(Freed::Unknown) {
        return;
    }
    check.kind = CheckKind::DoubleFree(Freed::Again);
    let words = "the check compares the object with the first of the free ones: they are the same";
    diagnosis.evidence.push(Claim::new(Some(true)).text(words));
    diagnosis.grounds = Grounds::Shown;
}

/// What the kernel's function with the trap says.
fn by_function(machine: &dyn Scene, frame: &Frame) -> Option<Says> {
    if machine.is_outside(frame.pc.for_lookup()) {
        return None;
    }
    let inner = super::innermost(machine, frame)?;
    CHECKS.iter().find(|(name, _)| *name == inner).map(|(_, says)| *says)
}

/// Says what was checked.
fn about(machine: &dyn Scene, subject: &Subject, kind: CrashKind, diagnosis: &mut Diagnosis) {
    diagnosis.about = Some(subject.about.clone());
    match (subject.checker, kind) {
        (Checker::ListDel, CrashKind::ListCorruption) => deleted(machine, subject, diagnosis),
        (Checker::Free, CrashKind::DoubleFree) => freed(machine, subject, diagnosis),
        (Checker::ListAdd, CrashKind::ListCorruption) => {
            if let What::Check(check) = &mut diagnosis.what {
                check.expression = subject.object.clone();
            }
        }
        _ => {}
    }
}

/// Whether the dump has the object as a free one; `None` if it is none of the slab allocator's.
fn is_free(machine: &dyn Scene, subject: &Subject) -> Option<bool> {
    machine.identity(subject.value?)?.slab?.state.is_free()
}

/// The object that is freed: its name, and whether the dump has it as a free one.
fn freed(machine: &dyn Scene, subject: &Subject, diagnosis: &mut Diagnosis) {
    let Some(value) = subject.value else { return };
    let slab = machine.identity(value).and_then(|identity| identity.slab);
    let is_free = slab.as_ref().is_some_and(|slab| slab.state.is_free() == Some(true));
    let named = subject.expression.as_ref().filter(|c| !c.is_number());
    let the = named.map_or_else(|| "the object".to_owned(), |text| format!("`{text}`"));
    if let Some(slab) = &slab {
        let About { structure, part, .. } = subject.about.clone();
        diagnosis.about = Some(About { structure, part, ..noted(slab) });
        let claim = Claim::new(Some(true)).text(format!("{the} is ")).data(value);
        let state = match slab.state.is_free() {
            Some(true) => "which is free already",
            Some(false) => "in use",
            None => "of which the lists do not tell whether it is free",
        };
        let of = &slab.slab.cache.name;
        diagnosis.evidence.push(claim.text(format!(", an object of {of}, {state}")));
    }
    if is_free {
        diagnosis.grounds = Grounds::Shown;
        diagnosis.blame.flows = subject.flows;
    }
    let freed = if is_free { Freed::Again } else { Freed::Unknown };
    let expression = named.cloned();
    diagnosis.what = What::Check(Check { kind: CheckKind::DoubleFree(freed), expression });
}
