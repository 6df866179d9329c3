// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes made in several ways, and many of them.

use std::ffi::c_void;

use rustix::process::{WaitOptions, waitpid};

use super::threads::Stack;
use crate::child::{Child, Needs, ended, pid, status};
use crate::elf::Code;
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::syscall::{self, CLONE_VFORK, CLONE_VM, SIGCHLD};
use crate::trouble::{Step, Trouble};

/// Processes at once.
const MANY: usize = 32;

pub(super) fn vfork(place: &Place<'_>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    let exec = Exec::of(&path);
    let (number, arguments) = exec.raw();
    // SAFETY: what the exec needs lives until its child has taken it.
    let child = unsafe { syscall::vfork_and(number, arguments) };
    let child = child.map_err(|error| Trouble::refused("vfork", error))?;
    ended(status(pid(child)?)?).told(1)
}

pub(super) fn spawn(place: &Place<'_>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    let (exec, stack) = (Exec::of(&path), Stack::new());
    let flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
    let argument = std::ptr::from_ref(&exec).cast();
    // SAFETY: this process waits until the other has a memory of its own or is gone; stack and
    // `exec` live longer.
    let child = unsafe { syscall::clone_into(flags, stack.end(), execute, argument) };
    let child = child.map_err(|error| Trouble::refused("clone", error))?;
    ended(status(pid(child)?)?).told(1)
}

/// Executes what `argument` points to; the status is the error.
extern "C" fn execute(argument: *const c_void) -> ! {
    // SAFETY: it is an `Exec` that whoever waits for this process holds.
    let exec: &Exec<'_> = unsafe { &*argument.cast() };
    syscall::exit(exec.make().raw_os_error())
}

pub(super) fn many(place: &Place<'_>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    let exec = Exec::of(&path);
    let start = || Child::start(0, Box::new(|_| Ok(exec.make())));
    let started: Vec<_> = (0..MANY).map(|_| start()).collect();
    // Each is waited for, whatever became of the others.
    let ends: Vec<_> = started.into_iter().map(|child| child.and_then(Child::end)).collect();
    ends.into_iter().try_for_each(|end| end?.told(1))
}

pub(super) fn traced(place: &Place<'_>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    let exec = Exec::of(&path);
    let work = |_: &_| syscall::be_traced().needs("ptrace").map(|()| exec.make());
    let mut child = Child::start(0, Box::new(work))?;
    let executed = child.executed()?;
    if executed.is_ok() {
        // It stops when it has executed something.
        let (_, status) = waitpid(Some(child.pid()), WaitOptions::UNTRACED)?.ok_or_else(gone)?;
        if !status.stopped() {
            return Err(Trouble::Failed(format!("{} instead of a stop", ended(status))));
        }
        syscall::go_on(child.pid().as_raw_pid())?;
    }
    child.end()?.told(1)
}

fn gone() -> Trouble {
    Trouble::Failed("the traced process is gone".to_owned())
}
