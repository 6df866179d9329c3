// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lock`: who waits for which lock, who holds it, and circles among them.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words, linked};
use analyzer::blocked::{Blocked, circles};
use kernel::locks::{Holder, Lock, LockKind};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "lock",
    summary: "who waits for which lock, who holds it, and circles among them",
    usage: "[-m ADDRESS] [-w ADDRESS] [-t ADDRESS] [-q ADDRESS] [-s ADDRESS]",
    options: &[
        Flag::with("m", "ADDRESS", "the mutex there"),
        Flag::with("w", "ADDRESS", "the rw_semaphore there"),
        Flag::with("t", "ADDRESS", "the rt_mutex there"),
        Flag::with("q", "ADDRESS", "the semaphore there"),
        Flag::with("s", "ADDRESS", "the spinlock there"),
    ],
    rules: &[Rule::Words(0)],
    words: Words::Mixed,
    run,
};

const KINDS: [(&str, LockKind); 5] = [
    ("m", LockKind::Mutex),
    ("w", LockKind::RwSemaphore),
    ("t", LockKind::RtMutex),
    ("q", LockKind::Semaphore),
    ("s", LockKind::Spin),
];

#[derive(Debug, Serialize)]
struct Locks {
    locks: Vec<Row>,
    /// Tasks that wait for each other, each for the next one, the last for the first.
    circles: Vec<Vec<Who>>,
}

#[derive(Debug, Serialize)]
struct Row {
    kind: LockKind,
    address: String,
    symbol: Option<String>,
    holder: String,
    holder_task: Option<Who>,
    waiters: Vec<Waiter>,
    queue: Option<String>,
}

#[derive(Debug, Serialize)]
struct Waiter {
    #[serde(flatten)]
    who: Who,
    /// Function that asked for the lock.
    caller: Option<String>,
    /// Whether the lock's list has it; else the arguments on its stack tell.
    listed: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Who {
    pid: Option<i32>,
    task: String,
    command: Option<String>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let mut locks = Vec::new();
    for (option, kind) in KINDS {
        for text in arguments.values(option) {
            let lock = kernel.lock(kind, linked::address(session, text)?)?;
            locks.push(row(session, &lock, &[]));
        }
    }
    if !locks.is_empty() {
        return Ok(Reply::new(Locks { locks, circles: Vec::new() }));
    }
    let blocked = session.machine().blocked();
    let mut seen: Vec<u64> = Vec::new();
    for one in &blocked {
        if !seen.contains(&one.lock.address) {
            seen.push(one.lock.address);
            locks.push(row(session, &one.lock, &blocked));
        }
    }
    let circles = circles(&blocked);
    let circles =
        circles.iter().map(|circle| circle.iter().map(|task| who(session, *task)).collect());
    Ok(Reply::new(Locks { locks, circles: circles.collect() }))
}

fn row(session: &Session<'_, '_>, lock: &Lock, blocked: &[Blocked]) -> Row {
    let here: Vec<&Blocked> =
        blocked.iter().filter(|one| one.lock.address == lock.address).collect();
    let mut waiters: Vec<Waiter> = lock
        .waiters
        .iter()
        .map(|task| Waiter {
            who: who(session, *task),
            caller: here
                .iter()
                .find(|one| one.task.address == *task)
                .and_then(|one| one.caller.clone()),
            listed: true,
        })
        .collect();
    waiters.extend(here.iter().filter(|one| !one.listed).map(|one| Waiter {
        who: who(session, one.task.address),
        caller: one.caller.clone(),
        listed: false,
    }));
    let (holder, holder_task) = match lock.holder {
        Holder::Nobody => ("nobody".to_owned(), None),
        Holder::Somebody => ("somebody: this kind of lock does not say who".to_owned(), None),
        Holder::Task(task) => ("a task".to_owned(), Some(who(session, task))),
        Holder::Readers { count, last } => {
            let count = count.map_or("some".to_owned(), |count| count.to_string());
            (format!("{count} readers"), last.map(|task| who(session, task)))
        }
    };
    let queue = lock.queue.map(|(tail, pending)| {
        let tail = tail.map_or("none".to_owned(), |cpu| format!("CPU {cpu}"));
        format!("last in the queue: {tail}, pending: {pending}")
    });
    Row {
        kind: lock.kind,
        address: format!("{:x}", lock.address),
        symbol: session.embedding(lock.address),
        holder,
        holder_task,
        waiters,
        queue,
    }
}

fn who(session: &Session<'_, '_>, task: u64) -> Who {
    let found = session.kernel().task_at(task).ok();
    Who {
        pid: found.as_ref().map(|task| task.pid),
        task: format!("{task:x}"),
        command: found.map(|task| task.comm),
    }
}

impl Who {
    fn text(&self) -> String {
        let pid = self.pid.map_or("?".to_owned(), |pid| pid.to_string());
        let name = self.command.as_deref().unwrap_or("?");
        format!("PID: {pid}  TASK: {}  COMMAND: \"{name}\"", self.task)
    }
}

impl Text for Locks {
    fn text(&self) -> String {
        let mut out = String::new();
        for row in &self.locks {
            let kind = match row.kind {
                LockKind::Mutex => "MUTEX",
                LockKind::RwSemaphore => "RW_SEMAPHORE",
                LockKind::RtMutex => "RT_MUTEX",
                LockKind::Semaphore => "SEMAPHORE",
                LockKind::Spin => "SPINLOCK",
            };
            let symbol = row.symbol.as_ref().map(|name| format!("  <{name}>")).unwrap_or_default();
            out.push_str(&format!("{kind} {}{symbol}\n", row.address));
            let holder = row.holder_task.as_ref().map_or(row.holder.clone(), Who::text);
            out.push_str(&format!("  held by     {holder}\n"));
            if let Some(queue) = &row.queue {
                out.push_str(&format!("  {queue}\n"));
            }
            for waiter in &row.waiters {
                let caller = waiter.caller.as_ref().map(|name| format!("  in {name}"));
                let how = if waiter.listed { "" } else { "  (by its stack)" };
                let caller = caller.unwrap_or_default();
                out.push_str(&format!("  waited for  {}{caller}{how}\n", waiter.who.text()));
            }
        }
        for circle in &self.circles {
            out.push_str("DEADLOCK: each waits for a lock that the next one holds\n");
            for who in circle.iter().chain(circle.first()) {
                out.push_str(&format!("  {}\n", who.text()));
            }
        }
        if out.is_empty() {
            out.push_str("no task waits for a lock\n");
        }
        out
    }
}
