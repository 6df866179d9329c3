// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of a run, as types: its phases, what runs a guest, how a crash is seen and taken.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Steps of a run, in order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// What the machine lacks is installed; before the first run.
    Setup,
    /// The guest's kernel, symbols and tools are brought into the cache.
    Fetch,
    /// The case's modules are built.
    Build,
    /// QEMU's start to the agent's first word.
    Boot,
    /// The capture kernel is loaded.
    Arm,
    /// The case's modules are loaded.
    Load,
    /// The trigger runs; ends with the crash.
    Trigger,
    /// The modules of a kernel that survived are unloaded.
    Unload,
    /// Crash to the vmcore on the host.
    Capture,
    /// The memory or the vmcore is analysed.
    Analyze,
    /// The vmcore of a fast capture is written, as far as the analysis was done before.
    Write,
}

impl Phase {
    /// Name, as in the JSON forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Fetch => "fetch",
            Self::Build => "build",
            Self::Boot => "boot",
            Self::Arm => "arm",
            Self::Load => "load",
            Self::Trigger => "trigger",
            Self::Unload => "unload",
            Self::Capture => "capture",
            Self::Analyze => "analyze",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What runs the guest's CPUs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Accel {
    /// Hardware virtualisation.
    Kvm,
    /// QEMU's emulation.
    Tcg,
}

impl fmt::Display for Accel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        })
    }
}

/// How a vmcore was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureMethod {
    /// A capture kernel ran makedumpfile.
    Kdump,
    /// The same, but only after an NMI made the hanging kernel panic.
    NmiKdump,
    /// A crash stub stopped the guest, and the host read its memory.
    Fast,
    /// The same, but only after an NMI made the hanging kernel panic.
    NmiFast,
    /// QEMU wrote the guest's memory.
    Qmp,
}

impl fmt::Display for CaptureMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kdump => "kdump",
            Self::NmiKdump => "kdump after an NMI",
            Self::Fast => "fast capture",
            Self::NmiFast => "fast capture after an NMI",
            Self::Qmp => "QMP dump",
        })
    }
}

/// What first told that the guest crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrashSign {
    /// A line of an oops or a panic on the console, after which the guest did not answer any more.
    Console,
    /// The guest's panic notifier reached QEMU.
    Pvpanic,
    /// The capture kernel started, or said hello.
    CaptureKernel,
    /// The agent's port closed without a word.
    AgentClosed,
    /// The guest hung; an NMI was sent to make it panic.
    Hang,
    /// The CPU was reset without a word, as by a triple fault.
    Reset,
    /// The kernel complained and went on; the guest was stopped there.
    Complaint,
}
