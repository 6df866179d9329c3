// SPDX-License-Identifier: MIT OR Apache-2.0
//! Run queues (`struct rq`, `kernel/sched/sched.h`): which tasks want to run on each CPU.

use super::tasks::Task;
use super::trees::Order;
use super::{Kernel, Listing, Unavailable};

/// Tasks of one queue that are listed.
const MAX_QUEUED: usize = 1 << 16;
/// Groups inside of groups that are followed.
const MAX_GROUPS: usize = 16;
/// Real-time priorities (`MAX_RT_PRIO`).
const RT_PRIORITIES: u64 = 100;

/// The run queue of a CPU.
#[derive(Debug, Clone)]
pub struct RunQueue {
    /// The CPU.
    pub cpu: u32,
    /// Address of its `struct rq`.
    pub address: u64,
    /// The task that runs.
    pub current: Task,
    /// The queue's clock, in nanoseconds.
    pub clock: Option<u64>,
    /// Address of the array of real-time tasks.
    pub realtime_at: u64,
    /// Real-time tasks that wait for the CPU, with their priority, highest first.
    pub realtime: Listing<(u64, Task)>,
    /// Address of the tree of ordinary tasks.
    pub fair_at: u64,
    /// Ordinary tasks that wait for the CPU, in the order in which they will run.
    pub fair: Listing<Task>,
    /// Tasks with deadlines that wait for the CPU.
    pub deadline: Listing<Task>,
}

impl Kernel<'_> {
    /// The run queue of a CPU.
    ///
    /// # Errors
    /// If it cannot be found; damage of its queues is in the listings.
    pub fn run_queue(&self, cpu: u32) -> Result<RunQueue, Unavailable> {
        let address = self.percpu_address("runqueues", cpu)?;
        let queue = self.object("rq", address);
        let current = self.task_at(queue.number("curr")?)?;
        let fair_at = queue.address_of("cfs.tasks_timeline")?;
        Ok(RunQueue {
            cpu,
            address,
            clock: queue.number("clock").ok(),
            realtime_at: queue.address_of("rt.active")?,
            realtime: self.queued_realtime(&queue, current.address),
            fair_at,
            fair: self.queued_fair(queue.address_of("cfs")?, current.address),
            deadline: self.queued_deadline(&queue, current.address),
            current,
        })
    }

    /// When a task last began to run, by the clock of its run queue, in nanoseconds.
    ///
    /// # Errors
    /// If the kernel does not keep that.
    pub fn last_arrival(&self, task: u64) -> Result<u64, Unavailable> {
        self.object("task_struct", task).number("sched_info.last_arrival")
    }

    fn queued_realtime(
        &self,
        queue: &super::object::Object<'_, '_>,
        current: u64,
    ) -> Listing<(u64, Task)> {
        let mut found = Listing::default();
        let places = || -> Result<_, Unavailable> {
            Ok((queue.address_of("rt.active.queue")?, self.field("task_struct", "rt.run_list")?))
        };
        let (queues, link) = match places() {
            Ok(places) => places,
            Err(why) => {
                found.damage.push(why);
                return found;
            }
        };
        for priority in 0..RT_PRIORITIES {
            let head = queues.wrapping_add(priority * 16);
            let listed = self.list(head, MAX_QUEUED, "a queue of real-time tasks");
            found.damage.extend(listed.damage);
            for entry in listed.items {
                match self.task_at(entry.wrapping_sub(link.offset)) {
                    Ok(task) if task.address == current => {}
                    Ok(task) => found.items.push((priority, task)),
                    Err(why) => found.damage.push(why),
                }
            }
        }
        found
    }

    fn queued_fair(&self, fair: u64, current: u64) -> Listing<Task> {
        let mut found = Listing::default();
        let mut todo = vec![(fair, 0_usize)];
        while let Some((fair, depth)) = todo.pop() {
            if depth > MAX_GROUPS || found.items.len() > MAX_QUEUED {
                let words = "groups of tasks are nested deeper than is followed".to_owned();
                found.damage.push(Unavailable::Damaged(words));
                break;
            }
            if let Err(why) = self.fair_level(fair, depth, current, &mut found, &mut todo) {
                found.damage.push(why);
            }
        }
        found
    }

    /// One level: tasks are listed, groups are to be walked.
    fn fair_level(
        &self,
        fair: u64,
        depth: usize,
        current: u64,
        found: &mut Listing<Task>,
        todo: &mut Vec<(u64, usize)>,
    ) -> Result<(), Unavailable> {
        let queue = self.object("cfs_rq", fair);
        let link = self.field("sched_entity", "run_node")?.offset;
        let top = self.cached_root(&queue, "tasks_timeline")?;
        let nodes = self.rb_nodes(top, Order::Sorted, MAX_QUEUED)?;
        found.damage.extend(nodes.damage);
        let mut entities: Vec<u64> =
            nodes.items.iter().map(|node| node.address.wrapping_sub(link)).collect();
        // What runs is in no tree, but its group may have others that wait.
        entities.extend(queue.number("curr").ok().filter(|entity| *entity != 0));
        let groups = self.has_field("sched_entity", "my_q");
        let inside = self.field("task_struct", "se")?.offset;
        for entity in entities {
            let group = match groups {
                true => self.object("sched_entity", entity).number("my_q")?,
                false => 0,
            };
            if group != 0 {
                todo.push((group, depth + 1));
                continue;
            }
            let task = entity.wrapping_sub(inside);
            if task != current {
                found.items.push(self.task_at(task)?);
            }
        }
        Ok(())
    }

    fn queued_deadline(
        &self,
        queue: &super::object::Object<'_, '_>,
        current: u64,
    ) -> Listing<Task> {
        let mut found = Listing::default();
        if !self.has_field("rq", "dl.root") {
            return found;
        }
        let walk = || -> Result<_, Unavailable> {
            let top = self.cached_root(queue, "dl.root")?;
            let link = self.field("task_struct", "dl.rb_node")?.offset;
            Ok((self.rb_nodes(top, Order::Sorted, MAX_QUEUED)?, link))
        };
        match walk() {
            Ok((nodes, link)) => {
                found.damage.extend(nodes.damage);
                for node in nodes.items {
                    match self.task_at(node.address.wrapping_sub(link)) {
                        Ok(task) if task.address == current => {}
                        Ok(task) => found.items.push(task),
                        Err(why) => found.damage.push(why),
                    }
                }
            }
            Err(why) => found.damage.push(why),
        }
        found
    }

    /// Top node of a tree; 4.14 put `rb_root_cached` around `rb_root` in many places.
    pub(super) fn cached_root(
        &self,
        object: &super::object::Object<'_, '_>,
        member: &str,
    ) -> Result<u64, Unavailable> {
        let cached = format!("{member}.rb_root.rb_node");
        object.number(&cached).or_else(|_| object.number(&format!("{member}.rb_node")))
    }
}
