// SPDX-License-Identifier: MIT OR Apache-2.0
//! `task`: tasks in a few lines each, or members of their `task_struct`.

use serde::Serialize;

use super::ps_views::Head;
use super::show::{DECIMAL, HEXADECIMAL, Members, Shown, style};
use super::{
    Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words, set, structure,
};
use kernel::tasks::Task;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "task",
    summary: "tasks in a few lines each, or members of their task_struct",
    usage: "[-a | -R MEMBER[,MEMBER...]] [-x | -d] [PID|TASK]...",
    options: &[
        Flag::with("R", "MEMBERS", "these members of the task_struct: pid,mm.pgd"),
        Flag::switch("a", "all of the task_struct"),
        HEXADECIMAL,
        DECIMAL,
    ],
    rules: &[
        Rule::OneOf(&["a", "R"]),
        Rule::OneOf(&["x", "d"]),
        Rule::Needs(&["x", "d"], &["a", "R"]),
    ],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Structures {
    tasks: Vec<Structure>,
}

#[derive(Debug, Serialize)]
struct Structure {
    #[serde(flatten)]
    head: Head,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Members>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_struct: Option<Shown>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let tasks = session.meant(&arguments.words)?;
    let style = style(arguments);
    let read = |task: &Task| -> Result<Structure, CommandError> {
        let members = arguments.values("R").collect::<Vec<_>>().join(",");
        let mut read = Structure { head: Head::new(task), members: None, task_struct: None };
        if members.is_empty() {
            read.task_struct = Some(structure::whole(session, "task_struct", task.address, style)?);
        } else {
            let members =
                structure::members(session, "task_struct", task.address, &members, style)?;
            read.members = Some(members);
        }
        Ok(read)
    };
    if arguments.has("R") || arguments.has("a") {
        let tasks = tasks.iter().map(read).collect::<Result<_, _>>()?;
        return Ok(Reply::new(Structures { tasks }));
    }
    Ok(set::of_tasks(session, &tasks))
}

impl Text for Structures {
    fn text(&self) -> String {
        self.tasks.iter().map(Structure::text).collect::<Vec<_>>().join("\n")
    }
}

impl Structure {
    fn text(&self) -> String {
        let members = self.members.as_ref().map(Text::text);
        let whole = self.task_struct.as_ref().map(Text::text);
        format!("{}\n{}", self.head.text(), members.or(whole).unwrap_or_default())
    }
}
