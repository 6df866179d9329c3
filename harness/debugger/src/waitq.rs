// SPDX-License-Identifier: MIT OR Apache-2.0
//! `waitq`: the tasks that wait on a wait queue.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Reply, Rule, Session, Text, Words, linked};
use kernel::memory::VirtualMemory as _;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "waitq",
    summary: "the tasks that wait on a wait queue",
    usage: "ADDRESS|SYMBOL|TYPE.MEMBER ADDRESS",
    options: &[],
    rules: &[Rule::Words(2)],
    words: Words::Mixed,
    run,
};

/// Waiters that are listed.
const MAX_WAITERS: usize = 1 << 16;

/// Tags and members of the head and the entries: renamed in 4.13.
const FORMS: [(&str, &str, &str, &str, &str); 2] = [
    ("wait_queue_head", "head", "wait_queue_entry", "entry", "private"),
    ("__wait_queue_head", "task_list", "__wait_queue", "task_list", "private"),
];

#[derive(Debug, Serialize)]
struct Waiters {
    waiters: Vec<Waiter>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Waiter {
    entry: String,
    /// What is called to wake it.
    function: Option<String>,
    pid: Option<i32>,
    task: String,
    cpu: Option<u32>,
    command: Option<String>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let head = match arguments.words.as_slice() {
        [start] => linked::address(session, start)?,
        [member, start] => {
            let offset = linked::offset(session, member)?;
            linked::address(session, start)?.wrapping_add(offset)
        }
        _ => return Err(CommandError::usage("which wait queue?")),
    };
    let form = FORMS.iter().find(|form| kernel.has_field(form.0, form.1));
    let none = || CommandError::nothing("the layout of wait queues is not known");
    let (head_tag, list, entry_tag, link, private) = *form.ok_or_else(none)?;
    let start = head.wrapping_add(kernel.field(head_tag, list)?.offset);
    let link = kernel.field(entry_tag, link)?.offset;
    let private = kernel.field(entry_tag, private)?.offset;
    let function = kernel.field(entry_tag, "func").ok();
    let found = kernel.list(start, MAX_WAITERS, "the wait queue");
    let mut waiters = Vec::new();
    for item in found.items {
        let entry = item.wrapping_sub(link);
        let task = kernel.read_u64(entry.wrapping_add(private))?;
        let known = kernel.task_at(task).ok();
        let function = function
            .as_ref()
            .and_then(|field| kernel.read_u64(entry.wrapping_add(field.offset)).ok())
            .map(|function| session.code(function));
        waiters.push(Waiter {
            entry: format!("{entry:x}"),
            function,
            pid: known.as_ref().map(|task| task.pid),
            task: format!("{task:x}"),
            cpu: known.as_ref().and_then(|task| task.cpu),
            command: known.map(|task| task.comm),
        });
    }
    let damage = found.damage.iter().map(ToString::to_string).collect();
    Ok(Reply::new(Waiters { waiters, damage }))
}

impl Text for Waiters {
    fn text(&self) -> String {
        let mut out = String::new();
        for waiter in &self.waiters {
            match (waiter.pid, &waiter.command) {
                (Some(pid), Some(command)) => {
                    let cpu = waiter.cpu.map_or("?".to_owned(), |cpu| cpu.to_string());
                    out.push_str(&format!(
                        "PID: {pid:<7}  TASK: {}  CPU: {cpu:<3}  COMMAND: \"{command}\"\n",
                        waiter.task
                    ));
                }
                // Not a task: somebody who is called (an epoll, an eventfd).
                _ => out.push_str(&format!(
                    "entry {}  private {}  {}\n",
                    waiter.entry,
                    waiter.task,
                    waiter.function.as_deref().unwrap_or("?")
                )),
            }
        }
        if self.waiters.is_empty() {
            out.push_str("wait queue is empty\n");
        }
        for damage in &self.damage {
            out.push_str(&format!("(not whole: {damage})\n"));
        }
        out
    }
}
