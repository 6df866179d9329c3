// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting other programs, with their exit codes unchanged.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, bail};
use duct::cmd;

/// Exit code for a build that failed, the same as cargo's.
const BUILD_FAILED: u8 = 101;

/// Builds `repro` if need be and becomes it.
pub(crate) fn repro(verb: &str, arguments: &[OsString]) -> Result<ExitCode> {
    let Some(program) = build_repro()? else { return Ok(BUILD_FAILED.into()) };
    let mut command = Command::new(&program);
    command.arg(verb).args(arguments);
    if std::env::var_os("REPRO_ROOT").is_none() {
        command.env("REPRO_ROOT", root());
    }
    Err(command.exec()).with_context(|| format!("start {}", program.display()))
}

/// The program, built; `None` when it does not build, which cargo has told already.
pub(crate) fn build_repro() -> Result<Option<PathBuf>> {
    let target = target();
    let program = target.join("debug").join("repro");
    // A build that has nothing to do says nothing; a first one takes minutes and shows what it does.
    let quiet = program.is_file().then_some("--quiet");
    if quiet.is_none() {
        say("first build of repro, which takes some minutes");
    }
    let arguments = ["build", "--package", "harness", "--bin", "repro"];
    let arguments = arguments.into_iter().chain(quiet);
    // Cargo's messages are for people: stdout belongs to what `repro` prints.
    let status = cmd(cargo(), arguments)
        .dir(root())
        .env("CARGO_TARGET_DIR", &target)
        .stdout_to_stderr()
        .unchecked()
        .run()
        .context("start cargo")?
        .status;
    Ok(status.success().then_some(program))
}

/// Runs a program in the project's root; its exit code.
pub(crate) fn step<A: AsRef<OsStr>>(program: &OsStr, arguments: &[A]) -> Result<u8> {
    step_with(program, arguments, &[])
}

/// The same with more in the environment.
pub(crate) fn step_with<A: AsRef<OsStr>>(
    program: &OsStr,
    arguments: &[A],
    environment: &[(&str, &str)],
) -> Result<u8> {
    let words: Vec<_> = arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
    let name = Path::new(program).file_name().unwrap_or(program).to_string_lossy();
    say(&format!("$ {name} {}", words.join(" ")));
    let arguments = arguments.iter().map(|word| word.as_ref().to_owned());
    let mut command = cmd(program, arguments).dir(root()).env("CARGO_TARGET_DIR", target());
    for (key, value) in environment {
        command = command.env(key, value);
    }
    let output = command.unchecked().run().with_context(|| format!("start {name}"))?;
    Ok(code(output.status))
}

/// Whether a cargo subcommand is installed.
pub(crate) fn has_subcommand(name: &str) -> bool {
    cmd(cargo(), [name, "--version"]).stdout_null().stderr_null().run().is_ok()
}

/// Whether a program is on the search path.
pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// Fails with a hint when a cargo subcommand is not installed.
pub(crate) fn need_subcommand(name: &str) -> Result<()> {
    if !has_subcommand(name) {
        bail!("cargo-{name} is not installed: cargo install --locked cargo-{name}");
    }
    Ok(())
}

/// The cargo that runs this.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The project's root.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Writes a line to stderr; where nobody listens, nothing is lost.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The exit code of a process as a shell tells it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
