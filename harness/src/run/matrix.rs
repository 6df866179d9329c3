// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs seen as cases × parameters × guests: all runs of a case with the same parameters on a guest
//! are one cell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::run::alike::{Alike, alike};
use crate::run::outcome::{Outcome, RunResult};
use crate::run::rate::Rate;

/// All runs of one case with the same parameters on one guest, at least one.
#[derive(Debug, Clone)]
pub struct Cell<'r> {
    /// The runs, in the order they were made.
    pub runs: Vec<&'r RunResult>,
}

/// How a cell is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As each of its runs; or as often as the case says.
    As(Outcome),
    /// Some runs are as expected and some are not.
    Flaky,
}

impl Status {
    /// In words.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::As(outcome) => outcome.to_string(),
            Self::Flaky => "flaky".to_owned(),
        }
    }

    /// Whether nobody has to look at it.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::As(Outcome::Reproduced | Outcome::Skipped))
    }
}

/// How often a case came out as expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rated {
    /// Name of the case.
    pub case: String,
    /// Name of the guest.
    pub guest: String,
    /// Runs as expected.
    pub reproduced: u32,
    /// Runs that could be judged.
    pub judged: u32,
    /// Lower end of the 95 % interval, between 0 and 1.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The rate that the case wants, if not each time.
    pub wanted: Option<f64>,
    /// Whether some runs are as expected and some not, and the case does not say so.
    pub flaky: bool,
    /// The runs by how they came out.
    #[serde(default)]
    pub alike: Vec<Alike>,
}

/// The cells, in the order of their first runs.
#[must_use]
pub fn cells(runs: &[RunResult]) -> Vec<Cell<'_>> {
    let mut cells: Vec<Cell<'_>> = Vec::new();
    for run in runs {
        match cells.iter_mut().find(|cell| cell.first().is_like(run)) {
            Some(cell) => cell.runs.push(run),
            None => cells.push(Cell { runs: vec![run] }),
        }
    }
    cells
}

