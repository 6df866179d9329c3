// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tasks whose stacks tell why a machine hangs.

use crate::backtrace::{Line, lines, with_arguments};
use crate::cause::before_the_stop;
use crate::diagnosis::{Doing, Involved};
use crate::formats;
use crate::kind::CrashKind;
use crate::link::completed;
use crate::machine::Machine;
use crate::report::Does;
use kernel::log::LogLine;
use kernel::tasks::Task;

/// Tasks whose stacks are shown.
pub(crate) const MOST_PARTIES: usize = 4;

/// A task that has a part in a hang, with its stack.
pub(crate) struct Party {
    pub(crate) task: Task,
    pub(crate) does: Does,
    pub(crate) lines: Vec<Line>,
}

impl Party {
    /// The task, if it and its stack are in the dump.
    pub(crate) fn of(machine: &Machine<'_>, involved: &Involved) -> Option<Self> {
        let task = machine.kernel().task_at(involved.task).ok()?;
        let does = match involved.does {
            Doing::Waits => Does::Waits,
            Doing::Holds => Does::Holds,
            Doing::Runs => Does::Runs,
            Doing::OnCpu => Does::OnCpu,
        };
        let lines = Self::stack(machine, &task)?;
        Some(Self { task, does, lines })
    }

    /// The stack of a task; of one that ran, without how its CPU was stopped.
    pub(crate) fn stack(machine: &Machine<'_>, task: &Task) -> Option<Vec<Line>> {
        let mut walk = machine.backtrace_of(task).ok()?.walk;
        walk.frames = completed(machine, before_the_stop(machine, &walk.frames));
        let mut lines = lines(machine, &walk);
        with_arguments(machine, &walk, &mut lines);
        Some(lines)
    }
}

/// The task that the kernel's log complains of first, where hung tasks ended the kernel.
pub(crate) fn told_first(
    machine: &Machine<'_>,
    headline: Option<&str>,
    log: &[LogLine],
) -> Option<Task> {
    if formats::headline(headline?) != Some(CrashKind::HungTask) {
        return None;
    }
    let tasks = machine.kernel().tasks().ok()?;
    let (comm, pid) = log.iter().find_map(|line| formats::hung_task(&line.text))?;
    tasks.items.iter().find(|task| task.pid == pid && task.comm == comm).cloned()
}
