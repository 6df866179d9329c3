// SPDX-License-Identifier: MIT OR Apache-2.0
//! The steps of a search: each is told before it is taken and listed at the end. Of what they leave
//! on the disk, only the newest of each answer stays: at the end, that is the first bad one, the last
//! good one, and one that could not be told.

use std::fmt;
use std::fs;

use super::{Answer, Tried};
use crate::error::Failure;

/// A step that is about to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'s> {
    /// Which one, from 1.
    pub number: usize,
    /// How many there will be if nothing is in the way.
    pub of: usize,
    /// What is tried.
    pub what: &'s str,
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} of {}: {}", self.number, self.of, self.what)
    }
}

/// The steps that were taken.
pub struct Steps {
    announce: Box<dyn FnMut(Step<'_>)>,
    done: Vec<(String, Tried)>,
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").field("done", &self.done).finish_non_exhaustive()
    }
}

impl Steps {
    /// None yet; `announce` hears of each before it is taken.
    #[must_use]
    pub fn new(announce: impl FnMut(Step<'_>) + 'static) -> Self {
        Self { announce: Box::new(announce), done: Vec::new() }
    }

    /// Steps of which nobody hears.
    #[cfg(test)]
    pub(super) fn quiet() -> Self {
        Self::new(|_| ())
    }

    /// Takes a step, with which `left` are to be taken in all.
    ///
    /// # Errors
    /// What `ask` fails with.
    pub(super) fn take(
        &mut self,
        what: &str,
        left: usize,
        ask: impl FnOnce() -> Result<Tried, Failure>,
    ) -> Result<Answer, Failure> {
        let before = self.done.len();
        (self.announce)(Step { number: before + 1, of: before + left.max(1), what });
        let tried = ask()?;
        let answer = tried.answer;
        let same = |(_, older): &&mut (String, Tried)| older.answer == answer;
        for (_, older) in self.done.iter_mut().filter(same) {
            if let Some(folder) = older.folder.take() {
                // What cannot be removed is left to `repro clean`.
                let _ = fs::remove_dir_all(folder);
            }
        }
        self.done.push((what.to_owned(), tried));
        Ok(answer)
    }
}

/// A line for each step: what it found, what was tried, why, and where to look.
impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (what, tried)) in (1..).zip(&self.done) {
            write!(f, "{number:>3}  {:<6}  {what}", tried.answer.word())?;
            if let Some(why) = &tried.why {
                write!(f, ": {why}")?;
            }
            if let Some(folder) = &tried.folder {
                write!(f, " [{}]", folder.display())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn each_step_is_told_and_listed_and_only_the_newest_of_each_answer_keeps_its_folder() {
        let above = tempfile::tempdir().unwrap();
        let told = Rc::new(RefCell::new(Vec::new()));
        let hears = Rc::clone(&told);
        let mut steps = Steps::new(move |step| hears.borrow_mut().push(step.to_string()));
        for (name, answer, left) in [
            ("a", Answer::Bad, 4),
            ("b", Answer::Good, 3),
            ("c", Answer::Bad, 2),
            ("d", Answer::Untold, 1),
            ("e", Answer::Untold, 0),
        ] {
            let folder = above.path().join(name);
            fs::create_dir(&folder).unwrap();
            let why = (answer == Answer::Untold).then(|| "does not build".to_owned());
            steps.take(name, left, || Ok(Tried { answer, why, folder: Some(folder) })).unwrap();
        }
        assert_eq!(
            *told.borrow(),
            [
                "step 1 of 4: a",
                "step 2 of 4: b",
                "step 3 of 4: c",
                "step 4 of 4: d",
                "step 5 of 5: e"
            ]
        );
        let left = ["a", "b", "c", "d", "e"].map(|name| above.path().join(name).exists());
        assert_eq!(left, [false, true, true, false, true]);
        let text = steps.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  1  bad     a");
        assert_eq!(lines[3], "  4  untold  d: does not build");
        let c = above.path().join("c");
        assert_eq!(lines[2], format!("  3  bad     c [{}]", c.display()));
    }
}
