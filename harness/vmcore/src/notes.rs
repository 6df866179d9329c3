// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ELF notes of a dump: registers of each CPU, VMCOREINFO, QEMU's own CPU state.
//!
//! A note is three 32-bit integers (length of the name, length of the content, type), the name
//! and the content, both padded to four bytes (`Elf64_Nhdr` in `include/uapi/linux/elf.h`).

use crate::error::MOST_LISTED;
use crate::read_at::{Span, fetch};
use crate::registers::{PtRegs, prstatus_pid};
use crate::{Problem, ReadAt, ReadError, le};

/// `NT_PRSTATUS` (`include/uapi/linux/elf.h`).
const NT_PRSTATUS: u32 = 1;
/// Bytes of a note's three integers.
const NOTE_HEADER: usize = 12;
/// Bytes of `struct elf_prstatus` on x86-64.
const PRSTATUS: usize = 336;
/// Bytes of a CPU's note: the integers, the name in eight bytes, the content.
const FIRST_NOTE: u64 = 356;

/// What a CPU's note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuNote {
    /// Position among the CPU notes. It is the CPU's number only if every CPU before it saved
    /// its registers: one that was offline or did not answer has no note.
    pub index: u32,
    /// pid of the task on that CPU; 0 for an idle one. QEMU writes the CPU's number plus one.
    pub pid: i32,
    /// The registers. For a CPU that oopsed they are those of the fault, for one that called
    /// `panic()` those inside `crash_kexec`, for one stopped by NMI those it interrupted.
    pub registers: PtRegs,
    /// The state that QEMU adds when the dump is its own.
    pub qemu: Option<QemuCpu>,
}

/// What QEMU's note adds to the registers (`QEMUCPUState` in QEMU's
/// `target/i386/arch_dump.c`, version 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QemuCpu {
    /// Control registers 0 to 4; `cr[3]` is the page table in use, `cr[2]` the last fault's
    /// address.
    pub cr: [u64; 5],
    /// Base of the gs segment: the per-CPU area while in the kernel.
    pub gs_base: u64,
    /// The other gs base, which `swapgs` exchanges with it. Not in notes of QEMU before 5.0.
    pub kernel_gs_base: Option<u64>,
}

/// The notes of interest.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// One for each CPU, in the order of the file.
    pub(crate) cpus: Vec<CpuNote>,
    /// Text of VMCOREINFO.
    pub(crate) vmcoreinfo: Option<Vec<u8>>,
    qemu: Vec<QemuCpu>,
    /// Malformed ones.
    bad: u64,
}

/// Most bytes of notes that are looked at, whatever number of sections they are in. A note of a
/// CPU takes 356 bytes, and 440 more if QEMU wrote it.
const MOST_BYTES: u64 = 64 << 20;

impl Notes {
    /// Reads the sections, as many bytes as the file has of them.
    pub(crate) fn read(file: &dyn ReadAt, sections: &[Span], problems: &mut Vec<Problem>) -> Self {
        let mut notes = Self::default();
        let mut left = MOST_BYTES;
        let mut cut = 0_u64;
        for section in sections {
            let Some(rest) = left.checked_sub(section.size) else {
                let Span { offset, size: length } = *section;
                problems.push(Problem::NotesCut(ReadError::TooMany { offset, length }));
                break;
            };
            left = rest;
            match section.bytes(file) {
                Ok(bytes) => notes.parse(&bytes, problems),
                Err(error) => {
                    cut += 1;
                    if cut <= MOST_LISTED {
                        problems.push(Problem::NotesCut(error));
                    }
                }
            }
        }
        notes.count_bad(problems);
        notes
    }

    /// Whether they begin with that of a CPU of x86-64: of the machines with 64 bits and the least
    /// significant byte first, no other has a `struct elf_prstatus` of that size.
    pub(crate) fn are_of_x86_64(file: &dyn ReadAt, section: Span) -> bool {
        let size = FIRST_NOTE.min(section.size);
        let Ok(bytes) = fetch(file, section.offset, size) else { return false };
        Note::parse(&bytes, 0).is_some_and(|note| {
            note.name == b"CORE" && note.kind == NT_PRSTATUS && note.content.len() == PRSTATUS
        })
    }

    /// Adds VMCOREINFO, in the kernel's note for it or as the mere text.
    pub(crate) fn add_vmcoreinfo(&mut self, bytes: &[u8], problems: &mut Vec<Problem>) {
        if Note::parse(bytes, 0).is_some_and(|note| note.name == b"VMCOREINFO") {
            self.parse(bytes, problems);
        } else {
            self.vmcoreinfo.get_or_insert_with(|| bytes.to_vec());
        }
    }

