// SPDX-License-Identifier: MIT OR Apache-2.0
//! git, as far as a search needs it: names of commits, what is between two, and a work tree beside
//! the user's. Nothing of a search is noted in the repository (no `git bisect` is started), and the
//! work tree is removed however the search ends.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::Signal;

use crate::error::Failure;
use crate::exit::Exit;
use process::tie_to_parent;

/// What git takes from its caller's environment about where it is.
const PLACES: [&str; 5] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"];

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) hash: String,
    /// Short hash and subject.
    pub(super) label: String,
}

/// A repository of the user's.
#[derive(Debug, Clone)]
pub struct Repository {
    top: PathBuf,
}

impl Repository {
    /// The repository that a folder is in.
    ///
    /// # Errors
    /// It is in none, or there is no git.
    pub fn of(folder: &Path) -> Result<Self, Failure> {
        let top = said(folder, &["rev-parse", "--show-toplevel"])?;
        Ok(Self { top: top.trim_end_matches('\n').into() })
    }

    /// Its topmost folder.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The commit that a user's word names.
    pub(super) fn commit(&self, word: &str) -> Result<Commit, Failure> {
        let wanted = format!("{word}^{{commit}}");
        // What begins with a dash is no option, and what is no commit is no path.
        let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted];
        let output = run(&self.top, &words)?;
        if !output.status.success() {
            let message = format!("`{word}` is no commit of {}", self.top.display());
            return Err(Failure::new(Exit::Usage, message));
        }
        let hash = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        self.labelled(&hash)
    }

    pub(super) fn labelled(&self, hash: &str) -> Result<Commit, Failure> {
        let label = self.described(hash, "%h %s")?;
        Ok(Commit { hash: hash.to_owned(), label })
    }

    /// A commit in git's form.
    pub(super) fn described(&self, hash: &str, form: &str) -> Result<String, Failure> {
        let form = format!("--format={form}");
        Ok(said(&self.top, &["log", "-1", &form, hash, "--"])?.trim_end().to_owned())
    }

    /// Whether one commit comes before another.
    pub(super) fn is_before(&self, one: &Commit, other: &Commit) -> Result<bool, Failure> {
        let words = ["merge-base", "--is-ancestor", &one.hash, &other.hash];
        let output = run(&self.top, &words)?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed(&words, Some(&output))),
        }
    }

    /// The commits that `bad` has and none of `good` has, `bad` among them; first the one that
    /// halves them best.
    pub(super) fn between(&self, bad: &str, good: &[String]) -> Result<Vec<String>, Failure> {
        let mut words = vec!["rev-list".to_owned(), "--bisect-all".to_owned(), bad.to_owned()];
        words.extend(good.iter().map(|hash| format!("^{hash}")));
        words.push("--".to_owned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = said(&self.top, &words)?;
        let hash = |line: &str| line.split(' ').next().map(str::to_owned);
        Ok(said.lines().filter_map(hash).collect())
    }

    /// A work tree of one commit, in a folder of its own.
    pub(super) fn work_tree(&self, commit: &Commit) -> Result<WorkTree, Failure> {
        let above = tempfile::tempdir().map_err(|error| {
            Failure::new(Exit::SetupError, "no room for a work tree").caused_by(&error)
        })?;
        let path = above.path().join("tree");
        let tree = WorkTree { repository: self.clone(), path, _above: above };
        let place = tree.path.display().to_string();
        said(&self.top, &["worktree", "add", "--detach", "--quiet", "--", &place, &commit.hash])?;
        Ok(tree)
    }
}

/// A work tree beside the user's; it is gone with this.
#[derive(Debug)]
pub(super) struct WorkTree {
    repository: Repository,
    path: PathBuf,
    _above: tempfile::TempDir,
}

impl WorkTree {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn check_out(&self, commit: &Commit) -> Result<(), Failure> {
        said(&self.path, &["checkout", "--quiet", "--force", "--detach", &commit.hash, "--"])?;
        Ok(())
    }
}

impl Drop for WorkTree {
    fn drop(&mut self) {
        let place = self.path.display().to_string();
        let words = ["worktree", "remove", "--force", "--force", "--", &place];
        // If that fails, git itself prunes the note once the folder is gone, which it is then.
        let _ = run(&self.repository.top, &words);
    }
}

/// What git prints on stdout when it does what it should.
fn said(folder: &Path, words: &[&str]) -> Result<String, Failure> {
    let output = run(folder, words)?;
    if !output.status.success() {
        return Err(failed(words, Some(&output)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn run(folder: &Path, words: &[&str]) -> Result<Output, Failure> {
    let mut command = Command::new("git");
    // Hooks are the user's, for the user's own checkouts.
    command.args(["-c", "core.hooksPath=/dev/null"]).args(words).current_dir(folder);
    command.env("LC_ALL", "C");
    PLACES.iter().for_each(|name| {
        command.env_remove(name);
    });
    // A group of its own: Ctrl-C is for us, who end when git has.
    tie_to_parent(&mut command, Signal::KILL).process_group(0);
    command.output().map_err(|error| failed(words, None).caused_by(&error).hint("install git"))
}

fn failed(words: &[&str], output: Option<&Output>) -> Failure {
    let mut failure = Failure::new(Exit::SetupError, format!("git {} failed", words.join(" ")));
    let error = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    failure.causes.extend(error.iter().flat_map(|text| text.lines()).last().map(str::to_owned));
    failure
}
