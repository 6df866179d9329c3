// SPDX-License-Identifier: MIT OR Apache-2.0
//! RAM in the form of an ELF vmcore that nobody wrote.
//!
//! The head (ELF header, program headers, notes) is made here; what follows are the stretches of
//! RAM where they are in the guest's file. The notes are what the crashed kernel itself wrote for
//! its capture kernel (`crash_save_cpu`, `crash_save_vmcoreinfo`), as it would be in
//! `/proc/vmcore`.

use std::fs::File;
use std::io;
use std::ops::Range;

use rustix::fs::SeekFrom;
use rustix::io::Errno;
use vmcore::{ReadAt, ReadError, Vmcore};

use super::ram::{Ram, place};
use super::uts::Uts;
use crate::map::Map;
use protocol::Memory;

/// Bytes of the two kinds of headers (elf(5)).
const ELF_HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const PAGE: u64 = 4096;

/// Most that a guest may claim: stretches of RAM, CPUs, bytes of one note.
const MOST_STRETCHES: usize = 1024;
const MOST_CPUS: usize = 8192;
const MOST_NOTE: u64 = 1 << 20;

/// Name of the note with VMCOREINFO.
const INFO: &[u8] = b"VMCOREINFO";

/// Start of the kernel's mapping of itself (`__START_KERNEL_map`).
const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;

/// Where the stub counts its runs and what it can be known by, from the start of its page. Written
/// by the guest's PID 1 (`guests/init/src/stub.rs`).
const STUB_COUNTER: u64 = 0x80;
const STUB_MAGIC_AT: u64 = 0x88;
const STUB_MAGIC: &[u8; 16] = b"repro crash stub";

/// Why RAM is no dump.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadImage {
    /// What the guest told of its memory cannot be.
    #[error("the guest told of {what} that cannot be")]
    Told {
        /// What.
        what: &'static str,
    },
    /// The stub is not where the guest said.
    #[error("the crash stub is not in the guest's memory any more")]
    NoStub,
    /// The stub did not run.
    #[error("the crash stub did not run")]
    NotEntered,
    /// No CPU wrote its registers.
    #[error("the crashed kernel left no registers")]
    NoNotes,
    /// It is not the dump that it should be.
    #[error("the guest's memory is no dump")]
    Unreadable(#[source] vmcore::Error),
    /// The RAM cannot be read.
    #[error("the guest's memory cannot be read")]
    Read(#[source] std::io::Error),
}

/// A dump that is looked at where it lies.
#[derive(Debug)]
pub struct Image {
    ram: Map,
    /// The same as `ram`.
    file: File,
    head: Vec<u8>,
    stretches: Vec<Stretch>,
    /// The notes in the head.
    notes: Range<usize>,
    /// VMCOREINFO's text in the notes.
    vmcoreinfo: Range<usize>,
    /// CPUs that left a note.
    cpus: u32,
    uts: Option<Uts>,
    phys_base: Option<i64>,
}

/// RAM in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Physical address; it starts and ends with a page.
    pub(super) address: u64,
    pub(super) bytes: u64,
    /// Where it is in the file of the RAM.
    pub(super) in_ram: u64,
    /// Where it is in the image.
    in_image: u64,
}

impl Stretch {
    /// The first address behind it.
    pub(super) fn end(&self) -> u64 {
        self.address + self.bytes
    }
}

impl Image {
    /// The dump in RAM, after the stub ran in it.
    ///
    /// # Errors
    /// It did not, or what the guest told of its memory is not so.
    pub fn of(ram: &Ram, memory: &Memory) -> Result<Self, BadImage> {
        let map = Map::of(&ram.file).map_err(BadImage::Read)?;
        let read = |address: u64, bytes: u64| piece(&map, ram.bytes, address, bytes);
        let stub = |at: u64, bytes| read(memory.stub.checked_add(at)?, bytes);
        if stub(STUB_MAGIC_AT, 16) != Some(STUB_MAGIC) {
            return Err(BadImage::NoStub);
        }
        if stub(STUB_COUNTER, 4) == Some(&[0; 4]) {
            return Err(BadImage::NotEntered);
        }
        let (notes, vmcoreinfo) = notes(memory, &read)?;
        let file = ram.file.try_clone().map_err(BadImage::Read)?;
        let (head, stretches, notes) = head(&notes, stretches(memory, ram.bytes)?);
        let mut image = Self {
            ram: map,
            file,
            head,
            stretches,
            notes,
            vmcoreinfo,
            cpus: 0,
            uts: None,
            phys_base: phys_base(memory),
        };
        let vmcore = Vmcore::open(&image).map_err(BadImage::Unreadable)?;
        let cpus = u32::try_from(vmcore.cpus().len()).unwrap_or(u32::MAX);
        let told = vmcore.vmcoreinfo();
        // VMCOREINFO's word counts, as for every other reader; kernels before 4.10 have none.
        let phys_base = told.phys_base().or(image.phys_base);
        let uts = Uts::of(&vmcore, phys_base);
        (image.cpus, image.uts, image.phys_base) = (cpus, Some(uts), phys_base);
        Ok(image)
    }
    /// The notes, one after the other.
    pub(super) fn notes(&self) -> &[u8] {
        self.head.get(self.notes.clone()).unwrap_or_default()
    }

