// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tasks: the list of processes, their threads, and each CPU's idle task.

use std::collections::BTreeSet;

use super::{Kernel, Listing, Unavailable, list};

/// Tasks that are listed at most: `PID_MAX_LIMIT` of 64-bit kernels (`include/linux/threads.h`).
const MAX_TASKS: usize = 4 << 20;

/// A thread, as the kernel sees it (`struct task_struct`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Address of its `task_struct`.
    pub address: u64,
    /// The thread's id; 0 for idle tasks.
    pub pid: i32,
    /// The process's id, that is, its first thread's.
    pub tgid: i32,
    /// Command name, at most fifteen bytes.
    pub comm: String,
    /// What it does.
    pub state: TaskState,
    /// CPU it runs on or ran on last, if that can be told.
    pub cpu: Option<u32>,
    /// Lowest address of its kernel stack.
    pub stack: u64,
    /// Address of its `mm_struct`; 0 for kernel threads.
    pub mm: u64,
    /// Address of the `task_struct` of its parent (`real_parent`).
    pub parent: u64,
    /// `PF_*` flags of `include/linux/sched.h`.
    pub flags: u32,
}

/// What a task does (`TASK_*` of `include/linux/sched.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Runs or could run.
    Running,
    /// Sleeps until something happens or a signal comes.
    Interruptible,
    /// Sleeps until something happens.
    Uninterruptible,
    /// A kernel thread that waits for work; does not count as load (4.2 and later).
    Idle,
    /// Stopped by a signal or a debugger.
    Stopped,
    /// Has exited. Zombie and dead swapped their values in 3.14, so they are not told apart.
    Exited,
    /// A state whose value differs between kernels.
    Other(u64),
}

impl TaskState {
    /// From `state` (`__state` since 5.14) and `exit_state`.
    ///
    /// The low four bits have meant the same in every version; those above say what wakes the
    /// task, whether it may be frozen and the like, and moved around.
    const fn new(state: u64, exit_state: u64) -> Self {
        const NO_LOAD: u64 = 0x400;
        if exit_state != 0 {
            return Self::Exited;
        }
        match state & 0xf {
            0 if state == 0 => Self::Running,
            1 => Self::Interruptible,
            2 if state & NO_LOAD != 0 => Self::Idle,
            2 => Self::Uninterruptible,
            4 | 8 => Self::Stopped,
            _ => Self::Other(state),
        }
    }
}

/// Two letters, as `ps` of crash(8) prints them.
impl std::fmt::Display for TaskState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Running => f.write_str("RU"),
            Self::Interruptible => f.write_str("IN"),
            Self::Uninterruptible => f.write_str("UN"),
            Self::Idle => f.write_str("ID"),
            Self::Stopped => f.write_str("ST"),
            Self::Exited => f.write_str("ZO"),
            Self::Other(state) => write!(f, "0x{state:x}"),
        }
    }
}

