// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stacks that grew past their lower end.
//!
//! Since 4.9 a stack has a page below it that is not mapped, and touching that is a double fault.
//! Before, a stack lay in the direct mapping with `thread_info` at its lower end; one that grew too
//! far wrote over it and went on into whatever page was below. Only a word between the two tells
//! afterwards (`STACK_END_MAGIC`, `dup_task_struct()` of `kernel/fork.c`).

use super::Kernel;
use super::memory::VirtualMemory;
use super::tasks::Task;

/// `include/uapi/linux/magic.h`.
pub const STACK_END_MAGIC: u64 = 0x57ac_6e9d;

/// A stack that grew past its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overrun {
    /// The task whose stack it is.
    pub task: Task,
    /// Address of the word at the end of the stack.
    pub end: u64,
    /// What it holds instead of [`STACK_END_MAGIC`].
    pub found: u64,
}

impl Kernel<'_> {
    /// Whether the page below each task's stack is some other memory, not a guard page: those of
    /// kernels that keep `thread_info` on the stack.
    #[must_use]
    pub fn has_bare_stacks(&self) -> bool {
        self.has_field("thread_info", "task")
    }

    /// The stacks that grew past their end; none where guard pages do not let them.
    ///
    /// Such a stack may have written over the `task_struct` of another task; that one's stack is
    /// then not where it says, so a task counts only if it says so twice (`thread.sp0`).
    #[must_use]
    pub fn overruns(&self) -> Vec<Overrun> {
        if !self.has_bare_stacks() {
            return Vec::new();
        }
        let tasks = self.tasks().map(|listing| listing.items.as_slice()).unwrap_or_default();
        tasks.iter().filter_map(|task| self.overrun(task)).collect()
    }

    fn overrun(&self, task: &Task) -> Option<Overrun> {
        let size = self.thread_size();
        // The first task's stack is a variable of the kernel, and nobody marked its end.
        let is_first = self.symbol("init_task").ok() == Some(task.address);
        if is_first || task.stack == 0 || !task.stack.is_multiple_of(size) {
            return None;
        }
        let top = self.object("task_struct", task.address).number("thread.sp0");
        if top.is_ok_and(|top| top != task.stack.wrapping_add(size)) {
            return None;
        }
        let end = task.stack.checked_add(self.size_of("thread_info").ok()?)?;
        let found = self.read_u64(end).ok().filter(|found| *found != STACK_END_MAGIC)?;
        Some(Overrun { task: task.clone(), end, found })
    }
}