    /// VMCOREINFO's text in the notes.
    pub(super) fn vmcoreinfo(&self) -> Range<usize> {
        self.vmcoreinfo.clone()
    }

    /// CPUs that left a note.
    pub(super) const fn cpus(&self) -> u32 {
        self.cpus
    }

    /// `struct new_utsname` of the kernel.
    pub(super) fn uts(&self) -> &[u8] {
        self.uts.as_ref().map(Uts::bytes).unwrap_or_default()
    }

    /// RAM by physical addresses, in their order.
    pub(super) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// The bytes of a stretch.
    pub(super) fn stretch(&self, stretch: &Stretch) -> &[u8] {
        slice(&self.ram, stretch.in_ram, stretch.bytes).unwrap_or_default()
    }

    /// Where the kernel is in physical memory, as the running kernel told.
    pub(super) const fn phys_base(&self) -> Option<i64> {
        self.phys_base
    }

    /// The next bytes of a stretch, from `from` on, that were ever written to, in whole pages.
    pub(super) fn data(&self, stretch: &Stretch, from: usize) -> io::Result<Option<Range<usize>>> {
        let end = stretch.in_ram + stretch.bytes;
        let from = stretch.in_ram + u64_of(from);
        if from >= end {
            return Ok(None);
        }
        let data = match rustix::fs::seek(&self.file, SeekFrom::Data(from)) {
            Ok(data) if data < end => data,
            Ok(_) | Err(Errno::NXIO) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let hole = rustix::fs::seek(&self.file, SeekFrom::Hole(data))?.min(end);
        let start = data / PAGE * PAGE;
        let hole = hole.next_multiple_of(PAGE).min(end);
        let place = |at: u64| usize::try_from(at - stretch.in_ram).map_err(io::Error::other);
        Ok(Some(place(start.max(stretch.in_ram))?..place(hole)?))
    }

    /// Bytes that lie in one piece.
    fn find(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let length = u64_of(length);
        let start = u64_of(self.head.len());
        if offset < start {
            return slice(&self.head, offset, length);
        }
        let after = self.stretches.partition_point(|stretch| stretch.in_image <= offset);
        let stretch = self.stretches.get(after.checked_sub(1)?)?;
        let into = offset - stretch.in_image;
        if into.checked_add(length)? > stretch.bytes {
            return None;
        }
        slice(&self.ram, stretch.in_ram + into, length)
    }
}

impl ReadAt for Image {
    fn len(&self) -> u64 {
        let end = |stretch: &Stretch| stretch.in_image + stretch.bytes;
        self.stretches.last().map_or(u64_of(self.head.len()), end)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let length = u64_of(buffer.len());
        let past_end = || ReadError::PastEnd { offset, length, end: self.len() };
        let mut at = offset;
        let mut rest = buffer;
        while !rest.is_empty() {
            // Pages lie in one piece; only a read across them can meet the end of a stretch.
            let whole = self.find(at, rest.len()).map(|bytes| (bytes, rest.len()));
            let part = || {
                let to_page = usize::try_from(PAGE - at % PAGE).ok()?.min(rest.len());
                self.find(at, to_page).map(|bytes| (bytes, to_page))
            };
            let (bytes, taken) = whole.or_else(part).ok_or_else(past_end)?;
            let (now, later) = rest.split_at_mut(taken);
            now.copy_from_slice(bytes);
            rest = later;
            at += u64_of(taken);
        }
        Ok(())
    }

