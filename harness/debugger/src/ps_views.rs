// SPDX-License-Identifier: MIT OR Apache-2.0
//! The forms of `ps` that are no table: arguments, times, thread groups, children, a count by
//! state.

use std::collections::BTreeMap;

use serde::Serialize;

use super::runq::duration;
use super::{CommandError, Reply, Session, Text};
use kernel::Kernel;
use kernel::tasks::Task;

/// Bytes of arguments or environment that are read.
const MAX_STRINGS: u64 = 128 << 10;

/// The head of a task, as crash(8) prints it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Head {
    pid: i32,
    task: String,
    cpu: Option<u32>,
    command: String,
}

impl Head {
    pub(super) fn new(task: &Task) -> Self {
        Self {
            pid: task.pid,
            task: format!("{:x}", task.address),
            cpu: task.cpu,
            command: task.comm.clone(),
        }
    }

    pub(super) fn text(&self) -> String {
        let cpu = self.cpu.map_or("?".to_owned(), |cpu| cpu.to_string());
        format!(
            "PID: {:<7}  TASK: {}  CPU: {cpu:<3}  COMMAND: \"{}\"",
            self.pid, self.task, self.command
        )
    }
}

#[derive(Debug, Serialize)]
struct Views {
    tasks: Vec<View>,
}

