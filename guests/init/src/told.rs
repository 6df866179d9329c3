// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a trigger tells of its steps, over the socket that is its standard input.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use protocol::Message;

use crate::lines::{Line, Lines};

/// This end of the socket.
#[derive(Debug)]
pub(crate) struct Told {
    socket: UnixStream,
    lines: Lines,
    ready: VecDeque<Line>,
}

impl Told {
    /// A socket, and the trigger's end of it.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (socket, theirs) = UnixStream::pair()?;
        // The trigger is not waited for.
        socket.set_nonblocking(true)?;
        Ok((Self { socket, lines: Lines::default(), ready: VecDeque::new() }, theirs.into()))
    }

    /// What was told, if something was.
    ///
    /// # Errors
    /// The trigger has closed its end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Message>> {
        if self.ready.is_empty() {
            let mut buffer = [0; 4096];
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.ready.extend(self.lines.push(buffer.get(..count).unwrap_or_default()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.ready.pop_front().map(message))
    }

    /// Lets the trigger go on: the host has what it told.
    ///
    /// # Errors
    /// The trigger has closed its end.
    pub(crate) fn answer(&mut self) -> io::Result<()> {
        self.socket.write_all(&[0])
    }
}

impl AsFd for Told {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A trigger speaks of its steps and of nothing else.
fn message(line: Line) -> Message {
    let why = match line {
        Line::Text(text) => match protocol::parse(&text) {
            Ok(step @ (Message::ExecBegins(_) | Message::ExecEnds { .. })) => return step,
            Ok(_) => text,
            Err(why) => why,
        },
        Line::TooLong => "a line that is too long".to_owned(),
        Line::NotText => "a line that is not UTF-8".to_owned(),
    };
    Message::Note { message: format!("the trigger tells something that is no step: {why}") }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use protocol::{ExecPath, ExecStep};

    use super::*;

    #[test]
    fn steps_are_handed_on_and_answered_and_nothing_else_is_believed() {
        let (mut told, theirs) = Told::pair().unwrap();
        let mut theirs = File::from(theirs);
        assert_eq!(told.next().unwrap(), None);
        let step = ExecStep { path: ExecPath::Memfd, number: 1, of: 2, seed: None };
        let lines = [Message::ExecBegins(step).to_line(), Message::Alive.to_line()].concat();
        theirs.write_all(&lines).unwrap();
        assert_eq!(told.next().unwrap(), Some(Message::ExecBegins(step)));
        told.answer().unwrap();
        theirs.read_exact(&mut [0]).unwrap();
        assert!(matches!(told.next().unwrap(), Some(Message::Note { .. })));
        drop(theirs);
        assert!(told.next().is_err());
    }
}
