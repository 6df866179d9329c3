// SPDX-License-Identifier: MIT OR Apache-2.0
//! `files`: what a task has open.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Session, Text, Words};
use kernel::Kernel;
use kernel::tasks::Task;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "files",
    summary: "what a task has open",
    usage: "[-R WORD] [PID|TASK|COMMAND]...",
    options: &[Flag::with("R", "WORD", "only files whose path or descriptor has this in it")],
    rules: &[],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Tables {
    tasks: Vec<Table>,
}

#[derive(Debug, Serialize)]
struct Table {
    pid: i32,
    task: String,
    cpu: Option<u32>,
    command: String,
    root: Option<String>,
    current_directory: Option<String>,
    files: Vec<Row>,
    /// What could not be read.
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    descriptor: u64,
    file: String,
    dentry: String,
    inode: String,
    #[serde(rename = "type")]
    kind: &'static str,
    path: String,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let tasks = session.meant(&arguments.words)?;
    let wanted = arguments.value("R");
    let kernel = session.kernel();
    let tasks = tasks.iter().map(|task| table(kernel, task, wanted)).collect();
    Ok(Reply::new(Tables { tasks }))
}

fn table(kernel: &Kernel<'_>, task: &Task, wanted: Option<&str>) -> Table {
    let mut damage = Vec::new();
    let directories = kernel.directories(task);
    damage.extend(directories.as_ref().err().map(ToString::to_string));
    let directories = directories.ok();
    let mut files = Vec::new();
    match kernel.open_files(task) {
        Ok(listing) => {
            damage.extend(listing.damage.iter().map(ToString::to_string));
            files.extend(listing.items.into_iter().map(|file| Row {
                descriptor: file.descriptor,
                file: format!("{:x}", file.file),
                dentry: format!("{:x}", file.dentry),
                inode: format!("{:x}", file.inode),
                kind: file.kind(),
                path: file.path,
            }));
        }
        Err(why) => damage.push(why.to_string()),
    }
    if let Some(wanted) = wanted {
        files.retain(|row| row.path.contains(wanted) || row.descriptor.to_string() == wanted);
    }
    Table {
        pid: task.pid,
        task: format!("{:x}", task.address),
        cpu: task.cpu,
        command: task.comm.clone(),
        root: directories.as_ref().map(|found| found.root.clone()),
        current_directory: directories.map(|found| found.current),
        files,
        damage,
    }
}

impl Text for Tables {
    fn text(&self) -> String {
        let mut out = String::new();
        for (index, table) in self.tasks.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            let cpu = table.cpu.map_or_else(|| "?".to_owned(), |cpu| cpu.to_string());
            out.push_str(&format!(
                "{gap}PID: {:<8} TASK: {}  CPU: {cpu}    COMMAND: \"{}\"\n",
                table.pid, table.task, table.command
            ));
            if let (Some(root), Some(current)) = (&table.root, &table.current_directory) {
                out.push_str(&format!("ROOT: {root}    CWD: {current}\n"));
            }
            if !table.files.is_empty() {
                let head = ["FILE", "DENTRY", "INODE"].map(|name| format!("{name:^16}"));
                out.push_str(&format!(" FD {} TYPE PATH\n", head.join(" ")));
            }
            for row in &table.files {
                let line = format!(
                    "{:>3} {:>16} {:>16} {:>16} {:<4} {}",
                    row.descriptor, row.file, row.dentry, row.inode, row.kind, row.path
                );
                out.push_str(line.trim_end());
                out.push('\n');
            }
            out.extend(table.damage.iter().map(|why| format!("({why})\n")));
        }
        out
    }
}