#[derive(Debug, Serialize)]
struct View {
    #[serde(flatten)]
    head: Head,
    /// What stands before the head.
    #[serde(skip)]
    before: String,
    /// Named values.
    fields: Vec<(&'static str, String)>,
    /// Threads or children.
    below: Vec<Head>,
    /// Said where there are none.
    #[serde(skip)]
    none: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct States {
    states: BTreeMap<String, usize>,
}

impl Text for Views {
    fn text(&self) -> String {
        let mut out = String::new();
        for (index, view) in self.tasks.iter().enumerate() {
            let body = !view.fields.is_empty() || !view.below.is_empty() || !view.none.is_empty();
            if index > 0 && body {
                out.push('\n');
            }
            out.push_str(&format!("{}{}\n", view.before, view.head.text()));
            for (name, value) in &view.fields {
                out.push_str(&format!("{name}: {value}\n"));
            }
            for line in &view.none {
                out.push_str(&format!("{line}\n"));
            }
            for below in &view.below {
                out.push_str(&format!("  {}\n", below.text()));
            }
        }
        out
    }
}

impl Text for States {
    fn text(&self) -> String {
        self.states.iter().map(|(state, count)| format!("  {state}: {count}\n")).collect()
    }
}

/// How many tasks are in each state.
pub(super) fn states(tasks: &[&Task]) -> Reply {
    let mut states = BTreeMap::new();
    for task in tasks {
        *states.entry(task.state.to_string()).or_default() += 1;
    }
    Reply::new(States { states })
}

/// Each task with arguments and environment of its program.
pub(super) fn arguments(session: &Session<'_, '_>, tasks: &[&Task]) -> Reply {
    let view = |task: &&Task| {
        let strings = |from, to| strings(session, task, from, to).unwrap_or_else(|why| why);
        let fields = match task.mm {
            0 => vec![("(no user stack)", String::new())],
            _ => vec![
                ("ARG", strings("arg_start", "arg_end")),
                ("ENV", strings("env_start", "env_end")),
            ],
        };
        View {
            head: Head::new(task),
            before: String::new(),
            fields,
            below: Vec::new(),
            none: Vec::new(),
        }
    };
    Reply::new(Views { tasks: tasks.iter().map(view).collect() })
}

/// Strings between two addresses of user space, with blanks between them.
fn strings(session: &Session<'_, '_>, task: &Task, from: &str, to: &str) -> Result<String, String> {
    let kernel = session.kernel();
    let mm = kernel.object("mm_struct", task.mm);
    let words = |why: kernel::Unavailable| format!("({why})");
    let from = mm.number(from).map_err(words)?;
    let length = mm.number(to).map_err(words)?.saturating_sub(from).min(MAX_STRINGS);
    let root = kernel.user_tables(task).map_err(words)?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    kernel.space().read_at(root, from, &mut bytes).map_err(|why| format!("({why})"))?;
    let parts = bytes.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    Ok(parts.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "))
}

/// When each task last began to run: as time since then, or as the clock had it.
pub(super) fn last_run(
    session: &Session<'_, '_>,
    tasks: &[&Task],
    since: bool,
) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let mut clocks = BTreeMap::new();
    for cpu in kernel.up_cpus()? {
        let queue = kernel.object("rq", kernel.percpu_address("runqueues", cpu)?);
        clocks.insert(cpu, queue.number("clock")?);
    }
    let latest = clocks.values().copied().max().unwrap_or(0);
    let mut views = Vec::new();
    for task in tasks {
        let arrival = kernel.last_arrival(task.address)?;
        let now = task.cpu.and_then(|cpu| clocks.get(&cpu).copied()).unwrap_or(latest);
        let time = match since {
            true => duration(now.saturating_sub(arrival)),
            false => format!("{arrival:>16}"),
        };
        let before = format!("[{time}] [{}]  ", task.state);
        let head = Head::new(task);
        let fields = Vec::new();
        views.push((arrival, View { head, before, fields, below: Vec::new(), none: Vec::new() }));
    }
    // The latest first; tasks that never ran last.
    views.sort_by_key(|(arrival, _)| std::cmp::Reverse(*arrival));
    Ok(Reply::new(Views { tasks: views.into_iter().map(|(_, view)| view).collect() }))
}

/// Each task with the times that the kernel keeps for it.
pub(super) fn times(session: &Session<'_, '_>, tasks: &[&Task]) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let now = kernel.uptime_seconds()?;
    let view = |task: &&Task| {
        let object = kernel.object("task_struct", task.address);
        let start = start_seconds(kernel, task);
        let run =
            start.map(|start| duration(now.saturating_sub(start).saturating_mul(1_000_000_000)));
        let number = |path: &str| object.number(path).map_or("?".to_owned(), |one| one.to_string());
        let fields = vec![
            ("    RUN TIME", run.unwrap_or_else(|| "?".to_owned())),
            ("  START TIME", start.map_or("?".to_owned(), |start| format!("{start} s"))),
            ("       UTIME", number("utime")),
            ("       STIME", number("stime")),
        ];
        View {
            head: Head::new(task),
            before: String::new(),
            fields,
            below: Vec::new(),
            none: Vec::new(),
        }
    };
    Ok(Reply::new(Views { tasks: tasks.iter().map(view).collect() }))
}

/// Second since boot at which a task started.
fn start_seconds(kernel: &Kernel<'_>, task: &Task) -> Option<u64> {
    kernel.task_started(task.address).ok().map(|nanoseconds| nanoseconds / 1_000_000_000)
}

/// Each process with its other threads, or each task with its children.
pub(super) fn below(all: &[Task], tasks: &[&Task], children: bool) -> Reply {
    let mut seen = std::collections::BTreeSet::new();
    let mut views = Vec::new();
    for task in tasks {
        let leader = match children {
            true => Some(*task),
            false => {
                all.iter().find(|other| other.pid == task.tgid && other.pid != 0).or(Some(*task))
            }
        };
        let Some(leader) = leader.filter(|leader| seen.insert(leader.address)) else { continue };
        let is_below = |other: &&Task| match children {
            true => {
                other.parent == leader.address
                    && other.address != leader.address
                    && other.pid == other.tgid
            }
            false => other.tgid == leader.tgid && other.address != leader.address && other.pid != 0,
        };
        let below: Vec<Head> = all.iter().filter(is_below).map(Head::new).collect();
        let none = if children { "  (no children)" } else { "  (no threads)" };
        let none = if below.is_empty() { vec![none] } else { Vec::new() };
        let before = String::new();
        views.push(View { head: Head::new(leader), before, fields: Vec::new(), below, none });
    }
    Reply::new(Views { tasks: views })
}
