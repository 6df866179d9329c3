// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro help`: of a command its manual; of a file its keys, or the schema of its form.

use std::fmt::Write as _;
use std::io;

use clap::Args;

use super::{Cli, CommandResult, options, pager};
use crate::alternatives;
use crate::error::Failure;
use crate::exit::Exit;
use crate::group::Groups;
use crate::report::{columns, wrapped};
use crate::run::outcome::Runs;

/// Documents that have the keys of files: the name of the file, the document, and the heading of the section.
const FILES: [(&str, &str, &str); 2] = [
    ("case.toml", include_str!("../../../modules/README.md"), "## `case.toml`"),
    ("repro.toml", include_str!("../../../docs/your-module.md"), "## `repro.toml`"),
];

/// Makes the text of a schema.
type Schema = fn() -> String;

/// Schemas of what is printed or written as JSON, by the names of their files in docs/.
const SCHEMAS: [(&str, Schema); 3] = [
    ("report.schema.json", analyzer::render::schema),
    ("runs.schema.json", Runs::schema),
    ("groups.schema.json", Groups::schema),
];

/// Show the manual of a command, the keys of a file, or the schema of a form
///
/// `repro help run` is `repro run --help`. `repro help case.toml` and `repro help repro.toml` print the keys of these
/// files; `repro help report.schema.json`, `runs.schema.json` and `groups.schema.json` the JSON schemas of what
/// `analyze --format json`, `run --format json` and `analyze --group --format json` print.
#[derive(Debug, Args)]
pub(super) struct Help {
    /// A command, or a file
    #[arg(value_name = "COMMAND|FILE")]
    topic: Vec<String>,
}

impl Help {
    pub(super) fn run(&self) -> CommandResult {
        match self.topic.as_slice() {
            [name] => match topic(name) {
                Some(Topic::Keys(text)) => pager::show(&text)?,
                Some(Topic::Schema(text)) => options::print_json(&text)?,
                None => of_command(&self.topic)?,
            },
            words => of_command(words)?,
        }
        Ok(Exit::Ok)
    }
}

/// What there is about a file.
enum Topic {
    Keys(String),
    Schema(String),
}

fn topic(name: &str) -> Option<Topic> {
    if let Some((_, schema)) = SCHEMAS.iter().find(|(known, _)| *known == name) {
        return Some(Topic::Schema(schema()));
    }
    let (_, document, heading) = FILES.iter().find(|(known, ..)| *known == name)?;
    let text = plain(section(document, heading)?);
    Some(Topic::Keys(wrapped(&text, columns(io::stdout()), 0)))
}

/// The part of a document below a heading, up to the next one.
fn section<'d>(document: &'d str, heading: &str) -> Option<&'d str> {
    let (_, rest) = document.split_once(&format!("{heading}\n"))?;
    Some(rest.split("\n## ").next().unwrap_or(rest))
}

/// A section as text: of a table's row the first column, and the second below it.
fn plain(section: &str) -> String {
    let mut text = String::new();
    for line in section.trim().lines() {
        let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) else {
            let _ = writeln!(text, "{line}");
            continue;
        };
        let Some((key, meaning)) = row.trim().split_once(" | ") else { continue };
        // The head of a table says what its keys are of, where they are not the file's own.
        if meaning.trim() == "meaning" {
            let head = key.replace('`', "").replacen("key of ", "Keys of ", 1);
            text.push_str(&if head == "key" { String::new() } else { format!("{head}:\n\n") });
            continue;
        }
        let _ = writeln!(text, "{}\n      {}", key.replace('`', ""), meaning.trim());
    }
    text
}

fn of_command(words: &[String]) -> Result<(), Failure> {
    let mut command = Cli::command();
    // So that usage lines have the name of the whole command.
    command.build();
    let mut at = &mut command;
    for word in words {
        let names: Vec<String> = at.get_subcommands().map(|it| it.get_name().to_owned()).collect();
        at = at.find_subcommand_mut(word).ok_or_else(|| {
            let files = FILES.iter().map(|(name, ..)| *name);
            let schemas = SCHEMAS.iter().map(|(name, _)| *name);
            let known = names.iter().map(String::as_str).chain(files).chain(schemas);
            Failure::new(Exit::Usage, format!("there is no command and no file {word}"))
                .hint(alternatives::hint(word, "commands and files", known))
        })?;
    }
    let help = at.render_long_help();
    pager::show(&format!("{}", help.ansi()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(name: &str) -> String {
        match topic(name) {
            Some(Topic::Keys(text)) => text,
            _ => panic!("{name} has no keys"),
        }
    }

    #[test]
    fn the_keys_of_a_case_are_there_each_with_its_meaning_below() {
        let text = keys("case.toml");
        for key in ["summary\n      one line", "trigger.settle\n", "setup.packages\n", "rate\n"] {
            assert!(text.contains(key), "{key} is not in:\n{text}");
        }
        assert!(!text.contains("## ") && !text.contains("|---"), "{text}");
        assert!(text.starts_with("summary\n") && text.contains("Keys of [expect]:\n"), "{text}");
        assert!(keys("repro.toml").contains("default-guest, default-case\n"));
    }

    #[test]
    fn each_schema_is_json() {
        for (name, _) in SCHEMAS {
            let Some(Topic::Schema(text)) = topic(name) else { panic!("{name}") };
            let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(schema["properties"]["schema_version"].is_object(), "{name}");
        }
    }

    #[test]
    fn a_mistyped_word_gets_what_it_may_have_meant() {
        let failure = of_command(&["case.tml".to_owned()]).unwrap_err();
        assert_eq!(failure.hint.as_deref(), Some("did you mean `case.toml`?"));
        let failure = of_command(&["guest".to_owned(), "lst".to_owned()]).unwrap_err();
        assert!(failure.hint.unwrap().contains("`list`"));
    }
}
