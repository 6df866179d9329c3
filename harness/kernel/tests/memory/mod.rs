// SPDX-License-Identifier: MIT OR Apache-2.0
//! Virtual memory that is one piece of bytes.

use kernel::{Unreadable, VirtualMemory};

/// Memory from an address on; nothing else is mapped.
pub(crate) struct Memory {
    base: u64,
    bytes: Vec<u8>,
}

impl Memory {
    /// Zeroes.
    pub(crate) fn new(base: u64, size: usize) -> Self {
        Self { base, bytes: vec![0; size] }
    }

    pub(crate) fn put(&mut self, address: u64, bytes: &[u8]) {
        let at = usize::try_from(address - self.base).expect("small");
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

impl VirtualMemory for Memory {
    fn read(&self, address: u64, buf: &mut [u8]) -> Result<(), Unreadable> {
        let start = address.checked_sub(self.base).and_then(|at| usize::try_from(at).ok());
        let found = start.and_then(|at| self.bytes.get(at..at.checked_add(buf.len())?));
        buf.copy_from_slice(found.ok_or(Unreadable::User { address })?);
        Ok(())
    }
}
