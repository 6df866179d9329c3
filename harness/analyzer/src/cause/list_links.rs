// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the dump has in the links of a list that the kernel found to be wrong.

use super::fresh::Fresh;
use super::subject::Subject;
use crate::claim::Claim;
use crate::diagnosis::{CheckKind, Diagnosis, Grounds, ListEntry, What};
use crate::identify::FreedMemory;
use crate::leftover::{MARK_LEFT, may_be_left};
use crate::scene::Scene;

/// `LIST_POISON1` of `include/linux/poison.h` on x86-64, since and before 4.3: the next of an entry
/// that is out.
const LIST_POISON: [u64; 2] = [0xdead_0000_0000_0100, 0xdead_0000_0010_0100];

/// Looks at what was to be put into a list, and the two entries that it was to be put between.
pub(super) fn put_between(
    machine: &dyn Scene,
    entry: &Subject,
    neighbours: &[Subject],
    diagnosis: &mut Diagnosis,
) {
    let [previous, next] = neighbours else { return };
    if let Some(list) = head(previous, next) {
        no_list(machine, list, diagnosis);
        itself(entry, list, diagnosis);
    }
    in_already(machine, entry, [previous, next], diagnosis);
    broken(machine, (previous, next), diagnosis);
}

/// The one of two neighbours that the code was given as the list: the other one was read from it.
///
/// Example: `list_add(&new->link, &clients)` reads `clients.next`, which is an entry or the list itself.
fn head<'s>(previous: &'s Subject, next: &'s Subject) -> Option<&'s Subject> {
    let is_read_from = |one: &Subject, list: &Subject, offset: u64| {
        let at = list.value.map(|value| value.wrapping_add(offset));
        at.is_some() && one.read.is_some_and(|read| read.0 == at)
    };
    if is_read_from(next, previous, 0) {
        return Some(previous);
    }
    if is_read_from(previous, next, 8) {
        return Some(next);
    }
    match (previous.read, next.read) {
        (None, Some(_)) => Some(previous),
        (Some(_), None) => Some(next),
        _ => None,
    }
}

/// A list that is put into itself.
///
/// Example: `list_add_tail(head, head)` of a function that was to put in `&x->link`.
fn itself(entry: &Subject, list: &Subject, diagnosis: &mut Diagnosis) {
    let What::Check(check) = &mut diagnosis.what else { return };
    let at = entry.value.filter(|at| list.value == Some(*at));
    let Some(at) = at.filter(|_| check.kind == CheckKind::List(ListEntry::InAlready)) else {
        return;
    };
    let claim = Claim::new(Some(true)).text("the entry and the list that it is put into are both ");
    diagnosis.evidence.push(claim.data(at));
    check.kind = CheckKind::List(ListEntry::Itself);
}

/// An entry that is put in and that the list leads to already.
fn in_already(
    machine: &dyn Scene,
    entry: &Subject,
    neighbours: [&Subject; 2],
    diagnosis: &mut Diagnosis,
) {
    let What::Check(check) = &mut diagnosis.what else { return };
    let Some(at) = entry.value.filter(|at| neighbours.iter().any(|it| it.value == Some(*at)))
    else {
        return;
    };
    // Its links are not as the list left them, where the kernel complains of those.
    let is_intact = match check.kind {
        CheckKind::List(ListEntry::InAlready) => true,
        CheckKind::List(ListEntry::Unknown) => false,
        _ => return,
    };
    let doubt = match &entry.fresh {
        Some(Fresh { by, is_untouched }) => {
            let named = entry.object.as_ref().map_or_else(|| "it".to_owned(), |c| format!("`{c}`"));
            let claim = Claim::new(Some(true)).text(format!("{named} at ")).data(at);
            let words = format!(" is in memory that `{by}` gave, and the list leads there already");
            diagnosis.evidence.push(claim.text(words));
            check.kind = CheckKind::List(ListEntry::Reused);
            (!is_untouched).then_some("functions ran since, which may have put it in")
        }
        // What an allocator cleared has the links of a list only if it was put in since.
        None if is_intact && !may_be_left(machine, at) => None,
        None => {
            check.kind = CheckKind::List(ListEntry::InAlready);
            Some(
                "either it was put in before, or its memory was freed while it was in the list, and allocated again",
            )
        }
    };
    doubt.into_iter().for_each(|doubt| diagnosis.leave_open(doubt));
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
    diagnosis.evidence.push(in_freed(claim, freed.as_ref()));
    check.kind =
        CheckKind::List(if freed.is_some() { ListEntry::Freed } else { ListEntry::Broken });
    check.expression = Some(name);
}

/// A list that something is put into, with NULL in both of its links, or in freed memory.
///
/// Example: where what is freed is cleared (`init_on_free`), a list in it has NULL in both of its links, too.
fn no_list(machine: &dyn Scene, list: &Subject, diagnosis: &mut Diagnosis) {
    let Some(at) = list.value else { return };
    let links = machine.word(at, 8).zip(machine.word(at.wrapping_add(8), 8));
    let What::Check(check) = &mut diagnosis.what else { return };
    if links != Some((0, 0)) {
        return;
    }
    let named = list.object.as_ref().map(|c| format!("`{c}` at ")).unwrap_or_default();
    let claim = Claim::new(Some(true)).text(format!("the list {named}")).data(at);
    let claim = claim.text(" has NULL in both of its links");
    let freed = machine.identity(at).and_then(|identity| identity.freed_memory());
    check.kind = CheckKind::List(match &freed {
        Some(_) => ListEntry::ListFreed,
        None => ListEntry::NoList,
    });
    diagnosis.evidence.push(in_freed(claim, freed.as_ref()));
    check.expression.clone_from(&list.object);
    diagnosis.about = Some(list.about.clone());
}

/// The claim, with the free memory that its address is in.
fn in_freed(claim: Claim, freed: Option<&FreedMemory>) -> Claim {
    match freed {
        Some(freed) => claim.text(format!(", and is in {freed}")),
        None => claim,
    }
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
    }
    if let What::Check(check) = &mut diagnosis.what {
        if is_out {
            check.kind = CheckKind::List(ListEntry::OutAlready);
        }
        check.expression = Some(name);
    }
    if is_out && may_be_left(machine, entry) {
        diagnosis.leave_open(MARK_LEFT);
    }
}
