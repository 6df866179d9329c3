// SPDX-License-Identifier: MIT OR Apache-2.0
//! Search among the commits between a good one and a bad one.

use std::path::Path;

use super::git::{Commit, Repository};
use super::{Answer, Failure, Steps, Tried, halvings};
use crate::exit::Exit;

/// Commits that cannot be told before the search ends: by then it is not the commits that are wrong.
const MAX_UNTOLD: usize = 16;

/// The first commit that crashes: hash and subject, author, date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First(pub String);

/// What is known so far.
struct Search<'s> {
    repository: &'s Repository,
    good: Vec<String>,
    bad: String,
    untold: Vec<String>,
    /// Of these, the ones since the last answer.
    in_a_row: usize,
}

/// Searches between two commits, which the user names; each is tried first. `ask` finds out about
/// the commit that the folder it is given has.
///
/// # Errors
/// The ends are no commits in this order, or are not what is said of them; the first bad commit cannot
/// be told; git or `ask` fails.
pub fn search(
    repository: &Repository,
    good: &str,
    bad: &str,
    steps: &mut Steps,
    ask: &mut dyn FnMut(&Path) -> Result<Tried, Failure>,
) -> Result<First, Failure> {
    let (good, bad) = ends(repository, good, bad)?;
    let tree = repository.work_tree(&bad)?;
    let mut search = Search {
        repository,
        good: vec![good.hash.clone()],
        bad: bad.hash.clone(),
        untold: Vec::new(),
        in_a_row: 0,
    };
    let left = halvings(search.between()?.len());
    let mut at = |commit: &Commit, left: usize| {
        tree.check_out(commit)?;
        steps.take(&commit.label, left, || ask(tree.path()))
    };
    holds(at(&bad, left + 2)?, Answer::Bad, &bad)?;
    holds(at(&good, left + 1)?, Answer::Good, &good)?;
    while let Some((next, left)) = search.next()? {
        let answer = at(&next, left)?;
        search.learn(next, answer);
    }
    search.end()
}

/// The ends of the search: two commits of which the good one comes before the bad one.
fn ends(repository: &Repository, good: &str, bad: &str) -> Result<(Commit, Commit), Failure> {
    let (good, bad) = (repository.commit(good)?, repository.commit(bad)?);
    let wrong = |message: String| Err(Failure::new(Exit::Usage, message));
    if good.hash == bad.hash {
        return wrong(format!("the good commit and the bad one are the same: {}", good.label));
    }
    if !repository.is_before(&good, &bad)? {
        let message =
            format!("the good commit ({}) is not before the bad one ({})", good.label, bad.label);
        let failure = Failure::new(Exit::Usage, message);
        return Err(match repository.is_before(&bad, &good)? {
            true => failure.hint("they are the other way round: swap --good and --bad"),
            false => failure.hint("name two commits of which one is an ancestor of the other"),
        });
    }
    Ok((good, bad))
}

/// Whether an end is what the user says of it.
fn holds(answer: Answer, said: Answer, end: &Commit) -> Result<(), Failure> {
    let label = &end.label;
    let message = match (answer, said) {
        (answer, said) if answer == said => return Ok(()),
        (Answer::Untold, _) => {
            let message = format!("it cannot be told whether {label} crashes");
            return Err(Failure::new(Exit::Unavailable, message).hint("name another commit"));
        }
        (Answer::Bad, _) => format!("the good commit crashes: {label}"),
        (Answer::Good, _) => format!("the bad commit does not crash: {label}"),
    };
    let hint = "name an older --good or another --bad; a crash that seldom happens needs -n";
    Err(Failure::new(Exit::CaseFailed, message).hint(hint))
}

impl Search<'_> {
    fn between(&self) -> Result<Vec<String>, Failure> {
        self.repository.between(&self.bad, &self.good)
    }

    /// The commit to try next, and how many steps are left with it.
    fn next(&self) -> Result<Option<(Commit, usize)>, Failure> {
        if self.untold.len() >= MAX_UNTOLD {
            return Ok(None);
        }
        let between = self.between()?;
        let left = halvings(between.len());
        let mut open = between;
        open.retain(|hash| *hash != self.bad && !self.untold.contains(hash));
        if open.is_empty() {
            return Ok(None);
        }
        // What does not build seldom stands alone: further away from it with each one.
        let at = (open.len() - 1) * self.in_a_row / (self.in_a_row + 2);
        let commit = self.repository.labelled(&open[at])?;
        Ok(Some((commit, left)))
    }

    fn learn(&mut self, commit: Commit, answer: Answer) {
        self.in_a_row = if answer == Answer::Untold { self.in_a_row + 1 } else { 0 };
        match answer {
            Answer::Good => self.good.push(commit.hash),
            Answer::Bad => self.bad = commit.hash,
            Answer::Untold => self.untold.push(commit.hash),
        }
    }

    fn end(self) -> Result<First, Failure> {
        let between = self.between()?;
        if between.len() == 1 {
            let first = self.repository.described(&self.bad, "%h %s (%an, %as)")?;
            return Ok(First(first));
        }
        let message = format!("the first bad commit is one of {}", between.len());
        let mut failure = Failure::new(Exit::Unavailable, message);
        for hash in between.iter().take(MAX_UNTOLD + 1) {
            failure.causes.push(self.repository.labelled(hash)?.label);
        }
        Err(failure.hint("the others of them cannot be built or run"))
    }
}

#[cfg(test)]
mod tests;