    fn bytes(&self, offset: u64, length: usize) -> Option<&[u8]> {
        self.find(offset, length)
    }
}

/// The head of the image, the stretches with their places in it, and where the notes are.
fn head(notes: &[u8], mut stretches: Vec<Stretch>) -> (Vec<u8>, Vec<Stretch>, Range<usize>) {
    let notes_at = ELF_HEADER + PROGRAM_HEADER * (stretches.len() + 1);
    let notes_end = notes_at + notes.len();
    let start = notes_end.next_multiple_of(4096);
    let mut at = u64_of(start);
    for stretch in &mut stretches {
        stretch.in_image = at;
        at += stretch.bytes;
    }
    let mut head = elf_header(stretches.len() + 1);
    program_header(&mut head, PT_NOTE, u64_of(notes_at), 0, u64_of(notes.len()));
    for stretch in &stretches {
        program_header(&mut head, PT_LOAD, stretch.in_image, stretch.address, stretch.bytes);
    }
    head.extend(notes);
    head.resize(start, 0);
    (head, stretches, notes_at..notes_end)
}

/// What `/proc/vmcore` has: all RAM but what was kept for a capture kernel, in whole pages.
fn stretches(memory: &Memory, ram_bytes: u64) -> Result<Vec<Stretch>, BadImage> {
    let bad = BadImage::Told { what: "RAM" };
    if memory.ram.len() > MOST_STRETCHES || !memory.ram.is_sorted() {
        return Err(bad);
    }
    let mut stretches = Vec::new();
    let (kept, kept_end) = memory.crash;
    for &(start, end) in &memory.ram {
        for (start, end) in [(start, end.min(kept)), (start.max(kept_end), end)] {
            let (mut address, end) = (start.next_multiple_of(PAGE), end / PAGE * PAGE);
            while address < end {
                // Firmware's RAM may reach past the file only by what is no RAM of ours.
                let Some((in_ram, left)) = place(ram_bytes, address) else { break };
                let bytes = (end - address).min(left) / PAGE * PAGE;
                if bytes == 0 {
                    break;
                }
                if stretches.last().is_some_and(|last: &Stretch| address < last.end()) {
                    return Err(bad);
                }
                stretches.push(Stretch { address, bytes, in_ram, in_image: 0 });
                address += bytes;
            }
        }
    }
    if stretches.is_empty() { Err(bad) } else { Ok(stretches) }
}

/// The notes of all CPUs that wrote one, then VMCOREINFO, and where its text is.
fn notes<'r>(
    memory: &Memory,
    read: &impl Fn(u64, u64) -> Option<&'r [u8]>,
) -> Result<(Vec<u8>, Range<usize>), BadImage> {
    let bad = || BadImage::Told { what: "notes" };
    if memory.notes.len() > MOST_CPUS {
        return Err(bad());
    }
    let mut notes = Vec::new();
    for &(address, bytes) in &memory.notes {
        let section = read(address, bytes.min(MOST_NOTE)).ok_or_else(bad)?;
        notes.extend(written(section));
    }
    if notes.is_empty() {
        return Err(BadImage::NoNotes);
    }
    let (address, bytes) = memory.vmcoreinfo;
    let section = read(address, bytes.min(MOST_NOTE)).ok_or_else(bad)?;
    let info = written(section);
    if info.get(12..12 + INFO.len()) != Some(INFO) {
        return Err(BadImage::Told { what: "VMCOREINFO" });
    }
    let start = notes.len();
    notes.extend(info);
    // Three words, the name with its end, the text.
    let text = start + (12 + INFO.len() + 1).next_multiple_of(4);
    let length =
        info.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    let end = text.saturating_add(usize::try_from(length).unwrap_or(0)).min(notes.len());
    Ok((notes, text.min(end)..end))
}

/// The notes of a section up to the empty one that ends it. Sections are joined, and a reader would
/// take the end of the first for the end of all.
fn written(section: &[u8]) -> &[u8] {
    let word = |at: usize| {
        let bytes = section.get(at..at.checked_add(4)?)?;
        u32::from_le_bytes(bytes.try_into().ok()?).try_into().ok()
    };
    let mut end: usize = 0;
    let mut next = || {
        let (name, content): (usize, usize) = (word(end)?, word(end.checked_add(4)?)?);
        let padded =
            name.checked_next_multiple_of(4)?.checked_add(content.checked_next_multiple_of(4)?)?;
        let after = end.checked_add(12)?.checked_add(padded)?;
        (name > 0 && after <= section.len()).then(|| end = after)
    };
    while next().is_some() {}
    section.get(..end).unwrap_or_default()
}

/// `phys_base`: by how much the kernel's image lies higher than the map of it says.
fn phys_base(memory: &Memory) -> Option<i64> {
    let (virt, phys) = memory.text?;
    let offset = virt.checked_sub(KERNEL_MAP)?;
    Some(phys.wrapping_sub(offset).cast_signed())
}

fn piece(ram: &Map, ram_bytes: u64, address: u64, bytes: u64) -> Option<&[u8]> {
    let (offset, left) = place(ram_bytes, address)?;
    (bytes <= left).then(|| slice(ram, offset, bytes)).flatten()
}

fn slice(bytes: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
}

fn elf_header(segments: usize) -> Vec<u8> {
    // 64-bit, little-endian, version 1; a core file for x86-64.
    let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |value: u16| value.to_le_bytes();
    header.extend([half(4), half(62)].concat());
    header.extend(1_u32.to_le_bytes());
    for value in [0, u64_of(ELF_HEADER), 0] {
        header.extend(value.to_le_bytes());
    }
    header.extend(0_u32.to_le_bytes());
    let count = u16::try_from(segments).unwrap_or(u16::MAX);
    header.extend([half(64), half(56), half(count), half(0), half(0), half(0)].concat());
    header
}

fn program_header(head: &mut Vec<u8>, kind: u32, offset: u64, physical: u64, bytes: u64) {
    head.extend(kind.to_le_bytes());
    head.extend(0_u32.to_le_bytes());
    for value in [offset, 0, physical, bytes, bytes, 0] {
        head.extend(value.to_le_bytes());
    }
}

fn u64_of(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
