// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro review`: changed reports, one after the other, until each is accepted or rejected.

mod kept;
mod upgrade;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::Args;
use similar::{ChangeTag, TextDiff};

use super::CommandResult;
use super::names;
use super::options::{self, GlobalOptions};
use super::pager;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::{columns, wrapped};
use crate::review::{self, Waiting};
use crate::run::select;
use guest::shown;

const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();
const HEAD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Columns of a report's labels, behind the mark of what changed.
const REPORT_MARGIN: usize = 13;

/// Lines of a difference that are shown around what changed.
const AROUND: usize = 2;

/// Step through changed reports: what changed in words, then line by line; accept or reject
///
/// `repro test` writes a report that is not the reviewed one beside it, in the folder of the case:
/// snapshots/<guest>/crash.txt.snap.new. What is accepted takes the place of the reviewed one and
/// belongs into your repository. Accept a report only after you have checked it: it is what the
/// next ones are held to.
///
/// After an update of repro, many reports say the same in other words. `--upgrade` looks at those
/// whose reviewed one has an earlier form, and at no others. Where only the form changed, it shows
/// each change once, with one example, asks once, and accepts them all. Where the crash changed too,
/// or nobody can tell, the report stays, with the reason, and the command ends with 100.
/// docs/your-module.md says what counts.
#[derive(Debug, Args)]
pub(super) struct ReviewCommand {
    /// Only cases whose CASE@GUEST holds one of these words
    #[arg(value_name = "FILTER", add = names::runs())]
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
    /// Accept the reports in which only the form changed, after they are shown once
    #[arg(long, conflicts_with = "reject")]
    upgrade: bool,
    /// With --upgrade: look below this folder for the runs that the reviewed reports are of, to
    /// analyze them again
    #[arg(long, value_name = "DIR", requires = "upgrade")]
    from: Option<PathBuf>,
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
        let mut folders = BTreeMap::new();
        for (name, folder) in select::case_folders(&project)? {
            let of_case = review::waiting(&folder).map_err(|error| {
                error.failure(format!("cannot read the reports in {}", folder.display()))
            })?;
            waiting.extend(of_case);
            folders.insert(name, folder);
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
        if self.upgrade {
            let kept = kept::Kept::new(global, &project, folders, self.from.as_deref())?;
            let how = match (self.accept, self.list) {
                (true, _) => upgrade::How::Accept,
                (_, true) => upgrade::How::List,
                _ => upgrade::How::Ask,
            };
            return upgrade::run(&waiting, &kept, how);
        }
        for (number, one) in waiting.iter().enumerate() {
            let answer = match (self.accept, self.reject) {
                (true, _) => Answer::Accept,
                (_, true) => Answer::Reject,
                _ => {
                    let text = difference(one, number + 1, waiting.len());
                    pager::show(&wrapped(&text, columns(io::stdout()), REPORT_MARGIN))?;
                    if self.list { Answer::Skip } else { ask(one)? }
                }
            };
            let (done, what) = match answer {
                Answer::Accept => (one.accept(), "accepted"),
                Answer::Reject => (one.reject(), "rejected"),
                Answer::Skip => continue,
                Answer::Quit => break,
            };
            done.map_err(|error| {
                error.failure(format!("cannot change the report of {}", one.name()))
            })?;
            let title = one.title().map(|title| format!(": {title}")).unwrap_or_default();
            options::print(&format!("{what} {}{title}\n", one.name()))?;
        }
        Ok(Exit::Ok)
    }
}

fn difference(one: &Waiting, number: usize, of: usize) -> String {
    let name = shown::line(&one.name());
    let mut text = format!("{HEAD}{name}{HEAD:#} ({number} of {of})\n");
    match one.reviewed_form() {
        None => text.push_str("  the first report of this case on this guest\n"),
        Some(form) if form < one.form() => {
            let _ = writeln!(
                text,
                "  reviewed in {form}, now in {}: `repro review --upgrade` tells whether only the \
                 form changed",
                one.form()
            );
        }
        Some(_) => {}
    }
    for words in &one.words {
        let _ = writeln!(text, "  * {}", shown::line(words));
    }
    text.push('\n');
    text.push_str(&lines(one));
    text.push('\n');
    text
}

/// The lines of the text that changed, with some around them.
fn lines(one: &Waiting) -> String {
    let mut text = String::new();
    let diff = TextDiff::from_lines(one.reviewed(), one.text());
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
    text
}

/// Asks about a report. What is to be answered stands beside the question: the rest may have scrolled away.
fn ask(one: &Waiting) -> Result<Answer, Failure> {
    if let Some(summary) = one.summary() {
        let summary = wrapped(&format!("  {}\n", shown::line(&summary)), columns(io::stdout()), 2);
        options::print_made(&format!("{HEAD}{}{HEAD:#}\n{summary}", shown::line(&one.name())))?;
    }
    loop {
        options::print("[a]ccept, [r]eject, [s]kip, [q]uit? ")?;
        return Ok(match answer()?.as_deref() {
            Some("a" | "accept") => Answer::Accept,
            Some("r" | "reject") => Answer::Reject,
            Some("s" | "skip") => Answer::Skip,
            Some("q" | "quit") | None => Answer::Quit,
            Some(_) => continue,
        });
    }
}

/// A line from the terminal; `None` where there are no more.
fn answer() -> Result<Option<String>, Failure> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line).map_err(|error| {
        Failure::new(Exit::SetupError, "cannot read the answer").caused_by(&error)
    })?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}
