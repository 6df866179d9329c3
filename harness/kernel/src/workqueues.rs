// SPDX-License-Identifier: MIT OR Apache-2.0
//! Work queues (`kernel/workqueue.c`, 3.9 and later): what is queued, what runs, on whom.
//!
//! A queue (`workqueue_struct`) feeds pools of workers (`worker_pool`), one `pool_workqueue` for
//! each pair. A pool's `worklist` has what may start at once; what has to wait for others of its
//! own queue is with the pair (`inactive_works`; `delayed_works` up to 5.14).

use std::collections::BTreeSet;

use super::{Kernel, Listing, Unavailable};

/// Entries of one list that are followed.
const MAX_ENTRIES: usize = 1 << 16;
/// Heads of a pool's table of busy workers (`1 << BUSY_WORKER_HASH_ORDER`), where the type does not
/// tell.
const BUSY_HEADS: u64 = 64;
/// Bits of `work_struct.data` that are flags when it points to a `pool_workqueue`
/// (`WORK_STRUCT_FLAG_BITS` is 8 in all versions from 3.9 on).
const DATA_FLAGS: u64 = 0xff;
/// Bit of `work_struct.data` that says so (`WORK_STRUCT_PWQ`).
const DATA_IS_PAIR: u64 = 4;

/// A pool of workers.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Address of its `worker_pool`.
    pub address: u64,
    /// Number.
    pub id: i32,
    /// The CPU that it is bound to; none for pools of unbound work.
    pub cpu: Option<u32>,
    /// Workers, and how many of them have nothing to do.
    pub workers: (u64, u64),
    /// Work that runs.
    pub running: Vec<Running>,
    /// Work that could start at once.
    pub pending: Vec<Work>,
    /// What could not be read.
    pub damage: Vec<Unavailable>,
}

/// A queue of work.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Address of its `workqueue_struct`.
    pub address: u64,
    /// Name.
    pub name: String,
    /// Addresses of its pairs with a pool, and of the pool.
    pub pairs: Vec<(u64, u64)>,
    /// Work that waits for other work of the same queue.
    pub inactive: Vec<Work>,
    /// Addresses of the `struct wq_flusher`s, on the stacks of who waits until the queue is empty.
    pub flushers: Vec<u64>,
}

/// Work that somebody does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Address of the `task_struct` of the worker.
    pub task: u64,
    /// The work.
    pub work: Work,
    /// Addresses of the work that this worker will do next; barriers of who waits for the work are among
    /// them, on the stacks of these.
    pub scheduled: Vec<u64>,
}

/// A `struct work_struct`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Address.
    pub address: u64,
    /// What is called.
    pub function: u64,
    /// Its `pool_workqueue`, while it is queued.
    pub pair: Option<u64>,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct WorkQueues {
    /// Queues in the kernel's order.
    pub queues: Vec<Queue>,
    /// Pools, in the order in which the queues lead to them.
    pub pools: Vec<Pool>,
    /// What could not be read.
    pub damage: Vec<Unavailable>,
}

