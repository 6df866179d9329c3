// SPDX-License-Identifier: MIT OR Apache-2.0
//! Raw RAM: a machine's memory as a flat file without any header, such as the file behind QEMU's
//! `-object memory-backend-file,share=on`.
//!
//! Nothing in the file says where its bytes belong, so that the caller has to: the memory of a PC
//! has a hole below 4 GiB, and the file has none. What else a dump has, the kernel keeps in its
//! memory: the notes of the CPUs (`/sys/devices/system/cpu/cpu*/crash_notes` names their
//! addresses) and VMCOREINFO (`/sys/kernel/vmcoreinfo`).

use std::borrow::Cow;

use crate::extents::{Extents, Gap};
use crate::notes::Notes;
use crate::read_at::MOST_BYTES;
use crate::{Absent, Error, PhysAddr, Problem, ReadAt, ReadError};

/// What a file of raw RAM does not say about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ram {
    /// Which memory is where in the file. Memory that is in no range does not exist.
    pub ranges: Vec<RamRange>,
    /// ELF notes one after another, as many sections as there are: those of the CPUs, VMCOREINFO,
    /// QEMU's. The notes of a CPU that saved none are zeros.
    pub notes: Vec<Place>,
    /// VMCOREINFO, if it is not among the notes: as a note or as its text.
    pub vmcoreinfo: Option<Place>,
}

/// A stretch of memory in a file of raw RAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RamRange {
    /// Physical address of its first byte.
    pub start: PhysAddr,
    /// Bytes.
    pub size: u64,
    /// Where its first byte is in the file.
    pub offset: u64,
}

/// Where bytes are that a dump has beside its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Here.
    Bytes(Vec<u8>),
    /// In the memory itself.
    Memory {
        /// Physical address of the first byte.
        start: PhysAddr,
        /// Bytes.
        size: u64,
    },
}

impl Ram {
    /// All of a file from physical address 0 on. This is right for a PC whose memory ends below
    /// the hole that QEMU leaves, 2 GiB or more.
    #[must_use]
    pub fn flat(size: u64) -> Self {
        let whole = RamRange { start: PhysAddr(0), size, offset: 0 };
        Self { ranges: vec![whole], ..Self::default() }
    }
}

/// Memory by file offset.
#[derive(Debug)]
pub(crate) struct RamMemory(Extents);

impl RamMemory {
    /// Checks the ranges.
    pub(crate) fn open(
        file: &dyn ReadAt,
        ranges: &[RamRange],
        problems: &mut Vec<Problem>,
    ) -> Result<Self, Error> {
        let mut extents = Extents::default();
        for RamRange { start, size, offset } in ranges.iter().copied() {
            if extents.overlaps(start.0, size) || !extents.insert(start.0, size, offset) {
                return Err(Error::RamRange { start, size });
            }
        }
        if extents.total() == 0 {
            return Err(Error::RamRange { start: PhysAddr(0), size: 0 });
        }
        let needed = ranges.iter().map(|range| range.offset.saturating_add(range.size)).max();
        let (needed, length) = (needed.unwrap_or_default(), file.len());
        if needed > length {
            problems.push(Problem::FileCut { needed, length });
        }
        Ok(Self(extents))
    }

    /// Fills `buffer` from `address` on.
    pub(crate) fn read(
        &self,
        file: &dyn ReadAt,
        address: PhysAddr,
        buffer: &mut [u8],
    ) -> Result<(), Absent> {
        self.0.read(file, address.0, buffer).map_err(|gap| match gap {
            Gap::Outside { address } => Absent::NotRam { address: PhysAddr(address) },
            Gap::Unreadable { address, error } => {
                Absent::Lost { address: PhysAddr(address), why: error.into() }
            }
        })
    }

    /// Reads the notes and VMCOREINFO from where they are.
    pub(crate) fn notes(&self, file: &dyn ReadAt, ram: &Ram, problems: &mut Vec<Problem>) -> Notes {
        let mut notes = Notes::default();
        for place in &ram.notes {
            match self.bytes(file, place) {
                Ok(bytes) => notes.parse(&bytes, problems),
                Err(problem) => problems.push(problem),
            }
        }
        match ram.vmcoreinfo.as_ref().map(|place| self.bytes(file, place)) {
            Some(Ok(bytes)) => notes.add_vmcoreinfo(&bytes, problems),
            Some(Err(problem)) => problems.push(problem),
            None => {}
        }
        notes.count_bad(problems);
        notes
    }

    fn bytes<'p>(&self, file: &dyn ReadAt, place: &'p Place) -> Result<Cow<'p, [u8]>, Problem> {
        let (start, size) = match place {
            Place::Bytes(bytes) => return Ok(Cow::Borrowed(bytes)),
            Place::Memory { start, size } => (*start, *size),
        };
        let too_many = ReadError::TooMany { offset: start.0, length: size };
        let length = usize::try_from(size).ok().filter(|_| size <= MOST_BYTES);
        let mut bytes = vec![0; length.ok_or(Problem::NotesCut(too_many))?];
        self.read(file, start, &mut bytes).map_err(Problem::NotesAbsent)?;
        Ok(Cow::Owned(bytes))
    }

    /// First address past all memory.
    pub(crate) fn memory_end(&self) -> u64 {
        self.0.end()
    }

    /// Bytes of memory.
    pub(crate) fn total(&self) -> u64 {
        self.0.total()
    }
}
