// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dump and the debug information that goes with it.

use std::ffi::OsString;
use std::path::PathBuf;

use analyzer::report::{Module, Report};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::project;

/// A dump on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    /// The dump.
    pub vmcore: PathBuf,
    /// The kernel with debug information.
    pub vmlinux: PathBuf,
    /// Folder with the files of modules.
    pub modules: PathBuf,
}

impl Dump {
    /// The words of the command line that analyzes it.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["analyze".into(), self.vmcore.clone().into()];
        words.extend(["--vmlinux".into(), self.vmlinux.clone().into()]);
        words.extend(["--module-dir".into(), self.modules.clone().into()]);
        words
    }

    /// What `repro analyze` prints.
    ///
    /// # Errors
    /// It fails.
    pub fn analyze(&self, options: &[&str]) -> Result<String> {
        let mut words = self.words();
        words.extend(options.iter().map(OsString::from));
        let output = project::repro_with(words)?
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .context("start repro")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "repro analyze: {said}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// What commands in the manner of `crash` answer, each in the form for programs.
    ///
    /// # Errors
    /// It fails, or a command has no answer.
    pub fn ask(&self, commands: &[String]) -> Result<Vec<Value>> {
        let mut words = self.words();
        words[0] = "crash".into();
        words.extend(["--format".into(), "json".into()]);
        words.extend(["-c".into(), commands.join("; ").into()]);
        let output = project::repro_with(words)?
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .context("start repro")?;
        let text = String::from_utf8(output.stdout)?;
        let mut answers = Vec::new();
        for line in text.lines() {
            let mut output: Value = serde_json::from_str(line)?;
            ensure!(output["error"].is_null(), "{output}");
            answers.push(output["answer"].take());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(answers.len() == commands.len(), "repro crash: {said}");
        Ok(answers)
    }

    /// The answer to a command of `repro crash`, as data.
    ///
    /// # Errors
    /// There is none.
    pub fn command(&self, line: &str) -> Result<serde_json::Value> {
        let mut words = self.words();
        words[0] = "crash".into();
        words.extend(["--format", "json", "-c", line].map(OsString::from));
        let output = project::repro_with(words)?
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .context("start repro")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "repro crash -c '{line}': {said}");
        let value: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        value.get("answer").cloned().with_context(|| format!("{line} gives no answer"))
    }

    /// All files with debug information.
    #[must_use]
    pub fn debug_files(&self, report: &Report) -> Vec<PathBuf> {
        let modules = self.module_files(report).into_iter().map(|(_, file)| file);
        std::iter::once(self.vmlinux.clone()).chain(modules).collect()
    }

    /// What `repro crash` answers to a command, for people.
    ///
    /// # Errors
    /// It fails.
    pub fn told(&self, command: &str) -> Result<String> {
        let mut words = self.words();
        if let Some(verb) = words.first_mut() {
            *verb = "crash".into();
        }
        words.extend(["-c".into(), command.into()]);
        let answer = project::repro_with(words)?.stdout_capture().stderr_null().run();
        let answer = answer.with_context(|| format!("ask repro for {command}"))?;
        Ok(String::from_utf8(answer.stdout)?)
    }

    /// Files of loaded modules, by name.
    #[must_use]
    pub fn module_files(&self, report: &Report) -> Vec<(String, PathBuf)> {
        let file = |module: &Module| {
            let file = self.modules.join(format!("{}.ko", module.name));
            file.is_file().then(|| (module.name.clone(), file))
        };
        report.modules.iter().filter_map(file).collect()
    }
}
