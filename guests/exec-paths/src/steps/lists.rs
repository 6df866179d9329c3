// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lists of arguments and environments: none, long ones, too long ones.

use std::ffi::CString;

use rustix::io::Errno;
use rustix::process::chdir;

use crate::child::{End, Needs, attempt_after};
use crate::elf::Code;
use crate::exec::Exec;
use crate::place::Place;
use crate::trouble::{Step, Trouble};

/// Longest string with its zero byte: 32 pages (`MAX_ARG_STRLEN`).
const LONGEST: usize = 32 * 4096;
/// Strings of that length: within a quarter of the stack that programs may have by default (8 MiB),
/// and beyond three quarters of it, which is the most for any stack.
const WITHIN: usize = 12;
const BEYOND: usize = 64;
/// With the pointers to them beyond that as well.
const MANY: usize = 1 << 20;

pub(super) fn empty(place: &Place<'_>) -> Step {
    none(run(place, |exec| exec.arguments(&[]))?)
}

pub(super) fn null(place: &Place<'_>) -> Step {
    none(run(place, |exec| exec.arguments_at(0))?)
}

/// Since 5.18 the kernel gives a program that has no argument an empty one.
fn none(end: End) -> Step {
    end.told(0).or_else(|_| end.told(1))
}

pub(super) fn argument_long(place: &Place<'_>) -> Step {
    let long = of_length(LONGEST - 1);
    run(place, |exec| exec.arguments(&[c"program", &long]))?.told(2)
}

pub(super) fn argument_too_long(place: &Place<'_>) -> Step {
    let long = of_length(LONGEST);
    run(place, |exec| exec.arguments(&[c"program", &long]))?.refused(Errno::TOOBIG)
}

pub(super) fn arguments_too_many(place: &Place<'_>) -> Step {
    run(place, |exec| exec.arguments(&vec![c""; MANY]))?.refused(Errno::TOOBIG)
}

pub(super) fn environment_long(place: &Place<'_>) -> Step {
    let long = of_length(LONGEST - 1);
    run(place, |exec| exec.environment(&[long.as_c_str(); WITHIN]))?.told(1)
}

pub(super) fn environment_too_long(place: &Place<'_>) -> Step {
    let long = of_length(LONGEST - 1);
    run(place, |exec| exec.environment(&[long.as_c_str(); BEYOND]))?.refused(Errno::TOOBIG)
}

fn of_length(length: usize) -> CString {
    CString::new(vec![b'a'; length]).unwrap_or_default()
}

fn run<'a>(place: &Place<'_>, with: impl FnOnce(Exec<'a>) -> Exec<'a>) -> Result<End, Trouble> {
    place.program("program", Code::Arguments)?;
    let exec = with(Exec::of(c"program"));
    attempt_after(&exec, || chdir(place.folder()).needs("chdir"))
}
