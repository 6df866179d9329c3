// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dump that was opened, whatever its container.

use std::fmt;

use crate::elf::{self, ElfMemory};
use crate::flattened::Flattened;
use crate::kdump::{self, Header, KdumpMemory};
use crate::notes::Notes;
use crate::read_at::fetch_available;
use crate::{
    Absent, CpuNote, DumpInfo, Error, Format, LoadSegment, Pfn, PhysAddr, Problem, ReadAt,
    ReadError, VmcoreInfo,
};

/// Page size assumed of ELF vmcores without VMCOREINFO: x86-64 has no other.
const PAGE_SIZE: u32 = 4096;

/// A dump of a crashed kernel's memory.
///
/// Opening reads headers, notes and the page bitmap, and no page. Pages are decompressed when
/// they are touched and kept in a cache of fixed size.
pub struct Vmcore<'d> {
    file: Container<'d>,
    memory: Memory,
    info: DumpInfo,
    vmcoreinfo: VmcoreInfo,
    cpus: Vec<CpuNote>,
    problems: Vec<Problem>,
}

/// The dump file itself, out of its flattened form if it came in one.
enum Container<'d> {
    Plain(&'d (dyn ReadAt + 'd)),
    Flattened(Flattened<'d>),
}

impl<'d> Container<'d> {
    /// Unwraps the flattened form, if `file` has it.
    fn open(file: &'d (dyn ReadAt + 'd)) -> Result<Self, Error> {
        let start = start_of(file)?;
        if Flattened::is_flattened(&start) {
            return Ok(Self::Flattened(Flattened::open(file)?));
        }
        Ok(Self::Plain(file))
    }

    /// The format inside.
    fn kind(&self) -> Result<Kind, Error> {
        let kind = Kind::of(self.reader());
        match self {
            // If the stream was cut, the file's first bytes may be among those that are missing.
            Self::Flattened(flattened) if kind.is_err() => flattened.stream_length().and(kind),
            _ => kind,
        }
    }

    fn reader(&self) -> &(dyn ReadAt + '_) {
        match self {
            Self::Plain(file) => *file,
            Self::Flattened(flattened) => flattened,
        }
    }
}

/// The first bytes of a file, by which formats are told apart.
fn start_of(file: &dyn ReadAt) -> Result<Vec<u8>, Error> {
    let start = fetch_available(file, 0, 16)
        .map_err(|source| Error::Cut { what: "first bytes", source })?;
    Ok(start.into_owned())
}

/// The formats that hold memory.
enum Kind {
    Kdump,
    Elf,
}

impl Kind {
    fn of(file: &dyn ReadAt) -> Result<Self, Error> {
        let start = start_of(file)?;
        if start.starts_with(kdump::SIGNATURE) {
            Ok(Self::Kdump)
        } else if start.starts_with(elf::MAGIC) {
            Ok(Self::Elf)
        } else if start.starts_with(kdump::SIGNATURE_DISKDUMP) {
            Err(Error::Unsupported { what: "the old diskdump format", offset: 0 })
        } else {
            Err(Error::NotVmcore { start: start.iter().copied().take(8).collect() })
        }
    }
}

/// Memory in one of the formats.
enum Memory {
    Kdump(Box<KdumpMemory>),
    Elf(ElfMemory),
}

/// What a format's reader found.
struct Opened {
    memory: Memory,
    info: DumpInfo,
    notes: Notes,
    /// VMCOREINFO where the format keeps it outside of the notes.
    vmcoreinfo: Option<Vec<u8>>,
}

