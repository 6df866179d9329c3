// SPDX-License-Identifier: MIT OR Apache-2.0
//! `guests/<name>.toml`: everything that makes one guest.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::apt_source::AptSource;
use super::dump_level::DumpLevel;
use super::rpm::RpmSource;
use crate::shown;
use crate::strict::{self, ManifestError};

/// Folder of the repositories' keys beside the guests' files.
const KEYS: &str = "keys";

/// One guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// Name of the guest: the file's name without `.toml`.
    #[serde(skip_deserializing)]
    pub name: String,
    /// One line for people.
    pub summary: String,
    /// Machine of the kernel.
    pub arch: Arch,
    /// RAM in bytes; in the file `"1GiB"`.
    #[serde(deserialize_with = "strict::bytes")]
    pub memory: u64,
    /// Number of CPUs.
    pub cpus: u32,
    /// Ways to get the dump, in the order they are tried.
    pub capture: Vec<CaptureMethod>,
    /// Where kernel and tools come from.
    pub source: Source,
    /// What the kernels are told.
    pub kernel: KernelOptions,
    /// Longest time each phase may take.
    pub timeouts: Timeouts,
}

impl Manifest {
    /// Reads `guests/<name>.toml`.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or holds an unknown key or a value out of range.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let mut guest: Self = strict::load(path)?;
        guest.name =
            path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        guest.check().map_err(|message| ManifestError::Content {
            path: path.to_owned(),
            line: None,
            message,
            suggestion: None,
        })?;
        if let Source::Rpm(rpm) = &mut guest.source {
            rpm.find_keys(&path.with_file_name(KEYS));
        }
        Ok(guest)
    }

    /// The same guest with another flavour of its kernel, under the name `<guest>-<flavour>`; none if
    /// it has no such flavour. With its own flavour it is itself.
    #[must_use]
    pub fn with_flavour(&self, flavour: &str) -> Option<Self> {
        let mut guest = self.clone();
        let Source::Apt(source) = &mut guest.source else { return None };
        if source.kernel.flavour != flavour {
            source.kernel.flavours.iter().find(|known| *known == flavour)?;
            flavour.clone_into(&mut source.kernel.flavour);
            guest.name = format!("{}-{flavour}", self.name);
            guest.summary = format!("{}; flavour {flavour}", self.summary);
        }
        Some(guest)
    }

    /// Other flavours of its kernel.
    #[must_use]
    pub fn flavours(&self) -> &[String] {
        match &self.source {
            Source::Apt(source) => &source.kernel.flavours,
            Source::Rpm(_) | Source::Imported(_) => &[],
        }
    }

    fn check(&self) -> Result<(), String> {
        if let Some(fault) = shown::name_fault(&self.name).filter(|_| !self.name.is_empty()) {
            return Err(format!("the file's name is the guest's: {fault}"));
        }
        if !(1..=64).contains(&self.cpus) {
            return Err(format!("cpus: {} is not between 1 and 64", self.cpus));
        }
        if self.memory < 256 << 20 {
            return Err("memory: less than 256MiB leaves no room for a capture kernel".into());
        }
        if self.capture.is_empty() {
            return Err("capture: names no way to get the dump".into());
        }
        match &self.source {
            Source::Apt(apt) => names("source.apt", apt.words()),
            Source::Rpm(rpm) => {
                rpm.check()?;
                names("source.rpm.tools", rpm.tools.words())
            }
            Source::Imported(_) => {
                Err("source.imported: such a guest is made by `repro guest import`".into())
            }
        }
    }
}

/// Names that reach apt must not look like options.
fn names<'w>(
    table: &str,
    words: impl Iterator<Item = (&'static str, &'w str)>,
) -> Result<(), String> {
    for (key, value) in words {
        if !is_apt_name(value) {
            return Err(format!("{table}.{key}: `{value}` is no name that apt knows"));
        }
    }
    Ok(())
}

/// Whether a word is a name for apt, and no option.
pub(crate) fn is_apt_name(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+~".contains(c))
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Machine of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arch {
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
}

impl Arch {
    /// Its name in Debian.
    pub fn of_debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
        }
    }

    /// Its name in RPM packages.
    pub fn of_rpm(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
        }
    }
}

