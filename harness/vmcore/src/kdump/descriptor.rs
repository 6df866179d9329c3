// SPDX-License-Identifier: MIT OR Apache-2.0
//! Page descriptors: where a page's data is and how it is compressed.

use crate::read_at::fetch;
use crate::{Codec, ReadAt, ReadError, le};

/// Bytes of `struct page_desc`.
pub(crate) const DESCRIPTOR: u64 = 24;

/// `struct page_desc` without its copy of the page's flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// Where the data starts in the file; 0 if the writer ran out of space before the page.
    pub(crate) offset: u64,
    /// Bytes of data.
    pub(crate) size: u32,
    /// Compression.
    pub(crate) flags: u32,
}

impl Descriptor {
    /// Reads descriptor `index` of the table at `table`.
    pub(crate) fn read(file: &dyn ReadAt, table: u64, index: u64) -> Result<Self, ReadError> {
        let offset = index.saturating_mul(DESCRIPTOR).saturating_add(table);
        let bytes = fetch(file, offset, DESCRIPTOR)?;
        Ok(Self::parse(&bytes).expect("as many bytes as a descriptor has were read"))
    }

    /// The descriptor in the first bytes of a buffer.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            offset: le::u64(bytes, 0)?,
            size: le::u32(bytes, 8)?,
            flags: le::u32(bytes, 12)?,
        })
    }

    /// Whether the writer filled it in.
    pub(crate) fn is_written(self) -> bool {
        self.offset != 0
    }

    /// How the page is compressed, `None` if the descriptor cannot be right.
    pub(crate) fn codec(self, page_size: u64) -> Option<Codec> {
        let possible = self.size != 0 && u64::from(self.size) <= page_size;
        possible.then(|| Codec::from_flags(self.flags))?
    }

    /// First byte of the file past the data.
    pub(crate) fn end(self) -> u64 {
        self.offset.saturating_add(self.size.into())
    }
}
