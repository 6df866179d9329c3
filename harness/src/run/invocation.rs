// SPDX-License-Identifier: MIT OR Apache-2.0
//! When runs were made, and of which state of the project.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use process::helper;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When runs were made, and of which state of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invocation {
    /// When the first began, RFC 3339 in UTC.
    pub started: String,
    /// Milliseconds until the last was over.
    pub millis: u64,
    /// What the project's repository had; null outside of git, and where merged runs are of several
    /// states.
    pub commit: Option<Commit>,
}

/// A state of a git repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// The commit's hash.
    pub id: String,
    /// Whether files that git knows were changed since.
    pub changed: bool,
}

impl Invocation {
    /// One that began then and took so long.
    #[must_use]
    pub fn new(started: Timestamp, millis: u64, commit: Option<Commit>) -> Self {
        let started = started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Self { started, millis, commit }
    }

    /// Several as one: from the first beginning to the last end. `None` where there is none, or one
    /// whose time cannot be read.
    #[must_use]
    pub fn together(parts: &[Self]) -> Option<Self> {
        let time = |part: &Self| part.started.parse::<Timestamp>().ok();
        let spans = parts.iter().map(|part| {
            let began = time(part)?;
            Some((began, began.checked_add(Duration::from_millis(part.millis)).ok()?))
        });
        let spans = spans.collect::<Option<Vec<_>>>()?;
        let began = spans.iter().map(|(began, _)| *began).min()?;
        let ended = spans.iter().map(|(_, ended)| *ended).max()?;
        let millis = u64::try_from(ended.duration_since(began).as_millis()).ok()?;
        let commit = parts.first()?.commit.clone();
        let is_one = parts.iter().all(|part| part.commit == commit);
        Some(Self::new(began, millis, commit.filter(|_| is_one)))
    }
}

impl Commit {
    /// What the repository has that a folder is in; `None` outside of git, or without a commit.
    #[must_use]
    pub fn of(folder: &Path) -> Option<Self> {
        let git = helper::find("git")?;
        // No lock and no helper of the user's: this only looks.
        let options = ["--no-optional-locks", "-c", "core.fsmonitor=false", "-C"];
        let status = ["status", "--porcelain=v2", "--branch", "--untracked-files=no"];
        let words = options.iter().map(|&word| word.into());
        let words = words.chain([folder.as_os_str().to_owned()]);
        let words = words.chain(status.iter().map(|&word| word.into()));
        Self::parse(&helper::tied(git, words).stderr_null().read().ok()?)
    }

    /// Of what `git status --porcelain=v2 --branch` prints: headers, then a line for each change.
    fn parse(status: &str) -> Option<Self> {
        let id = status.lines().find_map(|line| line.strip_prefix("# branch.oid "))?;
        let is_hash = id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let changed = status.lines().any(|line| !line.starts_with("# "));
        is_hash.then(|| Self { id: id.to_owned(), changed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_repository_is_a_commit_and_whether_it_was_changed() {
        let head = "# branch.oid 00ff\n# branch.head main\n";
        let changed = format!("{head}1 .M N... 100644 100644 100644 aa aa file\n");
        for (status, expected) in [(head, Some(false)), (&changed, Some(true))] {
            let commit = Commit::parse(status);
            assert_eq!(commit.as_ref().map(|commit| commit.changed), expected);
            assert_eq!(commit.map(|commit| commit.id).as_deref(), Some("00ff"));
        }
        assert_eq!(Commit::parse("# branch.oid (initial)\n"), None, "nothing is committed yet");
    }

    #[test]
    fn outside_of_git_there_is_no_commit() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Commit::of(folder.path()), None);
        let git = |words: &[&str]| {
            let words = ["-c", "user.name=a", "-c", "user.email=a@b"].iter().chain(words);
            duct::cmd("git", words).dir(folder.path()).stdout_null().stderr_null().run().unwrap();
        };
        git(&["init"]);
        assert_eq!(Commit::of(folder.path()), None, "nothing is committed yet");
        std::fs::write(folder.path().join("file"), "one").unwrap();
        git(&["add", "file"]);
        git(&["commit", "--no-gpg-sign", "-m", "one"]);
        let commit = Commit::of(folder.path()).unwrap();
        assert_eq!((commit.id.len(), commit.changed), (40, false));
        std::fs::write(folder.path().join("file"), "another").unwrap();
        assert!(Commit::of(folder.path()).unwrap().changed);
    }

    #[test]
    fn merged_parts_last_from_the_first_beginning_to_the_last_end() {
        let commit = Some(Commit { id: "00ff".into(), changed: false });
        let part = |second, took: u64, commit: &Option<Commit>| {
            let started = Timestamp::from_second(second).unwrap();
            Invocation::new(started, took * 1000, commit.clone())
        };
        let together = Invocation::together(&[part(60, 10, &commit), part(30, 5, &commit)]);
        let expected = part(30, 40, &commit);
        assert_eq!(together, Some(expected));
        let other = Invocation::together(&[part(60, 10, &commit), part(60, 5, &None)]).unwrap();
        assert_eq!((other.millis, other.commit), (10_000, None));
        assert_eq!(Invocation::together(&[]), None);
    }
}
