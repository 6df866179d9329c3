// SPDX-License-Identifier: MIT OR Apache-2.0
//! Medians, and how they compare.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::contestant::{Contest, Run};

/// By how much one has to be faster than drgn and `crash`, and smaller than drgn.
struct Promise {
    drgn: f64,
    crash: f64,
    memory: f64,
}

/// Of the report.
const REPORT: Promise = Promise { drgn: 10.0, crash: 100.0, memory: 5.0 };
/// Of a command.
const COMMAND: Promise = Promise { drgn: 5.0, crash: 50.0, memory: 3.0 };

/// What was measured of all questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// One for each question, the report first.
    pub questions: Vec<Measured>,
}

/// What was measured of one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// What was asked.
    pub question: String,
    /// Runs of each contestant.
    pub rounds: u32,
    /// One row for each: ours, drgn's, crash's.
    pub rows: Vec<Row>,
}

/// One contestant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The contestant.
    pub name: String,
    /// Median of the wall time, in milliseconds.
    pub wall_ms: f64,
    /// The shortest.
    pub wall_least_ms: f64,
    /// The longest.
    pub wall_most_ms: f64,
    /// Median of the time of the CPUs, in milliseconds.
    pub cpu_ms: f64,
    /// Median of the most memory, in MiB.
    pub peak_mib: f64,
    /// Wall time as a multiple of ours.
    pub wall_ratio: f64,
    /// Memory as a multiple of ours.
    pub peak_ratio: f64,
}

impl Table {
    /// Asks all questions.
    ///
    /// # Errors
    /// One of the programs fails.
    pub fn take(contests: &[Contest], rounds: u32) -> Result<Self> {
        let one = |contest| Measured::take(contest, rounds);
        Ok(Self { questions: contests.iter().map(one).collect::<Result<_>>()? })
    }

    /// What is not as fast or as small as it has to be; empty if all is well.
    #[must_use]
    pub fn misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        for (index, measured) in self.questions.iter().enumerate() {
            let promise = if index == 0 { REPORT } else { COMMAND };
            let mut least = |row: usize, what: &str, of: fn(&Row) -> f64, wanted: f64| {
                let is = measured.rows.get(row).map_or(0.0, of);
                if is < wanted {
                    let question = &measured.question;
                    misses.push(format!("{question}: {what} is {is:.1} of ours, not {wanted:.0}"));
                }
            };
            least(1, "drgn's time", |row| row.wall_ratio, promise.drgn);
            least(1, "drgn's memory", |row| row.peak_ratio, promise.memory);
            least(2, "crash's time", |row| row.wall_ratio, promise.crash);
        }
        misses
    }

    /// Tables, one for each question.
    #[must_use]
    pub fn markdown(&self) -> String {
        let one =
            |measured: &Measured| format!("## {}\n\n{}", measured.question, measured.markdown());
        self.questions.iter().map(one).collect::<Vec<_>>().join("\n")
    }
}

impl Measured {
    /// Lets them take turns.
    fn take(contest: &Contest, rounds: u32) -> Result<Self> {
        let contestants = contest.contestants.as_slice();
        for contestant in contestants {
            contestant.run()?;
        }
        let mut runs = vec![Vec::new(); contestants.len()];
        for _ in 0..rounds {
            for (contestant, runs) in contestants.iter().zip(&mut runs) {
                runs.push(contestant.run()?);
            }
        }
        let mut rows: Vec<_> =
            contestants.iter().zip(&runs).map(|(who, runs)| Row::new(&who.name, runs)).collect();
        let ours = rows.first().map(|row| (row.wall_ms, row.peak_mib));
        for row in &mut rows {
            let (wall, peak) = ours.unwrap_or((row.wall_ms, row.peak_mib));
            row.wall_ratio = rounded(row.wall_ms / wall);
            row.peak_ratio = rounded(row.peak_mib / peak);
        }
        Ok(Self { question: contest.question.clone(), rounds, rows })
    }

    fn markdown(&self) -> String {
        let mut text = String::from(
            "| | median | least to most | CPU time | peak memory | time, ours = 1 | memory, ours = 1 |\n\
             |---|--:|--:|--:|--:|--:|--:|\n",
        );
        for row in &self.rows {
            text.push_str(&format!(
                "| {} | {:.0} ms | {:.0} to {:.0} ms | {:.0} ms | {:.0} MiB | {:.1} | {:.1} |\n",
                row.name,
                row.wall_ms,
                row.wall_least_ms,
                row.wall_most_ms,
                row.cpu_ms,
                row.peak_mib,
                row.wall_ratio,
                row.peak_ratio,
            ));
        }
        text
    }
}

impl Row {
    fn new(name: &str, runs: &[Run]) -> Self {
        let milliseconds = |time: Duration| rounded(time.as_secs_f64() * 1000.0);
        let mut walls: Vec<_> = runs.iter().map(|run| milliseconds(run.wall)).collect();
        let cpus = runs.iter().map(|run| milliseconds(run.cpu)).collect();
        // Sizes in KiB are far below what a double can count.
        let peaks = runs.iter().map(|run| rounded(kib(run.peak) / 1024.0)).collect();
        walls.sort_by(f64::total_cmp);
        Self {
            name: name.to_owned(),
            wall_least_ms: walls.first().copied().unwrap_or_default(),
            wall_most_ms: walls.last().copied().unwrap_or_default(),
            wall_ms: median(walls),
            cpu_ms: median(cpus),
            peak_mib: median(peaks),
            wall_ratio: 1.0,
            peak_ratio: 1.0,
        }
    }
}

pub(super) fn kib(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX))
}

/// One digit after the point: the rest is noise.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    rounded(f64::midpoint(at(low), at(high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_one_in_the_middle_or_between_two() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 9.0]) - 3.0).abs() < f64::EPSILON);
    }
}
