// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the dump has in the links of a list that the kernel found to be wrong.

use super::subject::Subject;
use crate::claim::Claim;
use crate::diagnosis::{CheckKind, Diagnosis, Grounds, ListEntry, What};
use crate::express::Expression;
use crate::fault::{OLD_MARK, may_be_old};
use crate::identify::FreedMemory;
use crate::scene::Scene;

/// `LIST_POISON1` of `include/linux/poison.h` on x86-64, since and before 4.3: the next of an entry
/// that is out.
const LIST_POISON: [u64; 2] = [0xdead_0000_0000_0100, 0xdead_0000_0010_0100];

/// Looks at the two entries that something was to be put between.
pub(super) fn put_between(machine: &dyn Scene, entries: &[Subject], diagnosis: &mut Diagnosis) {
    for list in entries.iter().filter(|entry| !is_link(entry)) {
        no_list(machine, list, diagnosis);
    }
    let [previous, next] = entries else { return };
    broken(machine, (previous, next), diagnosis);
}

/// The one of two neighbours that does not lead back to the other: whether it is free by now.
///
/// Example: an entry that was freed without `list_del()`, and what has the memory by now has written there.
fn broken(machine: &dyn Scene, (previous, next): (&Subject, &Subject), diagnosis: &mut Diagnosis) {
    let What::Check(check) = &mut diagnosis.what else { return };
    let is_open = check.kind == CheckKind::List(ListEntry::Unknown);
    let Some((first, second)) = previous.value.zip(next.value).filter(|_| is_open) else { return };
    let back = |at: u64, offset: u64| machine.word(at.wrapping_add(offset), 8);
    let (bad, at, held, link) = match (back(second, 8), back(first, 0)) {
        (Some(held), _) if held != first => (next, second, held, "previous"),
        (_, Some(held)) if held != second => (previous, first, held, "next"),
        _ => return,
    };
    let Some(name) = bad.expression.clone().filter(|c| !c.is_number() && !c.has_distance()) else {
        return;
    };
    let claim = Claim::new(Some(true)).text(format!("`{name}` leads to ")).data(at);
    let claim = claim.text(", which has ").data(held).text(format!(" as its {link} entry"));
    let freed = machine.identity(at).and_then(|identity| identity.freed_memory());
    diagnosis.evidence.push(match &freed {
        Some(FreedMemory::Object { cache }) => {
            claim.text(format!(", and is in a free object of {cache}"))
        }
        Some(FreedMemory::Pages) => claim.text(", and is in a free page"),
        None => claim,
    });
    check.kind =
        CheckKind::List(if freed.is_some() { ListEntry::Freed } else { ListEntry::Broken });
    check.expression = Some(name);
}

/// Whether it is what a link of a list leads to: an entry, or the head again.
fn is_link(subject: &Subject) -> bool {
    matches!(&subject.expression, Some(Expression::Member(_, name)) if name == "next" || name == "prev")
}

/// Says of an entry that is in the list already that it may be another one by now than the one that was put in.
///
/// Example: an object that was freed without `list_del()`; the next one has the same memory.
pub(super) fn put_in_again(machine: &dyn Scene, entry: &Subject, diagnosis: &mut Diagnosis) {
    let is_again = matches!(&diagnosis.what, What::Check(it) if it.kind == CheckKind::List(ListEntry::InAlready));
    // The links of an object that was cleared in between would not be those of the list.
    if is_again && entry.value.is_some_and(|at| may_be_old(machine, at)) {
        let words =
            "either it was put in twice, or it was freed in its list, and is another one by now";
        diagnosis.leave_open(words);
    }
}

/// A list with NULL in both of its links, that something is put into.
fn no_list(machine: &dyn Scene, list: &Subject, diagnosis: &mut Diagnosis) {
    let Some(at) = list.value else { return };
    let links = machine.word(at, 8).zip(machine.word(at.wrapping_add(8), 8));
    let What::Check(check) = &mut diagnosis.what else { return };
    let is_told = matches!(check.kind, CheckKind::List(ListEntry::NoList | ListEntry::FreedList));
    if links != Some((0, 0)) || is_told {
        return;
    }
    let named = list.object.as_ref().map(|c| format!("`{c}` at ")).unwrap_or_default();
    let claim = Claim::new(Some(true)).text(format!("the list {named}")).data(at);
    let claim = claim.text(" has NULL in both of its links");
    let freed = machine.identity(at).and_then(|identity| identity.freed_memory());
    diagnosis.evidence.push(match &freed {
        Some(freed) => claim.text(format!(", and is in {freed}")),
        None => claim,
    });
    let entry = if freed.is_some() { ListEntry::FreedList } else { ListEntry::NoList };
    check.kind = CheckKind::List(entry);
    check.expression.clone_from(&list.object);
    diagnosis.about = Some(list.about.clone());
}

/// The entry that is taken out of a list: its name, and whether it is out already.
pub(super) fn deleted(machine: &dyn Scene, subject: &Subject, diagnosis: &mut Diagnosis) {
    let (Some(entry), Some(name)) = (subject.value, subject.object.clone()) else { return };
    let Some(next) = machine.word(entry, 8) else { return };
    let is_out = LIST_POISON.contains(&next);
    let claim = Claim::new(Some(true)).text(format!("`{name}` at ")).data(entry);
    let claim = claim.text(" holds ").data(next);
    let words = if is_out { ", the mark of an entry that is out" } else { " as its next entry" };
    diagnosis.evidence.push(claim.text(words));
    if is_out {
        diagnosis.grounds = Grounds::Shown;
        diagnosis.blame.flows = subject.flows;
        if may_be_old(machine, entry) {
            diagnosis.grounds = Grounds::Inferred;
            diagnosis.unknown = Some(OLD_MARK.to_owned());
        }
    }
    if let What::Check(check) = &mut diagnosis.what {
        if is_out {
            check.kind = CheckKind::List(ListEntry::OutAlready);
        }
        check.expression = Some(name);
    }
}
