// SPDX-License-Identifier: MIT OR Apache-2.0
//! How runs are made: the options of all commands that make some, and the making.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::CommandResult;
use super::guest_options::GuestOptions;
use super::options::{self, GlobalOptions, OutputFormat};
use super::pipeline_options::PipelineOptions;
use super::set_up::set_up;
use crate::config::Project;
use crate::error::Failure;
use crate::events::{Bus, Counts, Event, Reporter, millis};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::report::{Folder, History, JsonLines, told, write_reports};
use crate::review::Review;
use crate::run::accel::{self, AccelChoice, Memory};
use crate::run::execute::{Setting, execute};
use crate::run::invocation::{Commit, Invocation};
use crate::run::matrix;
use crate::run::outcome::{RunResult, Runs};
use crate::run::plan::{BootWay, CaptureWay, Ways};
use crate::run::select::Selected;
use crate::run::series::{self, Job, Wish};
use crate::vm::Qemu;

/// Runs that were made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) runs: Vec<RunResult>,
    /// The folder with all that was kept of them.
    pub(super) folder: PathBuf,
    exit: Exit,
}

/// How runs are made.
#[derive(Debug, Clone, Args)]
pub(super) struct How {
    /// What runs the guest's CPUs
    ///
    /// `auto` uses KVM only if a guest really runs under it: a guest whose kernel prints nothing in
    /// time is started again under TCG, and that is remembered until this host boots again.
    #[arg(long, value_enum, default_value_t, env = "REPRO_ACCEL", hide_env_values = true)]
    pub(super) accel: AccelChoice,
    /// How dumps are taken [default: kdump for a single run, fast for several]
    ///
    /// `kdump` is the reference: a capture kernel runs makedumpfile. `fast` loads a crash stub
    /// instead: the crashed kernel does all its own work, then the guest stops, and its memory is
    /// analyzed while the vmcore is written from it. A guest that cannot be captured so is captured by
    /// kdump, and the run says why. `qmp` loads nothing: QEMU writes the memory. Where several runs
    /// are fast by default, each guest has one run by kdump in addition, whose report must be the
    /// same.
    #[arg(long, value_enum, env = "REPRO_CAPTURE", hide_env_values = true, value_name = "WAY")]
    pub(super) capture: Option<CaptureWay>,
    /// How guests get up [default: cold for a single run, snapshot for several fast ones]
    ///
    /// `cold` boots the guest: the reference. `snapshot` goes on from a guest that was booted and armed
    /// once and saved in the cache; only for fast capture. A snapshot is for one kernel, memory,
    /// number of CPUs, initramfs, command line and QEMU, and made where there is none. Many runs have
    /// several snapshots, and one in ten boots, so that their random numbers differ.
    #[arg(long, value_enum, env = "REPRO_BOOT", hide_env_values = true, value_name = "WAY")]
    pub(super) boot: Option<BootWay>,
    /// Make each run so many times
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) repeat: u32,
    /// Print the runs on stdout in this form
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Write every event to a file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Folder for artefacts [default: target/repro in the project]
    #[arg(long, env = "REPRO_OUT", hide_env_values = true, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Of the repeated runs of a case on a guest, stop at the first crash
    #[arg(long)]
    until_crash: bool,
    #[command(flatten)]
    pipeline: PipelineOptions,
    /// File with the results of earlier invocations, which the HTML page shows; added to [default:
    /// history.jsonl in the folder for artefacts]
    #[arg(long, env = "REPRO_HISTORY", hide_env_values = true, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Keep what the guest was booted from too, so that QEMU can be started by hand
    #[arg(long)]
    keep: bool,
    /// QEMU's program
    #[arg(
        long,
        env = "REPRO_QEMU",
        hide_env_values = true,
        value_name = "PROGRAM",
        default_value = "qemu-system-x86_64"
    )]
    pub(super) qemu: PathBuf,
    #[command(flatten)]
    pub(super) guest: GuestOptions,
}

