// SPDX-License-Identifier: MIT OR Apache-2.0
//! The case's module is unloaded while programs are executed.

use std::io::{self, PipeWriter, Read, Write};

use rustix::io::Errno;
use rustix::system::delete_module;

use crate::child::{Child, End, Refused, attempt};
use crate::elf::Code;
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::trouble::{Step, Trouble};

/// Processes, and what each of them executes, one after the other.
const PROCESSES: usize = 4;
const TIMES: usize = 50;
/// `O_NONBLOCK`: a module that is in use is not waited for.
const O_NONBLOCK: i32 = 0o4000;

pub(super) fn while_executed(place: &Place<'_>) -> Step {
    let Some(module) = place.module else {
        return Err(Trouble::Skipped("there is no module to unload".to_owned()));
    };
    let path = text(place.program("program", Code::Arguments)?);
    let exec = Exec::of(&path);
    let (mut under_way, tell) = io::pipe()?;
    let started: Vec<_> =
        (0..PROCESSES).map(|_| Child::start(0, Box::new(|_| executes(&exec, &tell)))).collect();
    drop(tell);
    // Each of them has executed something, and goes on.
    let begun = under_way.read_exact(&mut [0; PROCESSES]);
    let unloaded = delete_module(&text(module), O_NONBLOCK);
    for child in started {
        match child?.end()? {
            End::Refused(DONE) => {}
            end => return Err(Trouble::Failed(format!("a process ended by {end}"))),
        }
    }
    begun?;
    unloaded.map_err(|error| match error {
        Errno::WOULDBLOCK | Errno::BUSY => {
            Trouble::Skipped(format!("the kernel does not unload {module}: {error}"))
        }
        error => Trouble::refused(&format!("unloading of {module}"), error),
    })
}

/// By this a process tells that all of its programs ran.
const DONE: Errno = Errno::CANCELED;

/// Executes one program after the other, and tells when the first has run.
fn executes(exec: &Exec<'_>, mut tell: &PipeWriter) -> Result<Errno, Refused> {
    for time in 0..TIMES {
        if attempt(exec).and_then(|end| end.told(1)).is_err() {
            return Ok(Errno::IO);
        }
        if time == 0 {
            // Who waits for it sees the end of this process, should that not be written.
            let _ = tell.write_all(&[1]);
        }
    }
    Ok(DONE)
}
