// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tasks that start the test runner and CI's script.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use anyhow::Result;

use crate::run::{
    build_repro, cargo, has_program, has_subcommand, need_subcommand, repro, root, say, step,
    step_with,
};

/// Set this machine up and run the tests: all but those that run by request
#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// Install what this machine lacks without asking (root need not say so)
    #[arg(short, long)]
    yes: bool,
    /// Leave the set-up out
    #[arg(long)]
    no_setup: bool,
    /// Only the tests that start no machine, fetch nothing and measure no time, without set-up
    #[arg(long, conflicts_with_all = ["yes", "no_setup"])]
    quick: bool,
    /// Arguments for the test runner
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl Test {
    pub(crate) fn run(&self) -> Result<ExitCode> {
        if self.quick {
            need_subcommand("nextest")?;
            let arguments = ["nextest", "run", "--workspace", "--profile", "quick"];
            let arguments = arguments.map(OsString::from).into_iter();
            let tested =
                step(&cargo(), &arguments.chain(self.arguments.clone()).collect::<Vec<_>>())?;
            return Ok(ExitCode::from(tested));
        }
        if !self.no_setup
            && let Some(failed) = self.set_up()?
        {
            return Ok(failed.into());
        }
        let nextest = has_subcommand("nextest");
        let runner: &[&str] = if nextest { &["nextest", "run", "--workspace"] } else { &PLAIN };
        if !nextest {
            say("cargo-nextest is not installed: cargo test runs the tests, one binary at a time");
        }
        let arguments = runner.iter().map(OsString::from).chain(self.arguments.iter().cloned());
        let tested = step(&cargo(), &arguments.collect::<Vec<_>>())?;
        // cargo test runs documentation tests itself.
        let documented =
            if nextest { step(&cargo(), &["test", "--workspace", "--doc"])? } else { 0 };
        Ok(ExitCode::from(if tested == 0 { documented } else { tested }))
    }

    /// What the live tests need on this machine. The exit code if it cannot be had.
    fn set_up(&self) -> Result<Option<u8>> {
        let Some(repro) = build_repro()? else { return Ok(Some(101)) };
        let mut arguments = vec!["doctor", "--install"];
        arguments.extend(self.yes.then_some("--yes"));
        let code = step(repro.as_os_str(), &arguments)?;
        if code != 0 {
            return Ok(Some(code));
        }
        for tool in TOOLS {
            if !has_program(tool) && !installed(tool) {
                say(&format!("{tool} is not installed: its tests will fail; install its package"));
            }
        }
        Ok(None)
    }
}

/// Installs a package; without apt, or the right to use it, it is not there.
fn installed(package: &str) -> bool {
    let apt = |words: &[&str]| step(OsStr::new("apt-get"), words).is_ok_and(|code| code == 0);
    let install = || apt(&["install", "--yes", "--quiet", package]);
    // The lists may be missing, or older than the packages.
    install() || (apt(&["update", "--quiet"]) && install())
}

/// Programs that only tests start, in crates that know nothing of the harness; Debian's packages
/// have the same names.
const TOOLS: [&str; 1] = ["dwz"];

/// The same tests without nextest: to the end, whichever fails.
const PLAIN: [&str; 3] = ["test", "--workspace", "--no-fail-fast"];

/// The tests of the project's own rules.
const TIDY: [&str; 3] = ["test", "--package", "tidy"];

/// Checks the project's own rules.
pub(crate) fn tidy() -> Result<ExitCode> {
    step(&cargo(), &TIDY).map(ExitCode::from)
}

/// Writes the files that are made from the code: the test that compares them does, if asked to.
pub(crate) fn generate() -> Result<ExitCode> {
    let test = ["test", "--package", "tests", "--test", "documents", "generated_files_are_current"];
    step_with(&cargo(), &test, &[("REPRO_GEN", "1")]).map(ExitCode::from)
}

/// Measure `repro analyze` beside drgn and crash
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Arguments for the benchmark
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl Bench {
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let program = ["run", "--quiet", "--package", "tests", "--bin", "bench", "--"];
        let program = program.into_iter().map(OsString::from);
        let arguments = program.chain(self.arguments.iter().cloned());
        step(&cargo(), &arguments.collect::<Vec<_>>()).map(ExitCode::from)
    }
}

/// Step through changed snapshots
///
/// After the form of stable reports was raised (`STABLE_FORM`), `--upgrade` analyzes all recordings
/// again and accepts the reports in which only the form changed (`repro review --upgrade`). The
/// others wait for a review.
#[derive(Debug, clap::Args)]
pub(crate) struct Review {
    /// Accept the reports of recordings in which only the form changed, after they are shown once
    #[arg(long)]
    upgrade: bool,
    /// Do not ask
    #[arg(long, requires = "upgrade")]
    accept: bool,
}

impl Review {
    pub(crate) fn run(&self) -> Result<ExitCode> {
        if !self.upgrade {
            need_subcommand("insta")?;
            return step(&cargo(), &["insta", "test", "--review", "--workspace"])
                .map(ExitCode::from);
        }
        // Each report that is another is written beside the reviewed one, and is no failure yet.
        let written =
            [("INSTA_UPDATE", "new"), ("INSTA_FORCE_PASS", "1"), ("INSTA_OUTPUT", "none")];
        let analyze = ["test", "--package", "tests", "--test", "recordings", "--", "--quiet"];
        if step_with(&cargo(), &analyze, &written)? != 0 {
            say("some recordings cannot be analyzed; their reports are not looked at");
        }
        let accept = self.accept.then(|| "--accept".into());
        let arguments: Vec<OsString> = ["--upgrade".into()].into_iter().chain(accept).collect();
        repro("review", &arguments)
    }
}

/// Runs CI's script.
pub(crate) fn ci() -> Result<ExitCode> {
    let script = root().join("ci").join("run.sh");
    step(OsStr::new("bash"), &[script]).map(ExitCode::from)
}
