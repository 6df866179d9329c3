// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file of a fault.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use crate::case::FileChange;

/// A fault in a module of others.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Fault {
    /// Its name, which is the file's too.
    pub id: String,
    /// Debian package with the sources.
    pub package: String,
    /// Its version; another one will do whose files have the same content.
    pub version: String,
    /// What sort of change makes the fault.
    pub operator: String,
    /// The change.
    pub changes: Vec<FileChange>,
    /// Words for the kernel's command line.
    #[serde(default)]
    pub kernel_command_line: Vec<String>,
    /// Kernel parameters, by names with dots.
    #[serde(default)]
    pub sysctls: Option<BTreeMap<String, serde_json::Value>>,
    /// The modules, each with its parameters behind the name: those of the guest's kernel and those
    /// of the package.
    pub load_in_order: Vec<String>,
    /// The flavour of the guest's kernel, where it is not the usual one.
    #[serde(default)]
    pub flavour: Option<String>,
    /// A script for the guest.
    pub trigger: String,
    /// Longest time to the crash (`30s`).
    #[serde(default)]
    pub trigger_timeout: Option<String>,
    /// What is true of the crash; none where the fault does not crash the kernel.
    pub truth: Option<Truth>,
}

/// What is true of a crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Truth {
    /// The places of the changed source that are accepted, `file:line`; empty where no line of the
    /// module can be told.
    #[serde(default)]
    pub lines: Vec<String>,
    /// The same of the kernel's source, where only that has one.
    #[serde(default)]
    pub kernel_lines: Vec<String>,
    /// Functions that are accepted.
    #[serde(default)]
    pub functions: Vec<String>,
    /// Kinds that are accepted, the best one first.
    pub kinds: Vec<String>,
    /// Those of them that may be called proven; without it, all.
    #[serde(default)]
    pub provable_kinds: Option<Vec<String>>,
    /// Accepted names of what the fault made wrong.
    #[serde(default)]
    pub roots: Vec<String>,
    /// What a good next step may name.
    #[serde(default)]
    pub fix: Vec<String>,
    /// Whether the root can be told from the dump.
    #[serde(default)]
    pub told_by_dump: bool,
    /// Whether kind and line may be called proven.
    #[serde(default)]
    pub provable: bool,
    /// The crash, in words.
    #[serde(default)]
    pub kind: String,
    /// What is wrong, in words.
    #[serde(default)]
    pub root: String,
    /// Why it is so, in one sentence.
    #[serde(default)]
    pub why: Option<String>,
}

impl Fault {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is none of a fault.
    pub fn load(path: &Path) -> io::Result<Self> {
        let fault: Self = serde_json::from_slice(&fs::read(path)?)?;
        if path.file_stem().is_none_or(|stem| stem != fault.id.as_str()) {
            return Err(io::Error::other(format!("its id is {}", fault.id)));
        }
        Ok(fault)
    }

    /// Reads all files of a folder, in the order of their names.
    ///
    /// # Errors
    /// A file cannot be read, or is none of a fault.
    pub fn load_all(folder: &Path) -> io::Result<Vec<Self>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        let load = |path: &std::path::PathBuf| {
            Self::load(path)
                .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
        };
        paths.iter().map(load).collect()
    }
}
