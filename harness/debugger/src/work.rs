// SPDX-License-Identifier: MIT OR Apache-2.0
//! `work`: work queues, what is queued and what runs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use analyzer::printer::CodeNames as _;
use kernel::Unavailable;
use kernel::workqueues::{Work, WorkQueues};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "work",
    summary: "work queues: what runs, what is queued, what waits for its time",
    usage: "[-a] [-q] [NAME...]",
    options: &[
        Flag::switch("a", "pools without work too"),
        Flag::switch("q", "the queues with their pools"),
    ],
    rules: &[Rule::OneOf(&["a", "q"])],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Pools {
    pools: Vec<Pool>,
    /// Work that waits for other work of its queue.
    inactive: Vec<Item>,
    /// Work that a timer will queue.
    delayed: Vec<Delayed>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Pool {
    id: i32,
    address: String,
    cpu: Option<u32>,
    workers: u64,
    idle: u64,
    running: Vec<Busy>,
    pending: Vec<Item>,
}

#[derive(Debug, Serialize)]
struct Busy {
    pid: Option<i32>,
    task: String,
    command: Option<String>,
    work: Item,
}

#[derive(Debug, Serialize)]
struct Item {
    address: String,
    function: String,
    queue: Option<String>,
    inside: Option<String>,
}

#[derive(Debug, Serialize)]
struct Delayed {
    cpu: u32,
    /// Ticks until it is queued; below 0: overdue.
    ticks: i64,
    work: Item,
}

#[derive(Debug, Serialize)]
struct Queues {
    queues: Vec<Queue>,
}

#[derive(Debug, Serialize)]
struct Queue {
    address: String,
    name: String,
    pools: Vec<i32>,
    inactive: usize,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let mut found = kernel.work_queues()?;
    if !arguments.words.is_empty() {
        let wanted = |name: &String| arguments.words.contains(name);
        found.queues.retain(|queue| wanted(&queue.name));
        if found.queues.is_empty() {
            let words = format!("no work queue `{}`", arguments.words.join(" "));
            return Err(CommandError::nothing(words));
        }
    }
    if arguments.has("q") {
        return Ok(Reply::new(queues(&found)));
    }
    let names = names(&found);
    let only = !arguments.words.is_empty();
    let item = |work: &Work| Item {
        address: format!("{:x}", work.address),
        function: session.code(work.function),
        queue: work.pair.and_then(|pair| names.get(&pair)).cloned(),
        inside: session.embedding(work.address).or_else(|| {
            let of = |kind| session.container(work.function, work.address, kind);
            of("work_struct").or_else(|| of("delayed_work"))
        }),
    };
    let ours = |work: &&Work| !only || work.pair.is_some_and(|pair| names.contains_key(&pair));
    let mut damage: Vec<&Unavailable> = found.damage.iter().collect();
    let mut pools = Vec::new();
    for pool in &found.pools {
        damage.extend(&pool.damage);
        let running = pool.running.iter().filter(|running| ours(&&running.work));
        let running: Vec<Busy> = running
            .map(|running| {
                let task = kernel.task_at(running.task).ok();
                Busy {
                    pid: task.as_ref().map(|task| task.pid),
                    command: task.map(|task| task.comm),
                    task: format!("{:x}", running.task),
                    work: item(&running.work),
                }
            })
            .collect();
        let pending: Vec<Item> = pool.pending.iter().filter(ours).map(item).collect();
        if arguments.has("a") || !running.is_empty() || !pending.is_empty() {
            let (workers, idle) = pool.workers;
            let address = format!("{:x}", pool.address);
            pools.push(Pool {
                id: pool.id,
                address,
                cpu: pool.cpu,
                workers,
                idle,
                running,
                pending,
            });
        }
    }
    let inactive = found.queues.iter().flat_map(|queue| &queue.inactive).map(item).collect();
    let damage = damage.iter().map(ToString::to_string).collect();
    let delayed = if only { Vec::new() } else { delayed(session, &item) };
    Ok(Reply::new(Pools { pools, inactive, delayed, damage }))
}

/// Queues by the addresses of their pairs with pools.
fn names(found: &WorkQueues) -> BTreeMap<u64, String> {
    let pairs = |queue: &kernel::workqueues::Queue| {
        queue.pairs.iter().map(|(pair, _)| (*pair, queue.name.clone())).collect::<Vec<_>>()
    };
    found.queues.iter().flat_map(pairs).collect()
}

fn queues(found: &WorkQueues) -> Queues {
    let id = |address: u64| found.pools.iter().find(|pool| pool.address == address);
    let queue = |queue: &kernel::workqueues::Queue| {
        let mut pools: Vec<i32> =
            queue.pairs.iter().filter_map(|(_, pool)| Some(id(*pool)?.id)).collect();
        pools.sort_unstable();
        pools.dedup();
        Queue {
            address: format!("{:x}", queue.address),
            name: queue.name.clone(),
            pools,
            inactive: queue.inactive.len(),
        }
    };
    Queues { queues: found.queues.iter().map(queue).collect() }
}

/// Work behind timers that call `delayed_work_timer_fn`.
fn delayed(session: &Session<'_, '_>, item: &dyn Fn(&Work) -> Item) -> Vec<Delayed> {
    let kernel = session.kernel();
    let mut found = Vec::new();
    let Ok(offset) = kernel.field("delayed_work", "timer") else { return found };
    let now = kernel.jiffies().unwrap_or(0);
    for cpu in kernel.up_cpus().unwrap_or_default() {
        for base in kernel.timer_bases(cpu).unwrap_or_default() {
            for timer in &base.timers.items {
                let name = session.machine().code_name(timer.function);
                if name.is_none_or(|name| name.symbol != "delayed_work_timer_fn") {
                    continue;
                }
                // The work is the first member.
                if let Ok(work) = kernel.work_at(timer.address.wrapping_sub(offset.offset)) {
                    let ticks = timer.expires.wrapping_sub(now).cast_signed();
                    found.push(Delayed { cpu, ticks, work: item(&work) });
                }
            }
        }
    }
    found
}

impl Item {
    fn text(&self) -> String {
        let queue = self.queue.as_ref().map(|queue| format!("  queue \"{queue}\""));
        let inside = self.inside.as_ref().map(|inside| format!("  ({inside})"));
        format!(
            "{:>16}  {}{}{}",
            self.address,
            self.function,
            queue.unwrap_or_default(),
            inside.unwrap_or_default()
        )
    }
}

impl Text for Pools {
    fn text(&self) -> String {
        let mut out = String::new();
        for pool in &self.pools {
            let cpu = pool.cpu.map_or("unbound".to_owned(), |cpu| format!("CPU {cpu}"));
            out.push_str(&format!(
                "POOL {}  {}  {cpu}  workers {} ({} idle)\n",
                pool.id, pool.address, pool.workers, pool.idle
            ));
            for busy in &pool.running {
                let pid = busy.pid.map_or("?".to_owned(), |pid| pid.to_string());
                let name = busy.command.as_deref().unwrap_or("?");
                out.push_str(&format!("  running  {}\n", busy.work.text()));
                out.push_str(&format!(
                    "           by PID: {pid}  TASK: {}  COMMAND: \"{name}\"\n",
                    busy.task
                ));
            }
            for item in &pool.pending {
                out.push_str(&format!("  pending  {}\n", item.text()));
            }
        }
        for item in &self.inactive {
            out.push_str(&format!("INACTIVE {}\n", item.text()));
        }
        for delayed in &self.delayed {
            let Delayed { cpu, ticks, work } = delayed;
            out.push_str(&format!("DELAYED  {}  in {ticks} ticks on CPU {cpu}\n", work.text()));
        }
        for damage in &self.damage {
            out.push_str(&format!("(not whole: {damage})\n"));
        }
        if out.is_empty() {
            out.push_str("no work is queued\n");
        }
        out
    }
}

impl Text for Queues {
    fn text(&self) -> String {
        let mut out = format!("{:^16}  {:<24} INACTIVE  POOLS\n", "WORKQUEUE", "NAME");
        for queue in &self.queues {
            let pools: Vec<String> = queue.pools.iter().map(ToString::to_string).collect();
            out.push_str(&format!(
                "{:>16}  {:<24} {:>8}  {}\n",
                queue.address,
                queue.name,
                queue.inactive,
                pools.join(" ")
            ));
        }
        out
    }
}
