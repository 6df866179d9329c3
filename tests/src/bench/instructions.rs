// SPDX-License-Identifier: MIT OR Apache-2.0
//! Instructions of the report, which do not depend on what else the machine does.

use std::fs;

use analyzer::report::Report;
use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::dump::Dump;
use crate::peers::setup;
use crate::project;

/// By how much the report may take more than it did.
const MOST: f64 = 1.1;

/// What was counted, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instructions {
    /// The compiler.
    pub compiler: String,
    /// The kernel of the dump.
    pub kernel: String,
    /// Instructions of `repro analyze`.
    pub report: u64,
}

impl Instructions {
    /// Counts them by callgrind.
    ///
    /// # Errors
    /// It cannot be had, or the report fails under it.
    pub fn count(dump: &Dump) -> Result<Self> {
        let report: Report = serde_json::from_str(&dump.analyze(&["--format", "json"])?)?;
        let folder = tempfile::tempdir().context("make a folder")?;
        let out = folder.path().join("callgrind");
        let mut words = vec!["--tool=callgrind".into()];
        let mut file = std::ffi::OsString::from("--callgrind-out-file=");
        file.push(&out);
        words.extend([file, project::repro()?.into()]);
        words.extend(dump.words());
        let output = duct::cmd(setup::program("valgrind", "valgrind")?, words)
            .stdout_null()
            .stderr_capture()
            .unchecked()
            .run()
            .context("start valgrind")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "under valgrind: {said}");
        let text = fs::read_to_string(&out).context("read what callgrind counted")?;
        let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
        let report_instructions = totals.context("callgrind has no totals")?.trim().parse()?;
        let compiler = duct::cmd!("rustc", "--version").read().context("ask the compiler")?;
        let kernel = report.kernel.release.unwrap_or_default();
        Ok(Self { compiler, kernel, report: report_instructions })
    }

    /// What is too much, compared with an earlier count. Nothing where that was of something else.
    #[must_use]
    pub fn miss(&self, before: &Self) -> Option<String> {
        if (&self.compiler, &self.kernel) != (&before.compiler, &before.kernel) {
            return None;
        }
        let ratio = millions(self.report) / millions(before.report).max(1.0);
        (ratio > MOST).then(|| {
            let (is, was) = (millions(self.report), millions(before.report));
            format!("the report takes {is:.0} million instructions; it took {was:.0}")
        })
    }
}

/// Far below what a double can count.
fn millions(instructions: u64) -> f64 {
    f64::from(u32::try_from(instructions / 1_000_000).unwrap_or(u32::MAX))
}
