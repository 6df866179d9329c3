// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report of dumps of large machines beside that of the dump they are made from.

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::contestant::Contestant;
use super::measured::{kib, median, rounded};
use super::stretched::stretch;
use crate::dump::Dump;

/// Bytes of RAM.
const SIZES: [u64; 2] = [16 << 30, 64 << 30];
/// How many times the time of the original the report may take, and the memory.
const MOST_TIME: f64 = 2.0;
const MOST_MEMORY: f64 = 1.5;

/// What was measured of one size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Large {
    /// Bytes of RAM.
    pub ram_bytes: u64,
    /// Median of the wall time, in milliseconds.
    pub wall_ms: f64,
    /// Median of the most memory, in MiB.
    pub peak_mib: f64,
    /// Time as a multiple of that of the original.
    pub wall_ratio: f64,
    /// Memory as a multiple of that of the original.
    pub peak_ratio: f64,
}

impl Large {
    /// Measures all sizes; original and large dump take turns.
    ///
    /// # Errors
    /// The dump cannot be made larger, or the report fails.
    pub fn all(dump: &Dump, rounds: u32) -> Result<Vec<Self>> {
        SIZES.iter().map(|bytes| Self::take(dump, *bytes, rounds)).collect()
    }

    fn take(dump: &Dump, ram_bytes: u64, rounds: u32) -> Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let vmcore = folder.path().join("vmcore");
        stretch(&dump.vmcore, &vmcore, ram_bytes)?;
        let large = Contestant::report(&Dump { vmcore, ..dump.clone() })?;
        let original = Contestant::report(dump)?;
        let (mut walls, mut peaks) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for round in 0..=rounds {
            for (index, one) in [&original, &large].into_iter().enumerate() {
                let run = one.run()?;
                if round > 0 {
                    walls[index].push(run.wall.as_secs_f64() * 1000.0);
                    peaks[index].push(kib(run.peak) / 1024.0);
                }
            }
        }
        let [original, wall_ms] = walls.map(median);
        let [original_peak, peak_mib] = peaks.map(median);
        Ok(Self {
            ram_bytes,
            wall_ms,
            peak_mib,
            wall_ratio: rounded(wall_ms / original),
            peak_ratio: rounded(peak_mib / original_peak),
        })
    }

    /// What is too much.
    pub fn misses(&self) -> Vec<String> {
        let gib = self.ram_bytes >> 30;
        let mut misses = Vec::new();
        for (what, is, most) in
            [("time", self.wall_ratio, MOST_TIME), ("memory", self.peak_ratio, MOST_MEMORY)]
        {
            if is > most {
                misses.push(format!("{gib} GiB: {what} is {is:.1} of the original's, not {most}"));
            }
        }
        misses
    }
}

/// A table.
pub(super) fn markdown(large: &[Large]) -> String {
    let mut text = String::from(
        "## dumps of large machines\n\n\
         | RAM | report | of the original's time | peak memory | of the original's |\n\
         |---|--:|--:|--:|--:|\n",
    );
    for one in large {
        text.push_str(&format!(
            "| {} GiB | {:.0} ms | {:.1} | {:.0} MiB | {:.1} |\n",
            one.ram_bytes >> 30,
            one.wall_ms,
            one.wall_ratio,
            one.peak_mib,
            one.peak_ratio
        ));
    }
    text
}
