// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files as bytes, without reading them.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

/// A file mapped into memory, read-only.
#[derive(Debug)]
pub struct Map(memmap2::Mmap);

impl Map {
    /// Maps an open file as far as it reaches now.
    ///
    /// # Errors
    /// The system refuses.
    pub fn of(file: &File) -> io::Result<Self> {
        // SAFETY: nothing in this process writes to a file while it is mapped. Another process
        // that cuts the file would make reads past its new end raise SIGBUS, as it does for every
        // reader of mapped files; vmcores and symbol files are written once.
        #[expect(unsafe_code, reason = "mapping a file is unsafe by nature")]
        let map = unsafe { memmap2::Mmap::map(file) }?;
        Ok(Self(map))
    }

    /// Opens and maps a file.
    ///
    /// # Errors
    /// It is no file, or cannot be opened or mapped.
    pub fn open(path: &Path) -> io::Result<Self> {
        // To open a pipe would wait for its writer.
        let kind = std::fs::metadata(path)?.file_type();
        if kind.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !kind.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Self::of(&File::open(path)?)
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