impl<'d> Vmcore<'d> {
    /// Opens a kdump-compressed dump or an ELF vmcore, either of them flattened or not. What
    /// can be read of a damaged dump is read; [`Vmcore::problems`] tells what is wrong.
    ///
    /// # Errors
    /// If the file is no vmcore, of a kind not supported here, or damaged in a header without
    /// which nothing can be read.
    pub fn open(file: &'d (dyn ReadAt + 'd)) -> Result<Self, Error> {
        let container = Container::open(file)?;
        let mut problems = Vec::new();
        let reader = container.reader();
        let mut opened = match container.kind()? {
            Kind::Kdump => open_kdump(reader, &mut problems)?,
            Kind::Elf => open_elf(reader, &mut problems)?,
        };
        if let Container::Flattened(flattened) = &container {
            opened.info.flattened = true;
            problems.extend(flattened.problem());
        }
        let (cpus, from_notes) = opened.notes.into_parts();
        let text = opened.vmcoreinfo.or(from_notes).unwrap_or_default();
        let vmcoreinfo = VmcoreInfo::parse(&text);
        if vmcoreinfo.is_empty() {
            problems.push(Problem::NoVmcoreinfo);
        }
        if cpus.is_empty() {
            problems.push(Problem::NoCpuNotes);
        }
        opened.info.complete = !problems.iter().any(Problem::means_incomplete);
        let (memory, info) = (opened.memory, opened.info);
        Ok(Self { file: container, memory, info, vmcoreinfo, cpus, problems })
    }

    /// What the container says about itself.
    #[must_use]
    pub fn info(&self) -> &DumpInfo {
        &self.info
    }

    /// What the kernel wrote down for readers of its dump; empty if the dump has none.
    #[must_use]
    pub fn vmcoreinfo(&self) -> &VmcoreInfo {
        &self.vmcoreinfo
    }

    /// The CPUs' notes, in the order of the file.
    #[must_use]
    pub fn cpus(&self) -> &[CpuNote] {
        &self.cpus
    }

    /// What is wrong with the dump, in the order in which it was found. A dump with problems
    /// can be read, apart from what they name.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The `PT_LOAD` segments of an ELF vmcore in the order of the file; none for a
    /// kdump-compressed dump.
    #[must_use]
    pub fn load_segments(&self) -> &[LoadSegment] {
        match &self.memory {
            Memory::Elf(memory) => memory.segments(),
            Memory::Kdump(_) => &[],
        }
    }

    /// Where the kernel image starts in physical memory: VMCOREINFO's word for it, or else the
    /// container's. Signed.
    #[must_use]
    pub fn phys_base(&self) -> Option<i64> {
        self.vmcoreinfo.phys_base().or(self.info.phys_base)
    }

    /// Fills `buffer` with physical memory from `address` on, across as many pages as it takes.
    ///
    /// # Errors
    /// The first byte that is absent, and why. The content of `buffer` is then unspecified.
    pub fn read_physical(&self, address: PhysAddr, buffer: &mut [u8]) -> Result<(), Absent> {
        let file = self.file.reader();
        match &self.memory {
            Memory::Kdump(memory) => memory.read(file, address, buffer),
            Memory::Elf(memory) => memory.read(file, address, buffer),
        }
    }

    /// Bytes of memory that the crashed kernel had, as far as the dump tells. For a
    /// kdump-compressed dump this counts a bitmap.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        match &self.memory {
            Memory::Kdump(memory) => self.in_bytes(memory.pages_existing(self.file.reader())),
            Memory::Elf(memory) => memory.bytes_existing(),
        }
    }

    /// Bytes of memory that the dump holds.
    #[must_use]
    pub fn dumped_bytes(&self) -> u64 {
        match &self.memory {
            Memory::Kdump(memory) => self.in_bytes(memory.pages_in_file(self.file.reader())),
            Memory::Elf(memory) => memory.bytes_in_file(),
        }
    }

    fn in_bytes(&self, pages: u64) -> u64 {
        pages.saturating_mul(self.info.page_size.into())
    }
}

impl fmt::Debug for Vmcore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vmcore")
            .field("info", &self.info)
            .field("cpus", &self.cpus.len())
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

fn open_kdump(file: &dyn ReadAt, problems: &mut Vec<Problem>) -> Result<Opened, Error> {
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
        phys_base: Some(header.phys_base),
        uts: Some(header.uts),
        split: header.split,
    };
    Ok(Opened { memory: Memory::Kdump(Box::new(memory)), info, notes, vmcoreinfo })
}

fn open_elf(file: &dyn ReadAt, problems: &mut Vec<Problem>) -> Result<Opened, Error> {
    let (memory, sections) = ElfMemory::open(file, problems)?;
    let notes = Notes::read(file, &sections, problems);
    let info = DumpInfo {
        format: Format::Elf,
        flattened: false,
        header_version: None,
        compression: None,
        dump_level: None,
        complete: true,
        nr_cpus: None,
        max_pfn: Pfn(memory.memory_end().div_ceil(PAGE_SIZE.into())),
        page_size: PAGE_SIZE,
        phys_base: None,
        uts: None,
        split: None,
    };
    Ok(Opened { memory: Memory::Elf(memory), info, notes, vmcoreinfo: None })
}

/// The true length of a dump that was written to the start of something larger, such as a raw
/// disk: the first byte past everything that its headers, page descriptors or records point at.
/// A dump that the writer could not finish has its length too.
///
/// # Errors
/// If `disk` does not start with a vmcore, or if the dump does not fit on it.
pub fn true_length(disk: &dyn ReadAt) -> Result<u64, Error> {
    let container = Container::open(disk)?;
    if let Container::Flattened(flattened) = &container {
        return flattened.stream_length();
    }
    let end = match Kind::of(disk)? {
        Kind::Kdump => {
            let header = Header::read(disk)?;
            let spans = [header.vmcoreinfo, header.notes, header.erase_info];
            let spans = spans.into_iter().filter(|span| span.is_set()).map(|span| span.end());
            let end = KdumpMemory::open(disk, &header).end(disk)?;
            spans.chain([end, header.bitmaps.end()]).max().unwrap_or(end)
        }
        Kind::Elf => {
            let memory = ElfMemory::open(disk, &mut Vec::new())?.0;
            memory.end().max(elf::sections_end(disk)?)
        }
    };
    if end > disk.len() {
        let source = ReadError::PastEnd { offset: end, length: 0, end: disk.len() };
        return Err(Error::Cut { what: "data", source });
    }
    Ok(end)
}
