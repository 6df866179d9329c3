// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens, as typed events: the only thing that reporters see.
//!
//! A run goes through the phases of [`Phase`] in order; each arrow between two of them is an
//! event. `--events FILE` writes them as JSON lines, one [`Stamped`] a line. Fields may be added;
//! readers skip events and fields they do not know.

use std::fmt;
use std::time::{Duration, Instant};

use protocol::ExecStep;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::run::matrix::Rated;
use crate::run::outcome::{Outcome, RunResult};
pub use crate::terms::{Accel, CaptureMethod, CrashSign, Phase};

/// One thing that happened, with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Milliseconds since the start of the invocation.
    pub at_ms: u64,
    /// The run it belongs to, `case@guest`; null for the invocation itself.
    pub run: Option<String>,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Event {
    /// The first event of all.
    Started {
        /// Version of this program.
        version: String,
        /// The runs that will be made, `case@guest`, in order.
        runs: Vec<String>,
        /// The artefact folder of the invocation.
        folder: String,
    },
    /// A run begins.
    RunStarted {
        /// Name of the case.
        case: String,
        /// Name of the guest.
        guest: String,
    },
    /// A phase begins.
    PhaseStarted {
        /// Which one.
        phase: Phase,
        /// What it works on, in a few words.
        what: String,
    },
    /// A phase goes on: a line that replaces the one before.
    Progress {
        /// What happens now.
        message: String,
    },
    /// A phase is over.
    PhaseFinished {
        /// Which one.
        phase: Phase,
        /// How long it took.
        millis: u64,
        /// What came of it, in a few words.
        what: String,
    },
    /// QEMU runs.
    MachineStarted {
        /// What runs the guest's CPUs.
        accel: Accel,
        /// QEMU's version.
        qemu: String,
        /// The exact command line, quoted for a shell.
        command_line: String,
    },
    /// A guest cannot run under an accelerator; another one is tried.
    AccelRejected {
        /// The one that does not work.
        accel: Accel,
        /// Why.
        reason: String,
    },
    /// A line of the guest's serial console.
    Console {
        /// Milliseconds since QEMU's start.
        at_ms: u64,
        /// The line, control characters removed.
        line: String,
    },
    /// A module is in the guest's kernel.
    ModuleLoaded {
        /// Its file name.
        module: String,
    },
    /// The trigger begins to execute a program in one of the ways that it was asked for.
    ExecBegan {
        /// Which, and how many there are.
        step: ExecStep,
    },
    /// The trigger ended and the kernel still runs.
    TriggerExited {
        /// Exit status or signal, in words.
        how: String,
    },
    /// The guest crashed.
    CrashSeen {
        /// What told so first.
        sign: CrashSign,
        /// The phase it happened in.
        phase: Phase,
        /// The first line of the oops or panic, where the console had one.
        message: Option<String>,
    },
    /// A way of capturing did not work; the next one is tried.
    CaptureFellBack {
        /// The next way.
        to: CaptureMethod,
        /// Why.
        reason: String,
    },
    /// Something that a person should know.
    Note {
        /// Whether it may make the result worse.
        warning: bool,
        /// In words.
        message: String,
    },
    /// A search takes its next step.
    Step {
        /// Which one, from 1.
        number: usize,
        /// How many there will be if nothing is in the way.
        of: usize,
        /// What is tried: a commit and its subject, a guest, a kernel.
        what: String,
    },
    /// How often a repeated case came out as expected; before the last event.
    Rated(Rated),
    /// A run is over.
    RunFinished {
        /// All that is known about it.
        result: Box<RunResult>,
    },
    /// The last event of all.
    Finished {
        /// Number of runs with each outcome.
        counts: Counts,
        /// A failure of the invocation itself, outside of any run.
        failure: Option<Failure>,
    },
}

/// Number of runs with each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Crashed as expected.
    pub reproduced: u32,
    /// Crashed, but not as expected.
    pub mismatched: u32,
    /// Did not crash.
    pub not_reproduced: u32,
    /// Were not built.
    #[serde(default)]
    pub not_built: u32,
    /// Could not be judged.
    pub infra_errors: u32,
    /// Not started, or stopped by who started them.
    pub skipped: u32,
}

impl Counts {
    /// Counts one more run.
    pub fn add(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Reproduced => &mut self.reproduced,
            Outcome::Mismatched => &mut self.mismatched,
            Outcome::NotReproduced => &mut self.not_reproduced,
            Outcome::NotBuilt => &mut self.not_built,
            Outcome::InfraError => &mut self.infra_errors,
            Outcome::Skipped => &mut self.skipped,
        };
        *counter = counter.saturating_add(1);
    }

    /// Whether nobody has to look at one.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.reproduced + self.skipped == self.total()
    }

    /// Number of all runs.
    #[must_use]
    pub const fn total(&self) -> u32 {
        let Self { reproduced, mismatched, not_reproduced, not_built, infra_errors, skipped } =
            self;
        *reproduced + *mismatched + *not_reproduced + *not_built + *infra_errors + *skipped
    }
}

/// Something that consumes events.
pub trait Reporter: fmt::Debug {
    /// Takes one event. What cannot be written is kept for [`Self::finish`].
    fn event(&mut self, event: &Stamped);

    /// Called once, after the last event.
    ///
    /// # Errors
    /// Something could not be written.
    fn finish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Stamps events and hands them to the reporters.
#[derive(Debug)]
pub struct Bus {
    start: Instant,
    run: Option<String>,
    reporters: Vec<Box<dyn Reporter>>,
}

impl Bus {
    /// A bus whose time starts now.
    #[must_use]
    pub fn new(reporters: Vec<Box<dyn Reporter>>) -> Self {
        Self { start: Instant::now(), run: None, reporters }
    }

    /// Time since the start of the invocation.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Names the run that the following events belong to.
    pub fn set_run(&mut self, run: Option<String>) {
        self.run = run;
    }

    /// Adds a reporter, which sees the events from now on, and takes it out again by
    /// [`Self::remove`].
    pub fn add(&mut self, reporter: Box<dyn Reporter>) {
        self.reporters.push(reporter);
    }

    /// Takes out the reporter added last and finishes it.
    ///
    /// # Errors
    /// It could not write something.
    pub fn remove(&mut self) -> Result<(), Failure> {
        self.reporters.pop().map_or(Ok(()), |mut reporter| reporter.finish())
    }

    /// Tells every reporter.
    pub fn emit(&mut self, event: Event) {
        let stamped = Stamped { at_ms: millis(self.elapsed()), run: self.run.clone(), event };
        for reporter in &mut self.reporters {
            reporter.event(&stamped);
        }
    }

    /// Finishes every reporter; the first failure is told.
    ///
    /// # Errors
    /// A reporter could not write something.
    pub fn finish(mut self) -> Result<(), Failure> {
        let results: Vec<_> = self.reporters.iter_mut().map(|reporter| reporter.finish()).collect();
        results.into_iter().collect()
    }
}

/// Whole milliseconds.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
