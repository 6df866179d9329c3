// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the host may be changed, and why it could not be.

use process::helper;

/// How the user lets us change the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// We run as root.
    Root,
    /// `--yes` was given, and there is sudo.
    Sudo,
}

impl Consent {
    /// Whether, and how, packages may be installed; `yes` is what the user said.
    #[must_use]
    pub fn of(yes: bool) -> Option<Self> {
        if rustix::process::geteuid().is_root() {
            return Some(Self::Root);
        }
        (yes && helper::find("sudo").is_some()).then_some(Self::Sudo)
    }
}

/// Why something could not be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The host's package manager is not one that is run here.
    #[error("packages are only installed through apt; on this host run: {line}")]
    NotApt {
        /// The line to type.
        line: String,
    },
    /// No package is known for something.
    #[error("no package is known that has {what} ({why})")]
    NoPackage {
        /// The program or file.
        what: String,
        /// What it is for.
        why: String,
    },
    /// apt cannot install the packages without removing others, or cannot get them.
    #[error("apt cannot install {packages} without changing other packages:\n{output}")]
    Refused {
        /// What was to be installed.
        packages: String,
        /// What apt says.
        output: String,
    },
    /// apt failed.
    #[error("{what} failed:\n{output}")]
    Apt {
        /// What was run.
        what: String,
        /// What it says.
        output: String,
    },
    /// A folder for apt's lists cannot be made.
    #[error("cannot make a temporary folder")]
    Folder(#[from] std::io::Error),
    /// All was installed, but something is still missing.
    #[error("{what} is still missing after the installation of {package}")]
    StillMissing {
        /// The program or file.
        what: String,
        /// The package that should have it.
        package: String,
    },
}
