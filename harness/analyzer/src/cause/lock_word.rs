// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a lock that is waited for is one: what is left in a freed object, or what nobody set, is
//! waited for without end too.

use kernel::locks::{Holder, LockKind};
use kernel::mm::slab_layout::SlotPart;
use kernel::queued_lock::WordState;

use super::lock::Wanted;
use super::lock_functions::LockSort;
use crate::claim::Claim;
use crate::diagnosis::NoLock;
use crate::fault::is_first_owners;
use crate::flow::Words as _;
use crate::identify::{FreedMemory, Identity, Pattern};
use crate::machine::Machine;
use crate::scene::Scene as _;

/// What is where a lock should be, if it is none; with what shows it.
pub(super) fn no_lock(machine: &Machine<'_>, lock: &Wanted) -> Option<(NoLock, Claim)> {
    let identity = machine.identity(lock.address);
    let freed = identity.as_ref().and_then(Identity::freed_memory);
    let slab = identity.and_then(|identity| identity.slab);
    let slab = slab.filter(|slab| slab.part == SlotPart::Object);
    let word = machine.word(lock.address, 4);
    let whole = machine.word(lock.address, 8);
    let filled = whole.and_then(|word| machine.identity(word)?.pattern);
    let is_filled =
        matches!(filled, Some(Pattern::Poison { offset: 0, poison, .. }) if !poison.is_of_list());
    let is_new =
        matches!(filled, Some(Pattern::Poison { poison, .. }) if poison.fills_new_objects());
    let cannot_be =
        word.is_some_and(|word| is_filled || spin(machine, lock, word) == Some(WordState::NoLock));
    let in_use = slab.as_ref().filter(|slab| slab.state.is_free() == Some(false));
    let no = match (freed, in_use) {
        (Some(freed), _) => NoLock::Freed(freed),
        (None, Some(slab)) if cannot_be && is_new => {
            let is_certain = is_first_owners(machine, slab);
            NoLock::NeverWritten { cache: slab.slab.cache.name.clone(), is_certain }
        }
        _ if cannot_be => NoLock::Other,
        _ => return None,
    };
    let claim = Claim::new(Some(true)).text("the lock's word at ").data(lock.address);
    let claim = match word {
        Some(word) if cannot_be => claim.text(" is ").data(word).text(", which is none of a lock"),
        _ => claim,
    };
    let claim = match (&slab, &no) {
        (Some(slab), NoLock::Freed(FreedMemory::Object { cache })) => {
            let and = if cannot_be { ", and" } else { "" };
            claim.text(format!("{and} is in a free object of {cache}, ")).data(slab.start)
        }
        (_, NoLock::Freed(FreedMemory::Pages)) => {
            claim.text(if cannot_be { ", and is in a free page" } else { " is in a free page" })
        }
        (Some(slab), NoLock::NeverWritten { cache, .. }) => {
            claim.text(format!("; it is in an object of {cache} in use, ")).data(slab.start)
        }
        _ => claim,
    };
    Some((no, claim))
}

/// Whether somebody has the lock, as far as its word tells.
pub(super) fn is_taken(machine: &Machine<'_>, lock: &Wanted) -> Option<bool> {
    let word = machine.word(lock.address, 4)?;
    match lock.sort {
        LockSort::Spin => Some(spin(machine, lock, word)? == WordState::Taken),
        LockSort::Read | LockSort::Write if has(machine, &READ_WRITE) => {
            let state = machine.kernel().queued_read_write(word);
            match (state.writer, state.readers) {
                (true, _) => Some(true),
                (false, false) => Some(false),
                // One who waits to read is counted, too.
                (false, true) => (lock.sort == LockSort::Write).then_some(true),
            }
        }
        LockSort::Read | LockSort::Write | LockSort::Sleep(_) | LockSort::Srcu => None,
    }
}

/// What the word of a spinlock says.
pub(super) fn word(machine: &Machine<'_>, lock: &Wanted) -> Option<Claim> {
    let word = machine.word(lock.address, 4)?;
    let is_taken = spin(machine, lock, word)? == WordState::Taken;
    let claim = Claim::new(Some(true)).text("the lock's word is ").data(word);
    Some(claim.text(if is_taken { ": it is taken" } else { ": it is free by now" }))
}

/// What the word of a spinlock says; `None` if it is none, or one of another form that cannot be read.
fn spin(machine: &Machine<'_>, lock: &Wanted, word: u64) -> Option<WordState> {
    let kernel = machine.kernel();
    match lock.sort {
        LockSort::Spin if has(machine, &SPIN) => Some(kernel.queued_spin(word).state),
        LockSort::Spin => match kernel.lock(LockKind::Spin, lock.address).ok()?.holder {
            Holder::Nobody => Some(WordState::Free),
            _ => Some(WordState::Taken),
        },
        _ => None,
    }
}

/// Functions of kernels that have queued spinlocks (4.2 and later, and RHEL's 3.10), and queued locks for
/// readers and writers (3.16 and later, and RHEL's 3.10).
const SPIN: [&str; 2] = ["native_queued_spin_lock_slowpath", "queued_spin_lock_slowpath"];
const READ_WRITE: [&str; 2] = ["queued_write_lock_slowpath", "queue_write_lock_slowpath"];

fn has(machine: &Machine<'_>, functions: &[&str]) -> bool {
    functions.iter().any(|name| machine.kernel().symbol(name).is_ok())
}
