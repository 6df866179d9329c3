// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--events FILE`: every event as one line of JSON.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::console_log::unwritable;
use crate::error::Failure;
use crate::events::{Reporter, Stamped};
use guest::shown;

/// Writes events as they come.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: BufWriter<File>,
    result: io::Result<()>,
}

impl JsonLines {
    /// Makes the file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), result: Ok(()) })
    }

    fn write(&mut self, event: &Stamped) -> io::Result<()> {
        writeln!(self.file, "{}", shown::json(&serde_json::to_string(event)?))?;
        self.file.flush()
    }
}

impl Reporter for JsonLines {
    fn event(&mut self, event: &Stamped) {
        if self.result.is_ok() {
            self.result = self.write(event);
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let result = std::mem::replace(&mut self.result, Ok(()));
        result.map_err(|error| unwritable(&self.path, &error))
    }
}