impl How {
    /// The runs of these cases on their guests.
    ///
    /// # Errors
    /// What the user wishes cannot be had together.
    pub(super) fn jobs<'s>(&self, selected: &'s [Selected]) -> Result<Vec<Job<'s>>, Failure> {
        Wish { capture: self.capture, boot: self.boot, repeat: self.repeat }.jobs(selected)
    }

    /// The folder for artefacts.
    pub(super) fn out(&self, project: &Project) -> PathBuf {
        self.out.clone().unwrap_or_else(|| project.out())
    }

    /// Fast, from snapshots, unless the user says otherwise.
    pub(super) fn fast(&self) -> Self {
        let mut how = self.clone();
        if *how.capture.get_or_insert(CaptureWay::Fast) == CaptureWay::Fast {
            how.boot.get_or_insert(BootWay::Snapshot);
        }
        how
    }

    /// Makes the runs, fast, of each case up to its first crash.
    pub(super) fn until_crash(
        &self,
        global: &GlobalOptions,
        project: &Project,
        selected: &[Selected],
        interrupt: &Interrupt,
    ) -> Result<Made, Failure> {
        let how = Self { until_crash: true, ..self.fast() };
        how.make_runs(global, project, selected, Review::Off, interrupt)
    }

    /// Makes the runs and writes what there is to write about them.
    pub(super) fn make(
        &self,
        global: &GlobalOptions,
        project: &Project,
        selected: &[Selected],
        review: Review,
    ) -> CommandResult {
        let interrupt = interrupt()?;
        self.make_runs(global, project, selected, review, &interrupt).map(|made| made.exit)
    }

    fn make_runs(
        &self,
        global: &GlobalOptions,
        project: &Project,
        selected: &[Selected],
        review: Review,
        interrupt: &Interrupt,
    ) -> Result<Made, Failure> {
        let jobs = self.jobs(selected)?;
        let mut bus = Bus::new(self.reporters(global)?);
        set_up(global, &mut bus)?;
        let store = global.store()?;
        let (started, clock) = (jiff::Timestamp::now(), Instant::now());
        let commit = Commit::of(&project.root);
        let folder = Folder::create(&self.out(project), started)
            .map_err(|error| Failure::from_error(Exit::WriteFailed, &error))?;
        let memory = Memory::open(store.root());
        let mut setting = Setting {
            store: &store,
            project: &project.root,
            folder: &folder,
            ways: Ways::default(),
            candidates: accel::candidates(self.accel, &memory),
            memory,
            interrupt: interrupt.clone(),
            keep: self.keep,
            review,
        };
        bus.emit(Event::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            runs: jobs.iter().map(|job| job.name.clone()).collect(),
            folder: folder.path().display().to_string(),
        });
        let results = self.make_jobs(&jobs, &mut setting, &mut bus);
        let interrupted = interrupt.requested();
        drop(setting);
        let invocation = Some(Invocation::new(started, millis(clock.elapsed()), commit));
        let runs = Runs { invocation, ..Runs::new(results) };
        let kept = folder.path();
        let exit = self.end(bus, project, folder, &runs, interrupted);
        Ok(Made { runs: runs.runs, folder: kept, exit })
    }

    fn make_jobs(
        &self,
        jobs: &[Job<'_>],
        setting: &mut Setting<'_>,
        bus: &mut Bus,
    ) -> Vec<RunResult> {
        let mut results: Vec<RunResult> = Vec::new();
        for Job { name, selected, ways, check_against } in jobs {
            if setting.interrupt.requested() {
                break;
            }
            let crashed = |result: &RunResult| result.name() == selected.name() && result.crashed();
            if self.until_crash && results.iter().any(crashed) {
                continue;
            }
            // What the first run learned about KVM holds for the next.
            setting.candidates = accel::candidates(self.accel, &setting.memory);
            setting.ways = *ways;
            let mut launcher = Qemu::new(&self.qemu, setting.interrupt.clone());
            let mut result = execute(selected, name, setting, &mut launcher, bus);
            // The run by kdump is the one before.
            if let Some((reference, before)) = check_against.as_ref().zip(results.last()) {
                let reference = (before, reference.as_str());
                let folder = setting.folder.path();
                let different = series::check(&mut result, name, reference, &folder);
                if let Some(message) = different {
                    bus.emit(Event::Note { warning: true, message });
                }
            }
            results.push(result);
        }
        results
    }

    fn reporters(&self, global: &GlobalOptions) -> Result<Vec<Box<dyn Reporter>>, Failure> {
        let mut reporters: Vec<Box<dyn Reporter>> = vec![Box::new(global.terminal())];
        if let Some(path) = &self.events {
            reporters.push(Box::new(JsonLines::create(path)?));
        }
        if let Some(annotations) = self.pipeline.annotations() {
            reporters.push(Box::new(annotations));
        }
        Ok(reporters)
    }

    /// Writes what there is, whatever happened.
    fn end(
        &self,
        mut bus: Bus,
        project: &Project,
        folder: Folder,
        runs: &Runs,
        interrupted: bool,
    ) -> Exit {
        let mut counts = Counts::default();
        runs.runs.iter().for_each(|result| counts.add(result.outcome));
        let cells = matrix::cells(&runs.runs);
        let mut exits: Vec<Exit> = cells.iter().map(matrix::Cell::exit).collect();
        exits.extend(interrupted.then_some(Exit::Interrupted));
        for rate in cells.iter().filter_map(matrix::Cell::rated) {
            bus.emit(Event::Rated(rate));
        }
        let out = self.out(project);
        let history = self.history.clone().unwrap_or_else(|| out.join("history.jsonl"));
        let written = History::load(&history).and_then(|mut history| {
            write_reports(&folder.path(), runs, &history)?;
            history.add(runs, jiff::Timestamp::now())
        });
        let completed =
            folder.complete().map_err(|error| Failure::from_error(Exit::WriteFailed, &error));
        let printed = match self.format {
            OutputFormat::Text if options::stdout_is_a_log() => {
                options::print_made(&told(&runs.runs))
            }
            OutputFormat::Text => Ok(()),
            OutputFormat::Json => options::print_json(&runs.to_json()),
        };
        let failure = written.and(completed).map(|_| ()).and(printed).err();
        exits.extend(failure.as_ref().map(|failure| failure.exit));
        bus.emit(Event::Finished { counts, failure });
        if let Err(failure) = bus.finish() {
            options::print_failure(&failure);
            exits.push(failure.exit);
        }
        Exit::combine(exits)
    }
}

/// Takes over the signals that ask to stop.
pub(super) fn interrupt() -> Result<Interrupt, Failure> {
    Interrupt::install()
        .map_err(|error| Failure::new(Exit::Internal, "cannot handle signals").caused_by(&error))
}