impl Kernel<'_> {
    /// All tasks: the idle task of each CPU, then the kernel's list, each process followed by its
    /// other threads.
    ///
    /// # Errors
    /// If the list's start is unknown. Damage further on is in the listing.
    pub fn tasks(&self) -> Result<&Listing<Task>, Unavailable> {
        self.tasks.get_or_init(|| self.list_tasks()).as_ref().map_err(Clone::clone)
    }

    /// The task whose `task_struct` is at `address`.
    ///
    /// # Errors
    /// If its memory cannot be read or its layout is unknown.
    pub fn task_at(&self, address: u64) -> Result<Task, Unavailable> {
        let task = self.object("task_struct", address);
        let state = if self.has_field("task_struct", "__state") { "__state" } else { "state" };
        let stack = task.number("stack")?;
        Ok(Task {
            address,
            pid: task.int("pid")?,
            tgid: task.int("tgid")?,
            comm: task.text("comm")?,
            state: TaskState::new(task.number(state)?, task.number("exit_state")?),
            cpu: self.task_cpu(address, stack),
            stack,
            mm: task.number("mm")?,
            parent: task.number("real_parent")?,
            flags: task.int("flags")?.cast_unsigned(),
        })
    }

    /// Each possible CPU with the task that runs on it, where that can be read.
    pub fn running(&self) -> &[(u32, Task)] {
        self.running.get_or_init(|| {
            let cpus = self.possible_cpus().unwrap_or_default();
            let current = |cpu| Some((cpu, self.current_task(cpu).ok()?));
            cpus.into_iter().filter_map(current).collect()
        })
    }

    /// The task that runs on `cpu`.
    ///
    /// # Errors
    /// If the per-CPU data or the task cannot be read.
    pub fn current_task(&self, cpu: u32) -> Result<Task, Unavailable> {
        let address = self.percpu_hot_u64("current_task", cpu)?;
        let mut task = self.task_at(address)?;
        // It runs here whatever its own note of it says.
        task.cpu = Some(cpu);
        Ok(task)
    }

    /// The idle task of `cpu`.
    ///
    /// # Errors
    /// If the per-CPU data or the task cannot be read.
    pub fn idle_task(&self, cpu: u32) -> Result<Task, Unavailable> {
        let runqueue = self.object("rq", self.percpu_address("runqueues", cpu)?);
        let mut task = self.task_at(runqueue.number("idle")?)?;
        task.cpu = Some(cpu);
        Ok(task)
    }

    /// CPU of a task. The number moved: into `thread_info` at the bottom of the stack (to 4.8),
    /// `task_struct.cpu` (4.9 to 5.15), `thread_info` inside `task_struct` (since 5.16).
    fn task_cpu(&self, address: u64, stack: u64) -> Option<u32> {
        let task = self.object("task_struct", address);
        let cpu = if self.has_field("task_struct", "thread_info.cpu") {
            task.number("thread_info.cpu")
        } else if self.has_field("task_struct", "cpu") {
            task.number("cpu")
        } else {
            self.object("thread_info", stack).number("cpu")
        };
        u32::try_from(cpu.ok()?).ok().filter(|cpu| u64::from(*cpu) < super::cpus::MAX_CPUS)
    }

    fn list_tasks(&self) -> Result<Listing<Task>, Unavailable> {
        let mut tasks = Listing::default();
        let mut seen = BTreeSet::new();
        match self.up_cpus() {
            Ok(cpus) => {
                for cpu in cpus {
                    match self.idle_task(cpu) {
                        Ok(task) if seen.insert(task.address) => tasks.items.push(task),
                        Ok(_) => {}
                        Err(why) => tasks.damage.push(why),
                    }
                }
            }
            Err(why) => tasks.damage.push(why),
        }
        let link = self.field("task_struct", "tasks")?.offset;
        let head = self.symbol("init_task")?.wrapping_add(link);
        let leaders = list::walk(self, head, MAX_TASKS, "the list of tasks");
        tasks.damage.extend(leaders.damage);
        for leader in leaders.items {
            self.list_process(leader.wrapping_sub(link), &mut seen, &mut tasks);
        }
        Ok(tasks)
    }

    /// Adds a process's first thread and then the others.
    fn list_process(&self, leader: u64, seen: &mut BTreeSet<u64>, tasks: &mut Listing<Task>) {
        let threads = self
            .threads(leader)
            .unwrap_or_else(|why| Listing { items: Vec::new(), damage: vec![why] });
        tasks.damage.extend(threads.damage);
        for address in std::iter::once(leader).chain(threads.items) {
            if tasks.items.len() >= MAX_TASKS || !seen.insert(address) {
                continue;
            }
            match self.task_at(address) {
                Ok(task) => tasks.items.push(task),
                Err(why) => tasks.damage.push(why),
            }
        }
    }

    /// Addresses of the threads of the process that `leader` leads, it among them or not.
    ///
    /// `signal->thread_head` has been there since 3.14 (RHEL 7 has it too) and the older
    /// `thread_group` went away in 6.7.
    fn threads(&self, leader: u64) -> Result<Listing<u64>, Unavailable> {
        let task = self.object("task_struct", leader);
        let what = format!("the list of threads of task 0x{leader:016x}");
        let by_signal = self.has_field("task_struct", "thread_node")
            && self.has_field("signal_struct", "thread_head");
        let (head, member) = if by_signal {
            let signal = self.object("signal_struct", task.number("signal")?);
            (signal.address_of("thread_head")?, "thread_node")
        } else {
            (task.address_of("thread_group")?, "thread_group")
        };
        let offset = self.field("task_struct", member)?.offset;
        let mut found = list::walk(self, head, MAX_TASKS, &what);
        for link in &mut found.items {
            *link = link.wrapping_sub(offset);
        }
        Ok(found)
    }
}

impl Kernel<'_> {
    /// Root of the page tables of a task's process, for
    /// [`AddressSpace::read_at`](super::space::AddressSpace::read_at).
    ///
    /// # Errors
    /// If the task has none (a kernel thread) or they cannot be found.
    pub fn user_tables(&self, task: &Task) -> Result<vmcore::PhysAddr, Unavailable> {
        if task.mm == 0 {
            let words = format!("{} (pid {}) is a kernel thread", task.comm, task.pid);
            return Err(Unavailable::Damaged(words));
        }
        let root = self.object("mm_struct", task.mm).number("pgd")?;
        self.space().physical(root).map_err(|source| Unavailable::memory("mm_struct.pgd", source))
    }
}
