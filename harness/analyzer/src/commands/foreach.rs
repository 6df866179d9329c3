// SPDX-License-Identifier: MIT OR Apache-2.0
//! `foreach`: a command for many tasks.

use super::{Arguments, Command, CommandError, Reply, Session, Words, bt, set};
use crate::kernel::tasks::TaskState;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "foreach",
    summary: "a command for many tasks",
    usage: "[user|kernel|active|RU|IN|UN|ID|ST|ZO|PID|TASK|NAME]... bt|task [OPTIONS]",
    options: &[],
    words: Words::Expression,
    run,
};

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let place = arguments.words.iter().position(|word| word == "bt" || word == "task");
    let usage = || CommandError::usage("which command? `bt` and `task` are those for many tasks");
    let place = place.ok_or_else(usage)?;
    let (who, command) = arguments.words.split_at(place);
    let text = command.get(1..).unwrap_or_default().join(" ");
    let tasks = chosen(session, who)?;
    if command.first().is_some_and(|name| name == "bt") {
        let arguments = Arguments::parse(&bt::COMMAND, &text)?;
        return bt::of_tasks(session, &arguments, &tasks);
    }
    Ok(set::of_tasks(session, &tasks))
}

/// The tasks that one of the words names; all if there is none.
fn chosen(
    session: &Session<'_, '_>,
    who: &[String],
) -> Result<Vec<crate::kernel::tasks::Task>, CommandError> {
    let kernel = session.kernel();
    let mut tasks = kernel.tasks()?.items.clone();
    let cpus = kernel.online_cpus().unwrap_or_default();
    let current = cpus.iter().filter_map(|cpu| kernel.current_task(*cpu).ok());
    let active: Vec<u64> = current.map(|task| task.address).collect();
    for word in who {
        match word.as_str() {
            "user" => tasks.retain(|task| task.mm != 0),
            "kernel" => tasks.retain(|task| task.mm == 0),
            "active" => tasks.retain(|task| active.contains(&task.address)),
            "RU" => tasks.retain(|task| task.state == TaskState::Running),
            "IN" => tasks.retain(|task| task.state == TaskState::Interruptible),
            "UN" => tasks.retain(|task| task.state == TaskState::Uninterruptible),
            "ID" => tasks.retain(|task| task.state == TaskState::Idle),
            "ST" => tasks.retain(|task| task.state == TaskState::Stopped),
            "ZO" => tasks.retain(|task| task.state == TaskState::Exited),
            _ => {}
        }
    }
    const KINDS: [&str; 9] = ["user", "kernel", "active", "RU", "IN", "UN", "ID", "ST", "ZO"];
    let named: Vec<String> =
        who.iter().filter(|word| !KINDS.contains(&word.as_str())).cloned().collect();
    if !named.is_empty() {
        let named = session.tasks(&named)?;
        tasks.retain(|task| named.iter().any(|one| one.address == task.address));
    }
    Ok(tasks)
}
