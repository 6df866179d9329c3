// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of the console that may be the last words of a kernel.
//!
//! A crash is what stops a kernel, not a line that looks like one: a module may print `BUG: …`
//! itself, and a kernel with `panic_on_oops=0` goes on after an oops. Such a line is a doubt, until
//! the program in the guest answers a question that was asked long enough after it. A kernel that was
//! about to end would have ended by then.

use std::time::Duration;

use crate::events::Phase;

/// How long after a line a kernel that is ending may still answer: it prints its oops, which takes
/// its time on a slow console, before it stops its CPUs.
const QUIET: Duration = Duration::from_secs(2);
/// How many times the longest silence a kernel may print and not answer.
const PRINTS: u32 = 4;
/// Of more lines than twice these, the first and the last are kept.
const MOST: usize = 32;

/// Something that may be the last of a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    /// When it was heard, on the machine's clock.
    at: Duration,
    /// The phase it was heard in.
    pub(super) phase: Phase,
    /// The line's text; none for a sign without words.
    pub(super) message: Option<String>,
}

/// What has to be done about doubts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The program in the guest has to be asked.
    Ask,
    /// It was asked, and has not answered in time.
    Silent,
}

/// The doubts that are open.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    lines: Vec<Doubt>,
    /// When the question was asked that has not been answered.
    asked: Option<Duration>,
    /// When the console said something last.
    printed: Duration,
}

impl Doubts {
    /// Any line of the console: a kernel that prints is not silent yet.
    pub(super) const fn print(&mut self, at: Duration) {
        self.printed = at;
    }

    /// Takes a line, or a sign without words.
    pub(super) fn hear(&mut self, at: Duration, phase: Phase, message: Option<&str>) {
        if self.lines.len() == 2 * MOST {
            self.lines.remove(MOST);
        }
        self.lines.push(Doubt { at, phase, message: message.map(str::to_owned) });
    }

    /// The first line that is in doubt.
    pub(super) fn first(&self) -> Option<&Doubt> {
        self.lines.first()
    }

    /// When the first of them was heard.
    pub(super) fn since(&self) -> Option<Duration> {
        self.first().map(|doubt| doubt.at)
    }

    /// When something has to be done, and what; `silence` is the longest time to an answer. A kernel
    /// that still prints its oops, as under load for a while, is given some of it again.
    pub(super) fn due(&self, silence: Duration) -> Option<(Duration, Due)> {
        let first = self.first()?;
        Some(match self.asked {
            None => (first.at.saturating_add(QUIET), Due::Ask),
            Some(asked) => {
                let longest = asked.saturating_add(silence.saturating_mul(PRINTS));
                let quiet = self.printed.max(asked).saturating_add(silence);
                (quiet.min(longest), Due::Silent)
            }
        })
    }

    /// The question is asked.
    pub(super) const fn ask(&mut self, now: Duration) {
        self.asked = Some(now);
    }

    /// The question is answered: the lines that are no doubts any more.
    pub(super) fn answered(&mut self) -> Vec<Doubt> {
        let Some(asked) = self.asked.take() else { return Vec::new() };
        let still = |doubt: &Doubt| doubt.at.saturating_add(QUIET) > asked;
        let (open, settled) = std::mem::take(&mut self.lines).into_iter().partition(still);
        self.lines = open;
        settled
    }

    /// All lines; none is in doubt any more.
    pub(super) fn take(&mut self) -> Vec<Doubt> {
        self.asked = None;
        std::mem::take(&mut self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(15);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn messages(doubts: &[Doubt]) -> Vec<&str> {
        doubts.iter().filter_map(|doubt| doubt.message.as_deref()).collect()
    }

    #[test]
    fn a_line_is_a_doubt_until_a_later_question_is_answered() {
        let mut doubts = Doubts::default();
        assert_eq!(doubts.due(SILENCE), None);
        doubts.hear(at(1000), Phase::Trigger, Some("BUG: one"));
        assert_eq!(doubts.due(SILENCE), Some((at(3000), Due::Ask)));
        doubts.ask(at(3000));
        doubts.hear(at(3001), Phase::Trigger, Some("BUG: two"));
        assert_eq!(doubts.due(SILENCE), Some((at(18_000), Due::Silent)));
        assert_eq!(messages(&doubts.answered()), ["BUG: one"]);
        assert_eq!(doubts.due(SILENCE), Some((at(5001), Due::Ask)), "the second is still open");
    }

    #[test]
    fn a_kernel_that_still_prints_is_not_silent_but_not_for_ever() {
        let mut doubts = Doubts::default();
        doubts.hear(at(0), Phase::Trigger, Some("BUG: x"));
        doubts.ask(at(2000));
        doubts.print(at(12_000));
        assert_eq!(doubts.due(SILENCE), Some((at(27_000), Due::Silent)));
        doubts.print(at(61_000));
        assert_eq!(doubts.due(SILENCE), Some((at(62_000), Due::Silent)));
    }

    #[test]
    fn an_answer_that_nobody_asked_for_settles_nothing() {
        let mut doubts = Doubts::default();
        doubts.hear(at(0), Phase::Load, Some("BUG: x"));
        assert_eq!(doubts.answered(), []);
        assert_eq!(doubts.since(), Some(at(0)));
    }

    #[test]
    fn a_flood_of_lines_is_bounded_and_keeps_the_first_and_the_last() {
        let mut doubts = Doubts::default();
        for number in 0..10_000 {
            doubts.hear(at(number), Phase::Trigger, Some(&format!("BUG: {number}")));
        }
        let kept = doubts.take();
        let kept = messages(&kept);
        assert_eq!((kept.len(), kept[0], kept[MOST - 1]), (2 * MOST, "BUG: 0", "BUG: 31"));
        assert_eq!(kept.last(), Some(&"BUG: 9999"));
        assert_eq!(doubts.first(), None);
    }
}
