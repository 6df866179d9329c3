// SPDX-License-Identifier: MIT OR Apache-2.0
//! What it takes to use the module of a package in a guest.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Deserialize;

use guest::WantedPackage;
use guest::strict;

/// By the name of the package with the sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Tools(BTreeMap<String, PackageTools>);

/// What one package takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PackageTools {
    /// Packages with programs for the guest.
    pub packages: Vec<WantedPackage>,
    /// Commands of the shell before each trigger.
    pub before: String,
}

impl Tools {
    /// Reads the table.
    ///
    /// # Errors
    /// It cannot be read, or is no such table.
    pub fn load(path: &Path) -> io::Result<Self> {
        strict::load(path).map_err(|error| io::Error::other(error.to_string()))
    }

    /// What a package takes.
    #[must_use]
    pub fn of(&self, package: &str) -> PackageTools {
        self.0.get(package).cloned().unwrap_or_default()
    }
}
