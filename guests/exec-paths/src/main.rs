// SPDX-License-Identifier: MIT OR Apache-2.0
//! Executes programs in every way that the kernel knows, one step after the other, and tells of
//! each before it begins: what was running when a kernel crashed is known then.
//!
//! A static program for guests with kernels from 3.10 on; it runs on any machine, as any user, and
//! says of what it cannot try why. What it executes it writes itself ([`elf`]).

mod child;
mod elf;
mod exec;
mod options;
mod order;
mod place;
mod steps;
mod syscall;
mod teller;
mod trouble;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use protocol::{ExecEnd, ExecStep};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use options::{Options, USAGE};
use order::order;
use place::Place;
use teller::Teller;

/// With this argument alone it is one of the programs that are executed: see `proc-self-exe`.
pub(crate) const EXECUTED: &str = "--executed";

/// What a shell adds to the number of the signal that ended a program.
const BY_SIGNAL: u8 = 128;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == EXECUTED) {
        syscall::exit(elf::BASE + i32::try_from(env::args_os().count()).unwrap_or_default());
    }
    let options = match Options::read(arguments) {
        Ok(options) => options,
        Err(message) => return complain(&format!("{message}\n{USAGE}"), 2),
    };
    match run(&options) {
        Ok(code) => code,
        Err(error) => complain(&error.to_string(), 1),
    }
}

#[expect(clippy::print_stderr, reason = "it is a program for the command line")]
fn complain(message: &str, code: u8) -> ExitCode {
    eprintln!("exec-paths: {message}");
    ExitCode::from(code)
}

fn run(options: &Options) -> io::Result<ExitCode> {
    let mut teller = if options.tell { Teller::init()? } else { Teller::Person };
    if let Some(failed) = first(&options.first)? {
        return Ok(failed);
    }
    mount_apart();
    let work = Work::create()?;
    let mut failed = false;
    for step in order(&options.paths, options.rounds, options.seed) {
        teller.begins(step)?;
        let end = take(step, options, &work.0)?;
        failed |= matches!(end, ExecEnd::Failed { .. });
        teller.ends(step, &end)?;
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn take(step: ExecStep, options: &Options, work: &Path) -> io::Result<ExecEnd> {
    let folder = work.join(step.number.to_string());
    let place = Place::new(folder, options.modules.as_deref(), options.module.as_deref())?;
    Ok(trouble::told(steps::take(step.path, &place)))
}

/// Runs the program that comes before the steps; gives its status if that is not 0.
fn first(words: &[OsString]) -> io::Result<Option<ExitCode>> {
    let Some((program, arguments)) = words.split_first() else { return Ok(None) };
    let status = Command::new(program).args(arguments).status().map_err(|error| {
        io::Error::new(error.kind(), format!("cannot run {}: {error}", program.display()))
    })?;
    Ok((!status.success()).then(|| code(status)))
}

/// A status as a shell tells it.
fn code(status: ExitStatus) -> ExitCode {
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    ExitCode::from(match (status.code(), status.signal()) {
        (Some(code), _) => byte(code),
        (None, signal) => BY_SIGNAL.saturating_add(byte(signal.unwrap_or_default())),
    })
}

/// What steps mount is seen by this process and its children alone, and is gone with them. Where
/// that is refused, so is mounting.
fn mount_apart() {
    // SAFETY: no code of this process relies on the mounts that others make.
    let apart = unsafe { unshare_unsafe(UnshareFlags::NEWNS) };
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    let _ = apart.and_then(|()| mount_change("/", private));
}

/// The folder that the steps' folders are in.
struct Work(PathBuf);

impl Work {
    fn create() -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("exec-paths-{}", std::process::id()));
        place::new_folder(&folder).map(|()| Self(folder))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // It is among temporary files, which somebody else clears otherwise.
        let _ = fs::remove_dir_all(&self.0);
    }
}
