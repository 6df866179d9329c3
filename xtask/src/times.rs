// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long the inner loop takes, measured on a copy of the project with a target folder of its own:
//! `docs/development.md` has the numbers.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use duct::cmd;

use crate::run::{cargo, root, say};

/// What is built, as `cargo xtask repro` does.
const REPRO: [&str; 6] = ["build", "--locked", "--package", "harness", "--bin", "repro"];
/// The tests that start no machine.
const QUICK: [&str; 5] = ["nextest", "run", "--workspace", "--profile", "quick"];
/// A file in the middle of each crate that is edited.
const EDITED: [(&str, &str); 4] = [
    ("kernel", "harness/kernel/src/tasks.rs"),
    ("analyzer", "harness/analyzer/src/verdict.rs"),
    ("debugger", "harness/debugger/src/session.rs"),
    ("harness", "harness/src/run/judge.rs"),
];

/// Measures and prints, from nothing to what an edit costs.
pub(crate) fn times() -> Result<ExitCode> {
    let folder = root().join("target").join("times");
    let _ = fs::remove_dir_all(&folder);
    let project = folder.join("project");
    copy(&root(), &project)?;
    let print = |what: &str, took: Duration| say(&format!("{:6.1} s  {what}", took.as_secs_f64()));
    cargo_in(&project, &["fetch", "--locked"])?;
    print("repro from nothing", cargo_in(&project, &REPRO)?);
    for (name, file) in EDITED {
        edit(&project.join(file))?;
        print(&format!("repro after an edit in {name}"), cargo_in(&project, &REPRO)?);
    }
    print("quick tests after that, the first time", cargo_in(&project, &QUICK)?);
    let (name, file) = EDITED[1];
    edit(&project.join(file))?;
    print(&format!("quick tests after an edit in {name}"), cargo_in(&project, &QUICK)?);
    print("quick tests, nothing changed", cargo_in(&project, &QUICK)?);
    fs::remove_dir_all(&folder).context("remove the copy")?;
    Ok(ExitCode::SUCCESS)
}

/// Copies the files of the project that git knows.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let listed = cmd!("git", "ls-files", "-z").dir(from).read().context("ask git for the files")?;
    for name in listed.split_terminator('\0') {
        let target = to.join(name);
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        fs::copy(from.join(name), target).with_context(|| format!("copy {name}"))?;
    }
    Ok(())
}

/// Moves all lines of a file, as most edits do, so that what is made of it is made again.
fn edit(file: &Path) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let (head, rest) = text.split_once("\n\n").context("a file of one paragraph")?;
    fs::write(file, format!("{head}\n\n\n{rest}")).context("edit a copy")
}

fn cargo_in(project: &Path, arguments: &[&str]) -> Result<Duration> {
    let start = Instant::now();
    let output = cmd(cargo(), arguments)
        .dir(project)
        .env("CARGO_TARGET_DIR", project.with_file_name("target"))
        .stdout_to_stderr()
        .stderr_capture()
        .unchecked()
        .run()
        .context("start cargo")?;
    if !output.status.success() {
        bail!("cargo {}:\n{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(start.elapsed())
}
