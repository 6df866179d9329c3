// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro test`: all cases on all of their guests, held to the reviewed reports.

use std::collections::BTreeSet;

use clap::Args;

use super::CommandResult;
use super::how::How;
use super::names;
use super::options::{self, GlobalOptions};
use crate::alternatives;
use crate::error::Failure;
use crate::exit::Exit;
use crate::review::Review;
use crate::run::partition::Partition;
use crate::run::select::{self, Selected};

/// Run every case on every guest, and hold the reports to the reviewed ones
///
/// Runs are made fast, from snapshots, unless --capture and --boot say otherwise. A report that is
/// not the reviewed one is a mismatch; `repro review` shows what changed, and accepts it. Results are
/// in target/repro/latest/: report.html, junit.xml, code-quality.json, run.json. A pipeline
/// gives each of several jobs a part of the runs (--partition 1/3) and merges their folders
/// (`repro merge`).
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Only cases whose CASE@GUEST holds one of these words
    #[arg(value_name = "FILTER", add = names::runs())]
    filters: Vec<String>,
    /// Only on these guests
    #[arg(long = "guest", value_name = "GUEST", add = names::guests())]
    guests: Vec<String>,
    /// Only the M-th of N parts
    #[arg(long, value_name = "M/N")]
    partition: Option<Partition>,
    /// What is done with reviewed reports
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    snapshots: Review,
    /// Print the selected runs, one a line; do nothing
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    how: How,
}

impl Test {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let project = global.project()?;
        for guest in &self.guests {
            select::load_guest(&project, guest)?;
        }
        let all = select::all(&project)?;
        let selected: Vec<Selected> =
            all.iter().filter(|selected| self.wants(selected)).cloned().collect();
        if selected.is_empty() {
            return Err(self.nothing(&all));
        }
        let mut selected = selected;
        if let Some(partition) = self.partition {
            partition.keep(&mut selected);
        }
        if self.list {
            let names = selected.iter().map(|selected| format!("{}\n", selected.name()));
            options::print(&names.collect::<String>())?;
            return Ok(Exit::Ok);
        }
        self.how.guest.apply(selected.iter_mut().map(|selected| &mut selected.guest))?;
        self.how.fast().make(global, &project, &selected, self.snapshots)
    }

    fn nothing(&self, all: &[Selected]) -> Failure {
        let failure = Failure::new(Exit::NoCases, "no case is selected");
        let names: BTreeSet<&str> =
            all.iter().map(|selected| selected.case.name.as_str()).collect();
        match self.filters.first() {
            Some(filter) if !names.is_empty() => {
                failure.hint(alternatives::hint(filter, "cases", names))
            }
            _ => failure.hint("`repro test --list` prints all of them"),
        }
    }

    fn wants(&self, selected: &Selected) -> bool {
        let name = selected.name();
        let guest = &selected.guest.name;
        (self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter)))
            && (self.guests.is_empty() || self.guests.contains(guest))
    }
}
