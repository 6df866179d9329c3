// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file that is no dump but the text of a kernel's log.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use analyzer::text::{TextLog, is_text};

use crate::error::Failure;
use crate::exit::Exit;
use crate::map::Map;

/// Most bytes that are read from standard input: a journal of months has less.
const MOST: u64 = 1 << 30;

/// A text.
pub(crate) struct Text {
    name: PathBuf,
    bytes: Map,
}

impl Text {
    /// The text in a file, or of standard input for `-`; `None` if the file is no text.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, Failure> {
        let failed = |error: &io::Error| {
            Failure::new(Exit::AnalysisFailed, format!("cannot read {}", path.display()))
                .caused_by(error)
        };
        let bytes = match path.to_str() {
            Some("-") => standard_input().map_err(|error| failed(&error))?,
            // What cannot be opened is told of as a dump is.
            _ => match Map::open(path) {
                Ok(map) => map,
                Err(_) => return Ok(None),
            },
        };
        // A description of raw RAM is a text, too.
        let is_description = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let is_one = is_text(&bytes) && !is_description || path == Path::new("-");
        Ok(is_one.then(|| Self { name: path.to_owned(), bytes }))
    }

    /// Its reports.
    pub(crate) fn log(&self) -> Result<TextLog, Failure> {
        TextLog::read(&self.bytes).map_err(|error| {
            let is_input = self.name == Path::new("-");
            let name = self.name.display().to_string();
            let name = if is_input { "standard input".to_owned() } else { name };
            Failure::new(Exit::AnalysisFailed, format!("cannot analyze {name}")).caused_by(&error)
        })
    }
}

/// Standard input, in a file without a name.
fn standard_input() -> io::Result<Map> {
    let mut file: File = tempfile::tempfile()?;
    let read = io::copy(&mut io::stdin().lock().take(MOST), &mut file)?;
    if read == MOST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is 1 GiB or longer"));
    }
    Map::of(&file)
}
