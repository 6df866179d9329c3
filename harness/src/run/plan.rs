// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a run will do with its guest: resolved, checked, without anything left to look up.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::events::{Accel, CaptureMethod};
use crate::interrupt::Interrupt;
use crate::run::limits::Limits;
use crate::snapshot::Snapshots;
use crate::vm::{Disks, SharedRam, Spec};

/// How the capture kernel is loaded: by the system call that takes files, which every x86-64 kernel
/// of 3.17 and later has where it is built with `CONFIG_KEXEC_FILE`.
pub(crate) const BY_FILE: &str = "file";
/// The crash stub instead.
pub(crate) const STUB: &str = "stub";

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
    /// The disk with the modules of the guest's kernel; a plan that is only shown has none.
    pub module_disk: Option<File>,
    /// What makes the guest crash.
    pub trigger: Trigger,
    /// Whether the modules are unloaded if the kernel survives.
    pub unload: bool,
    /// Ways of taking the vmcore, in order.
    pub capture: Vec<CaptureMethod>,
    /// Longest times.
    pub limits: ByAccel<Limits>,
    /// The snapshot to start from, instead of a boot.
    pub snapshot: Option<FromSnapshot>,
}

/// What starting from a snapshot needs.
#[derive(Debug)]
pub struct FromSnapshot {
    /// Where the snapshots are.
    pub snapshots: Snapshots,
    /// Which of several snapshots of the same guest: each has its own random numbers.
    pub variant: u32,
    /// The initramfs of the guest that is saved: without the case.
    pub initrd: File,
    /// A disk with the case's files.
    pub case: File,
    /// Whether the user asked to stop.
    pub interrupt: Interrupt,
}

impl Plan {
    /// The machine to start.
    #[must_use]
    pub fn spec<'a>(
        &'a self,
        accel: Accel,
        disks: &'a Disks,
        ram: Option<SharedRam<'a>>,
    ) -> Spec<'a> {
        // Only the guest of a snapshot gets its case by a disk.
        let snapshot = self.snapshot.as_ref().filter(|_| ram.is_some_and(|ram| ram.case.is_some()));
        let initrd = snapshot.map_or(&self.initrd, |snapshot| &snapshot.initrd);
        Spec {
            accel,
            cpus: self.cpus,
            memory_bytes: self.memory_bytes,
            kernel: self.kernel.clone(),
            initrd,
            command_line: self.command_line.clone(),
            disks,
            modules: self.module_disk.as_ref(),
            ram,
        }
    }

    /// The case's own modules, in the order they are loaded.
    pub(crate) fn own_modules(&self) -> impl DoubleEndedIterator<Item = &Module> {
        self.modules.iter().filter(|module| matches!(module.from, ModuleFrom::Case(_)))
    }

    /// How the guest is armed for its crash; not at all where QEMU alone takes the dump.
    pub(crate) fn arm_method(&self) -> Option<&'static str> {
        match self.capture.first()? {
            CaptureMethod::Kdump | CaptureMethod::NmiKdump => Some(BY_FILE),
            CaptureMethod::Fast | CaptureMethod::NmiFast => Some(STUB),
            CaptureMethod::Qmp => None,
        }
    }

    /// Whether the host reads the memory of a crashed guest by itself.
    #[must_use]
    pub fn is_fast(&self) -> bool {
        self.capture.first() == Some(&CaptureMethod::Fast)
    }
}

/// How a guest gets to where its modules are loaded.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum BootWay {
    /// Its kernel boots: the reference.
    #[default]
    Cold,
    /// It goes on from a snapshot of a guest that was booted and armed.
    Snapshot,
}

impl fmt::Display for BootWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cold => "cold boot",
            Self::Snapshot => "snapshot",
        })
    }
}

/// How the dump of a crash is taken first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum CaptureWay {
    /// A capture kernel runs makedumpfile: the reference.
    #[default]
    Kdump,
    /// A crash stub stops the guest, and the memory is read where it is.
    Fast,
    /// QEMU writes the guest's memory; no capture kernel is loaded.
    Qmp,
}

/// How a run is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ways {
    /// How the dump is taken.
    pub capture: CaptureWay,
    /// How the guest gets up. Only a guest that is captured fast can go on from a snapshot.
    pub boot: BootWay,
    /// Which of several snapshots of the same guest.
    pub variant: u32,
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
    /// For people: the name of the file, or of the module where it is the kernel's.
    pub name: String,
    /// Where it comes from.
    pub from: ModuleFrom,
    /// Parameters, as insmod(8) takes them.
    pub parameters: String,
}

/// Where the guest has a module from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleFrom {
    /// From a file of the case, by its path in the guest.
    Case(String),
    /// From its kernel.
    Kernel,
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
    /// Whether it tells of its steps.
    pub tells: bool,
    /// Longest time from its start to the crash, where the case says one.
    pub limit: Option<Duration>,
    /// Time from its end in which a crash may still come, where the case says one.
    pub settle: Option<Duration>,
    /// The guest is stopped at the first complaint that has none of these words; at none without them.
    pub stop_unless: Option<Vec<String>>,
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
