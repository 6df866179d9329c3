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
const WAITING: [&str; 7] = [
    "synchronize_rcu",
    "synchronize_rcu_expedited",
    "synchronize_rcu_normal",
    "synchronize_sched",
    "synchronize_net",
    "__wait_rcu_gp",
    "wait_rcu_gp",
];
/// A task that is in so many sections at once has lost its count.
const MOST: u64 = 1 << 16;

/// The reader that may hold the grace period up that the frames wait for: one of a module, that is in a section,
/// or runs without end.
pub(super) fn reading(all: &Everybody<'_, '_>, task: &Task, frames: &[Frame]) -> Option<Awaited> {
    let waits = |frame: &Frame| all.machine.is_in(frame.pc.for_lookup(), &WAITING);
    if !frames.iter().any(waits) {
        return None;
    }
    let is_reader = |task: &Task| sections(all, task).is_some_and(|count| count > 0);
    // Who waits for its own end as a reader waits for ever.
    if is_reader(task) {
        let why = Claim::new(Some(true)).text("waits for the readers of RCU, and is one itself, ");
        return Some(Awaited { task: task.clone(), event: Event::Readers, is_sure: true, why });
    }
    let others = all.in_modules().iter().copied().filter(|it| it.address != task.address);
    let others = others.filter(|it| it.state != TaskState::Exited);
    let others: Vec<&Task> = others.filter(|it| all.is_in_module(it)).collect();
    // One that sleeps has been a reader for longer than one that runs, most likely.
    let readers = others.iter().filter(|it| is_reader(it));
    let (reader, words) = match readers.min_by_key(|it| all.is_running(it)) {
        Some(first) => (*first, "which is in a section as a reader"),
        None => {
            let counts = sections(all, task).is_some();
            let first = others.iter().find(|it| !counts && all.is_running(it))?;
            (*first, "whose CPU runs without scheduling")
        }
    };
    let why = format!("waits for the readers of RCU, of which one is task {}", called(reader));
    let why = Claim::new(Some(true)).text(why).volatile(format!(" (pid {})", reader.pid));
    let why = why.text(format!(", {words},"));
    // It may have begun after the wait, which has no part in it then.
    Some(Awaited { task: reader.clone(), event: Event::Readers, is_sure: false, why })
}

/// How many sections the task is in; `None` where the kernel does not count them.
fn sections(all: &Everybody<'_, '_>, task: &Task) -> Option<u64> {
    let object = all.machine.kernel().object("task_struct", task.address);
    let count = object.number("rcu_read_lock_nesting").ok()? & u64::from(u32::MAX);
    (count < MOST).then_some(count)
}
