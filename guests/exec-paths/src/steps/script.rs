// SPDX-License-Identifier: MIT OR Apache-2.0
//! `#!` scripts (fs/binfmt_script.c).

use std::path::PathBuf;

use rustix::io::Errno;

use crate::child::{End, attempt};
use crate::elf::Code;
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::trouble::{Step, Trouble};

/// How many scripts may be one another's interpreters, since 3.8.
const LONGEST: i32 = 5;
/// More than the kernel reads of a file at first (`BINPRM_BUF_SIZE`).
const TOO_LONG: usize = 300;

pub(super) fn plain(place: &Place<'_>) -> Step {
    let interpreter = place.program("interpreter", Code::Arguments)?;
    run(place.script("script", &interpreter, "")?)?.told(2)
}

pub(super) fn argument(place: &Place<'_>) -> Step {
    let interpreter = place.program("interpreter", Code::Arguments)?;
    // Everything after the interpreter is one argument.
    run(place.script("script", &interpreter, " -a b c")?)?.told(3)
}

pub(super) fn chain(place: &Place<'_>) -> Step {
    run(chain_of(place, LONGEST)?)?.told(LONGEST + 1)
}

pub(super) fn chain_too_long(place: &Place<'_>) -> Step {
    run(chain_of(place, LONGEST + 1)?)?.refused(Errno::LOOP)
}

pub(super) fn of_itself(place: &Place<'_>) -> Step {
    run(place.script("script", &place.path("script"), "")?)?.refused(Errno::LOOP)
}

pub(super) fn no_interpreter(place: &Place<'_>) -> Step {
    run(place.script("script", &place.path("missing"), "")?)?.refused(Errno::NOENT)
}

pub(super) fn bad_interpreter(place: &Place<'_>) -> Step {
    let interpreter = place.file("interpreter", b"", 0o644)?;
    run(place.script("script", &interpreter, "")?)?.refused(Errno::ACCESS)
}

pub(super) fn empty(place: &Place<'_>) -> Step {
    run(place.file("script", b"#!\n", 0o755)?)?.refused(Errno::NOEXEC)
}

pub(super) fn line_too_long(place: &Place<'_>) -> Step {
    let script = format!("#!{}/{}\n", place.folder().display(), "a".repeat(TOO_LONG));
    match run(place.file("script", script.as_bytes(), 0o755)?)? {
        End::Refused(Errno::NOENT) => Ok(()),
        end => end.refused(Errno::NOEXEC),
    }
}

fn run(script: PathBuf) -> Result<End, Trouble> {
    attempt(&Exec::of(&text(script)))
}

/// The last of so many scripts, the first of which has a program as its interpreter.
fn chain_of(place: &Place<'_>, length: i32) -> Result<PathBuf, Trouble> {
    let program = place.program("interpreter", Code::Arguments)?;
    let script = |before: PathBuf, number| place.script(&format!("script{number}"), &before, "");
    Ok((1..=length).try_fold(program, script)?)
}
