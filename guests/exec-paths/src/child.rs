// SPDX-License-Identifier: MIT OR Apache-2.0
//! A child process that executes something, and what came of it.

use std::fmt;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};

use crate::elf::BASE;
use crate::exec::Exec;
use crate::syscall::{self, SIGCHLD};
use crate::trouble::{Step, Trouble};

/// What a child does before it executes something: the error of the exec, which alone comes back,
/// or what was refused before it.
pub(crate) type Work<'a> = dyn FnOnce(&Teller) -> Result<Errno, Refused> + 'a;

/// Something that a child needs was refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused(pub(crate) &'static str, pub(crate) Errno);

/// Names what is refused.
pub(crate) trait Needs<T> {
    /// With the name of what is needed.
    fn needs(self, what: &'static str) -> Result<T, Refused>;
}

impl<T> Needs<T> for Result<T, Errno> {
    fn needs(self, what: &'static str) -> Result<T, Refused> {
        self.map_err(|error| Refused(what, error))
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A program ran and gave this status.
    Exited(i32),
    /// A signal ended the process.
    Killed(i32),
    /// The exec gave this error.
    Refused(Errno),
}

impl End {
    /// Whether a program of ours ran and told this number.
    pub(crate) fn told(self, number: i32) -> Step {
        self.is(Self::Exited((BASE + number) & 0xff))
    }

    /// Whether the exec was refused with this error.
    pub(crate) fn refused(self, error: Errno) -> Step {
        self.is(Self::Refused(error))
    }

    fn is(self, wanted: Self) -> Step {
        if self == wanted {
            return Ok(());
        }
        if self == Self::Refused(Errno::NOSYS) {
            return Err(Trouble::Skipped("this kernel has no such system call".to_owned()));
        }
        Err(Trouble::Failed(format!("{self} instead of {wanted}")))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "status {status}"),
            Self::Killed(signal) => write!(f, "signal {signal}"),
            Self::Refused(error) => write!(f, "`{error}`"),
        }
    }
}

/// By what a child tells its parent that it did not execute anything; an exec closes it.
#[derive(Debug)]
pub(crate) struct Teller(PipeWriter);

impl Teller {
    /// Tells the error of an exec, and ends the process.
    pub(crate) fn end(&self, error: Errno) -> ! {
        self.tell(error, "");
        syscall::exit(1)
    }

    fn tell(&self, error: Errno, what: &str) {
        // Not a byte is lost in a pipe; who reads it sees by the status that something is wrong.
        let number = u8::try_from(error.raw_os_error()).unwrap_or(u8::MAX);
        let _ = (&self.0).write_all(&[&[number], what.as_bytes()].concat());
    }
}

/// A child.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    told: PipeReader,
}

impl Child {
    /// Starts one that does this work. `flags` are those of clone(2), without `CLONE_VM`.
    pub(crate) fn start(flags: usize, work: Box<Work<'_>>) -> Result<Self, Trouble> {
        let (told, teller) = io::pipe()?;
        // SAFETY: as fork(2): the child goes on with a copy of this memory. There is no other
        // thread, so that nothing of it is in a state that one would have to end.
        let started = unsafe { syscall::call(syscall::CLONE, [flags | SIGCHLD, 0, 0, 0, 0]) };
        let number = started.map_err(|error| Trouble::refused("clone", error))?;
        if number == 0 {
            run(&Teller(teller), work);
        }
        Ok(Self { pid: pid(number)?, told })
    }

    /// Its number.
    pub(crate) const fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits until it has executed something, or tells why it has not.
    pub(crate) fn executed(&mut self) -> Result<Result<(), Errno>, Trouble> {
        let mut told = Vec::new();
        self.told.read_to_end(&mut told)?;
        let Some((number, what)) = told.split_first() else { return Ok(Ok(())) };
        let error = Errno::from_raw_os_error(i32::from(*number));
        if what.is_empty() {
            return Ok(Err(error));
        }
        let _ = status(self.pid)?;
        Err(Trouble::refused(&String::from_utf8_lossy(what), error))
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Result<End, Trouble> {
        let executed = self.executed()?;
        let status = status(self.pid)?;
        Ok(executed.map_or_else(End::Refused, |()| ended(status)))
    }
}

/// Does the work of a child, which never comes back from here.
fn run(teller: &Teller, work: Box<Work<'_>>) -> ! {
    // What panicked has said so; the parent sees the status.
    if let Ok(result) = catch_unwind(AssertUnwindSafe(|| work(teller))) {
        match result {
            Ok(error) => teller.tell(error, ""),
            Err(Refused(what, error)) => teller.tell(error, what),
        }
    }
    syscall::exit(1)
}

/// A process by the number that a system call gave.
pub(crate) fn pid(number: usize) -> Result<Pid, Trouble> {
    let pid = i32::try_from(number).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| Trouble::Failed("the kernel gave no process".to_owned()))
}

/// Waits for a process.
pub(crate) fn status(pid: Pid) -> Result<WaitStatus, Trouble> {
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(Some((_, status))) => return Ok(status),
            Ok(None) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// How a process ended that executed something.
pub(crate) fn ended(status: WaitStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => End::Exited(status),
        (None, signal) => End::Killed(signal.unwrap_or_default()),
    }
}

/// Executes something in a child.
pub(crate) fn attempt(exec: &Exec<'_>) -> Result<End, Trouble> {
    attempt_after(exec, || Ok(()))
}

/// The same after some preparation in the child.
pub(crate) fn attempt_after(
    exec: &Exec<'_>,
    before: impl FnOnce() -> Result<(), Refused>,
) -> Result<End, Trouble> {
    Child::start(0, Box::new(|_| before().map(|()| exec.make())))?.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_otherwise_is_told_with_what_was_wanted() {
        assert_eq!(End::Exited(201).told(1), Ok(()));
        assert_eq!(End::Refused(Errno::LOOP).refused(Errno::LOOP), Ok(()));
        let failed = End::Killed(11).told(1);
        assert_eq!(failed, Err(Trouble::Failed("signal 11 instead of status 201".to_owned())));
        let old = End::Refused(Errno::NOSYS).told(1);
        assert!(matches!(old, Err(Trouble::Skipped(_))), "execveat(2) is of 3.19");
    }
}
