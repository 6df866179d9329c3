// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro review`: changed reports, one after the other, until each is accepted or rejected.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _};

use anstyle::{AnsiColor, Style};
use clap::Args;
use similar::{ChangeTag, TextDiff};

use super::CommandResult;
use super::options::{self, GlobalOptions};
use crate::error::Failure;
use crate::exit::Exit;
use crate::review::{self, Waiting};
use crate::run::select;
use guest::shown;

const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();
const HEAD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Lines of a difference that are shown around what changed.
const AROUND: usize = 2;

/// Step through changed reports: what changed in words, then line by line; accept or reject
///
/// `repro test` writes a report that is not the reviewed one beside it, in the folder of the case:
/// snapshots/<guest>/crash.txt.snap.new. What is accepted takes the place of the reviewed one and
/// belongs into your repository. Accept a report only after you have checked it: it is what the
/// next ones are held to.
#[derive(Debug, Args)]
pub(super) struct ReviewCommand {
    /// Only cases whose CASE@GUEST holds one of these words
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Accept all of them
    #[arg(long, conflicts_with = "reject")]
    accept: bool,
    /// Reject all of them
    #[arg(long)]
    reject: bool,
    /// Print all of them; change nothing
    #[arg(long, conflicts_with_all = ["accept", "reject"])]
    list: bool,
}

enum Answer {
    Accept,
    Reject,
    Skip,
    Quit,
}

impl ReviewCommand {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let project = global.project()?;
        let mut waiting = Vec::new();
        for folder in select::case_folders(&project)?.values() {
            let of_case = review::waiting(folder).map_err(|error| {
                let message = format!("cannot read the reports in {}", folder.display());
                Failure::new(Exit::SetupError, message).caused_by(&error)
            })?;
            waiting.extend(of_case);
        }
        waiting.retain(|one| {
            self.filters.is_empty() || self.filters.iter().any(|word| one.name().contains(word))
        });
        if waiting.is_empty() {
            options::print("nothing to review\n")?;
            return Ok(Exit::Ok);
        }
        let asks = !(self.accept || self.reject || self.list);
        if asks && !io::stdin().is_terminal() {
            return Err(Failure::new(Exit::Usage, "there is no terminal to ask at")
                .hint("say --list, --accept or --reject"));
        }
        for (number, one) in waiting.iter().enumerate() {
            options::print_made(&difference(one, number + 1, waiting.len()))?;
            let answer = match (self.accept, self.reject, self.list) {
                (true, ..) => Answer::Accept,
                (_, true, _) => Answer::Reject,
                (_, _, true) => Answer::Skip,
                _ => ask()?,
            };
            let (done, what) = match answer {
                Answer::Accept => (one.accept(), "accepted"),
                Answer::Reject => (one.reject(), "rejected"),
                Answer::Skip => continue,
                Answer::Quit => break,
            };
            done.map_err(|error| {
                let message = format!("cannot change the report of {}", one.name());
                Failure::new(Exit::WriteFailed, message).caused_by(&error)
            })?;
            options::print(&format!("{what} {}\n", one.name()))?;
        }
        Ok(Exit::Ok)
    }
}

fn difference(one: &Waiting, number: usize, of: usize) -> String {
    let name = shown::line(&one.name());
    let mut text = format!("{HEAD}{name}{HEAD:#} ({number} of {of})\n");
    if one.old.is_empty() {
        text.push_str("  the first report of this case on this guest\n");
    }
    for words in &one.words {
        let _ = writeln!(text, "  * {}", shown::line(words));
    }
    text.push('\n');
    let diff = TextDiff::from_lines(&one.old, &one.new);
    for (number, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if number > 0 {
            let _ = writeln!(text, "{DIM}  ...{DIM:#}");
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let line = shown::line(change.value().trim_end_matches('\n'));
            let _ = match change.tag() {
                ChangeTag::Delete => writeln!(text, "{OLD}- {line}{OLD:#}"),
                ChangeTag::Insert => writeln!(text, "{NEW}+ {line}{NEW:#}"),
                ChangeTag::Equal => writeln!(text, "  {line}"),
            };
        }
    }
    text.push('\n');
    text
}

fn ask() -> Result<Answer, Failure> {
    loop {
        options::print("[a]ccept, [r]eject, [s]kip, [q]uit? ")?;
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line).map_err(|error| {
            Failure::new(Exit::SetupError, "cannot read the answer").caused_by(&error)
        })?;
        return Ok(match line.trim() {
            "a" | "accept" => Answer::Accept,
            "r" | "reject" => Answer::Reject,
            "s" | "skip" => Answer::Skip,
            "q" | "quit" => Answer::Quit,
            _ if read == 0 => Answer::Quit,
            _ => continue,
        });
    }
}
