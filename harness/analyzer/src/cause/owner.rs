// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who has a lock that is waited for, and how sure that is.
//!
//! A lock's word names a `task_struct`. The task may have exited with the lock held, and its memory may be
//! another one's by now, even that of who waits. So the name counts only where the task's own stack shows
//! that it took the lock.

use unwind::{Frame, Trust};

use super::everybody::Everybody;
use super::lock::Wanted;
use super::lock_functions::LockSort;
use super::place;
use super::taken::holds;
use crate::claim::Claim;
use crate::scene::Scene as _;
use kernel::locks::{Holder, Lock};
use kernel::tasks::{Task, TaskState};

/// Functions further out that may be the one that takes a lock by another one.
const CALLERS: usize = 2;

/// Who has a lock.
#[derive(Debug, Clone)]
pub(super) enum Owner {
    /// A task whose stack shows where it took the lock.
    Shown {
        task: Task,
        taken: Claim,
        /// Whether it has it on each way to where it is.
        is_sure: bool,
        /// Whether the lock's word names it.
        is_named: bool,
    },
    /// The lock's word names a task, whose stack does not show that it took the lock.
    Named(Task),
    /// It names a task that has exited.
    Exited(Task),
    /// It names memory that was an exited task's: the one that has it by now is younger than the wait.
    Younger(Task),
    /// Readers; none of them shows on a stack.
    Readers,
    /// No task, by now.
    Nobody,
    /// Not known.
    Unknown,
}

/// Who has the lock that a task waits for.
pub(super) fn owner(all: &Everybody<'_, '_>, waiter: &Task, lock: &Wanted) -> Owner {
    let LockSort::Sleep(kind) = lock.sort else {
        return by_stack(all, waiter, lock).unwrap_or(Owner::Unknown);
    };
    let Ok(state) = all.machine.kernel().lock(kind, lock.address) else { return Owner::Unknown };
    match state.holder {
        _ if state.is_handed_over => Owner::Nobody,
        Holder::Nobody => Owner::Nobody,
        Holder::Task(address) => named(all, address, waiter, lock, &state),
        Holder::Readers { .. } => by_stack(all, waiter, lock).unwrap_or(Owner::Readers),
        Holder::Somebody => by_stack(all, waiter, lock).unwrap_or(Owner::Unknown),
    }
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
    if let Some(shown) = shown(all, task, waiter, lock, true) {
        return shown;
    }
    if let Some(beside) = beside(all, task, waiter, lock) {
        return beside;
    }
    let waiters = state.waiters.iter().filter_map(|waiter| all.at(*waiter));
    let is_younger = |waiter: &Task| kernel.is_younger_than_wait(address, waiter) == Ok(true);
    match waiters.chain([waiter]).any(is_younger) {
        true => Owner::Younger(task.clone()),
        false => Owner::Named(task.clone()),
    }
}

/// The task, if it is in the function that the other one waits in: what takes the lock there may be a function
/// of its own, which has returned. One that waits for the lock itself has it as little.
///
/// Example: on 3.10 `param_attr_store()` calls what takes `param_lock`, and then a module's function.
fn beside(all: &Everybody<'_, '_>, task: &Task, waiter: &Task, lock: &Wanted) -> Option<Owner> {
    let (own, frames) = (all.stack(waiter), all.stack(task));
    let waits = super::lock::wanted(all.machine, &frames)
        .or_else(|| super::lock::listed(all.machine, task, &frames));
    if waits.is_some_and(|other| other.address == lock.address) {
        return None;
    }
    let function = |frame: &Frame| all.machine.function_entry(frame.pc.for_lookup());
    let callers = own.iter().skip(lock.caller).take(CALLERS).filter_map(function);
    let callers: Vec<u64> = callers.collect();
    let is_in_it = |frame: &&Frame| {
        frame.trust != Trust::Scan && function(frame).is_some_and(|it| callers.contains(&it))
    };
    let frame = frames.iter().find(is_in_it)?;
    let words = format!("it is in {}, too, which takes the lock", place(all.machine, frame));
    Some(Owner::Shown {
        task: task.clone(),
        taken: Claim::new(Some(true)).text(words),
        is_sure: false,
        is_named: false,
    })
}

/// Whether what is left of a task is one: it had an id and a name.
fn is_plausible(task: &Task) -> bool {
    task.pid > 0
        && !task.comm.is_empty()
        && task.comm.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

/// The task whose stack shows that it has a lock that names nobody.
fn by_stack(all: &Everybody<'_, '_>, waiter: &Task, lock: &Wanted) -> Option<Owner> {
    let found = all.in_modules().filter_map(|task| shown(all, task, waiter, lock, false));
    let is_sure = |owner: &Owner| matches!(owner, Owner::Shown { is_sure: true, .. });
    let mut found: Vec<Owner> = found.collect();
    let best = found.iter().position(is_sure).unwrap_or(0);
    (!found.is_empty()).then(|| found.swap_remove(best))
}

/// The task, if its stack shows that it has the lock; of the one that waits, apart from the call that it
/// waits in.
fn shown(
    all: &Everybody<'_, '_>,
    task: &Task,
    waiter: &Task,
    lock: &Wanted,
    is_named: bool,
) -> Option<Owner> {
    let frames = all.stack(task);
    let from = if task.address == waiter.address { lock.caller } else { 0 };
    let (taken, is_sure) = holds(all.machine, frames.get(from..)?, lock)?;
    // Another one that waits for it by the same code has it as little.
    let is_waiter = !is_named && task.address != waiter.address && {
        let other = super::lock::wanted(all.machine, &frames);
        other.is_some_and(|other| other.address == lock.address) && !is_sure
    };
    let task = task.clone();
    (!is_waiter).then_some(Owner::Shown { task, taken, is_sure, is_named })
}
