// SPDX-License-Identifier: MIT OR Apache-2.0
//! `set`: the task that is meant where none is named.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use kernel::tasks::Task;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "set",
    summary: "show or choose the task that is meant where none is named",
    usage: "[-p | -c CPU | -v] [PID|TASK]",
    options: &[
        Flag::switch("p", "choose the task that crashed"),
        Flag::with("c", "CPU", "choose the task that runs on this CPU"),
        Flag::switch("v", "what is set"),
    ],
    rules: &[Rule::OneOf(&["p", "c", "v"]), Rule::Words(1), Rule::WordsWith(0, &["p", "c", "v"])],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Contexts {
    tasks: Vec<Context>,
}

#[derive(Debug, Serialize)]
struct Context {
    pid: i32,
    tgid: i32,
    command: String,
    task: String,
    stack: String,
    cpu: Option<u32>,
    state: String,
    crashed: bool,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    if arguments.has("v") {
        return Ok(Reply::new(settings(session)));
    }
    if let Some(text) = arguments.value("c") {
        let cpu = super::resolve::count(text)?;
        let cpu = u32::try_from(cpu).map_err(|_| CommandError::usage("no such CPU"))?;
        if !session.kernel().up_cpus()?.contains(&cpu) {
            return Err(CommandError::nothing(format!("CPU {cpu} is not online")));
        }
        session.set_context(session.kernel().current_task(cpu)?);
    } else if arguments.has("p") {
        let crashed = session.kernel().crash().task.clone();
        let none = || CommandError::nothing("it is not known which task crashed");
        session.set_context(crashed.ok_or_else(none)?);
    } else if let Some(word) = arguments.words.first() {
        // A pid of 0 is that of every idle task; the first one is the first CPU's.
        let found = session.tasks(std::slice::from_ref(word))?;
        if let Some(task) = found.into_iter().next() {
            session.set_context(task);
        }
    }
    let tasks = vec![context(session, session.context()?)];
    Ok(Reply::new(Contexts { tasks }))
}

/// What is set, by name.
#[derive(Debug, Serialize)]
struct Settings {
    settings: Vec<(&'static str, String)>,
}

fn settings(session: &Session<'_, '_>) -> Settings {
    let files = session.files();
    let none = || "(none)".to_owned();
    let context = session.context().map(|task| format!("{} \"{}\"", task.pid, task.comm));
    Settings {
        settings: vec![
            ("vmcore", files.vmcore.clone()),
            ("vmlinux", files.vmlinux.clone().unwrap_or_else(none)),
            ("modules", files.modules.len().to_string()),
            ("task", context.unwrap_or_else(|_| none())),
            ("radix", "10 (-x and -d of a command choose)".to_owned()),
        ],
    }
}

impl Text for Settings {
    fn text(&self) -> String {
        self.settings.iter().map(|(name, value)| format!("{name:>14}: {value}\n")).collect()
    }
}

/// A few lines for each task.
pub(super) fn of_tasks(session: &Session<'_, '_>, tasks: &[Task]) -> Reply {
    Reply::new(Contexts { tasks: tasks.iter().map(|task| context(session, task)).collect() })
}

fn context(session: &Session<'_, '_>, task: &Task) -> Context {
    let crashed = session.kernel().crash().task.as_ref();
    Context {
        pid: task.pid,
        tgid: task.tgid,
        command: task.comm.clone(),
        task: format!("{:x}", task.address),
        stack: format!("{:x}", task.stack),
        cpu: task.cpu,
        state: task.state.to_string(),
        crashed: crashed.is_some_and(|crashed| crashed.address == task.address),
    }
}

impl Text for Contexts {
    fn text(&self) -> String {
        let one = |task: &Context| {
            let cpu = task.cpu.map_or("?".to_owned(), |cpu| cpu.to_string());
            let crashed = if task.crashed { " (PANIC)" } else { "" };
            format!(
                "    PID: {}\nCOMMAND: \"{}\"\n   TASK: {}  [STACK: {}]\n    CPU: {cpu}\n  STATE: {}{crashed}\n",
                task.pid, task.command, task.task, task.stack, task.state
            )
        };
        self.tasks.iter().map(one).collect::<Vec<_>>().join("\n")
    }
}
