// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dump file as it came: which format it is, flattened or not.

use crate::flattened::Flattened;
use crate::read_at::fetch_available;
use crate::{Error, ReadAt, elf, foreign, kdump};

/// The dump file itself, out of its flattened form if it came in one.
pub(crate) enum Container<'d> {
    Plain(&'d (dyn ReadAt + 'd)),
    Flattened(Flattened<'d>),
}

impl<'d> Container<'d> {
    /// Unwraps the flattened form, if `file` has it.
    pub(crate) fn open(file: &'d (dyn ReadAt + 'd)) -> Result<Self, Error> {
        let start = start_of(file)?;
        if Flattened::is_flattened(&start) {
            return Ok(Self::Flattened(Flattened::open(file)?));
        }
        Ok(Self::Plain(file))
    }

    /// The format inside.
    pub(crate) fn kind(&self) -> Result<Kind, Error> {
        let kind = Kind::of(self.reader());
        match self {
            // If the stream was cut, the file's first bytes may be among those that are missing.
            Self::Flattened(flattened) if kind.is_err() => flattened.stream_length().and(kind),
            _ => kind,
        }
    }

    pub(crate) fn reader(&self) -> &(dyn ReadAt + '_) {
        match self {
            Self::Plain(file) => *file,
            Self::Flattened(flattened) => flattened,
        }
    }
}

/// The first bytes of a file, by which formats are told apart.
fn start_of(file: &dyn ReadAt) -> Result<Vec<u8>, Error> {
    let start = fetch_available(file, 0, 16)
        .map_err(|source| Error::Cut { what: "first bytes", source })?;
    Ok(start.into_owned())
}

/// The formats that hold memory.
pub(crate) enum Kind {
    Kdump,
    Elf,
}

impl Kind {
    pub(crate) fn of(file: &dyn ReadAt) -> Result<Self, Error> {
        let start = start_of(file)?;
        if start.starts_with(kdump::SIGNATURE) {
            Ok(Self::Kdump)
        } else if start.starts_with(elf::MAGIC) {
            Ok(Self::Elf)
        } else if let Some(other) = foreign::of_headers(file) {
            Err(Error::Foreign(other))
        } else {
            Err(Error::NotVmcore { start: start.iter().copied().take(8).collect() })
        }
    }
}
