// SPDX-License-Identifier: MIT OR Apache-2.0
//! All tasks of the crashed machine, each stack walked once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use unwind::Frame;

use super::stack_of;
use crate::machine::Machine;
use crate::outside::OUTSIDE;
use crate::scene::Scene as _;
use crate::stacks::StackWords;
use kernel::modules::Module;
use kernel::tasks::{Task, TaskState};

/// Tasks that are looked at.
const MAX_TASKS: usize = 1 << 16;
/// Stacks that are walked: the report of a machine with many tasks takes seconds, not minutes.
const MAX_WALKS: usize = 2048;

/// All tasks.
pub(super) struct Everybody<'m, 'k> {
    pub(super) machine: &'m Machine<'k>,
    tasks: &'m [Task],
    stacks: RefCell<BTreeMap<u64, Rc<[Frame]>>>,
    outside: Vec<&'k Module>,
}

impl<'m, 'k> Everybody<'m, 'k> {
    /// Of a machine whose list of tasks can be read.
    pub(super) fn new(machine: &'m Machine<'k>) -> Option<Self> {
        let tasks = machine.kernel().tasks().ok()?.items.as_slice();
        let outside = machine.modules().map(|(module, _)| module);
        Some(Self {
            machine,
            tasks: tasks.get(..tasks.len().min(MAX_TASKS))?,
            stacks: RefCell::default(),
            outside: outside.filter(|module| module.taints & OUTSIDE != 0).collect(),
        })
    }

    /// The task with that `task_struct`, if the kernel lists it.
    pub(super) fn at(&self, address: u64) -> Option<&'m Task> {
        self.tasks.iter().find(|task| task.address == address)
    }

    /// The task with that id.
    pub(super) fn with_pid(&self, pid: i32) -> Option<&'m Task> {
        self.tasks.iter().find(|task| task.pid == pid)
    }

    /// Tasks that sleep where nothing interrupts them.
    pub(super) fn asleep(&self) -> impl Iterator<Item = &'m Task> {
        self.tasks.iter().filter(|task| task.state == TaskState::Uninterruptible)
    }

    /// A task's stack; nothing of one that cannot be walked.
    pub(super) fn stack(&self, task: &Task) -> Rc<[Frame]> {
        if let Some(known) = self.stacks.borrow().get(&task.address) {
            return Rc::clone(known);
        }
        let is_full = self.stacks.borrow().len() >= MAX_WALKS;
        let frames = if is_full { None } else { stack_of(self.machine, task) };
        let frames: Rc<[Frame]> = frames.unwrap_or_default().into();
        self.stacks.borrow_mut().insert(task.address, Rc::clone(&frames));
        frames
    }

    /// Tasks that have code of a module from outside of the kernel's tree on their stacks, or run.
    pub(super) fn in_modules(&self) -> impl Iterator<Item = &'m Task> {
        self.tasks.iter().filter(|task| task.state != TaskState::Exited && self.has_module(task))
    }

    /// Whether a word of the stack that the task uses is an address in such a module.
    fn has_module(&self, task: &Task) -> bool {
        let kernel = self.machine.kernel();
        if kernel.running().iter().any(|(_, running)| running.address == task.address) {
            return task.pid != 0;
        }
        let Some(stack) = kernel.task_stack(task) else { return false };
        let sp = kernel.object("task_struct", task.address).number("thread.sp");
        let Ok(sp) = sp else { return false };
        if !(stack.low..stack.high).contains(&sp) {
            return false;
        }
        let is_of_module =
            |word: u64| self.outside.iter().any(|module| module.region_at(word).is_some());
        StackWords::new(kernel, sp, stack.high).any(|(_, word)| is_of_module(word))
    }

    /// Whether the frame is of a module from outside of the kernel's tree.
    pub(super) fn is_outside(&self, frame: &Frame) -> bool {
        self.machine.is_outside(frame.pc.for_lookup())
    }
}
