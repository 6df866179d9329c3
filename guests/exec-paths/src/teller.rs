// SPDX-License-Identifier: MIT OR Apache-2.0
//! To whom steps are told: to PID 1 of a guest over a socket, or to a person.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use protocol::{ExecEnd, ExecStep, Message};
use rustix::fs::{Mode, OFlags};

/// Who is told.
#[derive(Debug)]
pub(crate) enum Teller {
    /// PID 1, which answers each line by a byte once the host has it.
    Init(UnixStream),
    /// Whoever reads the standard output.
    Person,
}

impl Teller {
    /// PID 1, over the socket that is the standard input. What is executed gets another one.
    pub(crate) fn init() -> io::Result<Self> {
        let socket = io::stdin().as_fd().try_clone_to_owned()?;
        let nothing = rustix::fs::open("/dev/null", OFlags::RDONLY, Mode::empty())?;
        rustix::stdio::dup2_stdin(&nothing)?;
        Ok(Self::Init(UnixStream::from(socket)))
    }

    /// A step begins. It must not before this has returned.
    pub(crate) fn begins(&mut self, step: ExecStep) -> io::Result<()> {
        match self {
            Self::Init(socket) => tell(socket, &Message::ExecBegins(step)),
            Self::Person => say(&format!("exec-paths: {step}")),
        }
    }

    /// A step is over.
    pub(crate) fn ends(&mut self, step: ExecStep, end: &ExecEnd) -> io::Result<()> {
        match (self, end) {
            (Self::Init(socket), _) => tell(socket, &Message::ExecEnds { step, end: end.clone() }),
            (Self::Person, ExecEnd::Passed) => Ok(()),
            (Self::Person, ExecEnd::Skipped { why }) => say(&format!("  skipped: {why}")),
            (Self::Person, ExecEnd::Failed { why }) => say(&format!("  FAILED: {why}")),
        }
    }
}

fn tell(socket: &mut UnixStream, message: &Message) -> io::Result<()> {
    socket.write_all(&message.to_line())?;
    socket.read_exact(&mut [0])
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush())
}
