// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who has a lock that is waited for, and how sure that is.
//!
//! A lock's word names a `task_struct`. The task may have exited with the lock held, and its memory may be
//! another one's by now, even that of who waits. So the name counts only where the task's own stack shows
//! that it took the lock.

use std::collections::BTreeSet;

use unwind::{Frame, Trust};

use super::everybody::Everybody;
use super::lock::{Wanted, listed, wanted};
use super::lock_functions::LockSort;
use super::place;
use super::releases::is_handed_over;
use super::taken::holds;
use crate::claim::Claim;
use crate::identify::FreedMemory;
use crate::printer::CodeNames as _;
use crate::scene::Scene as _;
use kernel::locks::{Holder, Lock, LockKind};
use kernel::tasks::{Task, TaskState};

/// Who has a lock.
#[derive(Debug, Clone)]
pub(super) enum Owner {
    /// A task whose stack shows where it took the lock.
    Shown(Shown),
    /// The lock's word names a task, whose stack does not show that it took the lock.
    Named(Task),
    /// It names a task that has exited.
    Exited(Task),
    /// It names memory that was an exited task's, most likely: the one that has it by now is younger than
    /// the wait of the first who waits.
    Younger(Task),
    /// Readers; none of them shows on a stack.
    Readers,
    /// The lock lies in a freed object of that cache.
    Freed(FreedMemory),
    /// No task, by now.
    Nobody,
    /// Who waits is not in its list: it is no lock any more, or another one.
    Lost,
    /// Not known.
    Unknown,
}

/// A task whose stack shows where it took a lock.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) task: Task,
    pub(super) taken: Claim,
    /// Whether the lock's word names it.
    pub(super) is_named: bool,
    /// Whether it is sure that the task has the lock.
    pub(super) is_sure: bool,
}

/// Who has the lock that a task waits for.
pub(super) fn owner(all: &Everybody<'_, '_>, waiter: &Task, lock: &Wanted) -> Owner {
    let LockSort::Sleep(kind) = lock.sort else {
        return by_stack(all, waiter, lock).map_or(Owner::Unknown, Owner::Shown);
    };
    let identity = all.machine.identity(lock.address);
    if let Some(freed) = identity.and_then(|identity| identity.freed_memory()) {
        return Owner::Freed(freed);
    }
    let Ok(state) = all.machine.kernel().lock(kind, lock.address) else { return Owner::Unknown };
    match state.holder {
        _ if is_lost(waiter, kind, &state) => Owner::Lost,
        _ if state.is_handed_over => Owner::Nobody,
        Holder::Nobody => Owner::Nobody,
        Holder::Task(address) => named(all, address, waiter, lock, &state),
        Holder::Readers { .. } => by_stack(all, waiter, lock).map_or(Owner::Readers, Owner::Shown),
        Holder::Somebody => by_stack(all, waiter, lock).map_or(Owner::Unknown, Owner::Shown),
    }
}

/// Whether the lock has forgotten who waits for it: that one is in its list from when it went to sleep until it
/// is woken. Something else was written there.
fn is_lost(waiter: &Task, kind: LockKind, state: &Lock) -> bool {
    let lists = matches!(kind, LockKind::Mutex | LockKind::RwSemaphore | LockKind::Semaphore);
    let sleeps = waiter.state == TaskState::Uninterruptible;
    lists && sleeps && !state.waiters.contains(&waiter.address)
}

/// The task that the lock's word names.
fn named(
    all: &Everybody<'_, '_>,
    address: u64,
    waiter: &Task,
    lock: &Wanted,
    state: &Lock,
) -> Owner {
    let kernel = all.machine.kernel();
    let Some(task) = all.at(address) else {
        // The kernel lists it no more; what it was can still be read for a while.
        let gone = kernel.task_at(address).ok().filter(|task| task.state == TaskState::Exited);
        return gone.filter(is_plausible).map_or(Owner::Unknown, Owner::Exited);
    };
    if task.state == TaskState::Exited {
        return Owner::Exited(task.clone());
    }
    if all.stack(task).is_empty() {
        return Owner::Unknown;
    }
    let shown = shown(all, task, waiter, lock, true).or_else(|| beside(all, task, waiter, lock));
    if let Some(shown) = shown {
        return Owner::Shown(shown);
    }
    // Those behind the first are not woken when the lock changes hands.
    let first = state.waiters.first().and_then(|first| all.at(*first));
    match first.is_some_and(|first| kernel.is_younger_than_wait(address, first) == Ok(true)) {
        true => Owner::Younger(task.clone()),
        false => Owner::Named(task.clone()),
    }
}

