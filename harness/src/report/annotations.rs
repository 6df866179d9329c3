// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a pipeline understands of its job's output: GitHub's workflow commands and step summary,
//! GitLab's sections. On stderr, so that stdout stays data.

use std::env;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::console_log::unwritable;
use super::junit::{details, headline};
use crate::error::Failure;
use crate::events::{Event, Reporter, Stamped};
use crate::run::matrix::{self, Cell};
use crate::run::outcome::RunResult;
use guest::shown;

/// Whose words are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Annotate {
    /// Those of the pipeline that this is (by its environment), if it is one.
    #[default]
    Auto,
    /// GitHub's.
    Github,
    /// GitLab's.
    Gitlab,
    /// Nobody's.
    None,
}

/// Writes the words of a pipeline.
#[derive(Debug)]
pub struct Annotations {
    whose: Annotate,
    /// GitHub's file for Markdown.
    summary: Option<PathBuf>,
    results: Vec<RunResult>,
    section: Option<String>,
}

impl Annotations {
    /// A reporter, if somebody listens.
    #[must_use]
    pub fn of(whose: Annotate) -> Option<Self> {
        let is = |variable: &str| env::var_os(variable).is_some_and(|value| value == "true");
        let whose = match whose {
            Annotate::Auto if is("GITHUB_ACTIONS") => Annotate::Github,
            Annotate::Auto if is("GITLAB_CI") => Annotate::Gitlab,
            Annotate::Auto | Annotate::None => return None,
            whose => whose,
        };
        let summary = env::var_os("GITHUB_STEP_SUMMARY").filter(|_| whose == Annotate::Github);
        Some(Self {
            whose,
            summary: summary.map(PathBuf::from),
            results: Vec::new(),
            section: None,
        })
    }

    /// What the pipeline is told about an event.
    pub(super) fn words(&mut self, event: &Stamped) -> String {
        match &event.event {
            Event::RunStarted { case, guest } => {
                self.begin(&format!("{case}@{guest}"), event.at_ms)
            }
            Event::RunFinished { result } => {
                self.results.push((**result).clone());
                self.end(event.at_ms)
            }
            Event::Finished { .. } if self.whose == Annotate::Github => self.errors(),
            _ => String::new(),
        }
    }

    fn begin(&mut self, run: &str, at_ms: u64) -> String {
        let name: String =
            run.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        self.section = Some(name.clone());
        match self.whose {
            Annotate::Github => format!("::group::{}\n", message(&shown::line(run))),
            _ => {
                let run = shown::line(run);
                format!("\x1b[0Ksection_start:{}:{name}\r\x1b[0K{run}\n", at_ms / 1000)
            }
        }
    }

    fn end(&mut self, at_ms: u64) -> String {
        match (self.section.take(), self.whose) {
            (None, _) => String::new(),
            (Some(_), Annotate::Github) => "::endgroup::\n".to_owned(),
            (Some(name), _) => format!("\x1b[0Ksection_end:{}:{name}\r\x1b[0K\n", at_ms / 1000),
        }
    }

    fn errors(&self) -> String {
        let cells = matrix::cells(&self.results);
        let bad = cells.iter().filter(|cell| !cell.status().is_good());
        bad.map(Self::error).collect()
    }

    /// `::error file=…,line=…,title=…::…`, at the run's place.
    fn error(cell: &Cell<'_>) -> String {
        let run = cell.telling();
        let mut place = String::new();
        if let Some(at) = &run.place {
            let _ = write!(place, "file={},line={},", property(&at.file), at.line);
        }
        let title = format!("{}: {}", run.name(), cell.status().name());
        let text = format!("{}\n{}", headline(cell), details(cell));
        format!("::error {place}title={}::{}\n", property(&title), message(&text))
    }

    fn write_summary(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(summary(&self.results).as_bytes())
    }
}

/// The table of all cells, in Markdown.
pub(super) fn summary(results: &[RunResult]) -> String {
    let mut text = String::from("| case | guest | result | verdict |\n|---|---|---|---|\n");
    for cell in matrix::cells(results) {
        let run = cell.telling();
        let mark = if cell.status().is_good() { "✅" } else { "❌" };
        // What a run without a verdict tells is how its trigger ended, and why it is judged so.
        let verdict = match &run.report {
            Some(report) => report.verdict.summary.clone(),
            None => details(&cell),
        };
        let rate = cell.rated().map(|_| format!("<br>{}", cell.rate())).unwrap_or_default();
        let [case, guest, verdict] =
            [&run.case, &run.guest, &verdict].map(|text| shown::markdown(text));
        let status = cell.word();
        let _ = writeln!(text, "| {case} | {guest} | {mark} {status}{rate} | {verdict} |");
    }
    text.push('\n');
    text
}

/// Escapes of a property's value in a workflow command.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// Escapes of a message in a workflow command. The runner writes its lines into the log, where
/// `##[…]` is obeyed once more.
fn message(text: &str) -> String {
    shown::lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

impl Reporter for Annotations {
    fn event(&mut self, event: &Stamped) {
        // A pipeline that does not listen any more is no reason to stop.
        let _ = anstream::stderr().write_all(self.words(event).as_bytes());
    }

    fn finish(&mut self) -> Result<(), Failure> {
        match &self.summary {
            Some(path) => self.write_summary(path).map_err(|error| unwritable(path, &error)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::outcome::{Difference, Outcome, Place};
    use crate::run::{TriggerEnd, TriggerRun};

    fn annotations() -> Annotations {
        let mut run = RunResult::new("mine".into(), "guest-b".into());
        run.outcome = Outcome::Mismatched;
        let end = TriggerEnd::Exited { status: 3 };
        run.trigger = Some(TriggerRun { end, ..TriggerRun::default() });
        run.place = Some(Place { file: "cases/mine/case.toml".into(), line: 3 });
        run.differences.push(Difference {
            key: "kind".into(),
            expected: "50 %".into(),
            got: "a\nb".into(),
        });
        let mut annotations = Annotations::of(Annotate::Github).unwrap();
        annotations.results.push(run);
        annotations
    }

    #[test]
    fn an_error_points_at_what_the_case_expects_and_is_escaped() {
        assert_eq!(
            annotations().errors(),
            "::error file=cases/mine/case.toml,line=3,title=mine@guest-b%3A mismatched::\
             mismatched%0Akind: expected 50 %25, got a\\nb%0Atrigger: exit status 3\n"
        );
    }

    #[test]
    fn the_summary_is_a_table() {
        let text = summary(&annotations().results);
        assert!(text.contains("| mine | guest-b | ❌ mismatched |"), "{text}");
        assert!(text.contains("exit status 3"), "{text}");
    }
}
