// SPDX-License-Identifier: MIT OR Apache-2.0
//! `foreach`: a command for many tasks.

use serde::Serialize;
use serde_json::Value;

use super::ps_views::Head;
use super::{
    Arguments, Command, CommandError, Reply, Session, Text, Words, bt, ps, rules, set, sig,
};
use kernel::tasks::{Task, TaskState};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "foreach",
    summary: "a command for many tasks",
    usage: "[user | kernel] [active] [gleader] [RU | IN | UN | ID | ST | ZO] [PID|TASK|NAME]... COMMAND [OPTIONS]",
    options: &[],
    rules: &[],
    words: Words::Expression,
    run,
};

/// Words that choose tasks by what they are; of each group one.
const KINDS: [&[&str]; 4] =
    [&["user", "kernel"], &["active"], &["gleader"], &["RU", "IN", "UN", "ID", "ST", "ZO"]];
/// Commands whose words are tasks: those are chosen before the command.
const OF_TASKS: [&str; 7] = ["bt", "files", "ps", "set", "sig", "task", "vm"];
/// Options of `bt` that choose tasks themselves.
const CHOOSING: [&str; 3] = ["a", "c", "p"];
/// Commands that would change what is being gone through, or are not about a task.
const NOT_FOR_TASKS: [&str; 4] = ["foreach", "help", "wr", "mod"];

/// Answers, each with the task that it is for.
#[derive(Debug, Serialize)]
struct Answers {
    tasks: Vec<OfTask>,
}

#[derive(Debug, Serialize)]
struct OfTask {
    #[serde(flatten)]
    head: Head,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip)]
    text: String,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let is_command = |word: &String| super::named(word).is_some();
    let place = arguments.words.iter().position(is_command);
    let usage = || CommandError::usage("which command? `foreach bt` shows all stacks");
    let place = place.ok_or_else(usage)?;
    let (who, command) = arguments.words.split_at(place);
    let name = command.first().map(String::as_str).unwrap_or_default();
    let text = command.get(1..).unwrap_or_default().join(" ");
    let tasks = chosen(session, who)?;
    let arguments = match super::named(name).filter(|_| OF_TASKS.contains(&name)) {
        Some(command) => Some(rules::parse(command, &text)?),
        None => None,
    };
    if let Some(word) = arguments.as_ref().and_then(|arguments| arguments.words.first()) {
        let words = format!("`{word}` goes before `{name}`: it chooses tasks");
        return Err(CommandError::usage(words));
    }
    match (name, &arguments) {
        ("bt", Some(arguments)) => {
            if let Some(option) = arguments.given(&CHOOSING).next() {
                return Err(CommandError::usage(format!("-{option} chooses tasks by itself")));
            }
            bt::of_tasks(session, arguments, &tasks)
        }
        ("ps", Some(arguments)) => ps::of_tasks(session, arguments, &tasks),
        ("task", _) if text.is_empty() => Ok(set::of_tasks(session, &tasks)),
        ("sig", _) if text.is_empty() => sig::of_tasks(session, &tasks),
        _ if NOT_FOR_TASKS.contains(&name) => {
            Err(CommandError::usage(format!("`{name}` is not about a task")))
        }
        _ => one_by_one(session, name, &text, tasks),
    }
}

/// Runs a command with each task as the one that is meant.
fn one_by_one(
    session: &mut Session<'_, '_>,
    name: &str,
    text: &str,
    tasks: Vec<Task>,
) -> Result<Reply, CommandError> {
    let before = session.context().ok().cloned();
    let mut answers = Vec::new();
    for task in tasks {
        let head = Head::new(&task);
        session.set_context(task);
        let result = session.answer(name, text);
        let text = match &result {
            Ok(reply) => reply.text(),
            Err(why) => format!("{name}: {why}\n"),
        };
        let error = result.as_ref().err().map(ToString::to_string);
        answers.push(OfTask { head, answer: result.ok().map(|reply| reply.json()), error, text });
    }
    if let Some(task) = before {
        session.set_context(task);
    }
    Ok(Reply::new(Answers { tasks: answers }))
}

impl Text for Answers {
    fn text(&self) -> String {
        let one = |task: &OfTask| {
            // Some commands say of which task they speak.
            let head = task.head.text();
            match task.text.starts_with("PID:") {
                true => task.text.clone(),
                false => format!("{head}\n{}", task.text),
            }
        };
        self.tasks.iter().map(one).collect::<Vec<_>>().join("\n")
    }
}

/// The tasks that the words choose; all if there is none.
fn chosen(session: &Session<'_, '_>, who: &[String]) -> Result<Vec<Task>, CommandError> {
    for group in KINDS {
        let mut given = group.iter().filter(|kind| who.iter().any(|word| word == *kind));
        if let (Some(one), Some(other)) = (given.next(), given.next()) {
            return Err(CommandError::usage(format!("no task is both {one} and {other}")));
        }
    }
    let kernel = session.kernel();
    let mut tasks = kernel.tasks()?.items.clone();
    let cpus = kernel.up_cpus().unwrap_or_default();
    let current = cpus.iter().filter_map(|cpu| kernel.current_task(*cpu).ok());
    let active: Vec<u64> = current.map(|task| task.address).collect();
    for word in who {
        match word.as_str() {
            "user" => tasks.retain(|task| task.mm != 0),
            "kernel" => tasks.retain(|task| task.mm == 0),
            "active" => tasks.retain(|task| active.contains(&task.address)),
            "gleader" => tasks.retain(|task| task.pid == task.tgid),
            "RU" => tasks.retain(|task| task.state == TaskState::Running),
            "IN" => tasks.retain(|task| task.state == TaskState::Interruptible),
            "UN" => tasks.retain(|task| task.state == TaskState::Uninterruptible),
            "ID" => tasks.retain(|task| task.state == TaskState::Idle),
            "ST" => tasks.retain(|task| task.state == TaskState::Stopped),
            "ZO" => tasks.retain(|task| task.state == TaskState::Exited),
            _ => {}
        }
    }
    let named: Vec<String> =
        who.iter().filter(|word| !KINDS.concat().contains(&word.as_str())).cloned().collect();
    if !named.is_empty() {
        let named = session.tasks(&named)?;
        tasks.retain(|task| named.iter().any(|one| one.address == task.address));
    }
    Ok(tasks)
}
