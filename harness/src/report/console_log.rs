// SPDX-License-Identifier: MIT OR Apache-2.0
//! `console.log`: the serial console with one time a line, both kernels.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::events::{Event, Reporter, Stamped};
use crate::exit::Exit;

/// Writes the console lines of one run.
#[derive(Debug)]
pub struct ConsoleLog {
    path: PathBuf,
    file: BufWriter<File>,
    result: io::Result<()>,
}

impl ConsoleLog {
    /// Makes the file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Ok(Self { path: path.to_owned(), file, result: Ok(()) })
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::MachineStarted { accel, qemu, .. } => {
                writeln!(self.file, "# QEMU {qemu} under {accel}; seconds since its start")
            }
            Event::Console { at_ms, line } => {
                writeln!(self.file, "[{:>5}.{:03}] {line}", at_ms / 1000, at_ms % 1000)?;
                // A line that tells of a crash should be on disk even if this process is ended.
                self.file.flush()
            }
            _ => Ok(()),
        }
    }
}

impl Reporter for ConsoleLog {
    fn event(&mut self, event: &Stamped) {
        if self.result.is_ok() {
            self.result = self.write(&event.event);
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let result = std::mem::replace(&mut self.result, Ok(())).and_then(|()| self.file.flush());
        result.map_err(|error| unwritable(&self.path, &error))
    }
}

/// The failure to write a report.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::WriteFailed, format!("cannot write {}", path.display())).caused_by(error)
}