impl Kernel<'_> {
    /// Queues, pools and their work.
    ///
    /// # Errors
    /// If the list of queues cannot be found.
    pub fn work_queues(&self) -> Result<WorkQueues, Unavailable> {
        let head = self.symbol("workqueues")?;
        let link = self.field("workqueue_struct", "list")?.offset;
        let listed = self.list(head, MAX_ENTRIES, "the list of work queues");
        let mut found = WorkQueues { damage: listed.damage, ..WorkQueues::default() };
        let mut pools = BTreeSet::new();
        for entry in listed.items {
            match self.queue(entry.wrapping_sub(link)) {
                Ok(queue) => {
                    for (_, pool) in &queue.pairs {
                        if *pool != 0 && pools.insert(*pool) {
                            match self.pool(*pool) {
                                Ok(pool) => found.pools.push(pool),
                                Err(why) => found.damage.push(why),
                            }
                        }
                    }
                    found.queues.push(queue);
                }
                Err(why) => found.damage.push(why),
            }
        }
        found.pools.sort_by_key(|pool| (pool.cpu.is_none(), pool.cpu, pool.id));
        Ok(found)
    }

    /// The `struct work_struct` at an address.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn work_at(&self, address: u64) -> Result<Work, Unavailable> {
        let work = self.object("work_struct", address);
        let data = work.number("data.counter").or_else(|_| work.number("data"))?;
        let pair = (data & DATA_IS_PAIR != 0).then_some(data & !DATA_FLAGS);
        Ok(Work { address, function: work.number("func")?, pair })
    }

    fn queue(&self, address: u64) -> Result<Queue, Unavailable> {
        let queue = self.object("workqueue_struct", address);
        let link = self.field("pool_workqueue", "pwqs_node")?.offset;
        let pairs = self.list(queue.address_of("pwqs")?, MAX_ENTRIES, "the pools of a work queue");
        let mut found = Queue {
            address,
            name: queue.text("name")?,
            pairs: Vec::new(),
            inactive: Vec::new(),
            flushers: self.flushers(&queue),
        };
        let waiting = match self.has_field("pool_workqueue", "inactive_works") {
            true => "inactive_works",
            false => "delayed_works",
        };
        for entry in pairs.items {
            let pair = self.object("pool_workqueue", entry.wrapping_sub(link));
            found.pairs.push((pair.address(), pair.number("pool")?));
            found.inactive.extend(self.works(pair.address_of(waiting)?).items);
        }
        Ok(found)
    }

    /// Who waits for the queue: the first one, and those behind it.
    fn flushers(&self, queue: &super::object::Object<'_, '_>) -> Vec<u64> {
        let link = self.field("wq_flusher", "list").map_or(0, |list| list.offset);
        let lists = ["flusher_queue", "flusher_overflow"];
        let heads = lists.iter().filter_map(|list| queue.address_of(list).ok());
        let entries = heads.flat_map(|head| self.list(head, MAX_ENTRIES, "who flushes").items);
        let first = queue.number("first_flusher").ok().filter(|first| *first != 0);
        first.into_iter().chain(entries.map(|entry| entry.wrapping_sub(link))).collect()
    }

    fn works(&self, head: u64) -> Listing<Work> {
        let listed = self.list(head, MAX_ENTRIES, "a list of work");
        let mut found = Listing { items: Vec::new(), damage: listed.damage };
        let link = self.field("work_struct", "entry").map_or(8, |entry| entry.offset);
        for entry in listed.items {
            match self.work_at(entry.wrapping_sub(link)) {
                Ok(work) => found.items.push(work),
                Err(why) => found.damage.push(why),
            }
        }
        found
    }

    fn pool(&self, address: u64) -> Result<Pool, Unavailable> {
        let pool = self.object("worker_pool", address);
        let pending = self.works(pool.address_of("worklist")?);
        let mut found = Pool {
            address,
            id: pool.int("id")?,
            cpu: u32::try_from(pool.int("cpu")?).ok(),
            workers: (pool.number("nr_workers")?, pool.number("nr_idle")?),
            running: Vec::new(),
            pending: pending.items,
            damage: pending.damage,
        };
        let heads = self.field("worker_pool", "busy_hash")?;
        let count = if heads.size >= 8 { heads.size / 8 } else { BUSY_HEADS };
        let link = self.field("worker", "hentry")?.offset;
        for index in 0..count {
            let head = address.wrapping_add(heads.offset).wrapping_add(index * 8);
            let workers = self.hlist(head, MAX_ENTRIES, "the busy workers of a pool");
            found.damage.extend(workers.damage);
            for entry in workers.items {
                match self.worker(entry.wrapping_sub(link)) {
                    Ok(running) => found.running.push(running),
                    Err(why) => found.damage.push(why),
                }
            }
        }
        found.running.sort_by_key(|running| running.task);
        Ok(found)
    }

    fn worker(&self, address: u64) -> Result<Running, Unavailable> {
        let worker = self.object("worker", address);
        let pair = worker.number("current_pwq").ok().filter(|pair| *pair != 0);
        let link = self.field("work_struct", "entry").map_or(8, |entry| entry.offset);
        let scheduled = worker
            .address_of("scheduled")
            .map(|head| self.list(head, MAX_ENTRIES, "the work of a worker").items);
        let scheduled = scheduled.unwrap_or_default().into_iter();
        Ok(Running {
            task: worker.number("task")?,
            scheduled: scheduled.map(|entry| entry.wrapping_sub(link)).collect(),
            // The function may have freed its work: what it is, the worker itself remembers.
            work: Work {
                address: worker.number("current_work")?,
                function: worker.number("current_func")?,
                pair,
            },
        })
    }
}