    /// Tells how many malformed notes there are beyond those that are listed.
    pub(crate) fn count_bad(&self, problems: &mut Vec<Problem>) {
        if let Some(count) = self.bad.checked_sub(MOST_LISTED).filter(|count| *count != 0) {
            problems.push(Problem::MoreBadNotes { count });
        }
    }

    /// Adds the notes of one section. Stops at the first that is malformed.
    pub(crate) fn parse(&mut self, section: &[u8], problems: &mut Vec<Problem>) {
        for (at, note) in notes_in(section) {
            if note.is_some_and(|note| self.add(&note)) {
                continue;
            }
            self.bad += 1;
            if self.bad <= MOST_LISTED {
                problems.push(Problem::BadNote { at: at.try_into().unwrap_or(u64::MAX) });
            }
        }
    }

    /// Takes a note if it is of interest. False if its content is not what its type says.
    fn add(&mut self, note: &Note<'_>) -> bool {
        match (note.name, note.kind) {
            (b"CORE", NT_PRSTATUS) => {
                let parsed = PtRegs::from_prstatus(note.content).zip(prstatus_pid(note.content));
                let Some((registers, pid)) = parsed else {
                    return false;
                };
                let index = self.cpus.len().try_into().unwrap_or(u32::MAX);
                self.cpus.push(CpuNote { index, pid, registers, qemu: None });
            }
            (b"VMCOREINFO", _) => {
                self.vmcoreinfo.get_or_insert_with(|| note.content.to_vec());
            }
            (b"QEMU", _) => match QemuCpu::parse(note.content) {
                Some(cpu) => self.qemu.push(cpu),
                None => return false,
            },
            _ => {}
        }
        true
    }

    /// Joins QEMU's notes to the CPUs: it writes all `CORE` notes first, then its own in the
    /// same order.
    pub(crate) fn into_parts(mut self) -> (Vec<CpuNote>, Option<Vec<u8>>) {
        for (cpu, state) in self.cpus.iter_mut().zip(self.qemu) {
            cpu.qemu = Some(state);
        }
        (self.cpus, self.vmcoreinfo)
    }
}

/// The notes of a section up to the first that is malformed.
pub(crate) fn each(section: &[u8]) -> impl Iterator<Item = Note<'_>> {
    notes_in(section).map_while(|(_, note)| note)
}

/// The notes of a section and where each begins; the last one is `None` if it is malformed.
fn notes_in(section: &[u8]) -> impl Iterator<Item = (usize, Option<Note<'_>>)> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let at = next.take()?;
        // The kernel ends a CPU's notes with an empty one, and pads sections with zeros.
        le::u32(section, at).filter(|name_length| *name_length != 0)?;
        let note = Note::parse(section, at);
        next = note.as_ref().map(|note| note.end);
        Some((at, note))
    })
}

/// One note, as it lies in its section.
pub(crate) struct Note<'s> {
    pub(crate) name: &'s [u8],
    pub(crate) kind: u32,
    pub(crate) content: &'s [u8],
    end: usize,
}

impl<'s> Note<'s> {
    fn parse(section: &'s [u8], at: usize) -> Option<Self> {
        let name_length = usize::try_from(le::u32(section, at)?).ok()?;
        let content_length = usize::try_from(le::u32(section, at.checked_add(4)?)?).ok()?;
        let kind = le::u32(section, at.checked_add(8)?)?;
        let name_at = at.checked_add(NOTE_HEADER)?;
        let name_end = name_at.checked_add(name_length)?;
        let name = section.get(name_at..name_end)?;
        let content_at = name_end.checked_next_multiple_of(4)?;
        let content_end = content_at.checked_add(content_length)?;
        let content = section.get(content_at..content_end)?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        Some(Self { name, kind, content, end: content_end.checked_next_multiple_of(4)? })
    }
}

impl QemuCpu {
    fn parse(content: &[u8]) -> Option<Self> {
        // u32 version, u32 size, 18 general registers of 8 bytes, then ten segments (cs ds es fs
        // gs ss ldt tr gdt idt) of 24 bytes with the base in their last 8, then cr0 to cr4.
        const SEGMENTS: usize = 8 + 18 * 8;
        const CONTROL: usize = SEGMENTS + 10 * 24;
        let control = |index: usize| le::u64(content, CONTROL + 8 * index);
        Some(Self {
            cr: [control(0)?, control(1)?, control(2)?, control(3)?, control(4)?],
            gs_base: le::u64(content, SEGMENTS + 4 * 24 + 16)?,
            kernel_gs_base: control(5),
        })
    }
}
