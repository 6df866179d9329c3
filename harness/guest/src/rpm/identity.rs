// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a package is called: its name, version and machine. They are parts of file names in the
//! cache, and come from metadata that nobody may have signed.

use std::fmt;

use super::super::foreign;
use super::version::Evr;

/// A package's name, version and machine, each of which is a plain name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    name: String,
    evr: Evr,
    arch: String,
}

impl Identity {
    /// # Errors
    /// One of them is no plain name; which one and why.
    pub(super) fn new(name: &str, evr: &Evr, arch: &str) -> Result<Self, String> {
        Ok(Self {
            name: foreign::name("name", name)?,
            evr: Evr {
                epoch: evr.epoch,
                version: foreign::name("version", &evr.version)?,
                release: foreign::name("release", &evr.release)?,
            },
            arch: foreign::name("arch", arch)?,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn evr(&self) -> &Evr {
        &self.evr
    }

    /// Whether it runs on such a machine.
    pub(super) fn runs_on(&self, arch: &str) -> bool {
        self.arch == arch || self.arch == "noarch"
    }

    /// Whether it is a package of the same build.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.evr == other.evr && self.arch == other.arch
    }

    /// `name-version-release.arch`, as its file is usually called.
    pub(super) fn full_name(&self) -> String {
        let Evr { version, release, .. } = &self.evr;
        format!("{}-{version}-{release}.{}", self.name, self.arch)
    }

    /// The release of the kernel it belongs to, as `uname -r` prints it.
    pub(super) fn kernel_release(&self) -> String {
        format!("{}.{}", self.short_release(), self.arch)
    }

    /// The same without the machine.
    pub(super) fn short_release(&self) -> String {
        format!("{}-{}", self.evr.version, self.evr.release)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.name, self.evr, self.arch)
    }
}
