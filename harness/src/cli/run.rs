// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro run`: the main job.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::guest_options::GuestOptions;
use super::options::{self, GlobalOptions, OutputFormat};
use super::{CommandResult, doctor};
use crate::config::Project;
use crate::error::Failure;
use crate::events::{Bus, Counts, Event, Reporter};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::report::{Folder, JsonLines, write_runs};
use crate::run::accel::{self, AccelChoice, Memory};
use crate::run::execute::{Setting, execute};
use crate::run::outcome::{RunResult, Runs};
use crate::run::plan::{BootWay, CaptureWay, Ways};
use crate::run::prepare;
use crate::run::select::{self, Selected};
use crate::run::series::{self, Job, Wish};
use crate::vm::Qemu;

/// Reproduce crashes: build, boot, trigger, capture, analyze, judge
///
/// Everything that belongs to a run is kept in target/repro/<time>/<case>@<guest>/ (see
/// target/repro/latest): the vmcore, the kernel's log, the serial console, QEMU's command line, the
/// report as text and as JSON.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// What to run: the name of a case or the path of its folder, on its first guest or on the one
    /// after the @; without a name before it, the project's default case
    #[arg(value_name = "CASE[@GUEST]")]
    cases: Vec<String>,
    /// What runs the guest's CPUs
    ///
    /// `auto` uses KVM only if a guest really runs under it: a guest whose kernel prints nothing in
    /// time is started again under TCG, and that is remembered until this host boots again.
    #[arg(long, value_enum, default_value_t, env = "REPRO_ACCEL", hide_env_values = true)]
    accel: AccelChoice,
    /// How dumps are taken [default: kdump for a single run, fast for several]
    ///
    /// `kdump` is the reference: a capture kernel runs makedumpfile. `fast` loads a crash stub
    /// instead: the crashed kernel does all its own work, then the guest stops, and its memory is
    /// analyzed while the vmcore is written from it. A guest that cannot be captured so is captured by
    /// kdump, and the run says why. `qmp` loads nothing: QEMU writes the memory. Where several runs
    /// are fast by default, each guest has one run by kdump in addition, whose report must be the
    /// same.
    #[arg(long, value_enum, env = "REPRO_CAPTURE", hide_env_values = true, value_name = "WAY")]
    capture: Option<CaptureWay>,
    /// How guests get up [default: cold for a single run, snapshot for several fast ones]
    ///
    /// `cold` boots the guest: the reference. `snapshot` goes on from a guest that was booted and armed
    /// once and saved in the cache; only for fast capture. A snapshot is for one kernel, memory,
    /// number of CPUs, initramfs, command line and QEMU, and made where there is none. Many runs have
    /// several snapshots, and one in ten boots, so that their random numbers differ.
    #[arg(long, value_enum, env = "REPRO_BOOT", hide_env_values = true, value_name = "WAY")]
    boot: Option<BootWay>,
    /// Make each run so many times
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repeat: u32,
    /// Print the runs on stdout in this form
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Write every event to a file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Folder for artefacts [default: target/repro in the project]
    #[arg(long, env = "REPRO_OUT", hide_env_values = true, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep what the guest was booted from too, so that QEMU can be started by hand
    #[arg(long)]
    keep: bool,
    /// Print what would be done and QEMU's command line; do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print every case on every guest it is for, one a line; do nothing
    #[arg(long, conflicts_with = "dry_run")]
    list: bool,
    /// QEMU's program
    #[arg(
        long,
        env = "REPRO_QEMU",
        hide_env_values = true,
        value_name = "PROGRAM",
        default_value = "qemu-system-x86_64"
    )]
    qemu: PathBuf,
    #[command(flatten)]
    guest: GuestOptions,
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
        let mut selected = select::select(&project, &self.cases)?;
        self.guest.apply(selected.iter_mut().map(|selected| &mut selected.guest))?;
        if self.dry_run {
            options::print(&self.dry_run(global, &self.jobs(&selected)?)?)?;
            return Ok(Exit::Ok);
        }
        self.make_all(global, &project, &selected)
    }

    fn jobs<'s>(&self, selected: &'s [Selected]) -> Result<Vec<Job<'s>>, Failure> {
        Wish { capture: self.capture, boot: self.boot, repeat: self.repeat }.jobs(selected)
    }

    fn dry_run(&self, global: &GlobalOptions, jobs: &[Job<'_>]) -> Result<String, Failure> {
        let memory = Memory::open(&global.cache()?);
        let accel = accel::candidates(self.accel, &memory).first();
        let qemu = Qemu::new(&self.qemu, Interrupt::default());
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

    fn make_all(
        &self,
        global: &GlobalOptions,
        project: &Project,
        selected: &[Selected],
    ) -> CommandResult {
        let jobs = self.jobs(selected)?;
        let mut bus = Bus::new(self.reporters(global)?);
        doctor::set_up(global, &mut bus)?;
        let store = global.store()?;
        let interrupt = Interrupt::install().map_err(|error| {
            Failure::new(Exit::Internal, "cannot handle signals").caused_by(&error)
        })?;
        let out = self.out.clone().unwrap_or_else(|| project.out());
        let folder = Folder::create(&out, jiff::Timestamp::now())
            .map_err(|error| Failure::from_error(Exit::WriteFailed, &error))?;
        let memory = Memory::open(store.root());
        let mut setting = Setting {
            store: &store,
            folder: &folder,
            ways: Ways::default(),
            candidates: accel::candidates(self.accel, &memory),
            memory,
            interrupt: interrupt.clone(),
            keep: self.keep,
        };
        bus.emit(Event::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            runs: jobs.iter().map(|job| job.name.clone()).collect(),
            folder: folder.final_path().display().to_string(),
        });
        let mut results: Vec<RunResult> = Vec::new();
        for Job { name, selected, ways, check_against } in &jobs {
            if interrupt.requested() {
                break;
            }
            // What the first run learned about KVM holds for the next.
            setting.candidates = accel::candidates(self.accel, &setting.memory);
            setting.ways = *ways;
            let mut launcher = Qemu::new(&self.qemu, interrupt.clone());
            let mut result = execute(selected, name, &mut setting, &mut launcher, &mut bus);
            if let Some(reference) = check_against {
                let different = series::check(&mut result, name, reference, &folder.path());
                if let Some(message) = different {
                    bus.emit(Event::Note { warning: true, message });
                }
            }
            results.push(result);
        }
        let interrupted = interrupt.requested();
        drop(setting);
        self.end(bus, folder, results, interrupted)
    }

    fn reporters(&self, global: &GlobalOptions) -> Result<Vec<Box<dyn Reporter>>, Failure> {
        let mut reporters: Vec<Box<dyn Reporter>> = vec![Box::new(global.terminal())];
        if let Some(path) = &self.events {
            reporters.push(Box::new(JsonLines::create(path)?));
        }
        Ok(reporters)
    }

    /// Writes what there is, whatever happened.
    fn end(
        &self,
        mut bus: Bus,
        folder: Folder,
        results: Vec<RunResult>,
        interrupted: bool,
    ) -> CommandResult {
        let mut counts = Counts::default();
        results.iter().for_each(|result| counts.add(result.outcome));
        let mut exits: Vec<Exit> = results.iter().map(RunResult::exit).collect();
        exits.extend(interrupted.then_some(Exit::Interrupted));
        let runs = Runs::new(results);
        let written = write_runs(&folder.path(), &runs);
        let completed =
            folder.complete().map_err(|error| Failure::from_error(Exit::WriteFailed, &error));
        let printed = match self.format {
            OutputFormat::Text => Ok(()),
            OutputFormat::Json => options::print(&runs.to_json()),
        };
        let failure = written.and(completed).map(|_| ()).and(printed).err();
        exits.extend(failure.as_ref().map(|failure| failure.exit));
        bus.emit(Event::Finished { counts, failure });
        if let Err(failure) = bus.finish() {
            options::print_failure(&failure);
            exits.push(failure.exit);
        }
        Ok(Exit::combine(exits))
    }
}
