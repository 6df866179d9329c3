// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stack of any task: where its registers are, and the walk from there.
//!
//! A task that runs has its registers in its CPU's note, the one that crashed in two places (see
//! [`context`](crate::context)), all others where the scheduler left them on their stacks.

pub(crate) mod exhaustion;
pub(crate) mod frame_chain;
mod returns;
mod running;
mod sleeping;
pub(crate) mod stack_end;
mod system_call;
mod words;

pub use exhaustion::Exhaustion;
pub(crate) use words::StackWords;

use unwind::{Register, Stack, Stacks, Start, StopReason, Walk, walk};

use crate::context::{FRAME_LIMIT, crashing, walks};
use crate::machine::Machine;
use kernel::tasks::Task;
use kernel::{Kernel, Unavailable};

/// A task's stack, walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskWalk {
    /// Where the walk began.
    pub origin: Origin,
    /// Frames, innermost first.
    pub walk: Walk,
}

/// Where the registers of a task came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It crashed: first the way to the capture kernel, then the registers of the fault.
    Crash,
    /// It ran; the registers are those of its CPU's note.
    Running {
        /// The CPU.
        cpu: u32,
    },
    /// It was switched out; the scheduler saved its registers.
    Sleeping,
    /// It was made and never ran.
    NeverRan,
}

/// Why nothing is known of a task's stack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWalk {
    /// The kernel frees the stack of a task that exited before its parent asks for the status.
    #[error("it has exited, its stack is freed")]
    Freed,
    /// It runs, but nothing saved the registers of its CPU.
    #[error("it runs on CPU {cpu}, whose registers are not in the dump")]
    NoRegisters {
        /// The CPU.
        cpu: u32,
    },
    /// The CPU was taken offline while its idle task ran; what it last saved is long stale.
    #[error("CPU {cpu} is offline, nothing saved its registers")]
    Offline {
        /// The CPU.
        cpu: u32,
    },
    /// What the scheduler saved cannot be read.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Machine<'_> {
    /// Walks the stack of a task, whatever it does.
    ///
    /// # Errors
    /// If the task has no stack any more, or its registers are not in the dump. A stack that is
    /// damaged further on gives what can be walked.
    pub fn backtrace_of(&self, task: &Task) -> Result<TaskWalk, NoWalk> {
        if task.stack == 0 {
            return Err(NoWalk::Freed);
        }
        let Some((cpu, current)) = self.running(task) else {
            let (origin, start) = self.saved_start(task)?;
            return Ok(TaskWalk { origin, walk: self.walk_task(start, task) });
        };
        let crash = self.kernel().crash();
        if crash.cpu == Some(cpu)
            && let Some(crashing) = crashing(self.kernel())
        {
            return Ok(TaskWalk { origin: Origin::Crash, walk: walks(self, &crashing).joined() });
        }
        let start = self.noted_start(cpu, current)?;
        Ok(TaskWalk { origin: Origin::Running { cpu }, walk: self.walk_task(start, task) })
    }

    /// Walks from `start`, knowing whose stack it is.
    pub fn walk_task(&self, start: Start, task: &Task) -> Walk {
        let kernel = self.kernel();
        let stacks = Near { own: kernel.task_stack(task), kernel };
        let tables = returns::TaskTables { machine: self, task: task.address };
        let mut walk = walk(kernel, &tables, &stacks, start, FRAME_LIMIT);
        if let StopReason::User(registers) = &mut walk.stop
            && registers.get(Register::Rsp).is_none()
        {
            self.complete_system_call(registers, task);
        }
        walk
    }
}

/// The kernel's stacks, with the one first that nearly all frames are on.
struct Near<'k, 'a> {
    own: Option<Stack>,
    kernel: &'k Kernel<'a>,
}

impl Stacks for Near<'_, '_> {
    fn stack_of(&self, address: u64) -> Option<Stack> {
        let own = self.own.filter(|own| (own.low..own.high).contains(&address));
        own.or_else(|| self.kernel.stack_of(address))
    }
}
