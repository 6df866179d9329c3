// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a lock that is waited for is one: what is left in a freed object, or what nobody set, is
//! waited for without end too.

use kernel::mm::slab_layout::SlotPart;

use super::lock::Wanted;
use super::lock_functions::LockSort;
use crate::claim::Claim;
use crate::diagnosis::NoLock;
use crate::flow::Words as _;
use crate::identify::Pattern;
use crate::machine::Machine;
use crate::scene::Scene as _;

/// Of a queued spinlock's word: the byte that says whether it is locked, and the values that it has
/// (`_Q_LOCKED_VAL`, and `_Q_SLOW_VAL` of a guest's kernel); the byte of the one who is next.
const LOCKED: u64 = 0xff;
const LOCKED_VALUES: [u64; 3] = [0, 1, 3];
const PENDING: u64 = 0xff00;
const PENDING_VALUES: [u64; 2] = [0, 0x100];
/// Position of the CPU at the end of the queue, counted from 1.
const TAIL_CPU: u32 = 18;

/// What is where a lock should be, if it is none; with what shows it.
pub(super) fn no_lock(machine: &Machine<'_>, lock: &Wanted) -> Option<(NoLock, Claim)> {
    let slab = machine.identity(lock.address).and_then(|identity| identity.slab);
    let slab = slab.filter(|slab| slab.part == SlotPart::Object);
    let word = machine.word(lock.address, 4);
    let whole = machine.word(lock.address, 8);
    let filled = whole.and_then(|word| machine.identity(word)?.pattern);
    let is_filled =
        matches!(filled, Some(Pattern::Poison { offset: 0, poison, .. }) if !poison.is_of_list());
    let is_free = slab.as_ref().and_then(|slab| slab.state.is_free());
    let cache = slab.as_ref().map(|slab| slab.slab.cache.name.clone());
    let cannot_be = word
        .is_some_and(|word| is_filled || is_queued(machine, lock) && !is_spinlock(machine, word));
    let no = match (cache, is_free) {
        (Some(cache), Some(true)) => NoLock::Freed { cache },
        (Some(cache), Some(false)) if cannot_be && is_filled => NoLock::NeverWritten { cache },
        _ if cannot_be => NoLock::Other,
        _ => return None,
    };
    let claim = Claim::new(Some(true)).text("the lock's word at ").data(lock.address);
    let claim = match word {
        Some(word) if cannot_be => claim.text(" is ").data(word).text(", which is none of a lock"),
        _ => claim,
    };
    let claim = match (&slab, &no) {
        (Some(slab), NoLock::Freed { cache }) => {
            let and = if cannot_be { ", and" } else { "" };
            claim.text(format!("{and} is in a free object of {cache}, ")).data(slab.start)
        }
        (Some(slab), NoLock::NeverWritten { cache }) => {
            claim.text(format!("; it is in an object of {cache} in use, ")).data(slab.start)
        }
        _ => claim,
    };
    Some((no, claim))
}

/// Whether somebody has the lock, as far as its word tells.
pub(super) fn is_taken(machine: &Machine<'_>, lock: &Wanted) -> bool {
    let is_free = |word: u64| is_queued(machine, lock) && word & LOCKED == 0;
    !machine.word(lock.address, 4).is_some_and(is_free)
}

/// What the word of a spinlock says.
pub(super) fn word(machine: &Machine<'_>, lock: &Wanted, is_taken: bool) -> Option<Claim> {
    let word = machine.word(lock.address, 4).filter(|_| is_queued(machine, lock))?;
    let claim = Claim::new(Some(true)).text("the lock's word is ").data(word);
    Some(claim.text(if is_taken { ": it is taken" } else { ": it is free by now" }))
}

/// Whether the word may be one of a queued spinlock.
fn is_spinlock(machine: &Machine<'_>, word: u64) -> bool {
    let cpus = machine.kernel().possible_cpus().ok();
    let most = cpus.and_then(|cpus| Some(u64::from(*cpus.last()?) + 1)).unwrap_or(u64::MAX);
    LOCKED_VALUES.contains(&(word & LOCKED))
        && PENDING_VALUES.contains(&(word & PENDING))
        && word >> TAIL_CPU <= most
}

/// Whether the lock is a queued spinlock, whose word tells. A kernel has them (4.2 and later, and RHEL's
/// 3.10) or tickets.
fn is_queued(machine: &Machine<'_>, lock: &Wanted) -> bool {
    let names = ["native_queued_spin_lock_slowpath", "queued_spin_lock_slowpath"];
    lock.sort == LockSort::Spin && names.iter().any(|name| machine.kernel().symbol(name).is_ok())
}
