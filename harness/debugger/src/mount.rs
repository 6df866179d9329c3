// SPDX-License-Identifier: MIT OR Apache-2.0
//! `mount`: what is mounted where.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Reply, Session, Text, Words};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "mount",
    summary: "what is mounted where, as the current task sees it",
    usage: "[WORD]",
    options: &[],
    rules: &[],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Mounts {
    mounts: Vec<Row>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    mount: String,
    superblock: String,
    #[serde(rename = "type")]
    kind: String,
    device: String,
    directory: String,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let task = session.context()?;
    let proxy = kernel.object("task_struct", task.address).number("nsproxy")?;
    // A task that has exited has none.
    let proxy = if proxy == 0 { kernel.symbol("init_nsproxy")? } else { proxy };
    let namespace = kernel.object("nsproxy", proxy).number("mnt_ns")?;
    let all = kernel.mounts(namespace)?;
    let rows = all.items.into_iter().map(|mount| Row {
        mount: format!("{:x}", mount.point.address),
        superblock: format!("{:x}", mount.superblock),
        kind: mount.kind,
        device: mount.device,
        directory: mount.path,
    });
    let wanted = |row: &Row| {
        arguments.words.is_empty()
            || arguments.words.iter().any(|word| {
                let fields = [&row.mount, &row.superblock, &row.kind, &row.device, &row.directory];
                fields.contains(&word)
            })
    };
    let mounts: Vec<Row> = rows.filter(wanted).collect();
    let damage = all.damage.iter().map(ToString::to_string).collect();
    Ok(Reply::new(Mounts { mounts, damage }))
}

impl Text for Mounts {
    fn text(&self) -> String {
        let mut out =
            format!("{:^16} {:^16} {:<7} {:<10} DIRNAME\n", "MOUNT", "SUPERBLK", "TYPE", "DEVNAME");
        for row in &self.mounts {
            out.push_str(&format!(
                "{:>16} {:>16} {:<7} {:<10} {}\n",
                row.mount, row.superblock, row.kind, row.device, row.directory
            ));
        }
        for damage in &self.damage {
            out.push_str(&format!("(the list is not whole: {damage})\n"));
        }
        out
    }
}
