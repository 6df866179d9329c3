// SPDX-License-Identifier: MIT OR Apache-2.0
//! The virtio-serial port to the host.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::console::say;
use crate::lines::{Line, Lines};
use protocol::{Message, PORT};

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
        if !self.wait(PollFlags::OUT, limit)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.file.write_all(&event.to_line())
    }

    /// The next line of the host, or none within `limit`.
    ///
    /// # Errors
    /// The port is broken.
    pub(crate) fn next_line(&mut self, limit: Duration) -> io::Result<Option<Line>> {
        if let Some(line) = self.ready.pop_front() {
            return Ok(Some(line));
        }
        if !self.wait(PollFlags::IN, limit)? {
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

    /// Waits until the port is ready, which it also is when the host has closed its end.
    fn wait(&self, flags: PollFlags, limit: Duration) -> io::Result<bool> {
        let start = Instant::now();
        loop {
            let left = limit.saturating_sub(start.elapsed());
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut fds = [PollFd::new(&self.file, flags)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return Ok(false),
                Ok(_) if flags == PollFlags::IN || fds[0].revents().contains(flags) => {
                    return Ok(true);
                }
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
