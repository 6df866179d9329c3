// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of packages, by package manager.

use super::child;

/// A package manager of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// Debian, Ubuntu and what derives from them.
    Apt,
    /// Fedora, CentOS Stream and what derives from them.
    Dnf,
    /// Arch.
    Pacman,
    /// SUSE.
    Zypper,
}

impl Manager {
    /// The host's, where it is one of those known.
    #[must_use]
    pub fn of_host() -> Option<Self> {
        let managers = [
            ("apt-get", Self::Apt),
            ("dnf", Self::Dnf),
            ("pacman", Self::Pacman),
            ("zypper", Self::Zypper),
        ];
        // Fedora and Arch offer apt as a package; their own manager is the one to use.
        managers.iter().rev().find(|(program, _)| child::find(program).is_some()).map(|(_, m)| *m)
    }

    /// The words of an installation before the packages.
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Apt => "apt-get install --no-install-recommends",
            Self::Dnf => "dnf install",
            Self::Pacman => "pacman -S --needed",
            Self::Zypper => "zypper install",
        }
    }

    fn column(self) -> usize {
        match self {
            Self::Apt => 0,
            Self::Dnf => 1,
            Self::Pacman => 2,
            Self::Zypper => 3,
        }
    }
}

/// What is needed, and the packages that have it for apt, dnf, pacman, zypper. The last three are
/// only ever printed.
const PACKAGES: [(&str, [Option<&str>; 4]); 7] = [
    (
        "qemu-system-x86_64",
        [
            Some("qemu-system-x86"),
            Some("qemu-system-x86-core"),
            Some("qemu-system-x86"),
            Some("qemu-x86"),
        ],
    ),
    (
        "bios-256k.bin",
        [Some("seabios"), Some("seabios-bin"), Some("seabios"), Some("qemu-seabios")],
    ),
    ("gcc", [Some("gcc"), Some("gcc"), Some("gcc"), Some("gcc")]),
    ("make", [Some("make"), Some("make"), Some("make"), Some("make")]),
    ("libelf.so.1", [Some("libelf1"), Some("elfutils-libelf"), Some("libelf"), Some("libelf1")]),
    ("apt-get", [Some("apt"), Some("apt"), Some("apt"), None]),
    ("gpgv", [Some("gpgv"), Some("gnupg2"), Some("gnupg"), Some("gpg2")]),
];

/// The package that has `what`.
pub(super) fn package(manager: Manager, what: &str) -> Option<&'static str> {
    PACKAGES.iter().find(|(name, _)| *name == what)?.1[manager.column()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manager_has_the_essentials() {
        for manager in [Manager::Apt, Manager::Dnf, Manager::Pacman, Manager::Zypper] {
            for what in ["qemu-system-x86_64", "gcc", "make", "libelf.so.1"] {
                assert!(package(manager, what).is_some(), "{manager:?} {what}");
            }
        }
        assert_eq!(package(Manager::Apt, "no-such-thing"), None);
    }
}
