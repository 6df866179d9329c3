// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dump that was opened, whatever its container.

use std::fmt;

use crate::container::{Container, Kind};
use crate::elf::{self, ElfMemory};
use crate::kdump::{Header, KdumpMemory};
use crate::open::{Opened, Said};
use crate::split::{self, Set};
use crate::{
    Absent, CpuNote, DumpInfo, Error, LoadSegment, PhysAddr, Problem, Ram, ReadAt, ReadError,
    SetError, VmcoreInfo,
};

/// A dump of a crashed kernel's memory.
///
/// Opening reads headers, notes and the page bitmap, and no page. Pages are decompressed when
/// they are touched and kept in a cache of fixed size.
pub struct Vmcore<'d> {
    set: Set<'d>,
    info: DumpInfo,
    vmcoreinfo: VmcoreInfo,
    cpus: Vec<CpuNote>,
    problems: Vec<Problem>,
    witness: Option<&'d dyn Witness>,
}

/// Stands between a dump's memory and its readers.
pub trait Witness {
    /// Fills `buffer` with memory from `address` on in the place of the dump, if it knows all of it.
    fn recall(&self, address: PhysAddr, buffer: &mut [u8]) -> bool;

    /// Memory that the dump gave.
    fn saw(&self, address: PhysAddr, bytes: &[u8]);
}

impl<'d> Vmcore<'d> {
    /// Opens a kdump-compressed dump or an ELF vmcore, either of them flattened or not. What
    /// can be read of a damaged dump is read; [`Vmcore::problems`] tells what is wrong. Of a file
    /// of a split set, the pages of the other files are missing.
    ///
    /// # Errors
    /// If the file is no vmcore, of a kind not supported here, or damaged in a header without
    /// which nothing can be read.
    pub fn open(file: &'d (dyn ReadAt + 'd)) -> Result<Self, Error> {
        let Opened { part, mut said } = Opened::of(file)?;
        if let Some(pages) = &said.info.split {
            let pages = pages.start.0..pages.end.0;
            let max_pfn = said.info.max_pfn.0;
            split::coverage(std::iter::once(&pages), max_pfn, &mut said.problems);
        }
        Ok(Self::new(Set::of_one(part, said.info.page_size), said))
    }

    /// Opens the files that `makedumpfile --split` made of one dump, in any order. Files that are
    /// missing, or there twice, are among the [`problems`](Vmcore::problems).
    ///
    /// # Errors
    /// If one of them is no vmcore, no part of a split one, or of another dump than the first.
    pub fn open_set(files: &[&'d (dyn ReadAt + 'd)]) -> Result<Self, SetError> {
        let opened = files.iter().enumerate().map(|(file, reader)| {
            Opened::of(*reader).map_err(|error| SetError::File { file, error })
        });
        let (set, said) = split::join(opened.collect::<Result<_, _>>()?)?;
        Ok(Self::new(set, said))
    }

    /// Takes a file of raw RAM for the dump that `ram` says it is. Nothing of the memory is read
    /// but what `ram` names.
    ///
    /// # Errors
    /// If the ranges of memory are none or overlap.
    pub fn from_ram(file: &'d (dyn ReadAt + 'd), ram: &Ram) -> Result<Self, Error> {
        let Opened { part, said } = Opened::of_ram(file, ram)?;
        Ok(Self::new(Set::of_one(part, said.info.page_size), said))
    }

    fn new(set: Set<'d>, said: Said) -> Self {
        let Said { mut info, cpus, vmcoreinfo, mut problems } = said;
        let vmcoreinfo = VmcoreInfo::parse(&vmcoreinfo);
        if vmcoreinfo.is_empty() {
            problems.push(Problem::NoVmcoreinfo);
        }
        if cpus.is_empty() {
            problems.push(Problem::NoCpuNotes);
        }
        info.complete = !problems.iter().any(Problem::means_incomplete);
        Self { set, info, vmcoreinfo, cpus, problems, witness: None }
    }

    /// Lets somebody see all memory that is read from now on, or answer in the dump's place.
    pub fn attend(&mut self, witness: &'d dyn Witness) {
        self.witness = Some(witness);
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

    /// Takes for VMCOREINFO what was found in the memory at `address`. The
    /// [`problems`](Self::problems) then say so.
    pub fn adopt_vmcoreinfo(&mut self, address: PhysAddr, text: &[u8]) {
        self.vmcoreinfo = VmcoreInfo::parse(text);
        for problem in &mut self.problems {
            if *problem == Problem::NoVmcoreinfo {
                *problem = Problem::VmcoreinfoFound { address };
            }
        }
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

    /// The `PT_LOAD` segments of an ELF vmcore in the order of the file; none for
    /// other dumps.
    #[must_use]
    pub fn load_segments(&self) -> &[LoadSegment] {
        self.set.first().segments()
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
        let Some(witness) = self.witness else { return self.set.read(address, buffer) };
        if !witness.recall(address, buffer) {
            self.set.read(address, buffer)?;
            witness.saw(address, buffer);
        }
        Ok(())
    }

    /// Bytes of memory that the crashed kernel had, as far as the dump tells. For a
    /// kdump-compressed dump this counts a bitmap.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.set.first().bytes_existing()
    }

    /// Bytes of memory that the dump holds.
    #[must_use]
    pub fn dumped_bytes(&self) -> u64 {
        self.set.bytes_in_files()
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
