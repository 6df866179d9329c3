// SPDX-License-Identifier: MIT OR Apache-2.0
//! `runq`: the tasks that run and that want to, on each CPU.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use analyzer::values::parse_cpus;
use kernel::Kernel;
use kernel::runqueues::RunQueue;
use kernel::tasks::Task;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "runq",
    summary: "the tasks that run and that want to, on each CPU",
    usage: "[-t | -m] [-c CPU[,CPU...]]",
    options: &[
        Flag::switch("t", "the queue's clock and when each task last began to run (nanoseconds)"),
        Flag::switch("m", "how long each CPU's task has been running"),
        Flag::with("c", "CPUS", "only these CPUs (0,2-3)"),
    ],
    rules: &[Rule::OneOf(&["t", "m"]), Rule::Words(0)],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Queues {
    queues: Vec<Queue>,
    #[serde(skip)]
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Queues,
    Clocks,
    Running,
}

#[derive(Debug, Serialize)]
struct Queue {
    cpu: u32,
    address: String,
    /// Nanoseconds.
    clock: Option<u64>,
    current: Entry,
    realtime_at: String,
    realtime: Vec<Entry>,
    fair_at: String,
    fair: Vec<Entry>,
    deadline: Vec<Entry>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Entry {
    pid: i32,
    task: String,
    command: String,
    priority: Option<u64>,
    /// When it last began to run, in nanoseconds of the queue's clock.
    last_arrival: Option<u64>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let online = kernel.up_cpus()?;
    let cpus = match arguments.value("c") {
        Some(text) => parse_cpus(text, &online)
            .ok_or_else(|| CommandError::usage(format!("no CPUs: `{text}`")))?,
        None => online,
    };
    let form = match (arguments.has("t"), arguments.has("m")) {
        (true, _) => Form::Clocks,
        (false, true) => Form::Running,
        (false, false) => Form::Queues,
    };
    let mut queues = Vec::new();
    for cpu in cpus {
        queues.push(queue(kernel, kernel.run_queue(cpu)?));
    }
    Ok(Reply::new(Queues { queues, form }))
}

fn queue(kernel: &Kernel<'_>, found: RunQueue) -> Queue {
    let entry = |task: &Task| entry(kernel, task);
    let damage = found.realtime.damage.iter().chain(&found.fair.damage);
    let damage = damage.chain(&found.deadline.damage).map(ToString::to_string).collect();
    Queue {
        cpu: found.cpu,
        address: format!("{:x}", found.address),
        clock: found.clock,
        current: entry(&found.current),
        realtime_at: format!("{:x}", found.realtime_at),
        realtime: found.realtime.items.iter().map(|(_, task)| entry(task)).collect(),
        fair_at: format!("{:x}", found.fair_at),
        fair: found.fair.items.iter().map(entry).collect(),
        deadline: found.deadline.items.iter().map(entry).collect(),
        damage,
    }
}

fn entry(kernel: &Kernel<'_>, task: &Task) -> Entry {
    Entry {
        pid: task.pid,
        task: format!("{:x}", task.address),
        command: task.comm.clone(),
        priority: kernel.object("task_struct", task.address).number("prio").ok(),
        last_arrival: kernel.last_arrival(task.address).ok(),
    }
}

/// Nanoseconds as days, hours, minutes, seconds and milliseconds.
pub(super) fn duration(nanoseconds: u64) -> String {
    let (millis, seconds) = (nanoseconds / 1_000_000, nanoseconds / 1_000_000_000);
    format!(
        "{} {:02}:{:02}:{:02}.{:03}",
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        millis % 1000
    )
}

impl Entry {
    fn text(&self) -> String {
        format!("PID: {:<6}  TASK: {:>16}  COMMAND: \"{}\"", self.pid, self.task, self.command)
    }
}

impl Text for Queues {
    fn text(&self) -> String {
        let mut out = String::new();
        for (index, queue) in self.queues.iter().enumerate() {
            if index > 0 && self.form != Form::Running {
                out.push('\n');
            }
            match self.form {
                Form::Queues => queue.text(&mut out),
                Form::Clocks => queue.clocks(&mut out),
                Form::Running => queue.running(&mut out),
            }
            for damage in &queue.damage {
                out.push_str(&format!("     (the queue is not whole: {damage})\n"));
            }
        }
        out
    }
}

impl Queue {
    fn text(&self, out: &mut String) {
        out.push_str(&format!("CPU {} RUNQUEUE: {}\n", self.cpu, self.address));
        out.push_str(&format!("  CURRENT: {}\n", self.current.text()));
        let mut queue = |head: String, entries: &[Entry]| {
            out.push_str(&head);
            for entry in entries {
                let priority = entry.priority.map_or("  ?".to_owned(), |one| format!("{one:>3}"));
                out.push_str(&format!("     [{priority}] {}\n", entry.text()));
            }
            if entries.is_empty() {
                out.push_str("     [no tasks queued]\n");
            }
        };
        queue(format!("  RT PRIO_ARRAY: {}\n", self.realtime_at), &self.realtime);
        queue(format!("  CFS RB_ROOT: {}\n", self.fair_at), &self.fair);
        if !self.deadline.is_empty() {
            queue("  DEADLINE:\n".to_owned(), &self.deadline);
        }
    }

    fn clocks(&self, out: &mut String) {
        let time = |time: Option<u64>| time.map_or_else(|| "?".to_owned(), |time| time.to_string());
        out.push_str(&format!(" CPU {}: {}\n", self.cpu, time(self.clock)));
        let entries = std::iter::once(&self.current).chain(&self.realtime).chain(&self.fair);
        for entry in entries.chain(&self.deadline) {
            out.push_str(&format!("  {:>18}  {}\n", time(entry.last_arrival), entry.text()));
        }
    }

    fn running(&self, out: &mut String) {
        let since = self.clock.zip(self.current.last_arrival);
        let since = since.map_or("?".to_owned(), |(now, then)| duration(now.saturating_sub(then)));
        out.push_str(&format!(" CPU {}: [{since}]  {}\n", self.cpu, self.current.text()));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_read_as_crash_prints_them() {
        assert_eq!(super::duration(27_000_000), "0 00:00:00.027");
        assert_eq!(super::duration(90_061_005_000_000), "1 01:01:01.005");
    }
}
