// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which packages of a Debian archive make a guest.

use serde::{Deserialize, Serialize};

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

/// A part of a Debian archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) suite: String,
    pub(crate) security: Option<String>,
    pub(crate) component: String,
    pub(crate) keyring: String,
}

/// Debian packages of the programs that run in a guest whose kernel comes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AptTools {
    /// Suite by code name.
    pub suite: String,
    /// Its security suite.
    pub security: Option<String>,
    /// Component of the archive.
    #[serde(default = "main_component")]
    pub component: String,
    /// File with the archive's keys, as for [`AptSource`].
    #[serde(default = "archive_keyring")]
    pub keyring: String,
    /// The packages: makedumpfile, busybox.
    pub packages: Vec<String>,
}

impl AptTools {
    /// Where the packages come from.
    pub(crate) fn place(&self) -> Suite {
        Suite {
            suite: self.suite.clone(),
            security: self.security.clone(),
            component: self.component.clone(),
            keyring: self.keyring.clone(),
        }
    }

    /// The names that reach apt, each with its key.
    pub(super) fn words(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("suite", self.suite.as_str()), ("component", &self.component), ("keyring", &self.keyring)]
            .into_iter()
            .chain(self.security.as_deref().map(|name| ("security", name)))
            .chain(self.packages.iter().map(|name| ("packages", name.as_str())))
    }
}

impl AptSource {
    /// Where the packages come from.
    pub(crate) fn place(&self) -> Suite {
        Suite {
            suite: self.suite.clone(),
            security: self.security.clone(),
            component: self.component.clone(),
            keyring: self.keyring.clone(),
        }
    }

    /// The names that reach apt, each with its key.
    pub(super) fn words(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("suite", self.suite.as_str()), ("component", &self.component), ("keyring", &self.keyring)]
            .into_iter()
            .chain(self.security.as_deref().map(|name| ("security", name)))
            .chain([("kernel.flavour", self.kernel.flavour.as_str())])
            .chain(self.kernel.flavours.iter().map(|name| ("kernel.flavours", name.as_str())))
            .chain(self.kernel.series.as_deref().map(|name| ("kernel.series", name)))
            .chain(self.kernel.release.as_deref().map(|name| ("kernel.release", name)))
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
    /// Other flavours of the same kernel, which are guests of their own: `<guest>-<flavour>`.
    #[serde(default)]
    pub flavours: Vec<String>,
    /// Version the ABI must begin with (`6.1`). Needed where a suite carries several kernels:
    /// bookworm-security has 6.1 and 6.12 side by side. Default: the newest of all.
    pub series: Option<String>,
    /// Exactly one, as `uname -r` prints it. Default: the newest.
    pub release: Option<String>,
}

impl KernelPackages {
    /// Whether a kernel of that release may be one of these: its series and one of the flavours. Debian names them
    /// `<version>-<ABI>-<flavour>`, since 6.12 `<version>+deb<suite>-<flavour>`.
    pub(crate) fn may_have(&self, release: &str) -> bool {
        let begins = |series: &String| {
            let rest = release.strip_prefix(series.as_str());
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let mut flavours = std::iter::once(&self.flavour).chain(&self.flavours);
        let ends = flavours.any(|it| {
            let abi = release.strip_suffix(it.as_str()).and_then(|rest| rest.strip_suffix('-'));
            // The ABI ends with a number or the suite: `6.1.0-57-cloud` is another flavour's.
            abi.is_some_and(|abi| abi.ends_with(|c: char| c.is_ascii_digit()))
        });
        ends && self.series.as_ref().is_none_or(begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_told_by_their_series_and_flavour() {
        let kernels = |series: &str| KernelPackages {
            flavour: "cloud-amd64".into(),
            flavours: vec!["amd64".into()],
            series: Some(series.into()),
            release: None,
        };
        assert!(kernels("6.1").may_have("6.1.0-57-cloud-amd64"));
        assert!(kernels("6.1").may_have("6.1.0-57-amd64"));
        assert!(kernels("6.12").may_have("6.12.118+deb13-cloud-amd64"));
        assert!(!kernels("6.1").may_have("6.12.118+deb13-cloud-amd64"));
        assert!(!kernels("6.1").may_have("6.1.0-57-rt-amd64"));
        assert!(!kernels("6.1").may_have("6.1.0-1044-generic"));
    }
}