/// Whether what is left of a task is one: it had an id and a name.
fn is_plausible(task: &Task) -> bool {
    task.pid > 0
        && !task.comm.is_empty()
        && task.comm.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

/// The task, if it is in the kernel's function that the other one waits in: what takes the lock there may be
/// a function of its own, which has returned. One that waits for the lock itself has it as little.
///
/// Example: on 3.10 `param_attr_store()` calls what takes `param_lock`, and then a module's function.
fn beside(all: &Everybody<'_, '_>, task: &Task, waiter: &Task, lock: &Wanted) -> Option<Shown> {
    if task.address == waiter.address || waits_for(all, task, lock) {
        return None;
    }
    let function = |frame: &Frame| all.machine.function_entry(frame.pc.for_lookup());
    let waits = all.stack(waiter);
    // Of a module's function it is known what it takes.
    let caller = waits.get(lock.caller).filter(|frame| !all.is_outside(frame))?;
    let caller = function(caller)?;
    let frames = all.stack(task);
    let is_in_it = |frame: &&Frame| frame.trust != Trust::Scan && function(frame) == Some(caller);
    let frame = frames.iter().find(is_in_it)?;
    let words = format!("it is in {}, too, where the other one waits", place(all.machine, frame));
    let taken = Claim::new(Some(true)).text(words);
    Some(Shown { task: task.clone(), taken, is_sure: false, is_named: true })
}

/// Whether the task waits for that lock.
fn waits_for(all: &Everybody<'_, '_>, task: &Task, lock: &Wanted) -> bool {
    let frames = all.stack(task);
    let waits = wanted(all.machine, &frames).or_else(|| listed(all.machine, task, &frames));
    waits.is_some_and(|other| other.address == lock.address)
}

/// The task whose stack shows that it has a lock that names nobody: the surest, and of those one that
/// sleeps.
fn by_stack(all: &Everybody<'_, '_>, waiter: &Task, lock: &Wanted) -> Option<Shown> {
    let found = all.in_modules().iter().filter_map(|task| shown(all, task, waiter, lock, false));
    found.min_by_key(|shown| (!shown.is_sure, all.is_running(&shown.task)))
}

/// The task, if its stack shows that it has the lock; of the one that waits, apart from the call that it
/// waits in.
fn shown(
    all: &Everybody<'_, '_>,
    task: &Task,
    waiter: &Task,
    lock: &Wanted,
    is_named: bool,
) -> Option<Shown> {
    let frames = all.stack(task);
    let is_own = task.address == waiter.address;
    // A spinlock's waiter runs, and where on its stack it waits is counted from what was interrupted.
    if is_own && lock.sort.spins() {
        return None;
    }
    let hold = holds(all.machine, frames.get(if is_own { lock.caller } else { 0 }..)?, lock)?;
    // A semaphore may let several in, and who waits for it may never be to give it back.
    // Readers of SRCU that began after the wait have no part in it.
    let is_counted = matches!(lock.sort, LockSort::Sleep(LockKind::Semaphore) | LockSort::Srcu);
    let handed_over = || {
        let outside = frames.iter().filter(|frame| all.is_outside(frame));
        let modules = outside.filter_map(|it| all.machine.code_name(it.pc.for_lookup())?.module);
        let modules: BTreeSet<String> = modules.collect();
        modules.iter().any(|module| is_handed_over(all.machine, module, lock.sort))
    };
    let is_shown = is_named || hold.is_kept && hold.is_fixed && !handed_over();
    let is_sure = hold.is_same && is_shown && !is_counted;
    // Another one that waits for it by the same code has it as little.
    if !is_named && !is_own && !is_sure && waits_for(all, task, lock) {
        return None;
    }
    Some(Shown { task: task.clone(), taken: hold.taken, is_named, is_sure })
}
