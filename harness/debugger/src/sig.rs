// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sig`: what a task does with signals.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use kernel::memory::VirtualMemory as _;
use kernel::tasks::Task;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "sig",
    summary: "what a task does with signals",
    usage: "[-l] [PID|TASK...]",
    options: &[Flag::switch("l", "the signals by number")],
    rules: &[Rule::WordsWith(0, &["l"])],
    words: Words::Mixed,
    run,
};

/// Names of the ordinary signals on x86-64 (`arch/x86/include/uapi/asm/signal.h`), from 1 on.
const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];
/// Signals of x86-64.
const SIGNALS: u64 = 64;
/// Signals that are queued and listed.
const MAX_QUEUED: usize = 1024;

#[derive(Debug, Serialize)]
struct Numbers {
    names: Vec<(usize, String)>,
}

#[derive(Debug, Serialize)]
struct Signals {
    tasks: Vec<OfTask>,
}

#[derive(Debug, Serialize)]
struct OfTask {
    pid: i32,
    task: String,
    cpu: Option<u32>,
    command: String,
    signal_struct: String,
    threads: u64,
    blocked: String,
    pending: String,
    shared_pending: String,
    actions: Vec<Action>,
    queued: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Action {
    signal: u64,
    name: String,
    address: String,
    handler: String,
    mask: String,
    flags: String,
}

fn name(signal: u64) -> String {
    let place = usize::try_from(signal).ok().and_then(|signal| signal.checked_sub(1));
    match place.and_then(|place| NAMES.get(place)) {
        Some(name) => (*name).to_owned(),
        None => format!("SIGRT{signal}"),
    }
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    if arguments.has("l") {
        let names = NAMES.iter().enumerate().map(|(place, name)| (place + 1, (*name).to_owned()));
        return Ok(Reply::new(Numbers { names: names.collect() }));
    }
    let tasks = session.meant(&arguments.words)?;
    of_tasks(session, &tasks)
}

/// What several tasks do with signals.
pub(super) fn of_tasks(session: &Session<'_, '_>, tasks: &[Task]) -> Result<Reply, CommandError> {
    let tasks = tasks.iter().map(|task| of_task(session, task)).collect::<Result<_, _>>()?;
    Ok(Reply::new(Signals { tasks }))
}

fn of_task(session: &Session<'_, '_>, task: &Task) -> Result<OfTask, CommandError> {
    let kernel = session.kernel();
    let object = kernel.object("task_struct", task.address);
    let signal = object.number("signal")?;
    let shared = kernel.object("signal_struct", signal);
    let set = |value: u64| format!("{value:016x}");
    let mut queued = pending(session, object.address_of("pending.list")?)?;
    if signal != 0 {
        queued.extend(pending(session, shared.address_of("shared_pending.list")?)?);
    }
    Ok(OfTask {
        pid: task.pid,
        task: format!("{:x}", task.address),
        cpu: task.cpu,
        command: task.comm.clone(),
        signal_struct: format!("{signal:x}"),
        threads: shared.number("nr_threads").unwrap_or(0),
        blocked: set(object.number("blocked.sig[0]").or_else(|_| object.number("blocked.sig"))?),
        pending: set(object.number("pending.signal.sig[0]")?),
        shared_pending: set(shared.number("shared_pending.signal.sig[0]").unwrap_or(0)),
        actions: actions(session, object.number("sighand")?)?,
        queued,
    })
}

fn actions(session: &Session<'_, '_>, hand: u64) -> Result<Vec<Action>, CommandError> {
    let kernel = session.kernel();
    if hand == 0 {
        return Ok(Vec::new());
    }
    let first = kernel.object("sighand_struct", hand).address_of("action")?;
    let size = kernel.size_of("k_sigaction")?;
    let mut found = Vec::new();
    for signal in 1..=SIGNALS {
        let address = first.wrapping_add((signal - 1).wrapping_mul(size));
        let action = kernel.object("k_sigaction", address);
        let handler = action.number("sa.sa_handler")?;
        found.push(Action {
            signal,
            name: name(signal),
            address: format!("{address:x}"),
            handler: match handler {
                0 => "SIG_DFL".to_owned(),
                1 => "SIG_IGN".to_owned(),
                handler => format!("{handler:x}"),
            },
            mask: format!("{:016x}", action.number("sa.sa_mask.sig[0]")?),
            flags: format!("{:x}", action.number("sa.sa_flags")?),
        });
    }
    Ok(found)
}

/// Signals with information that wait to be delivered.
fn pending(session: &Session<'_, '_>, head: u64) -> Result<Vec<String>, CommandError> {
    let kernel = session.kernel();
    let link = kernel.field("sigqueue", "list")?.offset;
    let info = kernel.field("sigqueue", "info")?.offset;
    let queued = kernel.list(head, MAX_QUEUED, "the queue of signals").items.into_iter();
    let one = |entry: u64| {
        let start = entry.wrapping_sub(link);
        let signal = kernel.read_u32(start.wrapping_add(info))?;
        Ok(format!("{} (sigqueue {start:x})", name(signal.into())))
    };
    queued.map(one).collect()
}

impl Text for Numbers {
    fn text(&self) -> String {
        let line = |(number, name): &(usize, String)| format!("[{number}] {name}\n");
        self.names.iter().map(line).collect()
    }
}

impl Text for Signals {
    fn text(&self) -> String {
        let mut out = String::new();
        for (index, task) in self.tasks.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { "\n" });
            let cpu = task.cpu.map_or("?".to_owned(), |cpu| cpu.to_string());
            out.push_str(&format!(
                "PID: {:<7}  TASK: {}  CPU: {cpu:<3}  COMMAND: \"{}\"\n",
                task.pid, task.task, task.command
            ));
            out.push_str(&format!(
                "SIGNAL_STRUCT: {}  NR_THREADS: {}\n",
                task.signal_struct, task.threads
            ));
            out.push_str(&format!(
                " SIG {:^16}  {:^16}  {:^16}  FLAGS\n",
                "SIGACTION", "HANDLER", "MASK"
            ));
            for action in &task.actions {
                out.push_str(&format!(
                    "[{:>2}] {:>16}  {:>16}  {:>16}  {}  {}\n",
                    action.signal,
                    action.address,
                    action.handler,
                    action.mask,
                    action.flags,
                    action.name
                ));
            }
            out.push_str(&format!("        BLOCKED: {}\n", task.blocked));
            out.push_str(&format!("        PENDING: {}\n", task.pending));
            out.push_str(&format!(" SHARED PENDING: {}\n", task.shared_pending));
            for queued in &task.queued {
                out.push_str(&format!("         QUEUED: {queued}\n"));
            }
        }
        out
    }
}
