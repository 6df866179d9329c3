// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dump as a recording has it, and a dump while it is recorded.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use vmcore::{PhysAddr, ReadAt, ReadError, Witness};

use super::spans::Spans;

/// Bytes of a page.
const PAGE: u64 = 4096;

/// The dump of a recording.
pub(super) struct Kept<'r> {
    file_length: u64,
    file: &'r Spans,
    memory: &'r Spans,
    /// Page frame numbers of what is not to be given, as if the dump had it not.
    withheld: &'r BTreeSet<u64>,
    /// What is wanted of the memory while the file is asked for it.
    wanted: Cell<Option<(PhysAddr, usize)>>,
    missing: RefCell<BTreeSet<String>>,
}

impl<'r> Kept<'r> {
    pub(super) fn new(
        file_length: u64,
        file: &'r Spans,
        memory: &'r Spans,
        withheld: &'r BTreeSet<u64>,
    ) -> Self {
        let (wanted, missing) = (Cell::new(None), RefCell::default());
        Self { file_length, file, memory, withheld, wanted, missing }
    }

    /// What was wanted and is not there.
    pub(super) fn missing(&self) -> Vec<String> {
        self.missing.borrow().iter().cloned().collect()
    }
}

impl ReadAt for Kept<'_> {
    fn len(&self) -> u64 {
        self.file_length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        if self.file.fill(offset, buffer) {
            return Ok(());
        }
        self.missing.borrow_mut().insert(match self.wanted.get() {
            Some((address, length)) => format!("{length} bytes of memory at {address}"),
            None => format!("{} bytes of the dump's file at {offset:#x}", buffer.len()),
        });
        Err(ReadError::Missing { offset })
    }
}

impl Witness for Kept<'_> {
    fn recall(&self, address: PhysAddr, buffer: &mut [u8]) -> bool {
        let length = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        let last = address.0.saturating_add(length.saturating_sub(1));
        let mut pages = self.withheld.range(address.0 / PAGE..=last / PAGE);
        let known = pages.next().is_none() && self.memory.fill(address.0, buffer);
        self.wanted.set((!known).then_some((address, buffer.len())));
        known
    }

    fn saw(&self, _address: PhysAddr, _bytes: &[u8]) {
        self.wanted.set(None);
    }
}

/// Memory that is read.
#[derive(Default)]
pub(super) struct Seen(RefCell<Spans>);

impl Seen {
    pub(super) fn into_spans(self) -> Spans {
        self.0.into_inner()
    }
}

impl Witness for Seen {
    fn recall(&self, _address: PhysAddr, _buffer: &mut [u8]) -> bool {
        false
    }

    fn saw(&self, address: PhysAddr, bytes: &[u8]) {
        self.0.borrow_mut().insert(address.0, bytes);
    }
}

/// The file of a dump whose memory is known already: what is read of it is noted.
pub(super) struct Noted<'r> {
    file: &'r dyn ReadAt,
    memory: &'r Spans,
    read: RefCell<Spans>,
}

impl<'r> Noted<'r> {
    pub(super) fn new(file: &'r dyn ReadAt, memory: &'r Spans) -> Self {
        Self { file, memory, read: RefCell::default() }
    }

    pub(super) fn into_spans(self) -> Spans {
        self.read.into_inner()
    }
}

impl ReadAt for Noted<'_> {
    fn len(&self) -> u64 {
        self.file.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.file.read_at(offset, buffer)?;
        self.read.borrow_mut().insert(offset, buffer);
        Ok(())
    }
}

impl Witness for Noted<'_> {
    fn recall(&self, address: PhysAddr, buffer: &mut [u8]) -> bool {
        self.memory.fill(address.0, buffer)
    }

    fn saw(&self, _address: PhysAddr, _bytes: &[u8]) {}
}
