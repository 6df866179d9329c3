// SPDX-License-Identifier: MIT OR Apache-2.0
//! A member of an archive: a part of a file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// A part of a file, read as if it were one.
#[derive(Debug)]
pub(super) struct Member {
    file: File,
    start: u64,
    length: u64,
    position: u64,
}

impl Member {
    /// `length` bytes of `file` from `start`; what is beyond the end of the file is not there.
    pub(super) fn new(file: File, start: u64, length: u64) -> Self {
        Self { file, start, length, position: 0 }
    }
}

impl Read for Member {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt;
        let left = self.length.saturating_sub(self.position);
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let offset = self.start.saturating_add(self.position);
        let count = self.file.read_at(&mut buffer[..most], offset)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Member {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
