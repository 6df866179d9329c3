// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro bisect`: since when does a case crash? Over the commits of the module's repository (git
//! does the search), or over a list of guests or kernels.

use std::path::Path;
use std::process::Command;

use clap::{ArgGroup, Args};

use super::CommandResult;
use super::how::How;
use super::options::{self, GlobalOptions};
use crate::config::Project;
use crate::error::Failure;
use crate::exit::Exit;
use crate::run::bisect::{Answer, Found, first_bad};
use crate::run::outcome::Outcome;
use crate::run::select::{self, Selected};

/// Find the commit, the guest or the kernel with which a case begins to crash
///
/// With --good and --bad, git bisects the commits between them in a work tree of its own: the sources
/// of each are built and run with the case as it is now. A commit that cannot be built or run is
/// skipped. With --guests or --kernels, the list is searched; it goes from the oldest to the newest.
/// At each step the case is run up to -n times, and crashes if one run does.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("over").required(true).args(["bad", "guests", "kernels"]))]
pub(super) struct Bisect {
    /// The case, and its guest where that is not what is searched for
    #[arg(value_name = "CASE[@GUEST]")]
    case: String,
    /// A commit that does not crash
    #[arg(long, value_name = "REV", requires = "bad")]
    good: Option<String>,
    /// A commit that crashes
    #[arg(long, value_name = "REV", requires = "good")]
    bad: Option<String>,
    /// Guests, in order, separated by commas
    #[arg(long, value_name = "GUEST", value_delimiter = ',')]
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
        let found = match (&self.good, &self.bad) {
            (Some(good), Some(bad)) => self.commits(global, &project, good, bad)?,
            _ => self.list(global, &project)?,
        };
        options::print(&format!("{found}\n"))?;
        Ok(Exit::Ok)
    }

    fn crashes(
        &self,
        how: &How,
        global: &GlobalOptions,
        project: &Project,
        mut selected: Selected,
    ) -> Result<Answer, Failure> {
        how.guest.apply([&mut selected.guest])?;
        let runs = how.until_crash(global, project, &[selected])?;
        let interrupted = |run: &&crate::run::outcome::RunResult| run.exit() == Exit::Interrupted;
        if runs.iter().any(|run| interrupted(&run)) {
            return Err(Failure::new(Exit::Interrupted, "interrupted"));
        }
        let judged = runs.iter().any(|run| run.outcome != Outcome::InfraError);
        Ok(match runs.iter().any(|run| run.crashed()) {
            true => Answer::Bad,
            false if judged => Answer::Good,
            false => Answer::Untold,
        })
    }

    fn commits(
        &self,
        global: &GlobalOptions,
        project: &Project,
        good: &str,
        bad: &str,
    ) -> Result<String, Failure> {
        let above = tempfile::tempdir().map_err(|error| {
            Failure::new(Exit::SetupError, "no room for a work tree").caused_by(&error)
        })?;
        let tree = above.path().join("tree");
        let place = tree.display().to_string();
        git(&project.root, &["worktree", "add", "--detach", "--quiet", &place, bad])?;
        let found = self.search(global, project, &tree, [bad, good]);
        // What could be left of it is a folder that is removed now, and a note that git prunes.
        let _ = git(&project.root, &["worktree", "remove", "--force", &place]);
        found
    }

    fn search(
        &self,
        global: &GlobalOptions,
        project: &Project,
        tree: &Path,
        [bad, good]: [&str; 2],
    ) -> Result<String, Failure> {
        let mut said = git(tree, &["bisect", "start", bad, good])?;
        while !said.contains("is the first bad commit") {
            let words = std::slice::from_ref(&self.case);
            let mut selected = select::select(project, words)?.swap_remove(0);
            let moved = selected.case.move_sources(&project.root, tree);
            let answer = match moved {
                Ok(()) => self.crashes(&self.how, global, project, selected)?,
                Err(_) => Answer::Untold,
            };
            said = git(
                tree,
                &[
                    "bisect",
                    match answer {
                        Answer::Good => "good",
                        Answer::Bad => "bad",
                        Answer::Untold => "skip",
                    },
                ],
            )?;
        }
        let first = git(tree, &["log", "-1", "--format=%h %s (%an, %as)", "refs/bisect/bad"])?;
        Ok(format!("first bad commit: {}", first.trim()))
    }

    fn list(&self, global: &GlobalOptions, project: &Project) -> Result<String, Failure> {
        let over_guests = !self.guests.is_empty();
        let names = if over_guests { &self.guests } else { &self.kernels };
        let found = first_bad(names, |name| {
            let case = self.case.split('@').next().unwrap_or_default();
            let word = if over_guests { format!("{case}@{name}") } else { self.case.clone() };
            let selected = select::select(project, &[word])?.swap_remove(0);
            let mut how = self.how.clone();
            if !over_guests {
                how.guest.set_kernel(name);
            }
            self.crashes(&how, global, project, selected)
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

/// What git prints.
fn git(folder: &Path, words: &[&str]) -> Result<String, Failure> {
    let failed = || Failure::new(Exit::SetupError, format!("git {} failed", words.join(" ")));
    // Its words are read; a translation says them otherwise.
    let output = Command::new("git").args(words).current_dir(folder).env("LC_ALL", "C").output();
    let output = output.map_err(|error| failed().caused_by(&error).hint("install git"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let mut failure = failed();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    failure.causes.extend(said.lines().chain(error.lines()).last().map(str::to_owned));
    Err(failure)
}
