// SPDX-License-Identifier: MIT OR Apache-2.0
//! The virtio-serial port to the host.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::console::say;
use crate::lines::{Line, Lines};
use protocol::{ExecEnd, Message, PORT};

const PORTS: &str = "/sys/class/virtio-ports";
/// How often to look for something that the kernel makes in its own time.
const INTERVAL: Duration = Duration::from_millis(10);

/// The open port.
#[derive(Debug)]
pub(crate) struct Port {
    file: File,
    lines: Lines,
    ready: VecDeque<Line>,
}

impl Port {
    /// Waits for the port; the device tells of its ports some time after its driver is loaded.
    ///
    /// # Errors
    /// In words: which ports there are instead.
    pub(crate) fn open(limit: Duration) -> Result<Self, String> {
        let start = Instant::now();
        loop {
            if let Some(device) = find(Path::new(PORTS)) {
                match OpenOptions::new().read(true).write(true).open(&device) {
                    Ok(file) => {
                        return Ok(Self { file, lines: Lines::default(), ready: VecDeque::new() });
                    }
                    Err(error) if start.elapsed() >= limit => {
                        return Err(format!("cannot open {}: {error}", device.display()));
                    }
                    Err(_) => {}
                }
            } else if start.elapsed() >= limit {
                let names = names(Path::new(PORTS));
                let found = if names.is_empty() { "no port".to_owned() } else { names.join(", ") };
                return Err(format!("no virtio-serial port named {PORT}; there is {found}"));
            }
            thread::sleep(INTERVAL);
        }
    }

    /// Says something, after at most `limit` for a host that does not listen.
    ///
    /// # Errors
    /// Nobody takes it.
    pub(crate) fn send(&mut self, event: &Message, limit: Duration) -> io::Result<()> {
        // A write to a port that the host does not hold open blocks without end.
        if !self.takes(limit)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.file.write_all(&event.to_line())
    }

    /// The next line of the host, or none within `limit`, or because something can be read from
    /// `other`.
    ///
    /// # Errors
    /// The port is broken.
    pub(crate) fn next_line(
        &mut self,
        limit: Duration,
        other: Option<BorrowedFd<'_>>,
    ) -> io::Result<Option<Line>> {
        if let Some(line) = self.ready.pop_front() {
            return Ok(Some(line));
        }
        if !self.has_input(limit, other)? {
            return Ok(None);
        }
        let mut buffer = [0; 4096];
        let count = match self.file.read(&mut buffer) {
            // The host has closed its end: it may open it again.
            Ok(0) => {
                thread::sleep(limit);
                0
            }
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        self.ready.extend(self.lines.push(buffer.get(..count).unwrap_or_default()));
        Ok(self.ready.pop_front())
    }

    /// Waits for something to be read from the port, which is there also when the host has closed
    /// its end; not longer than until `other` can be read from.
    fn has_input(&self, limit: Duration, other: Option<BorrowedFd<'_>>) -> io::Result<bool> {
        let timeout = Timespec::try_from(limit).map_err(io::Error::other)?;
        let mut fds = vec![PollFd::new(&self.file, PollFlags::IN)];
        fds.extend(other.map(|other| PollFd::from_borrowed_fd(other, PollFlags::IN)));
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) => Ok(fds.first().is_some_and(|port| !port.revents().is_empty())),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the host takes something.
    fn takes(&self, limit: Duration) -> io::Result<bool> {
        let start = Instant::now();
        loop {
            let left = limit.saturating_sub(start.elapsed());
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut fds = [PollFd::new(&self.file, PollFlags::OUT)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return Ok(false),
                Ok(_) if fds[0].revents().contains(PollFlags::OUT) => return Ok(true),
                // Closed on the host's side, so poll(2) returns at once.
                Ok(_) if left.is_zero() => return Ok(false),
                Ok(_) => thread::sleep(INTERVAL.min(left)),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Says something to the console and, where there is one, to the port.
pub(crate) fn tell(port: Option<&mut Port>, event: &Message, limit: Duration) {
    match event {
        Message::Failed { command, message } => say!("{command} failed: {message}"),
        Message::Note { message } => say!("{message}"),
        Message::Done { command, took_ms, detail, .. } => {
            say!("{command} done in {took_ms} ms {}", detail.as_deref().unwrap_or_default());
        }
        Message::ExecBegins(step) => say!("exec-paths: {step}"),
        Message::ExecEnds { end: ExecEnd::Passed, .. } => {}
        Message::ExecEnds { step, end: ExecEnd::Skipped { why } } => {
            say!("exec-paths: {} skipped: {why}", step.path);
        }
        Message::ExecEnds { step, end: ExecEnd::Failed { why } } => {
            say!("exec-paths: {} failed: {why}", step.path);
        }
        // The host may ask often, and tells by itself what it was told.
        Message::Alive | Message::Processes { .. } => {}
        Message::Hello { .. } | Message::TriggerExit { .. } | Message::Captured { .. } => {
            say!("{}", String::from_utf8_lossy(&event.to_line()).trim_end());
        }
    }
    if let Some(port) = port
        && let Err(error) = port.send(event, limit)
    {
        say!("the host does not take it: {error}");
    }
}

/// The device of our port.
fn find(ports: &Path) -> Option<PathBuf> {
    let entry = fs::read_dir(ports).ok()?.flatten().find(|entry| name(&entry.path()) == PORT)?;
    Some(Path::new("/dev").join(entry.file_name()))
}

/// The names of all ports, sorted.
fn names(ports: &Path) -> Vec<String> {
    let entries = fs::read_dir(ports).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| name(&entry.path())).collect();
    names.sort();
    names
}

fn name(port: &Path) -> String {
    fs::read_to_string(port.join("name")).unwrap_or_default().trim().to_owned()
}
