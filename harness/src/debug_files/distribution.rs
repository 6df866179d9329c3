// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose kernel it is, as its release tells, and what gets its debug information there.
//!
//! The one table of how distributions name the releases of their kernels and the packages with debug information:
//! Debian's `linux-image-*-dbg`; Ubuntu's "Debug Symbol Packages"; `debuginfo-install` of yum-utils and of dnf's core
//! plugins for Red Hat's and what is built from them; Oracle's `kernel-uek-debuginfo`. SUSE's and Arch's are best had
//! by build-id.

/// Whose kernel it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distribution {
    /// `6.1.0-57-cloud-amd64`, `6.12.118+deb13-amd64`.
    Debian,
    /// `5.15.0-91-generic`.
    Ubuntu,
    /// RHEL 7 and 6, CentOS and what is built from them, with yum: `3.10.0-1160.el7.x86_64`.
    El7,
    /// Later ones: `5.14.0-362.8.1.el9_3.x86_64`.
    El,
    /// `6.8.5-301.fc40.x86_64`.
    Fedora,
    /// `5.10.199-190.747.amzn2.x86_64`.
    Amazon,
    /// `5.4.17-2136.325.5.el8uek.x86_64`.
    OracleUek,
    /// `5.14.21-150500.55.19-default`.
    Suse,
    /// `6.8.2-arch2-1`.
    Arch,
}

/// Flavours of Ubuntu's kernels; the names of other distributions' do not end so.
const UBUNTU: [&str; 8] =
    ["generic", "lowlatency", "aws", "azure", "gcp", "oracle", "kvm", "raspi"];

impl Distribution {
    /// By a release, as `uname -r` prints it.
    pub(super) fn of(release: &str) -> Option<Self> {
        let has = |mark: &str| release.contains(mark);
        let flavour = release.rsplit('-').next().unwrap_or_default();
        Some(match () {
            () if has("uek") => Self::OracleUek,
            () if has(".el7") || has(".el6") => Self::El7,
            () if has(".el") => Self::El,
            () if has(".fc") => Self::Fedora,
            () if has(".amzn") => Self::Amazon,
            () if flavour == "amd64" => Self::Debian,
            () if UBUNTU.contains(&flavour) => Self::Ubuntu,
            () if flavour == "default" => Self::Suse,
            () if has("-arch") => Self::Arch,
            () => return None,
        })
    }

    /// Its name for people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Debian => "Debian",
            Self::Ubuntu => "Ubuntu (its archive of debug symbols, ddebs)",
            Self::El7 => "CentOS or RHEL",
            Self::El => "RHEL or one built from it",
            Self::Fedora => "Fedora",
            Self::Amazon => "Amazon Linux",
            Self::OracleUek => "Oracle Linux (its debuginfo repository)",
            Self::Suse => "SUSE (with its debug repositories)",
            Self::Arch => "Arch",
        }
    }

    /// The line that installs the debug information of a kernel and its modules, if packages have it.
    pub(super) fn line(self, release: &str) -> Option<String> {
        Some(match self {
            Self::Debian => format!("apt update && apt install linux-image-{release}-dbg"),
            Self::Ubuntu => {
                format!("apt update && apt install linux-image-unsigned-{release}-dbgsym")
            }
            Self::El7 if release.contains(".rt") => {
                format!("debuginfo-install kernel-rt-{release}")
            }
            Self::El7 => format!("debuginfo-install kernel-{release}"),
            // The packages of other flavours are called in too many ways.
            Self::El | Self::Fedora if release.contains(".rt") || release.contains('+') => {
                return None;
            }
            Self::El | Self::Fedora => format!("dnf debuginfo-install kernel-{release}"),
            Self::Amazon if release.contains(".amzn2.") => {
                format!("debuginfo-install kernel-{release}")
            }
            Self::Amazon => format!("dnf debuginfo-install kernel-{release}"),
            Self::OracleUek if release.contains("el7uek") => {
                format!("yum install kernel-uek-debuginfo-{release}")
            }
            Self::OracleUek => format!("dnf install kernel-uek-debuginfo-{release}"),
            // The package's version has a number of its rebuild that the release does not.
            Self::Suse | Self::Arch => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_tell_whose_kernel_it_is() {
        let told = [
            ("6.1.0-57-cloud-amd64", Some(Distribution::Debian)),
            ("6.12.118+deb13-amd64", Some(Distribution::Debian)),
            ("5.15.0-91-generic", Some(Distribution::Ubuntu)),
            ("6.5.0-1016-aws", Some(Distribution::Ubuntu)),
            ("3.10.0-1160.49.1.el7.x86_64", Some(Distribution::El7)),
            ("4.18.0-513.5.1.el8_9.x86_64", Some(Distribution::El)),
            ("5.4.17-2136.325.5.el8uek.x86_64", Some(Distribution::OracleUek)),
            ("4.14.35-1902.el7uek.x86_64", Some(Distribution::OracleUek)),
            ("6.8.5-301.fc40.x86_64", Some(Distribution::Fedora)),
            ("5.10.199-190.747.amzn2.x86_64", Some(Distribution::Amazon)),
            ("5.14.21-150500.55.19-default", Some(Distribution::Suse)),
            ("6.8.2-arch2-1", Some(Distribution::Arch)),
            ("6.9.0", None),
            ("6.9.0-rc3-custom+", None),
        ];
        for (release, whose) in told {
            assert_eq!(Distribution::of(release), whose, "{release}");
        }
    }

    #[test]
    fn lines_name_the_very_kernel() {
        let line = |release: &str| Distribution::of(release)?.line(release);
        assert_eq!(
            line("3.10.0-1160.49.1.el7.x86_64").unwrap(),
            "debuginfo-install kernel-3.10.0-1160.49.1.el7.x86_64"
        );
        assert_eq!(
            line("6.1.0-57-cloud-amd64").unwrap(),
            "apt update && apt install linux-image-6.1.0-57-cloud-amd64-dbg"
        );
        assert_eq!(line("6.8.2-arch2-1"), None);
        assert_eq!(line("5.14.21-150500.55.19-default"), None);
        assert_eq!(line("5.14.0-9.rt1.el9.x86_64"), None);
        assert_eq!(
            line("6.1.19-30.43.amzn2023.x86_64").unwrap(),
            "dnf debuginfo-install kernel-6.1.19-30.43.amzn2023.x86_64"
        );
        assert_eq!(
            line("4.14.35-1902.el7uek.x86_64").unwrap(),
            "yum install kernel-uek-debuginfo-4.14.35-1902.el7uek.x86_64"
        );
    }
}
