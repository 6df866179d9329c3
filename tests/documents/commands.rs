// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands of the documents, with their options, exist.

use std::collections::BTreeSet;

use tidy::{none, tree};

/// Commands of the documents, `cargo xtask` left out: `["repro", "--format", "json"]`.
fn commands() -> Vec<(String, Vec<String>)> {
    let mut commands = Vec::new();
    for path in tree::ending(".md").into_iter().filter(|path| !path.starts_with("CHANGELOG")) {
        for rest in tree::read(&path).split("cargo xtask ").skip(1) {
            let words = words(rest);
            if !is_placeholder(&words) {
                commands.push((path.clone(), words));
            }
        }
    }
    commands
}

/// The words of a command, to the end of its line or of the marked words in a text.
fn words(rest: &str) -> Vec<String> {
    let end = rest.find(['`', '#', '\n']).unwrap_or(rest.len());
    rest[..end].split_whitespace().map(ToOwned::to_owned).collect()
}

/// `repro COMMAND` stands for all of them.
fn is_placeholder(words: &[String]) -> bool {
    words == ["COMMAND"]
}

#[test]
fn commands_of_the_documents_exist() {
    let help = help_of_tasks(&[]);
    let (_, listed) = help.split_once("Commands:").unwrap();
    let tasks: BTreeSet<_> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|task| !task.is_empty())
        .collect();
    let commands = commands();
    assert!(commands.len() > 5, "commands of the documents are not found");
    let mut wrong = Vec::new();
    for (path, words) in &commands {
        let task = words.first().map_or("", String::as_str);
        if !tasks.contains(task) {
            wrong.push(format!("{path}: `cargo xtask {task}`"));
        } else if let Some(word) = unknown_word_of_task(words, &help) {
            wrong.push(format!("{path}: `{word}` of `cargo xtask {}`", words.join(" ")));
        }
    }
    none("commands that do not exist", &wrong);
}

/// An option that a task does not have; `tasks` is the list of all.
fn unknown_word_of_task<'w>(words: &'w [String], tasks: &str) -> Option<&'w str> {
    // A task that does not stand for the program's command of that name has options of its own.
    let is_task = |line: &&str| line.split_whitespace().next() == Some(words[0].as_str());
    if tasks.lines().find(is_task).is_none_or(|line| line.contains("(`repro ")) {
        return unknown_word(words);
    }
    let help = help_of_tasks(&[&words[0]]);
    // What follows `--` is for another program.
    let own = words.split(|word| word == "--").next().unwrap_or_default();
    own.iter().map(String::as_str).find(|word| word.starts_with("--") && !help.contains(word))
}

/// What `cargo xtask … --help` prints.
fn help_of_tasks(words: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = ["run", "--quiet", "--package", "xtask", "--"];
    let words = run.iter().chain(words).chain(&["--help"]);
    duct::cmd(cargo, words).dir(tree::root()).read().unwrap()
}

/// Commands of the installed program in documents and in the examples for pipelines.
#[test]
fn commands_of_the_program_exist() {
    let examples = tree::files().into_iter().filter(|path| path.starts_with("ci/examples/"));
    let repro = harness::cli::Cli::command();
    let mut seen = 0;
    let mut wrong = Vec::new();
    for path in tree::ending(".md").into_iter().chain(examples) {
        let text = tree::read(&path);
        let begins = ["$ repro ", "- run: repro ", "- repro ", "`repro "];
        for rest in begins.iter().flat_map(|begin| text.split(begin).skip(1)) {
            let words = words(rest);
            if is_placeholder(&words) {
                continue;
            }
            seen += 1;
            let Some(command) = words.first() else { continue };
            // `help` comes into being when a line is read; what it takes are topics.
            let is_known = command == "help" || repro.find_subcommand(command).is_some();
            if !is_known {
                wrong.push(format!("{path}: `repro {command}`"));
            } else if let Some(word) = unknown_word(&words) {
                wrong.push(format!("{path}: `{word}` of `repro {}`", words.join(" ")));
            }
        }
    }
    assert!(seen > 10, "commands of the program are not found");
    none("commands of repro that do not exist", &wrong);
}

/// A subcommand or an option that this command of `repro` does not have.
fn unknown_word(words: &[String]) -> Option<&str> {
    let repro = harness::cli::Cli::command();
    let mut command = repro.find_subcommand(&words[0])?;
    let mut words = words[1..].iter();
    if command.has_subcommands() {
        let word = words.next()?;
        let Some(inner) = command.find_subcommand(word) else { return Some(word) };
        command = inner;
    }
    let globals = repro.get_arguments().filter(|argument| argument.is_global_set());
    let known: Vec<_> = command.get_arguments().chain(globals).collect();
    words.map(String::as_str).filter(|word| word.starts_with("--")).find(|word| {
        let name = word[2..].split('=').next();
        *word != "--help" && !known.iter().any(|argument| argument.get_long() == name)
    })
}
