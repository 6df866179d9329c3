// SPDX-License-Identifier: MIT OR Apache-2.0
//! ELF vmcores: `/proc/vmcore`, `makedumpfile -E`, QEMU's `dump-guest-memory`.
//!
//! A 64-bit little-endian core file for x86-64 whose `PT_LOAD` segments are stretches of
//! physical memory (`p_paddr`) and whose `PT_NOTE` segments hold the notes. The same memory may
//! be in two segments: the kernel's text is mapped twice. Segments that hold less in the file
//! than in memory had pages left out, or zeroed ones: makedumpfile writes them so, with nothing
//! in the file at all for a stretch that is left out in full.

use crate::error::MOST_LISTED;
use crate::extents::{Extents, Gap};
use crate::foreign::{ElfIdentity, Segments, program};
use crate::read_at::{Span, fetch};
use crate::{Absent, Error, LoadSegment, Lost, PhysAddr, Problem, ReadAt, ReadError, VirtAddr, le};

/// First bytes of the format.
pub(crate) const MAGIC: &[u8; 4] = b"\x7fELF";

const ELF_HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const SECTION_HEADER: u64 = 64;
/// `e_phnum` when the number did not fit and is in `sh_info` of the first section header.
const PN_XNUM: u16 = 0xffff;
/// Where the kernel maps its text (`__START_KERNEL_map`, `arch/x86/include/asm/page_64_types.h`).
const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
/// makedumpfile's mark in `e_flags` that it ran out of space (`DUMP_ELF_INCOMPLETE`).
const INCOMPLETE: u32 = 1;

/// Physical memory by file offset.
#[derive(Debug)]
pub(crate) struct ElfMemory {
    /// Memory whose bytes are in the file.
    in_file: Extents,
    /// Memory that existed; where it is in the file does not matter here.
    existing: Extents,
    segments: Vec<LoadSegment>,
    incomplete: bool,
    /// First byte past what the program headers point at.
    end: u64,
}

/// A program header.
struct ProgramHeader {
    kind: u32,
    offset: u64,
    virt: u64,
    phys: u64,
    file_size: u64,
    memory_size: u64,
}

impl ProgramHeader {
    fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            kind: le::u32(bytes, 0)?,
            offset: le::u64(bytes, 8)?,
            virt: le::u64(bytes, 16)?,
            phys: le::u64(bytes, 24)?,
            file_size: le::u64(bytes, 32)?,
            memory_size: le::u64(bytes, 40)?,
        })
    }
}

impl ElfMemory {
    /// Reads the headers. Gives the stretches of the file that hold notes too.
    pub(crate) fn open(
        file: &dyn ReadAt,
        problems: &mut Vec<Problem>,
    ) -> Result<(Self, Vec<Span>), Error> {
        let header = ElfHeader::read(file)?;
        let table_size = header.count.saturating_mul(PROGRAM_HEADER);
        let table = fetch(file, header.table, table_size)
            .map_err(|source| Error::Cut { what: "program headers", source })?;
        let mut memory = Self {
            in_file: Extents::default(),
            existing: Extents::default(),
            segments: Vec::new(),
            incomplete: header.flags & INCOMPLETE != 0,
            end: header.end.max(header.table.saturating_add(table_size)),
        };
        let mut notes = Vec::new();
        let mut segments = Segments::default();
        let mut bad = 0_u64;
        let size = usize::try_from(PROGRAM_HEADER).expect("a small constant");
        for (index, entry) in (0..).zip(table.chunks_exact(size)) {
            let entry = ProgramHeader::parse(entry).expect("a whole program header");
            if entry.kind == PT_LOAD && !memory.add(&entry) {
                bad += 1;
                if bad <= MOST_LISTED {
                    problems.push(Problem::BadSegment { index });
                }
            }
            if entry.kind == PT_LOAD {
                segments.count(entry.phys);
            }
            if entry.kind == PT_NOTE {
                notes.push(Span { offset: entry.offset, size: entry.file_size });
            }
            memory.count_end(&entry);
        }
        if let Some(other) = segments.foreign(file, &notes) {
            return Err(Error::Foreign(other));
        }
        if let Some(count) = bad.checked_sub(MOST_LISTED).filter(|count| *count != 0) {
            problems.push(Problem::MoreBadSegments { count });
        }
        memory.problems(file, problems);
        Ok((memory, notes))
    }

    /// Adds a segment, false if its addresses cannot be right.
    fn add(&mut self, entry: &ProgramHeader) -> bool {
        // A writer that ran out of space leaves the headers that it did not get to zeroed.
        if entry.memory_size == 0 {
            return true;
        }
        // Segments of memory that has no physical address, as in /proc/kcore.
        if entry.phys == u64::MAX {
            return false;
        }
        let (start, stored) = (entry.phys, entry.file_size.min(entry.memory_size));
        let fits = entry.offset.checked_add(stored).is_some()
            && start.checked_add(entry.memory_size).is_some();
        if !fits {
            return false;
        }
        // Two segments with the same memory hold the same bytes, so it does not matter which
        // one is taken, as long as one that has the bytes is.
        self.in_file.insert(start, stored, entry.offset);
        self.existing.insert(start, entry.memory_size, 0);
        let (virt, phys) = (VirtAddr(entry.virt), PhysAddr(entry.phys));
        self.segments.push(LoadSegment { virt, phys, size: entry.memory_size });
        true
    }

