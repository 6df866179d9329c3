// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a run will do with its guest: resolved, checked, without anything left to look up.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use crate::events::{Accel, CaptureMethod};
use crate::vm::{Disks, Spec};

/// Everything that driving a guest needs.
#[derive(Debug)]
pub struct Plan {
    /// Name of the case.
    pub case: String,
    /// Name of the guest.
    pub guest: String,
    /// Number of CPUs.
    pub cpus: u32,
    /// RAM in bytes.
    pub memory_bytes: u64,
    /// The kernel.
    pub kernel: PathBuf,
    /// The initramfs of the first kernel.
    pub initrd: File,
    /// The first kernel's command line.
    pub command_line: String,
    /// `crashkernel=`, for people.
    pub crashkernel: String,
    /// The capture kernel's command line, by accelerator.
    pub capture_command_line: ByAccel<String>,
    /// Kernel parameters set before the modules are loaded.
    pub sysctls: Vec<Sysctl>,
    /// Modules to load, in order.
    pub modules: Vec<Module>,
    /// What makes the guest crash.
    pub trigger: Trigger,
    /// Ways of taking the vmcore, in order.
    pub capture: Vec<CaptureMethod>,
    /// Longest times.
    pub limits: ByAccel<Limits>,
}

impl Plan {
    /// The machine to start.
    #[must_use]
    pub fn spec<'a>(&'a self, accel: Accel, disks: &'a Disks) -> Spec<'a> {
        Spec {
            accel,
            cpus: self.cpus,
            memory_bytes: self.memory_bytes,
            kernel: self.kernel.clone(),
            initrd: &self.initrd,
            command_line: self.command_line.clone(),
            disks,
        }
    }
}

/// A kernel parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    /// Name with dots.
    pub name: String,
    /// The value.
    pub value: String,
    /// Whether the run fails without it.
    pub required: bool,
}

/// A module to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// File name.
    pub name: String,
    /// Path in the guest.
    pub guest_path: String,
    /// Parameters, as insmod(8) takes them.
    pub parameters: String,
}

/// What makes the guest crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// For people.
    pub label: String,
    /// Program and arguments in the guest.
    pub argv: Vec<String>,
    /// Variables added to its environment.
    pub environment: BTreeMap<String, String>,
    /// Longest time from its start to the crash, where the case says one.
    pub limit: Option<Duration>,
    /// Time from its end in which a crash may still come, where the case says one.
    pub settle: Option<Duration>,
}

/// One value for each accelerator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByAccel<T> {
    /// With hardware virtualisation.
    pub kvm: T,
    /// With QEMU's emulation.
    pub tcg: T,
}

impl<T> ByAccel<T> {
    /// The value for this one.
    pub const fn get(&self, accel: Accel) -> &T {
        match accel {
            Accel::Kvm => &self.kvm,
            Accel::Tcg => &self.tcg,
        }
    }
}

/// Longest times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// QEMU's start to the kernel's first line.
    pub first_output: Duration,
    /// QEMU's start to the agent's hello.
    pub boot: Duration,
    /// A request to load the capture kernel or to set a parameter.
    pub arm: Duration,
    /// Loading one module.
    pub load: Duration,
    /// Start of the trigger to the crash.
    pub trigger: Duration,
    /// End of the trigger to a crash that comes later (a timer, deferred work).
    pub settle: Duration,
    /// Crash to the capture kernel's hello.
    pub capture_boot: Duration,
    /// The capture kernel's hello to the complete dump.
    pub capture: Duration,
}
