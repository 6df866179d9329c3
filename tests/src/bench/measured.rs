// SPDX-License-Identifier: MIT OR Apache-2.0
//! Medians, and how they compare.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::contestant::{Contestant, Run};

/// How much faster than drgn's stack trace alone the whole report has to be.
const WANTED: f64 = 2.0;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
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

impl Measured {
    /// Lets them take turns.
    ///
    /// # Errors
    /// One of them fails.
    pub fn take(contestants: &[Contestant], rounds: u32) -> Result<Self> {
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
            contestants.iter().zip(&runs).map(|(who, runs)| Row::new(who.name, runs)).collect();
        let ours = rows.first().map(|row| (row.wall_ms, row.peak_mib));
        for row in &mut rows {
            let (wall, peak) = ours.unwrap_or((row.wall_ms, row.peak_mib));
            row.wall_ratio = rounded(row.wall_ms / wall);
            row.peak_ratio = rounded(row.peak_mib / peak);
        }
        Ok(Self { rounds, rows })
    }

    /// Whether ours takes at most half of what the next one takes.
    #[must_use]
    pub fn is_fast_enough(&self) -> bool {
        self.rows.get(1).is_some_and(|drgn| drgn.wall_ratio >= WANTED)
    }

    /// A table.
    #[must_use]
    pub fn markdown(&self) -> String {
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

fn kib(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX))
}

/// One digit after the point: the rest is noise.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn median(mut values: Vec<f64>) -> f64 {
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
