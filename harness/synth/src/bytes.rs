// SPDX-License-Identifier: MIT OR Apache-2.0
//! A growing file.

/// Bytes to which fields are written at given offsets.
#[derive(Debug, Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    /// Writes at an offset; what lies between the end so far and there becomes zeros.
    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.0.len() < end {
            self.0.resize(end, 0);
        }
        self.0[at..end].copy_from_slice(bytes);
    }

    pub(crate) fn put_u16(&mut self, at: usize, value: u16) {
        self.put(at, &value.to_le_bytes());
    }

    pub(crate) fn put_u32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    pub(crate) fn put_u64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_le_bytes());
    }

    /// Fills with zeros up to a multiple of `unit`, and gives the length.
    pub(crate) fn align(&mut self, unit: usize) -> usize {
        self.0.resize(self.0.len().next_multiple_of(unit), 0);
        self.0.len()
    }
}

/// A length or offset as files have it.
pub(crate) fn wide(value: usize) -> u64 {
    value.try_into().expect("usize has at most 64 bits")
}
