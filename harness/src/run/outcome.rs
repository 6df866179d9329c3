// SPDX-License-Identifier: MIT OR Apache-2.0
//! What came of a run.

use std::collections::BTreeMap;
use std::fmt;

use analyzer::report::Report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::events::{Accel, CaptureMethod, CrashSign, Phase};
use crate::exit::Exit;
use crate::json;
use crate::report::run_folder;
use crate::run::fault_state::FaultState;
use crate::run::invocation::Invocation;
use crate::run::object_users::ObjectUsers;
use crate::run::plan::BootWay;
use crate::run::trigger_run::TriggerRun;

/// The key of a [`Difference`] from the report that was reviewed.
pub const REPORT: &str = "report";

/// The key of a [`Difference`] from a report that was reviewed in an earlier form.
pub const EARLIER: &str = "report of an earlier form";

/// Version of the form of [`Runs`].
pub const SCHEMA_VERSION: u32 = 1;

/// What `--format json` prints and `run.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Runs {
    /// Version of this form.
    pub schema_version: u32,
    /// When they were made; null where that was not noted.
    #[serde(default)]
    pub invocation: Option<Invocation>,
    /// The runs, in the order they were made.
    pub runs: Vec<RunResult>,
}

impl Runs {
    /// The runs in this version's form.
    #[must_use]
    pub const fn new(runs: Vec<RunResult>) -> Self {
        Self { schema_version: SCHEMA_VERSION, invocation: None, runs }
    }

    /// The text, with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::text(self)
    }

    /// The JSON schema of the form.
    #[must_use]
    pub fn schema() -> String {
        json::text(&schemars::schema_for!(Self))
    }
}

/// How a run is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Crashed as the case expects.
    Reproduced,
    /// Crashed, but not as the case expects.
    Mismatched,
    /// Did not crash.
    NotReproduced,
    /// Its modules do not compile, or cannot be loaded into that kernel.
    NotBuilt,
    /// Could not be judged.
    InfraError,
    /// Not started, or stopped by who started it.
    Skipped,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reproduced => "reproduced",
            Self::Mismatched => "mismatched",
            Self::NotReproduced => "not reproduced",
            Self::NotBuilt => "not built",
            Self::InfraError => "infra error",
            Self::Skipped => "skipped",
        })
    }
}

impl Outcome {
    /// Whether it tells something of the case.
    #[must_use]
    pub const fn is_judged(self) -> bool {
        match self {
            Self::Reproduced | Self::Mismatched | Self::NotReproduced => true,
            Self::NotBuilt | Self::InfraError | Self::Skipped => false,
        }
    }
}

/// How a kernel ended that did not crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Ending {
    /// It survived the trigger.
    Survived {
        /// Complaints in its log.
        complaints: u64,
        /// Whether its modules were unloaded.
        unloaded: bool,
    },
    /// It did not load a module.
    Refused {
        /// What it said.
        why: String,
    },
}

/// All that is known about one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunResult {
    /// Name of the case.
    pub case: String,
    /// Name of the guest.
    pub guest: String,
    /// What the case's modules were loaded with, by the names that the kernel's command line has for
    /// it: `module.parameter`.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// How it is judged.
    pub outcome: Outcome,
    /// What ran the guest's CPUs; null when it never started.
    pub accel: Option<Accel>,
    /// Why it was not KVM, where KVM was wanted.
    pub accel_reason: Option<String>,
    /// QEMU's version.
    pub qemu: Option<String>,
    /// The end of what QEMU wrote to stderr, where it ended by itself or had to be ended; null where
    /// it wrote nothing.
    #[serde(default)]
    pub qemu_stderr: Option<String>,
    /// How the guest got up; null when it never started.
    #[serde(default)]
    pub boot: Option<BootWay>,
    /// Why it was not started from a snapshot, where that was wanted.
    #[serde(default)]
    pub boot_reason: Option<String>,
    /// How the vmcore was taken; null when there is none.
    pub capture: Option<CaptureMethod>,
    /// Why it was not taken in the first way.
    pub capture_reason: Option<String>,
    /// The crash as it was seen from outside.
    pub crash: Option<Crash>,
    /// How the kernel ended where it did not crash; null where it did, or never came so far.
    #[serde(default)]
    pub ending: Option<Ending>,
    /// Whether its report waits for a review.
    #[serde(default)]
    pub waits: bool,
    /// What became of the trigger; null when it was never started.
    #[serde(default)]
    pub trigger: Option<TriggerRun>,
    /// Milliseconds of each phase that was entered.
    pub phases: BTreeMap<Phase, u64>,
    /// The artefact folder.
    pub artifacts: Option<String>,
    /// Why it could not be judged, or why it did not crash.
    pub failure: Option<Failure>,
    /// What is not as the case expects.
    pub differences: Vec<Difference>,
    /// What the analysis found; null when there is no vmcore or it cannot be read.
    pub report: Option<Report>,
    /// How often the case wants to come out as expected, between 0 and 1; null for each time.
    #[serde(default)]
    pub wanted_rate: Option<f64>,
    /// The source around the line at fault; null where there is none.
    #[serde(default)]
    pub excerpt: Option<Excerpt>,
    /// The line that a reviewer is pointed to.
    #[serde(default)]
    pub place: Option<Place>,
    /// The object that held the bad value; null where there is none.
    #[serde(default)]
    pub object: Option<Object>,
    /// Who allocated and who freed that object, or a freed one that the code still had; null where the
    /// allocator noted nothing.
    #[serde(default)]
    pub users: Option<ObjectUsers>,
    /// What the processor was at; null where no exception ended the kernel.
    #[serde(default)]
    pub fault: Option<FaultState>,
}

