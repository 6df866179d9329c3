// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file that is no dump but the text of a kernel's log.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use analyzer::text::{TextLog, is_text};

use crate::error::Failure;
use crate::exit::Exit;
use crate::map::Map;
use crate::opened::Opened;

/// Most bytes that are read from standard input: a journal of months has less.
const MOST: u64 = 1 << 30;

/// How dumps begin, whatever else is in them.
const DUMPS: [&[u8]; 4] = [b"KDUMP   ", b"DISKDUMP", b"makedumpfile", b"\x7fELF"];

/// A text.
pub(crate) struct Text(Opened);

impl Text {
    /// Whether a file is one, and no description of raw RAM, which is a text, too.
    pub(crate) fn is_one(bytes: &[u8]) -> bool {
        let is_description = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        is_text(bytes) && !is_description
    }

    /// The text in a file.
    pub(crate) fn of(file: Opened) -> Self {
        Self(file)
    }

    /// The text of standard input, unpacked if it is compressed; of a log, odd bytes are no reason to refuse it.
    pub(crate) fn of_standard_input() -> Result<Self, Failure> {
        let bytes = standard_input().map_err(|error| {
            Failure::new(Exit::AnalysisFailed, "cannot read standard input").caused_by(&error)
        })?;
        let file = Opened::of(PathBuf::from("-"), bytes)?;
        if DUMPS.iter().any(|magic| file.bytes.starts_with(magic)) {
            let what = "standard input is a dump and no text";
            return Err(Failure::new(Exit::AnalysisFailed, what)
                .hint("a dump is read here and there: keep it in a file, and name that"));
        }
        Ok(Self(file))
    }

    /// The file.
    pub(crate) fn file(&self) -> &Opened {
        &self.0
    }

    /// Its reports.
    pub(crate) fn log(&self) -> Result<TextLog, Failure> {
        TextLog::read(&self.0.bytes).map_err(|error| {
            let is_input = self.0.path == Path::new("-");
            let name = self.0.path.display().to_string();
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
