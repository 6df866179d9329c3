// SPDX-License-Identifier: MIT OR Apache-2.0
//! `alias`: the other names of commands.

use serde::Serialize;

use super::other_names::ALIASES;
use super::{Arguments, Command, CommandError, Reply, Rule, Session, Text, Words};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "alias",
    summary: "the other names of commands",
    usage: "",
    options: &[],
    rules: &[Rule::Words(0)],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Aliases {
    aliases: Vec<Alias>,
}

#[derive(Debug, Serialize)]
struct Alias {
    alias: &'static str,
    command: String,
}

fn run(_: &mut Session<'_, '_>, _: &Arguments) -> Result<Reply, CommandError> {
    let one = |&(alias, name, before)| Alias { alias, command: format!("{name}{before}") };
    Ok(Reply::new(Aliases { aliases: ALIASES.iter().map(one).collect() }))
}

impl Text for Aliases {
    fn text(&self) -> String {
        let mut out = String::from("ALIAS    COMMAND\n");
        for Alias { alias, command } in &self.aliases {
            out.push_str(&format!("{alias:<8} {command}\n"));
        }
        out
    }
}
