// SPDX-License-Identifier: MIT OR Apache-2.0
//! makedumpfile's flattened form: a dump file written as a stream of records, each of which
//! says where in the real file its bytes belong (`makedumpfile -F`, QEMU's kdump formats).
//!
//! A header of 4096 bytes (16 bytes of signature, then type and version, both 1), records
//! {offset, size, bytes}, and an end mark of offset and size -1; all integers are big-endian
//! and 64 bits wide (`struct makedumpfile_header` and `makedumpfile_data_header` of
//! makedumpfile's `makedumpfile.h`). A later record overwrites an earlier one, and any record
//! may bring the real file's header, so the whole chain is followed once; the bytes themselves
//! are not touched.

use std::fmt;

use crate::extents::Extents;
use crate::read_at::fetch;
use crate::{Error, Problem, ReadAt, ReadError, le};

const SIGNATURE: &[u8; 16] = b"makedumpfile\0\0\0\0";
const HEADER: u64 = 4096;
const RECORD: u64 = 16;
/// Offset and size of the end mark.
const END: (i64, i64) = (-1, -1);

/// The real file behind a flattened one.
pub(crate) struct Flattened<'d> {
    stream: &'d (dyn ReadAt + 'd),
    extents: Extents,
    /// Where the end mark ends, or where the stream was cut.
    end: u64,
    /// Whether the end mark was there.
    ended: bool,
}

impl fmt::Debug for Flattened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flattened").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl<'d> Flattened<'d> {
    /// Whether a file with these first bytes is flattened.
    pub(crate) fn is_flattened(start: &[u8]) -> bool {
        start.starts_with(SIGNATURE)
    }

    /// Follows the records of a flattened file.
    pub(crate) fn open(stream: &'d (dyn ReadAt + 'd)) -> Result<Self, Error> {
        let header = fetch(stream, 0, 32)
            .map_err(|source| Error::Cut { what: "flattened header", source })?;
        for (what, at) in [("type of the flattened header", 16), ("its version", 24)] {
            let value = le::i64_be(&header, at).unwrap_or_default();
            if value != 1 {
                let offset = at.try_into().unwrap_or_default();
                return Err(Error::Malformed { what, offset, value: value.cast_unsigned() });
            }
        }
        let mut flattened = Self { stream, extents: Extents::default(), end: HEADER, ended: false };
        flattened.follow_records()?;
        Ok(flattened)
    }

    fn follow_records(&mut self) -> Result<(), Error> {
        while let Ok(record) = fetch(self.stream, self.end, RECORD) {
            let fields = le::i64_be(&record, 0).zip(le::i64_be(&record, 8));
            let (offset, size) = fields.unwrap_or(END);
            let data = self.end.saturating_add(RECORD);
            if (offset, size) == END {
                self.ended = true;
                self.end = data;
                return Ok(());
            }
            let (Ok(start), Ok(size)) = (u64::try_from(offset), u64::try_from(size)) else {
                let value = offset.min(size).cast_unsigned();
                return Err(Error::Malformed { what: "flattened record", offset: self.end, value });
            };
            // A record cut by the end of the file still brings what there is of it.
            let there = size.min(self.stream.len().saturating_sub(data));
            if !self.extents.insert(start, there, data) {
                let value = offset.cast_unsigned();
                return Err(Error::Malformed { what: "flattened record", offset: self.end, value });
            }
            self.end = data.saturating_add(size);
        }
        Ok(())
    }

    /// What is wrong with the stream, if anything.
    pub(crate) fn problem(&self) -> Option<Problem> {
        (!self.ended).then_some(Problem::FlattenedCut { at: self.end })
    }

    /// Length of the flattened file up to and with its end mark.
    pub(crate) fn stream_length(&self) -> Result<u64, Error> {
        if self.ended {
            return Ok(self.end);
        }
        let end = self.stream.len();
        let source = ReadError::PastEnd { offset: self.end, length: RECORD, end };
        Err(Error::Cut { what: "flattened records", source })
    }
}

impl ReadAt for Flattened<'_> {
    fn len(&self) -> u64 {
        self.extents.end()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let length = buffer.len().try_into().unwrap_or(u64::MAX);
        if offset.checked_add(length).is_none_or(|end| end > self.len()) {
            return Err(ReadError::PastEnd { offset, length, end: self.len() });
        }
        let mut rest = buffer;
        let mut at = offset;
        while !rest.is_empty() {
            let found = self.extents.find(at);
            let available = match found {
                Some((_, available)) => available,
                // What no record brought is a hole, as in a sparse file, and reads as zeros. But
                // if the stream was cut, the record may be one of those that are missing.
                None if !self.ended => return Err(ReadError::Missing { offset: at }),
                None => self.extents.next_start(at).map_or(u64::MAX, |next| next - at),
            };
            let taken = usize::try_from(available).unwrap_or(usize::MAX).min(rest.len());
            let (now, later) = rest.split_at_mut(taken);
            match found {
                Some((file, _)) => self.stream.read_at(file, now)?,
                None => now.fill(0),
            }
            rest = later;
            at = at.saturating_add(taken.try_into().unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn bytes(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let (file, available) = self.extents.find(offset)?;
        let inside = u64::try_from(length).ok()? <= available;
        inside.then(|| self.stream.bytes(file, length))?
    }
}
