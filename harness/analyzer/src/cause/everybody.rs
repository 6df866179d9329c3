// SPDX-License-Identifier: MIT OR Apache-2.0
//! All tasks of the crashed machine; what is found out of each is found out once.

use std::cell::{OnceCell, RefCell};
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
use kernel::workqueues::WorkQueues;

/// Tasks that are looked at.
const MAX_TASKS: usize = 1 << 16;
/// Stacks that are walked: the report of a machine with many tasks takes seconds, not minutes.
const MAX_WALKS: usize = 2048;

/// All tasks.
pub(super) struct Everybody<'m, 'k> {
    pub(super) machine: &'m Machine<'k>,
    tasks: &'m [Task],
    /// Positions of the tasks by the addresses of their `task_struct`s.
    by_address: BTreeMap<u64, usize>,
    stacks: RefCell<BTreeMap<u64, Rc<[Frame]>>>,
    in_modules: OnceCell<Vec<&'m Task>>,
    queues: OnceCell<Option<WorkQueues>>,
    outside: Vec<&'k Module>,
}

impl<'m, 'k> Everybody<'m, 'k> {
    /// Of a machine whose list of tasks can be read.
    pub(super) fn new(machine: &'m Machine<'k>) -> Option<Self> {
        let tasks = machine.kernel().tasks().ok()?.items.as_slice();
        let tasks = tasks.get(..tasks.len().min(MAX_TASKS))?;
        let outside = machine.modules().map(|(module, _)| module);
        Some(Self {
            machine,
            tasks,
            by_address: tasks.iter().enumerate().map(|(at, task)| (task.address, at)).collect(),
            stacks: RefCell::default(),
            in_modules: OnceCell::new(),
            queues: OnceCell::new(),
            outside: outside.filter(|module| module.taints & OUTSIDE != 0).collect(),
        })
    }

    /// The task with that `task_struct`, if the kernel lists it.
    pub(super) fn at(&self, address: u64) -> Option<&'m Task> {
        self.tasks.get(*self.by_address.get(&address)?)
    }

    /// The task with that id.
    pub(super) fn with_pid(&self, pid: i32) -> Option<&'m Task> {
        self.tasks.iter().find(|task| task.pid == pid)
    }

    /// Tasks that sleep where nothing interrupts them.
    pub(super) fn asleep(&self) -> impl Iterator<Item = &'m Task> {
        self.tasks.iter().filter(|task| task.state == TaskState::Uninterruptible)
    }

    /// Whether a CPU runs the task.
    pub(super) fn is_running(&self, task: &Task) -> bool {
        let running = self.machine.kernel().running();
        running.iter().any(|(_, running)| running.address == task.address)
    }

    /// The queues of work and their workers.
    pub(super) fn queues(&self) -> Option<&WorkQueues> {
        self.queues.get_or_init(|| self.machine.kernel().work_queues().ok()).as_ref()
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
    pub(super) fn in_modules(&self) -> &[&'m Task] {
        self.in_modules.get_or_init(|| {
            let is_one = |task: &&Task| task.state != TaskState::Exited && self.has_module(task);
            self.tasks.iter().filter(is_one).collect()
        })
    }

    /// Whether a word of the stack that the task uses is an address in such a module.
    fn has_module(&self, task: &Task) -> bool {
        let kernel = self.machine.kernel();
        if self.is_running(task) {
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

    /// The names of those modules.
    pub(super) fn outside_modules(&self) -> Vec<String> {
        self.outside.iter().map(|module| module.name.clone()).collect()
    }

    /// Whether code of such a module is on the task's stack.
    pub(super) fn is_in_module(&self, task: &Task) -> bool {
        self.stack(task).iter().any(|frame| self.is_outside(frame))
    }

    /// Whether the frame is of a module from outside of the kernel's tree.
    pub(super) fn is_outside(&self, frame: &Frame) -> bool {
        self.machine.is_outside(frame.pc.for_lookup())
    }
}

/// The task's name. Of a worker, the number changes with each boot.
pub(super) fn called(task: &Task) -> String {
    let is_worker = task.comm.starts_with("kworker/");
    task.comm.split('/').next().filter(|_| is_worker).unwrap_or(&task.comm).to_owned()
}
