// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real repositories, and a file in the place of a kernel: the commit says itself how it behaves.

use std::fs;
use std::process::Command;

use super::*;

/// A repository with these commits, oldest first; each has its word in the file `state`.
struct World {
    folder: tempfile::TempDir,
    hashes: Vec<String>,
}

impl World {
    fn new(states: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self { folder, hashes: Vec::new() };
        world.git(&["init", "-q", "-b", "main"]);
        for (number, state) in states.iter().enumerate() {
            fs::write(world.folder.path().join("state"), format!("{state} {number}")).unwrap();
            world.git(&["add", "state"]);
            world.git(&["commit", "-qm", &format!("commit {number}")]);
            world.hashes.push(world.git(&["rev-parse", "HEAD"]).trim().to_owned());
        }
        world
    }

    fn git(&self, words: &[&str]) -> String {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let mut command = Command::new("git");
        command.args(who).args(words).current_dir(self.folder.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Everything of the repository that a search could change.
    fn marks(&self) -> String {
        let own = self.folder.path().join(".git");
        let left = ["BISECT_START", "BISECT_LOG", "worktrees"].map(|name| own.join(name).exists());
        assert_eq!(left, [false; 3], "something is left");
        ["for-each-ref", "status --porcelain --branch", "worktree list", "rev-parse HEAD"]
            .map(|words| self.git(&words.split(' ').collect::<Vec<_>>()))
            .concat()
    }

    /// Searches, and says what was found and how many steps it took.
    fn search(&self, good: &str, bad: &str) -> (Result<First, Failure>, usize) {
        let before = self.marks();
        let repository = Repository::of(self.folder.path()).unwrap();
        let mut asked = 0;
        let found = search(&repository, good, bad, &mut Steps::quiet(), &mut |tree| {
            asked += 1;
            let state = fs::read_to_string(tree.join("state")).unwrap();
            match state.split(' ').next().unwrap() {
                "good" => Ok(Tried::as_told(Answer::Good)),
                "bad" => Ok(Tried::as_told(Answer::Bad)),
                "stop" => Err(Failure::new(Exit::Interrupted, "interrupted")),
                _ => Ok(Tried::as_told(Answer::Untold)),
            }
        });
        assert_eq!(self.marks(), before);
        (found, asked)
    }

    fn hash(&self, number: usize) -> &str {
        &self.hashes[number]
    }
}

#[test]
fn every_place_is_found_in_few_steps() {
    for first in 1..9 {
        let states: Vec<&str> = (0..9).map(|at| if at < first { "good" } else { "bad" }).collect();
        let world = World::new(&states);
        let (found, asked) = world.search(world.hash(0), "HEAD");
        let First(text) = found.unwrap();
        assert!(text.contains(&format!(" commit {first} (a, ")), "{text}");
        assert!(text.starts_with(&world.hash(first)[..7]), "{text}");
        assert!(asked <= 5, "{asked} steps");
    }
}

#[test]
fn a_word_that_is_no_commit_is_an_error_before_anything_is_tried() {
    let world = World::new(&["good", "bad"]);
    // A path, an option, a blob, nothing at all, and a hash of nothing.
    for word in ["state", "--all", "-h", "HEAD:state", "", "no-such", "0123456789abcdef"] {
        for (good, bad) in [(word, "HEAD"), ("HEAD~1", word)] {
            let (found, asked) = world.search(good, bad);
            let failure = found.unwrap_err();
            assert_eq!((failure.exit, asked), (Exit::Usage, 0), "{good} {bad}: {failure}");
            assert!(failure.message.contains(&format!("`{word}` is no commit")), "{failure}");
        }
    }
}

#[test]
fn ends_that_are_swapped_the_same_or_apart_are_an_error() {
    let world = World::new(&["good", "good", "bad"]);
    let refused = |good: &str, bad: &str| {
        let (found, asked) = world.search(good, bad);
        let failure = found.unwrap_err();
        assert_eq!((failure.exit, asked), (Exit::Usage, 0), "{failure}");
        format!("{failure} {}", failure.hint.clone().unwrap_or_default())
    };
    assert!(refused("HEAD", world.hash(0)).contains("swap --good and --bad"));
    assert!(refused("HEAD", "main").contains("are the same"));
    world.git(&["checkout", "-q", "--orphan", "other"]);
    world.git(&["commit", "-qm", "elsewhere"]);
    assert!(refused("other", "main").contains("ancestor"));
}

#[test]
fn an_end_that_is_not_what_is_said_of_it_ends_the_search() {
    for (states, words, exit, steps) in [
        (["bad", "bad", "bad"], "the good commit crashes", Exit::CaseFailed, 2),
        (["good", "good", "good"], "the bad commit does not crash", Exit::CaseFailed, 1),
        (["good", "good", "broken"], "cannot be told", Exit::Unavailable, 1),
        (["broken", "good", "bad"], "cannot be told", Exit::Unavailable, 2),
    ] {
        let world = World::new(&states);
        let (found, asked) = world.search("HEAD~2", "HEAD");
        let failure = found.unwrap_err();
        assert!(failure.message.contains(words), "{failure}");
        assert_eq!((failure.exit, asked), (exit, steps));
    }
}

#[test]
fn what_cannot_be_told_is_passed_over_and_if_it_hides_the_first_one_that_is_said() {
    let world = World::new(&["good", "broken", "good", "bad", "broken", "broken", "bad"]);
    let First(text) = world.search("HEAD~6", "HEAD").0.unwrap();
    assert!(text.contains(" commit 3 "), "{text}");
    let world = World::new(&["good", "broken", "broken", "bad"]);
    let failure = world.search("HEAD~3", "HEAD").0.unwrap_err();
    assert_eq!(failure.exit, Exit::Unavailable);
    assert!(failure.message.contains("one of 3"), "{failure}");
    let causes = failure.causes.join("\n");
    assert!(["commit 1", "commit 2", "commit 3"].iter().all(|it| causes.contains(it)), "{causes}");
}

#[test]
fn a_history_in_which_nothing_builds_ends_the_search() {
    let mut states = vec!["broken"; 60];
    (states[0], states[59]) = ("good", "bad");
    let world = World::new(&states);
    let (found, asked) = world.search("HEAD~59", "HEAD");
    assert_eq!(found.unwrap_err().exit, Exit::Unavailable);
    assert_eq!(asked, 2 + MAX_UNTOLD);
}

#[test]
fn a_user_who_stops_it_finds_the_repository_as_it_was() {
    let world = World::new(&["good", "stop", "stop", "stop", "bad"]);
    let (found, asked) = world.search("HEAD~4", "HEAD");
    assert_eq!((found.unwrap_err().exit, asked), (Exit::Interrupted, 3));
}

#[test]
fn merges_and_files_of_the_same_name_as_a_branch_are_no_obstacle() {
    let world = World::new(&["good", "good"]);
    world.git(&["checkout", "-q", "-b", "side", "HEAD~1"]);
    fs::write(world.folder.path().join("other"), "x").unwrap();
    world.git(&["add", "."]);
    world.git(&["commit", "-qm", "on the side"]);
    world.git(&["checkout", "-q", "main"]);
    world.git(&["merge", "-q", "--no-ff", "-m", "merged", "side"]);
    fs::write(world.folder.path().join("state"), "bad").unwrap();
    fs::write(world.folder.path().join("main"), "a file").unwrap();
    world.git(&["add", "."]);
    world.git(&["commit", "-qm", "the defect"]);
    let First(text) = world.search("side~1", "main").0.unwrap();
    assert!(text.contains(" the defect ("), "{text}");
}
