// SPDX-License-Identifier: MIT OR Apache-2.0
//! `[setup]`: what a case wants of the machine and of the kernel it runs on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use super::Parameter;
use guest::{DumpLevel, WantedPackage, strict};

/// What differs from the guest's own file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setup {
    /// RAM in bytes; in the file `"512MiB"`.
    #[serde(default, deserialize_with = "some_bytes")]
    pub memory: Option<u64>,
    /// Number of CPUs.
    pub cpus: Option<u32>,
    /// What `kdump` leaves out, as makedumpfile's `-d` takes it; the guest's where there is none.
    pub dump_level: Option<DumpLevel>,
    /// Words added to the kernel's command line (`slub_debug=FZPU`).
    #[serde(default)]
    pub command_line: Vec<String>,
    /// Kernel parameters, by names with dots, set before the modules are loaded.
    #[serde(default)]
    pub sysctls: BTreeMap<String, Parameter>,
    /// Packages of the guest's distribution whose programs it gets, with their libraries.
    #[serde(default)]
    pub packages: Vec<WantedPackage>,
    /// Files of the case's folder that the guest gets too, by the same paths below `/case`.
    #[serde(default)]
    pub files: Vec<PathBuf>,
}

fn some_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    strict::bytes(deserializer).map(Some)
}

impl Setup {
    /// With what one guest needs beside it: its numbers and parameters win, its words and files
    /// come after.
    pub(super) fn with(&self, part: &Self) -> Self {
        let mut all = self.clone();
        all.memory = part.memory.or(self.memory);
        all.cpus = part.cpus.or(self.cpus);
        all.dump_level = part.dump_level.or(self.dump_level);
        all.command_line.extend(part.command_line.iter().cloned());
        all.sysctls.extend(part.sysctls.clone());
        all.packages.extend(part.packages.iter().cloned());
        all.files.extend(part.files.iter().cloned());
        all
    }

    /// What no kernel would take, or would take for something else.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.cpus.is_some_and(|cpus| !(1..=64).contains(&cpus)) {
            return Err("setup.cpus: not between 1 and 64".into());
        }
        if self.memory.is_some_and(|bytes| bytes < 256 << 20) {
            return Err("setup.memory: less than 256MiB leaves no room for a capture kernel".into());
        }
        let blank = |word: &&String| word.is_empty() || word.contains(char::is_whitespace);
        if let Some(word) = self.command_line.iter().find(blank) {
            return Err(format!("setup.command-line: `{word}` is not one word"));
        }
        let odd = |c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c));
        match self.sysctls.keys().find(|name| name.is_empty() || name.contains(odd)) {
            Some(name) => Err(format!("setup.sysctls: `{name}` is no name of a kernel parameter")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(text: &str) -> Setup {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_guests_numbers_win_and_its_words_come_after() {
        let general = setup(
            "memory = '512MiB'\ncpus = 2\ncommand-line = ['a=1']\nsysctls = { 'k.a' = 1, 'k.b' = 2 }",
        );
        let part = setup("cpus = 1\ndump-level = 1\ncommand-line = ['b']\nsysctls = { 'k.b' = 3 }");
        let both = general.with(&part);
        assert_eq!((both.memory, both.cpus), (Some(512 << 20), Some(1)));
        assert_eq!((general.dump_level, both.dump_level), (None, DumpLevel::try_from(1).ok()));
        assert_eq!(both.command_line, ["a=1", "b"]);
        let values: Vec<_> = both.sysctls.iter().map(|(k, v)| (k.as_str(), v.0.as_str())).collect();
        assert_eq!(values, [("k.a", "1"), ("k.b", "3")]);
    }

    #[test]
    fn what_no_kernel_would_take_is_named() {
        for (text, key) in [
            ("cpus = 0", "setup.cpus"),
            ("memory = '64MiB'", "setup.memory"),
            ("command-line = ['a b']", "setup.command-line"),
            ("sysctls = { 'kernel/x' = 1 }", "setup.sysctls"),
        ] {
            assert!(setup(text).check().unwrap_err().starts_with(key), "{text}");
        }
    }
}
