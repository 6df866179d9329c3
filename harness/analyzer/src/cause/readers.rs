// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tasks that wait until all who read under RCU have ended.
//!
//! A kernel with preemptible RCU counts for each task how many sections it is in (`task_struct`,
//! `rcu_read_lock_nesting`). Of others, a CPU that runs without scheduling holds a grace period up.

use unwind::Frame;

use super::everybody::{Everybody, called};
use super::flush::Awaited;
use crate::claim::Claim;
use crate::diagnosis::Event;
use crate::scene::Scene as _;
use kernel::tasks::{Task, TaskState};

/// Functions that wait for a grace period (`kernel/rcu/tree.c`, `kernel/rcu/update.c`, `net/core/dev.c`).
const WAITING: [&str; 8] = [
    "synchronize_rcu",
    "synchronize_rcu_expedited",
    "synchronize_rcu_normal",
    "synchronize_sched",
    "synchronize_net",
    "rcu_barrier",
    "__wait_rcu_gp",
    "wait_rcu_gp",
];
/// A task that is in so many sections at once has lost its count.
const MOST: u64 = 1 << 16;

/// The reader that holds the grace period up that the frames wait for: one of a module, that is in a section
/// for sure, or runs without end.
pub(super) fn reading(all: &Everybody<'_, '_>, task: &Task, frames: &[Frame]) -> Option<Awaited> {
    let waits = |frame: &Frame| all.machine.is_in(frame.pc.for_lookup(), &WAITING);
    if !frames.iter().any(waits) {
        return None;
    }
    let others = all.in_modules().iter().copied().filter(|it| it.address != task.address);
    let others = others.filter(|it| it.state != TaskState::Exited);
    let others: Vec<&Task> = others.filter(|it| all.is_in_module(it)).collect();
    let is_reader = |it: &&&Task| sections(all, it).is_some_and(|count| count > 0);
    let mut readers = others.iter().filter(is_reader);
    let (reader, is_sure, words) = match readers.next() {
        // Those that began after the wait have no part in it.
        Some(first) => (*first, readers.next().is_none(), "which is in a section as a reader"),
        None => {
            let counts = sections(all, task).is_some();
            let runs = |it: &&&Task| !counts && all.is_running(it);
            let first = others.iter().find(runs)?;
            (*first, false, "whose CPU runs without scheduling")
        }
    };
    let why = format!("waits for the readers of RCU, of which one is task {}", called(reader));
    let why = Claim::new(Some(true)).text(why).volatile(format!(" (pid {})", reader.pid));
    let why = why.text(format!(", {words},"));
    Some(Awaited { task: reader.clone(), event: Event::Readers, is_sure, why })
}

/// How many sections the task is in; `None` where the kernel does not count them.
fn sections(all: &Everybody<'_, '_>, task: &Task) -> Option<u64> {
    let object = all.machine.kernel().object("task_struct", task.address);
    let count = object.number("rcu_read_lock_nesting").ok()? & u64::from(u32::MAX);
    (count < MOST).then_some(count)
}
