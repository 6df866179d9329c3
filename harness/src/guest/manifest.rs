// SPDX-License-Identifier: MIT OR Apache-2.0
//! `guests/<name>.toml`: everything that makes one guest.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::manifest::{self, ManifestError};

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
    #[serde(deserialize_with = "manifest::bytes")]
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
        let mut guest: Self = manifest::load(path)?;
        guest.name =
            path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        guest.check().map_err(|message| ManifestError::Content {
            path: path.to_owned(),
            line: None,
            message,
            suggestion: None,
        })?;
        Ok(guest)
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=64).contains(&self.cpus) {
            return Err(format!("cpus: {} is not between 1 and 64", self.cpus));
        }
        if self.memory < 256 << 20 {
            return Err("memory: less than 256MiB leaves no room for a capture kernel".into());
        }
        if self.capture.is_empty() {
            return Err("capture: names no way to get the dump".into());
        }
        let Source::Apt(apt) = &self.source;
        for (key, value) in apt.words() {
            if !value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c))
                || !value.starts_with(|c: char| c.is_ascii_alphanumeric())
            {
                return Err(format!("source.apt.{key}: `{value}` is no name that apt knows"));
            }
        }
        Ok(())
    }
}

/// Machine of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arch {
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
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
}

/// Debian packages. No site is named here: it is the one the host's apt is configured with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AptSource {
    /// Suite by code name (`bookworm`).
    pub suite: String,
    /// Its security suite (`bookworm-security`); sid has none.
    pub security: Option<String>,
    /// Component of the archive.
    #[serde(default = "main_component")]
    pub component: String,
    /// File with the keys of the distribution's archive, by its name in `/usr/share/keyrings`
    /// without ending. Where it is absent, the keys that the host's apt trusts are taken.
    #[serde(default = "archive_keyring")]
    pub keyring: String,
    /// Which kernel.
    pub kernel: KernelPackages,
    /// Packages of the programs that run in the guest: makedumpfile, busybox.
    pub tools: Vec<String>,
}

impl AptSource {
    /// The names that reach apt, each with its key.
    fn words(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("suite", self.suite.as_str()), ("component", &self.component), ("keyring", &self.keyring)]
            .into_iter()
            .chain(self.security.as_deref().map(|name| ("security", name)))
            .chain([("kernel.flavour", self.kernel.flavour.as_str())])
            .chain(self.kernel.series.as_deref().map(|name| ("kernel.series", name)))
            .chain(self.tools.iter().map(|name| ("tools", name.as_str())))
    }
}

fn main_component() -> String {
    "main".into()
}

fn archive_keyring() -> String {
    "debian-archive-keyring".into()
}

/// Which of a suite's kernels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KernelPackages {
    /// The last part of the package name: `cloud-amd64`, `amd64`, `rt-amd64`.
    pub flavour: String,
    /// Version the ABI must begin with (`6.1`). Needed where a suite carries several kernels:
    /// bookworm-security has 6.1 and 6.12 side by side. Default: the newest of all.
    pub series: Option<String>,
}

/// What the kernels are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KernelOptions {
    /// Memory kept for the capture kernel, as the kernel's `crashkernel=` takes it.
    pub crashkernel: String,
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
    #[serde(deserialize_with = "manifest::duration")]
    pub boot: Duration,
    /// Loading of the capture kernel.
    #[serde(deserialize_with = "manifest::duration")]
    pub arm: Duration,
    /// Loading of one module.
    #[serde(deserialize_with = "manifest::duration")]
    pub load: Duration,
    /// Start of the trigger to the crash, where the case does not say.
    #[serde(deserialize_with = "manifest::duration")]
    pub trigger: Duration,
    /// Crash to the complete dump.
    #[serde(deserialize_with = "manifest::duration")]
    pub capture: Duration,
}

#[cfg(test)]
mod tests;