impl<'r> Cell<'r> {
    /// The first run.
    #[must_use]
    pub fn first(&self) -> &'r RunResult {
        self.runs[0]
    }

    /// The run to show: the first that is not as expected, else the first with a report.
    #[must_use]
    pub fn telling(&self) -> &'r RunResult {
        let bad = |run: &&&RunResult| run.outcome != Outcome::Reproduced;
        let bad = self.runs.iter().filter(bad).find(|run| run.outcome.is_judged());
        let reported = self.runs.iter().find(|run| run.report.is_some());
        bad.or(reported).unwrap_or(&self.runs[0])
    }

    /// How often it came out as expected, of the runs that could be judged.
    #[must_use]
    pub fn rate(&self) -> Rate {
        let count = |wanted: &dyn Fn(Outcome) -> bool| {
            let runs = self.runs.iter().filter(|run| wanted(run.outcome)).count();
            u32::try_from(runs).unwrap_or(u32::MAX)
        };
        Rate { hits: count(&|it| it == Outcome::Reproduced), of: count(&Outcome::is_judged) }
    }

    /// How it is judged. An error counts for less than what was judged, so that a machine that did
    /// not boot once hides nothing.
    #[must_use]
    pub fn status(&self) -> Status {
        let rate = self.rate();
        let has = |outcome| self.runs.iter().any(|run| run.outcome == outcome);
        if rate.of == 0 {
            return Status::As(self.first().outcome);
        }
        let wanted = self.first().wanted_rate;
        let as_often = wanted.is_some_and(|wanted| rate.interval().1 >= wanted && rate.hits > 0);
        let error =
            [Outcome::InfraError, Outcome::NotBuilt].into_iter().find(|outcome| has(*outcome));
        match rate.hits {
            _ if has(Outcome::Mismatched) && rate.hits == 0 => Status::As(Outcome::Mismatched),
            0 => Status::As(Outcome::NotReproduced),
            hits if hits == rate.of || (as_often && !has(Outcome::Mismatched)) => {
                Status::As(error.unwrap_or(Outcome::Reproduced))
            }
            _ => Status::Flaky,
        }
    }

    /// How it came out, in a word.
    #[must_use]
    pub fn word(&self) -> String {
        match self.status() {
            Status::As(Outcome::Reproduced) => self.telling().word(),
            other => other.name(),
        }
    }

    /// The code that this cell alone would end the invocation with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.status() {
            Status::Flaky => Exit::CaseFailed,
            Status::As(Outcome::Mismatched | Outcome::NotReproduced) => Exit::CaseFailed,
            Status::As(_) => {
                let others = self.runs.iter().filter(|run| !run.outcome.is_judged());
                Exit::combine(others.map(|run| run.exit()))
            }
        }
    }

    /// The rate, where there is one to speak of.
    #[must_use]
    pub fn rated(&self) -> Option<Rated> {
        let rate = self.rate();
        let (low, high) = rate.interval();
        let RunResult { case, guest, wanted_rate, .. } = self.first();
        (rate.of > 1).then(|| Rated {
            case: case.clone(),
            guest: guest.clone(),
            reproduced: rate.hits,
            judged: rate.of,
            low,
            high,
            wanted: *wanted_rate,
            flaky: self.status() == Status::Flaky,
            alike: alike(&self.runs),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;

    fn run(outcome: Outcome) -> RunResult {
        let mut run = RunResult::new("race".into(), "guest-b".into());
        run.outcome = outcome;
        if outcome == Outcome::InfraError {
            run.failure = Some(Failure::new(Exit::BootFailed, "no boot"));
        }
        run
    }

    fn of(outcomes: &[Outcome], wanted: Option<f64>) -> (Status, Exit) {
        let mut runs: Vec<_> = outcomes.iter().copied().map(run).collect();
        runs.iter_mut().for_each(|run| run.wanted_rate = wanted);
        let cells = cells(&runs);
        assert_eq!(cells.len(), 1);
        (cells[0].status(), cells[0].exit())
    }

    #[test]
    fn what_crashes_one_time_in_three_is_flaky_unless_the_case_says_so() {
        use Outcome::{InfraError, Mismatched, NotReproduced, Reproduced};
        let third = [Reproduced, NotReproduced, NotReproduced];
        assert_eq!(of(&third, None), (Status::Flaky, Exit::CaseFailed));
        assert_eq!(of(&third, Some(0.33)), (Status::As(Reproduced), Exit::Ok));
        let never = [NotReproduced; 3];
        assert_eq!(of(&never, Some(0.33)), (Status::As(NotReproduced), Exit::CaseFailed));
        let other = [Reproduced, Mismatched, Reproduced];
        assert_eq!(of(&other, Some(0.33)), (Status::Flaky, Exit::CaseFailed));
        assert_eq!(of(&[InfraError; 2], None), (Status::As(InfraError), Exit::BootFailed));
        let once = [Reproduced, InfraError];
        assert_eq!(of(&once, None), (Status::As(InfraError), Exit::BootFailed), "never green");
    }

    #[test]
    fn another_parameter_makes_another_cell() {
        let mut strict = run(Outcome::Reproduced);
        strict.parameters.insert("race.mode".into(), "strict".into());
        let lax = run(Outcome::Mismatched);
        let runs = [strict.clone(), lax, strict];
        let cells = cells(&runs);
        let counts: Vec<_> = cells.iter().map(|cell| (cell.runs.len(), cell.status())).collect();
        let expected = [(2, Status::As(Outcome::Reproduced)), (1, Status::As(Outcome::Mismatched))];
        assert_eq!(counts, expected);
    }

    #[test]
    fn errors_are_not_counted_in_the_rate() {
        let runs =
            [Outcome::Reproduced, Outcome::InfraError, Outcome::NotReproduced].map(run).to_vec();
        let rated = cells(&runs)[0].rated().unwrap();
        assert_eq!((rated.reproduced, rated.judged, rated.flaky), (1, 2, true));
    }
}
