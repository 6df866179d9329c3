// SPDX-License-Identifier: MIT OR Apache-2.0
//! `help`: what the commands are and how they are typed.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Reply, Session, Text, Words};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "help",
    summary: "the commands, or how one of them is typed",
    usage: "[COMMAND]",
    options: &[],
    rules: &[],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Help {
    commands: Vec<Entry>,
    #[serde(skip)]
    whole: bool,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    summary: &'static str,
    usage: &'static str,
    options: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    option: String,
    help: &'static str,
}

fn run(_: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let whole = !arguments.words.is_empty();
    let commands = if whole {
        let find =
            |name: &String| super::named(name).ok_or_else(|| CommandError::NoCommand(name.clone()));
        arguments.words.iter().map(find).collect::<Result<Vec<_>, _>>()?
    } else {
        super::ALL.iter().collect()
    };
    Ok(Reply::new(Help { commands: commands.into_iter().map(entry).collect(), whole }))
}

fn entry(command: &Command) -> Entry {
    let option = |flag: &super::Flag| match flag.value {
        Some(value) => format!("-{} {value}", flag.name),
        None => format!("-{}", flag.name),
    };
    let line = |flag| Line { option: option(flag), help: flag.help };
    Entry {
        name: command.name,
        summary: command.summary,
        usage: command.usage,
        options: command.options.iter().map(line).collect(),
    }
}

impl Text for Help {
    fn text(&self) -> String {
        let mut out = String::new();
        for (index, entry) in self.commands.iter().enumerate() {
            if !self.whole {
                out.push_str(&format!("{:<10} {}\n", entry.name, entry.summary));
                continue;
            }
            let gap = if index == 0 { "" } else { "\n" };
            out.push_str(&format!("{gap}{}: {}\n", entry.name, entry.summary));
            out.push_str(format!("  {} {}", entry.name, entry.usage).trim_end());
            out.push('\n');
            for line in &entry.options {
                out.push_str(&format!("    {:<12} {}\n", line.option, line.help));
            }
        }
        out
    }
}
