// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the bytes of a dump come from: the caller maps or holds them, this crate opens nothing.

use std::borrow::Cow;

/// Bytes that can be read at any offset: a mapped file, a buffer, a disk.
///
/// `&[u8]`, `Vec<u8>` and references to readers are readers too, so a mapped file is passed
/// as `&&map[..]`.
pub trait ReadAt {
    /// Length in bytes. For a raw disk this is the size of the disk.
    fn len(&self) -> u64;

    /// Whether there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` with the bytes that start at `offset`.
    ///
    /// # Errors
    /// If not all of them are there; the content of `buffer` is then unspecified.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError>;

    /// The `length` bytes at `offset` without a copy, by readers that have them in memory.
    /// `None` means only that the caller has to use [`ReadAt::read_at`].
    fn bytes(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let _ = (offset, length);
        None
    }
}

/// Why bytes could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes are not, or not all, inside the file.
    #[error("{length} bytes at offset {offset:#x} lie past the end of the file at {end:#x}")]
    PastEnd {
        /// First byte asked for.
        offset: u64,
        /// Number of bytes asked for.
        length: u64,
        /// Length of the file.
        end: u64,
    },
    /// More bytes than any dump has reason to have in one place.
    #[error("{length} bytes at offset {offset:#x} are too many to be right")]
    TooMany {
        /// First byte asked for.
        offset: u64,
        /// Number of bytes asked for.
        length: u64,
    },
    /// A flattened stream was cut before it brought these bytes.
    #[error("the flattened file was cut before it brought offset {offset:#x}")]
    Missing {
        /// First byte that is missing, as an offset in the file that the stream describes.
        offset: u64,
    },
    /// The reader behind the trait failed.
    #[error("reading at offset {offset:#x} failed: {message}")]
    Failed {
        /// First byte asked for.
        offset: u64,
        /// What the reader said.
        message: String,
    },
}

impl ReadAt for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self).try_into().expect("a slice is shorter than 2^64 bytes")
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let bytes = self.bytes(offset, buffer.len()).ok_or_else(|| ReadError::PastEnd {
            offset,
            length: buffer.len().try_into().unwrap_or(u64::MAX),
            end: ReadAt::len(self),
        })?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn bytes(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.get(start..start.checked_add(length)?)
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        ReadAt::len(self.as_slice())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.as_slice().read_at(offset, buffer)
    }

    fn bytes(&self, offset: u64, length: usize) -> Option<&[u8]> {
        self.as_slice().bytes(offset, length)
    }
}

impl<R: ReadAt + ?Sized> ReadAt for &R {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        (**self).read_at(offset, buffer)
    }

    fn bytes(&self, offset: u64, length: usize) -> Option<&[u8]> {
        (**self).bytes(offset, length)
    }
}

/// Most bytes read at once. The largest things read so are the notes (356 bytes for a CPU) and
/// the program headers (56 bytes for a stretch of memory).
pub(crate) const MOST_BYTES: u64 = 64 << 20;

/// The `length` bytes at `offset`, copied only if the reader cannot lend them.
///
/// The length is checked before anything is allocated. The length of the file is no sufficient
/// bound: a sparse file, or a flattened one with holes, is as long as somebody says.
pub(crate) fn fetch<'r>(
    reader: &'r (dyn ReadAt + '_),
    offset: u64,
    length: u64,
) -> Result<Cow<'r, [u8]>, ReadError> {
    if length > MOST_BYTES {
        return Err(ReadError::TooMany { offset, length });
    }
    let past_end = || ReadError::PastEnd { offset, length, end: reader.len() };
    if offset.checked_add(length).is_none_or(|end| end > reader.len()) {
        return Err(past_end());
    }
    let size = usize::try_from(length).map_err(|_| past_end())?;
    if let Some(bytes) = reader.bytes(offset, size) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut buffer = vec![0; size];
    reader.read_at(offset, &mut buffer)?;
    Ok(Cow::Owned(buffer))
}

/// Like [`fetch`], but gives what there is of `length` bytes if the file ends early.
pub(crate) fn fetch_available<'r>(
    reader: &'r (dyn ReadAt + '_),
    offset: u64,
    length: u64,
) -> Result<Cow<'r, [u8]>, ReadError> {
    fetch(reader, offset, length.min(reader.len().saturating_sub(offset)))
}

/// A stretch of a file, as a header names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl Span {
    /// Whether the writer filled it in.
    pub(crate) fn is_set(self) -> bool {
        self.offset != 0 && self.size != 0
    }

    /// First byte past it.
    pub(crate) fn end(self) -> u64 {
        self.offset.saturating_add(self.size)
    }

    /// Its bytes, as many as the file has.
    pub(crate) fn bytes<'r>(
        self,
        reader: &'r (dyn ReadAt + '_),
    ) -> Result<Cow<'r, [u8]>, ReadError> {
        fetch_available(reader, self.offset, self.size)
    }
}
