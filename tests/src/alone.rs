// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dump alone: no `vmlinux`, no file of a module, only what the dump itself has.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use analyzer::report::{Frame, Report};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::dump::Dump;
use crate::project;

/// A dump in a folder where nothing else is, on a machine with an empty cache.
#[derive(Debug)]
pub struct Alone {
    folder: TempDir,
    vmcore: PathBuf,
}

impl Alone {
    /// Leaves everything but the vmcore behind.
    ///
    /// # Errors
    /// No folder can be made.
    pub fn new(dump: &Dump) -> Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let vmcore = folder.path().join("vmcore");
        symlink(fs::canonicalize(&dump.vmcore)?, &vmcore).context("make a link")?;
        Ok(Self { folder, vmcore })
    }

    /// Whether VMCOREINFO tells where the kernel keeps its symbols, as it does since 6.0.
    ///
    /// # Errors
    /// The dump cannot be read.
    pub fn has_symbols(&self) -> Result<bool> {
        // Notes are not compressed and come before all pages.
        let bytes = fs::read(&self.vmcore).context("read the vmcore")?;
        let key = b"SYMBOL(kallsyms_names)=";
        Ok(bytes.windows(key.len()).any(|window| window == key))
    }

    /// The report.
    ///
    /// # Errors
    /// There is none.
    pub fn report(&self) -> Result<Report> {
        Ok(serde_json::from_str(&self.repro(&["analyze"], &["--format", "json"])?)?)
    }

    /// The answer to a command, as data.
    ///
    /// # Errors
    /// There is none.
    pub fn command(&self, line: &str) -> Result<Value> {
        let text = self.repro(&["crash"], &["--format", "json", "-c", line])?;
        let output: Value =
            serde_json::from_str(&text).with_context(|| format!("{line}: {text}"))?;
        output.get("answer").cloned().with_context(|| format!("{line}: {text}"))
    }

    fn repro(&self, verb: &[&str], options: &[&str]) -> Result<String> {
        let words = verb.iter().map(OsString::from).chain([self.vmcore.clone().into()]);
        let words: Vec<_> = words.chain(options.iter().map(OsString::from)).collect();
        let output = project::repro_with(words)?
            .env("REPRO_CACHE", self.folder.path().join("cache"))
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .context("start repro")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "repro {verb:?} {options:?}: {said}");
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The code that frames are in, inlined functions left out: what a backtrace has without any debug
/// information. Pairs of address and `symbol+offset/size [module]`.
#[must_use]
pub fn code(frames: &[Frame]) -> Vec<(String, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let one = |frame: &Frame| {
        let [symbol, offset, size] = [&frame.symbol, &frame.offset, &frame.size].map(text);
        let module = text(&frame.module);
        (text(&frame.address), format!("{symbol}+{offset}/{size} [{module}]"))
    };
    frames.iter().filter(|frame| !frame.inlined).map(one).collect()
}
