// SPDX-License-Identifier: MIT OR Apache-2.0
//! One dump file, opened: its memory, and what its headers and notes say.

use crate::container::{Container, Kind};
use crate::elf::ElfMemory;
use crate::kdump::{Header, KdumpMemory};
use crate::notes::Notes;
use crate::ram::RamMemory;
use crate::{
    Absent, CpuNote, DumpInfo, Error, Format, LoadSegment, Pfn, PhysAddr, Problem, Ram, ReadAt,
};

/// A file with the memory in it.
pub(crate) struct Part<'d> {
    file: Container<'d>,
    memory: Memory,
}

/// Memory in one of the formats.
enum Memory {
    Kdump(Box<KdumpMemory>),
    Elf(ElfMemory),
    Ram(RamMemory),
}

/// A file and what it says.
pub(crate) struct Opened<'d> {
    pub(crate) part: Part<'d>,
    pub(crate) said: Said,
}

/// What a dump has beside its pages.
pub(crate) struct Said {
    pub(crate) info: DumpInfo,
    pub(crate) cpus: Vec<CpuNote>,
    /// Text of VMCOREINFO.
    pub(crate) vmcoreinfo: Vec<u8>,
    pub(crate) problems: Vec<Problem>,
}

/// What a format's reader found.
struct Found {
    memory: Memory,
    info: DumpInfo,
    notes: Notes,
    /// VMCOREINFO where the format keeps it outside of the notes.
    vmcoreinfo: Option<Vec<u8>>,
}

impl<'d> Opened<'d> {
    /// Opens a dump with headers.
    pub(crate) fn of(file: &'d (dyn ReadAt + 'd)) -> Result<Self, Error> {
        let container = Container::open(file)?;
        let mut problems = Vec::new();
        let mut found = match container.kind()? {
            Kind::Kdump => open_kdump(container.reader(), &mut problems)?,
            Kind::Elf => open_elf(container.reader(), &mut problems)?,
        };
        if let Container::Flattened(flattened) = &container {
            found.info.flattened = true;
            problems.extend(flattened.problem());
        }
        Ok(Self::new(container, found, problems))
    }

    /// Takes a file for the RAM that `ram` says it is.
    pub(crate) fn of_ram(file: &'d (dyn ReadAt + 'd), ram: &Ram) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let memory = RamMemory::open(file, &ram.ranges, &mut problems)?;
        let notes = memory.notes(file, ram, &mut problems);
        let info = DumpInfo::bare(Format::Ram, memory.memory_end());
        let found = Found { memory: Memory::Ram(memory), info, notes, vmcoreinfo: None };
        Ok(Self::new(Container::Plain(file), found, problems))
    }

    fn new(file: Container<'d>, found: Found, problems: Vec<Problem>) -> Self {
        let Found { memory, info, notes, vmcoreinfo } = found;
        let (cpus, from_notes) = notes.into_parts();
        let vmcoreinfo = vmcoreinfo.or(from_notes).unwrap_or_default();
        Self { part: Part { file, memory }, said: Said { info, cpus, vmcoreinfo, problems } }
    }
}

impl Said {
    /// Whether two files of split sets are of the same dump: all that describes the whole is equal.
    /// A file may have come as a stream, and others not.
    pub(crate) fn is_of_the_dump_of(&self, other: &Self) -> bool {
        let whole = |said: &Self| DumpInfo {
            split: None,
            compression: None,
            flattened: false,
            ..said.info.clone()
        };
        whole(self) == whole(other) && self.vmcoreinfo == other.vmcoreinfo
    }
}

impl Part<'_> {
    /// Fills `buffer` with physical memory from `address` on.
    pub(crate) fn read(&self, address: PhysAddr, buffer: &mut [u8]) -> Result<(), Absent> {
        let file = self.file.reader();
        match &self.memory {
            Memory::Kdump(memory) => memory.read(file, address, buffer),
            Memory::Elf(memory) => memory.read(file, address, buffer),
            Memory::Ram(memory) => memory.read(file, address, buffer),
        }
    }

    /// Bytes of memory that there were.
    pub(crate) fn bytes_existing(&self) -> u64 {
        match &self.memory {
            Memory::Kdump(memory) => memory.bytes_existing(self.file.reader()),
            Memory::Elf(memory) => memory.bytes_existing(),
            Memory::Ram(memory) => memory.total(),
        }
    }

    /// Bytes of memory in this file.
    pub(crate) fn bytes_in_file(&self) -> u64 {
        match &self.memory {
            Memory::Kdump(memory) => memory.bytes_in_file(self.file.reader()),
            Memory::Elf(memory) => memory.bytes_in_file(),
            Memory::Ram(memory) => memory.total(),
        }
    }

    /// The segments of an ELF vmcore.
    pub(crate) fn segments(&self) -> &[LoadSegment] {
        match &self.memory {
            Memory::Elf(memory) => memory.segments(),
            Memory::Kdump(_) | Memory::Ram(_) => &[],
        }
    }
}

fn open_kdump(file: &dyn ReadAt, problems: &mut Vec<Problem>) -> Result<Found, Error> {
    let header = Header::read(file)?;
    let memory = KdumpMemory::open(file, &header);
    if header.is_incomplete() {
        problems.push(Problem::MarkedIncomplete);
    }
    memory.problems(file, problems);
    let sections = header.notes.is_set().then_some(header.notes);
    let notes = Notes::read(file, sections.as_slice(), problems);
    let vmcoreinfo = header.vmcoreinfo.is_set().then(|| header.vmcoreinfo.bytes(file));
    let vmcoreinfo = match vmcoreinfo {
        Some(Ok(text)) => Some(text.into_owned()),
        Some(Err(error)) => {
            problems.push(Problem::VmcoreinfoCut(error));
            None
        }
        None => None,
    };
    let info = DumpInfo {
        format: Format::KdumpCompressed,
        flattened: false,
        header_version: Some(header.version),
        compression: header.compression().or_else(|| memory.sample_compression(file)),
        dump_level: Some(header.dump_level),
        complete: true,
        nr_cpus: Some(header.nr_cpus),
        max_pfn: Pfn(header.max_pfn),
        page_size: u32::try_from(header.block_size).expect("checked to be at most 64 KiB"),
        phys_base: header.phys_base,
        uts: header.uts,
        split: header.split,
    };
    Ok(Found { memory: Memory::Kdump(Box::new(memory)), info, notes, vmcoreinfo })
}

fn open_elf(file: &dyn ReadAt, problems: &mut Vec<Problem>) -> Result<Found, Error> {
    let (memory, sections) = ElfMemory::open(file, problems)?;
    let notes = Notes::read(file, &sections, problems);
    let phys_base = memory.phys_base();
    let info = DumpInfo { phys_base, ..DumpInfo::bare(Format::Elf, memory.memory_end()) };
    Ok(Found { memory: Memory::Elf(memory), info, notes, vmcoreinfo: None })
}
