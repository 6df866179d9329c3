// SPDX-License-Identifier: MIT OR Apache-2.0
//! What earlier invocations found: one line of JSON for each case on each guest.
//!
//! A pipeline keeps the file (a cache, an artefact, a branch); where lines are damaged, the others
//! are read.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::console_log::unwritable;
use crate::error::Failure;
use crate::exit::Exit;
use crate::run::matrix::{self, Status};
use crate::run::outcome::{Outcome, RunResult, Runs};

/// Entries of one case on one guest that are told.
const SHOWN: usize = 12;

/// The results of earlier invocations.
#[derive(Debug, Default)]
pub struct History {
    path: PathBuf,
    entries: Vec<Entry>,
}

/// What became of one case on one guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Time of the invocation, RFC 3339 in UTC.
    pub time: String,
    /// Name of the case.
    pub case: String,
    /// Name of the guest.
    pub guest: String,
    /// What the modules were loaded with; null in lines of versions that did not note it.
    #[serde(default)]
    pub parameters: Option<BTreeMap<String, String>>,
    /// How it was judged: an outcome, or `flaky`.
    pub status: String,
    /// Signature of the crash.
    pub signature: Option<String>,
    /// Title of the verdict.
    pub title: Option<String>,
}

impl Entry {
    /// Whether it is of runs like this one.
    fn is_of(&self, run: &RunResult) -> bool {
        let parameters = self.parameters.as_ref();
        (&self.case, &self.guest) == (&run.case, &run.guest)
            && parameters.is_none_or(|own| *own == run.parameters)
    }

    /// Whether nobody had to look at it.
    #[must_use]
    pub fn is_good(&self) -> bool {
        [Outcome::Reproduced, Outcome::Skipped].iter().any(|good| good.to_string() == self.status)
    }
}

impl History {
    /// Reads a file; one that is not there holds nothing.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let message = format!("cannot read {}", path.display());
                return Err(Failure::new(Exit::SetupError, message).caused_by(&error));
            }
        };
        let entries = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Self { path: path.to_owned(), entries })
    }

    /// The last entries of runs like this one, oldest first.
    #[must_use]
    pub fn of(&self, run: &RunResult) -> Vec<&Entry> {
        let mut last: Vec<_> =
            self.entries.iter().rev().filter(|entry| entry.is_of(run)).take(SHOWN).collect();
        last.reverse();
        last
    }

    /// Adds the results of an invocation to the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, runs: &Runs, time: jiff::Timestamp) -> Result<(), Failure> {
        let time = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let entries: Vec<Entry> = entries(runs, &time);
        let mut text = String::new();
        for entry in &entries {
            text.push_str(&serde_json::to_string(entry).unwrap_or_default());
            text.push('\n');
        }
        // One write: two invocations may add at once.
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| unwritable(&self.path, &error))?;
        self.entries.extend(entries);
        Ok(())
    }
}

fn entries(runs: &Runs, time: &str) -> Vec<Entry> {
    let cells = matrix::cells(&runs.runs);
    // What was not judged says nothing about the case.
    let judged = |cell: &&matrix::Cell<'_>| match cell.status() {
        Status::As(outcome) => outcome.is_judged(),
        Status::Flaky => true,
    };
    let entry = |cell: &matrix::Cell<'_>| {
        let run = cell.telling();
        let report = run.report.as_ref();
        Entry {
            time: time.to_owned(),
            case: run.case.clone(),
            guest: run.guest.clone(),
            parameters: Some(run.parameters.clone()),
            status: cell.status().name(),
            signature: report.and_then(|report| report.signature.clone()),
            title: report.map(|report| report.verdict.title.clone()),
        }
    };
    cells.iter().filter(judged).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_read_again_and_damaged_lines_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let mut run = RunResult::new("a".into(), "guest-b".into());
        run.outcome = Outcome::Reproduced;
        let error = RunResult::new("b".into(), "guest-b".into());
        let runs = Runs::new(vec![run, error]);
        let mut history = History::load(&path).unwrap();
        for second in 0..20 {
            history.add(&runs, jiff::Timestamp::from_second(second).unwrap()).unwrap();
        }
        fs::write(&path, fs::read_to_string(&path).unwrap() + "{\"time\":\n").unwrap();
        let history = History::load(&path).unwrap();
        let run = |case: &str| RunResult::new(case.into(), "guest-b".into());
        let of = history.of(&run("a"));
        assert_eq!((of.len(), of[SHOWN - 1].time.as_str()), (SHOWN, "1970-01-01T00:00:19Z"));
        assert!(of[0].is_good());
        assert!(history.of(&run("b")).is_empty(), "an error is no result");
    }

    #[test]
    fn runs_with_other_parameters_have_a_history_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let old =
            r#"{"time":"t","case":"a","guest":"g","status":"flaky","signature":null,"title":null}"#;
        fs::write(&path, format!("{old}\n")).unwrap();
        let mut strict = RunResult::new("a".into(), "g".into());
        strict.outcome = Outcome::Reproduced;
        strict.parameters.insert("m.mode".into(), "strict".into());
        let mut history = History::load(&path).unwrap();
        history.add(&Runs::new(vec![strict.clone()]), jiff::Timestamp::UNIX_EPOCH).unwrap();
        let history = History::load(&path).unwrap();
        let lax = RunResult::new("a".into(), "g".into());
        // What was noted before parameters were is of either.
        assert_eq!((history.of(&strict).len(), history.of(&lax).len()), (2, 1));
    }
}
