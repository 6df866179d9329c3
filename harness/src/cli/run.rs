// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro run`: the main job.

use std::fmt::Write as _;

use clap::Args;

use super::CommandResult;
use super::binaries::Binaries;
use super::how::How;
use super::names;
use super::options::{self, GlobalOptions};
use crate::error::Failure;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::review::Review;
use crate::run::accel::{self, Memory};
use crate::run::prepare;
use crate::run::select;
use crate::run::series::Job;
use crate::vm::Qemu;

/// Reproduce crashes: build, boot, trigger, capture, analyze, judge
///
/// Everything that belongs to a run is kept in target/repro/<time>/<case>--<guest>/ (see
/// target/repro/latest): the vmcore, the kernel's log, the serial console, QEMU's command line, the
/// report as text and as JSON; beside it report.html, junit.xml and run.json of all runs.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// What to run: the name of a case or the path of its folder, on its first guest or on the one
    /// after the @; without a name before it, the project's default case
    #[arg(value_name = "CASE[@GUEST]", add = names::runs())]
    cases: Vec<String>,
    #[command(flatten)]
    binaries: Binaries,
    /// Print what would be done and QEMU's command line; do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print every case on every guest it is for, one a line; do nothing
    #[arg(long, conflicts_with = "dry_run")]
    list: bool,
    #[command(flatten)]
    how: How,
}

impl Run {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let project = global.project()?;
        if self.list {
            let names: String =
                select::all(&project)?.iter().fold(String::new(), |mut text, selected| {
                    let _ = writeln!(text, "{}", selected.name());
                    text
                });
            options::print(&names)?;
            return Ok(Exit::Ok);
        }
        // Its files have to be there while the runs are made.
        let sent = self.binaries.case()?;
        let words = match &sent {
            Some(sent) => sent.words(&self.cases)?,
            None => self.cases.clone(),
        };
        let mut selected = select::select(&project, &words)?;
        self.how.guest.apply(selected.iter_mut().map(|selected| &mut selected.guest))?;
        if self.dry_run {
            options::print(&self.dry_run(global, &self.how.jobs(&selected)?)?)?;
            return Ok(Exit::Ok);
        }
        self.how.make(global, &project, &selected, Review::Off)
    }

    fn dry_run(&self, global: &GlobalOptions, jobs: &[Job<'_>]) -> Result<String, Failure> {
        let memory = Memory::open(&global.cache()?);
        let accel = accel::candidates(self.how.accel, &memory).first();
        let qemu = Qemu::new(&self.how.qemu, Interrupt::default());
        let mut text = String::new();
        for Job { name, selected, ways, .. } in jobs {
            let _ = writeln!(text, "{name}: {}", selected.case.manifest.summary);
            let _ = writeln!(text, "guest: {}", selected.guest.summary);
            for module in &selected.case.manifest.module {
                let parameters = module.parameter_line();
                let line = format!("module: {}.ko {parameters}", module.name);
                let _ = writeln!(text, "{}", line.trim_end());
            }
            let _ = writeln!(text, "accelerator: {accel}");
            let command =
                prepare::dry_run(selected, ways.capture, accel, &qemu).map_err(|error| {
                    Failure::new(Exit::SetupError, "cannot make a temporary file").caused_by(&error)
                })?;
            let _ = writeln!(text, "{command}");
        }
        Ok(text)
    }
}