/// A way to get the dump out of a crashed guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureMethod {
    /// A capture kernel runs makedumpfile.
    Kdump,
    /// QEMU writes the guest's memory.
    Qmp,
}

/// Where kernel and tools come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Debian packages, through the host's apt.
    Apt(AptSource),
    /// Packages of RPM repositories.
    Rpm(RpmSource),
    /// Files that were taken into the cache by `repro guest import`: noted there, in no guest's
    /// file.
    Imported(Imported),
}

/// A guest that no site has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Imported {
    /// Its kernel.
    pub release: String,
}

impl Source {
    /// Whether a text names a kernel as this distribution names its own.
    pub fn has_kernels_like(&self, text: &str) -> bool {
        let Self::Rpm(rpm) = self else { return false };
        rpm.point.iter().any(|point| text.contains(&point.kernel))
    }

    /// Whether a kernel of that release may come from here, as releases are named.
    #[must_use]
    pub fn may_have(&self, release: &str) -> bool {
        match self {
            Self::Apt(apt) => apt.kernel.may_have(release),
            Self::Rpm(rpm) => rpm.point.iter().any(|point| {
                let rest = release.strip_prefix(&point.kernel);
                rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
            }),
            Self::Imported(_) => false,
        }
    }

    /// The kernel that was asked for by name.
    pub fn release(&self) -> Option<&str> {
        match self {
            Self::Apt(apt) => apt.kernel.release.as_deref(),
            Self::Rpm(rpm) => rpm.kernel.release.as_deref(),
            Self::Imported(_) => None,
        }
    }
}

/// What the kernels are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KernelOptions {
    /// Memory kept for the capture kernel, as the kernel's `crashkernel=` takes it.
    pub crashkernel: String,
    /// What `kdump` leaves out of the dump.
    #[serde(default)]
    pub dump_level: DumpLevel,
    /// Further words of the command line. Console and `crashkernel=` are added by the harness.
    #[serde(default)]
    pub command_line: Vec<String>,
    /// Further words of the capture kernel's command line.
    #[serde(default)]
    pub capture_command_line: Vec<String>,
    /// Words added to the capture kernel's command line when QEMU emulates the CPU.
    #[serde(default)]
    pub capture_command_line_tcg: Vec<String>,
}

/// Longest time each phase may take, by accelerator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Timeouts {
    /// With hardware virtualisation.
    pub kvm: PhaseTimeouts,
    /// With QEMU's emulation.
    pub tcg: PhaseTimeouts,
}

/// Longest time each phase may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PhaseTimeouts {
    /// QEMU's start to the agent's hello.
    #[serde(deserialize_with = "strict::duration")]
    pub boot: Duration,
    /// Loading of the capture kernel.
    #[serde(deserialize_with = "strict::duration")]
    pub arm: Duration,
    /// Loading of one module.
    #[serde(deserialize_with = "strict::duration")]
    pub load: Duration,
    /// Start of the trigger to the crash, where the case does not say.
    #[serde(deserialize_with = "strict::duration")]
    pub trigger: Duration,
    /// Crash to the complete dump.
    #[serde(deserialize_with = "strict::duration")]
    pub capture: Duration,
}

/// Longest times that a project sets for all of its guests; what is absent stays the guest's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PartialTimeouts {
    #[serde(deserialize_with = "strict::some_duration")]
    boot: Option<Duration>,
    #[serde(deserialize_with = "strict::some_duration")]
    arm: Option<Duration>,
    #[serde(deserialize_with = "strict::some_duration")]
    load: Option<Duration>,
    #[serde(deserialize_with = "strict::some_duration")]
    trigger: Option<Duration>,
    #[serde(deserialize_with = "strict::some_duration")]
    capture: Option<Duration>,
}

impl PartialTimeouts {
    /// Sets what is there, for both accelerators.
    pub fn apply(&self, timeouts: &mut Timeouts) {
        for times in [&mut timeouts.kvm, &mut timeouts.tcg] {
            times.boot = self.boot.unwrap_or(times.boot);
            times.arm = self.arm.unwrap_or(times.arm);
            times.load = self.load.unwrap_or(times.load);
            times.trigger = self.trigger.unwrap_or(times.trigger);
            times.capture = self.capture.unwrap_or(times.capture);
        }
    }
}

#[cfg(test)]
mod tests;