    fn count_end(&mut self, entry: &ProgramHeader) {
        if entry.file_size != 0 {
            self.end = self.end.max(entry.offset.saturating_add(entry.file_size));
        }
    }

    fn problems(&self, file: &dyn ReadAt, problems: &mut Vec<Problem>) {
        if self.incomplete {
            problems.push(Problem::MarkedIncomplete);
        }
        let (needed, length) = (self.end, file.len());
        if needed > length {
            problems.push(Problem::FileCut { needed, length });
        }
    }

    /// Fills `buffer` from `address` on.
    pub(crate) fn read(
        &self,
        file: &dyn ReadAt,
        address: PhysAddr,
        buffer: &mut [u8],
    ) -> Result<(), Absent> {
        self.in_file.read(file, address.0, buffer).map_err(|gap| match gap {
            Gap::Outside { address } => self.absent(PhysAddr(address)),
            Gap::Unreadable { address, error } => {
                Absent::Lost { address: PhysAddr(address), why: error.into() }
            }
        })
    }

    fn absent(&self, address: PhysAddr) -> Absent {
        if self.existing.find(address.0).is_some() {
            Absent::Excluded { address, dump_level: None }
        } else if self.incomplete {
            Absent::Lost { address, why: Lost::NotWritten }
        } else {
            Absent::NotRam { address }
        }
    }

    /// The segments with memory, in the order of the file.
    pub(crate) fn segments(&self) -> &[LoadSegment] {
        &self.segments
    }

    /// Where the kernel's image starts in physical memory, if a segment is that of its text:
    /// `/proc/vmcore` has one, with both addresses (`kexec-tools`, `kexec/crashdump-elf.c`).
    pub(crate) fn phys_base(&self) -> Option<i64> {
        self.segments.iter().find_map(|segment| {
            let offset = segment.virt.0.checked_sub(KERNEL_MAP)?;
            Some(segment.phys.0.wrapping_sub(offset).cast_signed())
        })
    }

    /// First address past all memory.
    pub(crate) fn memory_end(&self) -> u64 {
        self.existing.end()
    }

    /// Bytes of memory that existed.
    pub(crate) fn bytes_existing(&self) -> u64 {
        self.existing.total()
    }

    /// Bytes of memory that are in the file.
    pub(crate) fn bytes_in_file(&self) -> u64 {
        self.in_file.total()
    }

    /// First byte of the file past everything that its headers point at.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }
}

/// What the ELF header says.
struct ElfHeader {
    flags: u32,
    table: u64,
    count: u64,
    /// First byte past the headers read here.
    end: u64,
}

impl ElfHeader {
    fn read(file: &dyn ReadAt) -> Result<Self, Error> {
        let cut = |source: ReadError| Error::Cut { what: "ELF header", source };
        let bytes = fetch(file, 0, ELF_HEADER).map_err(cut)?;
        let Some(identity) = ElfIdentity::parse(&bytes) else {
            return Err(Error::Unsupported { what: "an ELF file of this class", offset: 4 });
        };
        if !identity.is_core() {
            return Err(Error::Foreign(program(file, identity)));
        }
        if let Some(machine) = identity.other_machine() {
            return Err(Error::Machine { machine });
        }
        let half = |at| le::u16(&bytes, at).unwrap_or_default();
        let entry_size = half(54);
        if u64::from(entry_size) != PROGRAM_HEADER {
            let value = entry_size.into();
            return Err(Error::Malformed { what: "program header size", offset: 54, value });
        }
        let table = le::u64(&bytes, 32).unwrap_or_default();
        let (count, end) = match half(56) {
            PN_XNUM => {
                let sections = le::u64(&bytes, 40).unwrap_or_default();
                let first = fetch(file, sections, SECTION_HEADER).map_err(cut)?;
                let count = le::u32(&first, 44).unwrap_or_default();
                (count.into(), sections.saturating_add(SECTION_HEADER))
            }
            count => (count.into(), ELF_HEADER),
        };
        Ok(Self { flags: le::u32(&bytes, 48).unwrap_or_default(), table, count, end })
    }
}

/// First byte of the file past its sections and their headers, 0 if it has none. The kernel and
/// makedumpfile write no sections, QEMU does.
pub(crate) fn sections_end(file: &dyn ReadAt) -> Result<u64, Error> {
    let cut = |source: ReadError| Error::Cut { what: "section headers", source };
    let header = fetch(file, 0, ELF_HEADER).map_err(cut)?;
    let table = le::u64(&header, 40).unwrap_or_default();
    let count = le::u16(&header, 60).unwrap_or_default();
    if table == 0 || count == 0 {
        return Ok(0);
    }
    let table_size = u64::from(count) * SECTION_HEADER;
    let headers = fetch(file, table, table_size).map_err(cut)?;
    let size = usize::try_from(SECTION_HEADER).expect("a small constant");
    let ends = headers.chunks_exact(size).map(|section| {
        // sh_type 0 and 8, SHT_NULL and SHT_NOBITS, have nothing in the file.
        let word = |at| le::u64(section, at).unwrap_or_default();
        match le::u32(section, 4) {
            None | Some(0 | 8) => 0,
            Some(_) => word(24).saturating_add(word(32)),
        }
    });
    Ok(ends.max().unwrap_or_default().max(table.saturating_add(table_size)))
}