impl RunResult {
    /// A run of which nothing is known yet. It stays an infra error until it is judged.
    #[must_use]
    pub const fn new(case: String, guest: String) -> Self {
        Self {
            case,
            guest,
            parameters: BTreeMap::new(),
            outcome: Outcome::InfraError,
            accel: None,
            accel_reason: None,
            qemu: None,
            qemu_stderr: None,
            boot: None,
            boot_reason: None,
            capture: None,
            capture_reason: None,
            crash: None,
            ending: None,
            waits: false,
            trigger: None,
            phases: BTreeMap::new(),
            artifacts: None,
            failure: None,
            differences: Vec::new(),
            report: None,
            wanted_rate: None,
            excerpt: None,
            place: None,
            object: None,
            users: None,
            fault: None,
        }
    }

    /// The code that this run alone would end the invocation with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.outcome {
            Outcome::Reproduced | Outcome::Skipped => Exit::Ok,
            Outcome::Mismatched | Outcome::NotReproduced => Exit::CaseFailed,
            Outcome::NotBuilt | Outcome::InfraError => {
                self.failure.as_ref().map_or(Exit::Internal, |why| why.exit)
            }
        }
    }

    /// How it came out, in a word: one that was to survive, or not to be loaded, has reproduced nothing.
    #[must_use]
    pub fn word(&self) -> String {
        match (self.outcome, &self.ending, &self.report) {
            (Outcome::Reproduced, Some(Ending::Survived { .. }), None) => "survived".to_owned(),
            (Outcome::Reproduced, Some(Ending::Refused { .. }), _) => "refused".to_owned(),
            (outcome, ..) => outcome.to_string(),
        }
    }

    /// Whether who started it stopped it.
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.exit == Exit::Interrupted)
    }

    /// Whether the kernel crashed.
    #[must_use]
    pub const fn crashed(&self) -> bool {
        self.crash.is_some()
    }

    /// Name of its artefact folder: `case--guest`, with a number where it was repeated.
    #[must_use]
    pub fn folder_name(&self) -> String {
        let last = self.artifacts.as_deref().and_then(|path| path.rsplit('/').next());
        last.map_or_else(|| run_folder(&self.name()), str::to_owned)
    }

    /// `case@guest`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.case, self.guest)
    }

    /// Whether another run tried the same: case, guest and parameters.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.case, &self.guest, &self.parameters)
            == (&other.case, &other.guest, &other.parameters)
    }
}

/// An object in the dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    /// The expression that it is the value of.
    pub expression: String,
    /// Its members, as `p` of `repro crash` prints them.
    pub lines: Vec<String>,
    /// Index in `lines` of the member with the bad value.
    pub bad: u32,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The file, from the root of the repository; absolute where it is outside of it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// Lines of a source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Excerpt {
    /// The file, by its place in the case.
    pub file: String,
    /// Number of the first line here, from 1.
    pub first: u32,
    /// Number of the line at fault.
    pub line: u32,
    /// The lines.
    pub text: Vec<String>,
}

/// The crash as it was seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Crash {
    /// What told so first.
    pub sign: CrashSign,
    /// The phase it happened in.
    pub phase: Phase,
    /// The first line of the oops or panic, where the console had one.
    pub message: Option<String>,
}

/// One key of `[expect]` and what came instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The key.
    pub key: String,
    /// What the case expects.
    pub expected: String,
    /// What the report has.
    pub got: String,
}
