// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ps`: the tasks.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words, ps_views};
use kernel::Kernel;
use kernel::tasks::Task;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "ps",
    summary: "the tasks",
    usage: "[-k | -u | -G | -A] [-s] [-p | -c | -t | -m | -l | -a | -g | -S] [PID|TASK|COMMAND]...",
    options: &[
        Flag::switch("k", "only kernel threads"),
        Flag::switch("u", "only tasks of user processes"),
        Flag::switch("G", "only the first thread of each process"),
        Flag::switch("A", "only the task that runs on each CPU"),
        Flag::switch("s", "the stack pointer in place of the task's address"),
        Flag::switch("p", "each task below its parents"),
        Flag::switch("c", "each task with its children"),
        Flag::switch("t", "times: how long it has been there, when it started, user, system"),
        Flag::switch("m", "how long ago each last began to run, the latest first"),
        Flag::switch("l", "when each last began to run, by the scheduler's clock"),
        Flag::switch("a", "arguments and environment"),
        Flag::switch("g", "each process with its threads"),
        Flag::switch("S", "how many are in each state"),
    ],
    rules: &[
        Rule::OneOf(&["k", "u"]),
        Rule::OneOf(&["p", "c", "t", "m", "l", "a", "g", "S"]),
        Rule::Apart(&["s"], &["p", "c", "t", "m", "l", "a", "g", "S"]),
    ],
    words: Words::Mixed,
    run,
};

/// Parents that are followed at most; deeper is a circle.
const MAX_PARENTS: usize = 256;
/// KiB of a page.
const PAGE_KIB: u64 = 4;

#[derive(Debug, Serialize)]
struct Tasks {
    tasks: Vec<Row>,
    damage: Vec<String>,
    #[serde(skip)]
    stacks: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    active: bool,
    pid: i32,
    ppid: Option<i32>,
    cpu: Option<u32>,
    task: String,
    /// The stack pointer, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack_pointer: Option<String>,
    state: String,
    vsz_kib: u64,
    rss_kib: u64,
    /// Tenths of a percent of the machine's memory.
    memory_permille: u64,
    command: String,
    kernel_thread: bool,
}

/// Each task below its parents, eldest first.
#[derive(Debug, Serialize)]
struct Families {
    families: Vec<Vec<Row>>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let wanted = match arguments.words.as_slice() {
        [] => session.kernel().tasks()?.items.clone(),
        words => session.tasks(words)?,
    };
    of_tasks(session, arguments, &wanted)
}

/// These tasks as the options ask for.
pub(super) fn of_tasks(
    session: &Session<'_, '_>,
    arguments: &Arguments,
    wanted: &[Task],
) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let all = kernel.tasks()?;
    let rows = Rows { stacks: arguments.has("s"), ..Rows::new(kernel, &all.items) };
    let kept = |task: &&Task| {
        let kind = match (arguments.has("k"), arguments.has("u")) {
            (true, false) => task.mm == 0,
            (false, true) => task.mm != 0,
            _ => true,
        };
        kind && !(arguments.has("G") && task.pid != task.tgid)
            && (!arguments.has("A") || rows.active.contains(&task.address))
    };
    let tasks: Vec<&Task> = wanted.iter().filter(kept).collect();
    if arguments.has("S") {
        return Ok(ps_views::states(&tasks));
    }
    if arguments.has("a") {
        return Ok(ps_views::arguments(session, &tasks));
    }
    if arguments.has("m") || arguments.has("l") {
        return ps_views::last_run(session, &tasks, arguments.has("m"));
    }
    if arguments.has("t") {
        return ps_views::times(session, &tasks);
    }
    if arguments.has("g") || arguments.has("c") {
        return Ok(ps_views::below(&all.items, &tasks, arguments.has("c")));
    }
    if arguments.has("p") {
        let families = tasks.iter().map(|task| rows.family(task)).collect();
        return Ok(Reply::new(Families { families }));
    }
    let damage = all.damage.iter().map(ToString::to_string).collect();
    let tasks = tasks.iter().map(|task| rows.row(task)).collect();
    Ok(Reply::new(Tasks { tasks, damage, stacks: rows.stacks }))
}

/// What rows need to know of all tasks.
struct Rows<'k, 'a> {
    kernel: &'k Kernel<'a>,
    by_address: BTreeMap<u64, &'k Task>,
    active: BTreeSet<u64>,
    memory_kib: u64,
    stacks: bool,
}

