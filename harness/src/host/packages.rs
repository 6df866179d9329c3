// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of packages, by package manager.

use process::helper;

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
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        Self::of_release(&release).filter(|manager| helper::find(manager.program()).is_some())
    }

    /// From os-release(5): the program alone does not tell, Fedora and Arch offer apt as a package
    /// and Debian offers dnf.
    fn of_release(release: &str) -> Option<Self> {
        let value = |key: &str| release.lines().find_map(|line| line.strip_prefix(key));
        let ids = [value("ID="), value("ID_LIKE=")].into_iter().flatten();
        let mut words = ids.flat_map(|ids| ids.trim_matches('"').split(' '));
        words.find_map(|id| match id {
            "debian" | "ubuntu" => Some(Self::Apt),
            "fedora" | "rhel" | "centos" => Some(Self::Dnf),
            "arch" => Some(Self::Pacman),
            "suse" | "opensuse" | "sles" => Some(Self::Zypper),
            _ => None,
        })
    }

    fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
            Self::Zypper => "zypper",
        }
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
    fn the_distribution_decides_and_what_it_derives_from() {
        let of = Manager::of_release;
        assert_eq!(of("NAME=x\nID=debian\n"), Some(Manager::Apt));
        assert_eq!(of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), Some(Manager::Apt));
        assert_eq!(of("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"), Some(Manager::Dnf));
        assert_eq!(of("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n"), Some(Manager::Zypper));
        assert_eq!(of("ID=nixos\n"), None);
        assert_eq!(of(""), None);
    }

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
