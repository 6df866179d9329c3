// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro bisect`: since when does a case crash? Over the commits of the module's repository (git
//! does the search), or over a list of guests or kernels.

use std::fs;
use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::CommandResult;
use super::how::{self, How};
use super::names;
use super::options::{self, GlobalOptions};
use crate::case::Case;
use crate::config::Project;
use crate::error::Failure;
use crate::events::{Event, Reporter as _, Stamped};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::run::bisect::{self, Answer, First, Found, Repository, Step, Steps, Tried, first_bad};
use crate::run::select::{self, Selected};

/// Find the commit, the guest or the kernel with which a case begins to crash
///
/// With --good and --bad, the commits between them are searched, of the repository that the module's
/// sources are in: each is checked out in a work tree of its own, which is removed in the end, built,
/// and run with the case as it is now. Both ends are tried first. A commit that cannot be built or run
/// is skipped. With --guests or --kernels, the list is searched; it goes from the oldest to the
/// newest. At each step the case is run up to -n times, and crashes if one run does. Of the
/// artefacts, those of the last good step, the last bad one and the last that could not be told
/// are kept.
///
/// What was found is printed on stdout, then each step with what it gave. The exit code is 0 if it was
/// found, 2 if the ends are no commits of which the good one is an ancestor of the bad one, 69 if
/// it cannot be told because of what cannot be built or run, 100 if the good commit crashes or the bad
/// one does not.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("over").required(true).args(["bad", "guests", "kernels"]))]
pub(super) struct Bisect {
    /// The case, and its guest where that is not what is searched for
    #[arg(value_name = "CASE[@GUEST]", add = names::runs())]
    case: String,
    /// A commit that does not crash
    #[arg(long, value_name = "REV", requires = "bad")]
    good: Option<String>,
    /// A commit that crashes
    #[arg(long, value_name = "REV", requires = "good")]
    bad: Option<String>,
    /// Guests, in order, separated by commas
    #[arg(long, value_name = "GUEST", value_delimiter = ',', add = names::guests())]
    guests: Vec<String>,
    /// Kernels of the guest (as `uname -r` prints them), in order, separated by commas
    #[arg(long, value_name = "RELEASE", value_delimiter = ',')]
    kernels: Vec<String>,
    #[command(flatten)]
    how: How,
}

impl Bisect {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let project = global.project()?;
        let search = Search { global, project: &project, interrupt: how::interrupt()? };
        let mut terminal = global.terminal();
        let mut steps = Steps::new(move |step: Step<'_>| {
            let Step { number, of, what } = step;
            let event = Event::Step { number, of, what: what.to_owned() };
            terminal.event(&Stamped { at_ms: 0, run: None, event });
        });
        let found = match (&self.good, &self.bad) {
            (Some(good), Some(bad)) => self.commits(&search, good, bad, &mut steps),
            _ => self.list(&search, &mut steps),
        };
        if let Ok(found) = &found {
            options::print(&format!("{found}\n"))?;
        }
        // What is known by then is worth telling however the search ended.
        options::print(&steps.to_string())?;
        found.map(|_| Exit::Ok)
    }

    fn commits(
        &self,
        search: &Search<'_>,
        good: &str,
        bad: &str,
        steps: &mut Steps,
    ) -> Result<String, Failure> {
        let selected = search.select(&self.case)?;
        let repository = Repository::of(&own_folder(&selected.case)?)?;
        let top = repository.top().to_owned();
        let First(first) = bisect::search(&repository, good, bad, steps, &mut |tree| {
            let mut selected = selected.clone();
            match selected.case.move_sources(&top, tree) {
                Ok(()) => search.tries(&self.how, selected),
                Err(error) => {
                    let why = Some(error.to_string());
                    Ok(Tried { why, ..Tried::as_told(Answer::Untold) })
                }
            }
        })?;
        Ok(format!("first bad commit: {first}"))
    }

    fn list(&self, search: &Search<'_>, steps: &mut Steps) -> Result<String, Failure> {
        let over_guests = !self.guests.is_empty();
        let names = if over_guests { &self.guests } else { &self.kernels };
        let found = first_bad(names, steps, |name| {
            let case = self.case.split('@').next().unwrap_or_default();
            let word = if over_guests { format!("{case}@{name}") } else { self.case.clone() };
            let mut how = self.how.clone();
            if !over_guests {
                how.guest.set_kernel(name);
            }
            search.tries(&how, search.select(&word)?)
        })?;
        match found {
            Found::First(name) => Ok(format!("first bad: {name}")),
            Found::Always(name) => Ok(format!("bad from the beginning: {name}")),
            Found::Never(name) => Ok(format!("good to the end: {name}")),
            Found::Untold(name) => Err(Failure::new(
                Exit::Unavailable,
                format!("it cannot be told whether {name} crashes"),
            )
            .hint("leave it out of the list")),
        }
    }
}

/// What all steps of a search share.
struct Search<'s> {
    global: &'s GlobalOptions,
    project: &'s Project,
    interrupt: Interrupt,
}

impl Search<'_> {
    fn select(&self, word: &str) -> Result<Selected, Failure> {
        Ok(select::select(self.project, &[word.to_owned()])?.swap_remove(0))
    }

    /// Makes the runs of one step.
    fn tries(&self, how: &How, mut selected: Selected) -> Result<Tried, Failure> {
        how.guest.apply([&mut selected.guest])?;
        // A signal that comes between two steps is for the next one.
        self.go_on()?;
        let made = how.until_crash(self.global, self.project, &[selected], &self.interrupt)?;
        self.go_on()?;
        let runs = &made.runs;
        let crash = runs.iter().find(|run| run.crashed());
        let failure = runs.iter().find_map(|run| run.failure.as_ref());
        let judged = runs.iter().any(|run| run.outcome.is_judged());
        let (answer, why) = match crash {
            Some(run) => {
                (Answer::Bad, run.report.as_ref().map(|report| report.verdict.title.clone()))
            }
            None if judged => (Answer::Good, None),
            None => (Answer::Untold, failure.map(|failure| failure.message.clone())),
        };
        Ok(Tried { answer, why, folder: Some(made.folder) })
    }

    fn go_on(&self) -> Result<(), Failure> {
        match self.interrupt.requested() {
            true => Err(Failure::new(Exit::Interrupted, "interrupted")),
            false => Ok(()),
        }
    }
}

/// A folder of the repository whose commits are searched: that of the first module that is elsewhere
/// than in the case's folder, else that.
fn own_folder(case: &Case) -> Result<PathBuf, Failure> {
    let Some(source) = case.manifest.module.iter().find_map(|module| module.source.as_ref()) else {
        return Ok(case.folder.clone());
    };
    let place = case.folder.join(source);
    let folder = if place.is_dir() { Some(&*place) } else { place.parent() };
    fs::canonicalize(folder.unwrap_or(&case.folder)).map_err(|error| {
        let message = format!("cannot read {}", place.display());
        Failure::new(Exit::SetupError, message).caused_by(&error)
    })
}
