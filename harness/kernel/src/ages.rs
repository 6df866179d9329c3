// SPDX-License-Identifier: MIT OR Apache-2.0
//! How old tasks are, and for how long one has not run.

use super::tasks::Task;
use super::{Kernel, Unavailable};

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

impl Kernel<'_> {
    /// When a task was made, in nanoseconds since boot: a number, or up to 3.16 a structure of seconds
    /// and nanoseconds.
    ///
    /// # Errors
    /// If its memory cannot be read.
    pub fn task_started(&self, task: u64) -> Result<u64, Unavailable> {
        let task = self.object("task_struct", task);
        let Ok(seconds) = task.number("start_time.tv_sec") else {
            return task.number("start_time");
        };
        let rest = task.number("start_time.tv_nsec")?;
        Ok(seconds.saturating_mul(SECOND).saturating_add(rest))
    }

    /// For how long a task has not run, in nanoseconds, at least: its queue's clock may have stood still
    /// for a while, and leaves interrupts out.
    ///
    /// # Errors
    /// If the task or its run queue cannot be read.
    pub fn waits_for(&self, task: &Task) -> Result<u64, Unavailable> {
        let cpu =
            task.cpu.ok_or_else(|| Unavailable::Damaged("a task without a CPU".to_owned()))?;
        let queue = self.object("rq", self.percpu_address("runqueues", cpu)?);
        let ran = self.object("task_struct", task.address).number("se.exec_start")?;
        Ok(queue.number("clock_task")?.saturating_sub(ran))
    }

    /// Whether a task was made after another one had begun to wait, by more than the clocks may differ.
    ///
    /// # Errors
    /// If one of the tasks or a clock cannot be read.
    pub fn is_younger_than_wait(&self, task: u64, waiter: &Task) -> Result<bool, Unavailable> {
        /// The count of ticks and the clock that tasks are stamped with differ by less.
        const SLACK: u64 = 2 * SECOND;
        let now = self.uptime_seconds()?.saturating_mul(SECOND);
        let age = now.saturating_sub(self.task_started(task)?);
        Ok(age.saturating_add(SLACK) < self.waits_for(waiter)?)
    }
}