impl<'k, 'a> Rows<'k, 'a> {
    fn new(kernel: &'k Kernel<'a>, tasks: &'k [Task]) -> Self {
        let cpus = kernel.up_cpus().unwrap_or_default();
        let current = cpus.iter().filter_map(|cpu| kernel.current_task(*cpu).ok());
        Self {
            kernel,
            by_address: tasks.iter().map(|task| (task.address, task)).collect(),
            active: current.map(|task| task.address).collect(),
            memory_kib: kernel.memory_bytes().map_or(0, |bytes| bytes >> 10),
            stacks: false,
        }
    }

    fn row(&self, task: &Task) -> Row {
        let (vsz_kib, rss_kib) = self.memory(task);
        Row {
            active: self.active.contains(&task.address),
            pid: task.pid,
            // Whoever brought a CPU up is no parent of its idle task.
            ppid: if task.pid == 0 { Some(0) } else { self.parent(task).map(|it| it.tgid) },
            cpu: task.cpu,
            task: format!("{:x}", task.address),
            stack_pointer: self.stacks.then(|| self.stack_pointer(task)),
            state: task.state.to_string(),
            vsz_kib,
            rss_kib,
            memory_permille: (rss_kib.saturating_mul(1000))
                .checked_div(self.memory_kib)
                .unwrap_or(0),
            command: task.comm.clone(),
            kernel_thread: task.mm == 0,
        }
    }

    /// Where the task's stack ends: as the scheduler saved it.
    fn stack_pointer(&self, task: &Task) -> String {
        let saved = self.kernel.object("task_struct", task.address).number("thread.sp");
        saved.map_or_else(|_| "?".to_owned(), |sp| format!("{sp:x}"))
    }

    fn parent(&self, task: &Task) -> Option<&'k Task> {
        self.by_address.get(&task.parent).copied()
    }

    /// The task's parents, eldest first, and the task.
    fn family(&self, task: &Task) -> Vec<Row> {
        let mut family = vec![self.row(task)];
        let mut child = task.address;
        let mut next = self.parent(task);
        while let Some(parent) = next.filter(|parent| parent.address != child) {
            if family.len() >= MAX_PARENTS {
                break;
            }
            family.push(self.row(parent));
            child = parent.address;
            next = self.parent(parent);
        }
        family.reverse();
        family
    }

    /// Virtual and resident size in KiB.
    fn memory(&self, task: &Task) -> (u64, u64) {
        if task.mm == 0 {
            return (0, 0);
        }
        let total = self.kernel.object("mm_struct", task.mm).number("total_vm").unwrap_or(0);
        let resident = self.kernel.resident_pages(task.mm);
        (total.saturating_mul(PAGE_KIB), resident.saturating_mul(PAGE_KIB))
    }
}

fn command(row: &Row) -> String {
    if row.kernel_thread { format!("[{}]", row.command) } else { row.command.clone() }
}

fn number(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "?".to_owned(), |value| value.to_string())
}

impl Text for Tasks {
    fn text(&self) -> String {
        let column = if self.stacks { "KSTACKP" } else { "TASK" };
        let mut out =
            format!("      PID    PPID  CPU  {column:^16}  ST  %MEM      VSZ      RSS  COMM\n");
        for row in &self.tasks {
            out.push_str(&format!(
                "{}{:>8}{:>8}{:>4}  {:>16}  {:<2} {:>3}.{} {:>8} {:>8}  {}\n",
                if row.active { '>' } else { ' ' },
                row.pid,
                number(row.ppid),
                number(row.cpu),
                row.stack_pointer.as_ref().unwrap_or(&row.task),
                row.state,
                row.memory_permille / 10,
                row.memory_permille % 10,
                row.vsz_kib,
                row.rss_kib,
                command(row),
            ));
        }
        for damage in &self.damage {
            out.push_str(&format!("(the list is not whole: {damage})\n"));
        }
        out
    }
}

impl Text for Families {
    fn text(&self) -> String {
        let mut out = String::new();
        for (index, family) in self.families.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { "\n" });
            for (depth, row) in family.iter().enumerate() {
                out.push_str(&format!(
                    "{:width$}PID: {:<7}  TASK: {}  CPU: {}  COMMAND: \"{}\"\n",
                    "",
                    row.pid,
                    row.task,
                    number(row.cpu),
                    row.command,
                    width = depth,
                ));
            }
        }
        out
    }
}
