// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an ELF file is that is no vmcore (`include/uapi/linux/elf.h`).

use std::borrow::Cow;

use super::kinds::Foreign;
use crate::machine::{Machine, Order};
use crate::read_at::{Span, fetch};
use crate::{ReadAt, le};

const ELF_HEADER: u64 = 64;
const PROGRAM_HEADER: usize = 56;
const SECTION_HEADER: usize = 64;
const ET_REL: u16 = 1;
const ET_CORE: u16 = 4;
const EM_X86_64: u16 = 62;
const PT_LOAD: u32 = 1;
/// `SHN_XINDEX`: the index of the section of names is elsewhere.
const SHN_XINDEX: u16 = 0xffff;
/// `NT_PRPSINFO`, `NT_AUXV`, `NT_FILE` of a process, under the name `CORE`.
const NT_PRPSINFO: u32 = 3;
const NT_AUXV: u32 = 6;
const NT_FILE: u32 = 0x4649_4c45;
/// `pr_fname` in `struct elf_prpsinfo` of x86-64 (`include/linux/elfcore.h`).
const PR_FNAME: std::ops::Range<usize> = 40..56;
/// What `/proc/kcore` has for `pr_fname` (`fs/proc/kcore.c`).
const KCORE: &[u8] = b"vmlinux";
/// Where the kernel maps itself (`__START_KERNEL_map`).
const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;
/// The section that makes an object a module (`scripts/module.lds.S`).
const THIS_MODULE: &[u8] = b".gnu.linkonce.this_module";
/// The section with the pages of a Xen domain (Xen's `docs/misc/dump-core-format.txt`).
const XEN_PAGES: &[u8] = b".xen_pages";

/// Who an ELF header says it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ElfIdentity {
    order: Order,
    kind: u16,
    machine: u16,
}

impl ElfIdentity {
    /// From the first bytes of a file, in whatever order it has its integers. `None` if there are
    /// too few, or if no machine has such a class or order.
    pub(crate) fn parse(header: &[u8]) -> Option<Self> {
        let is_wide = match header.get(4)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let is_little = match header.get(5)? {
            1 => true,
            2 => false,
            _ => return None,
        };
        let half = |at| {
            let value = le::u16(header, at)?;
            Some(if is_little { value } else { value.swap_bytes() })
        };
        let order = Order { is_wide, is_little };
        Some(Self { order, kind: half(16)?, machine: half(18)? })
    }

    /// Whether it is a core file.
    pub(crate) fn is_core(self) -> bool {
        self.kind == ET_CORE
    }

    /// The machine, `None` if it is x86-64.
    pub(crate) fn other_machine(self) -> Option<Machine> {
        let is_ours = self.machine == EM_X86_64 && self.order.is_wide && self.order.is_little;
        (!is_ours).then(|| Machine::of_elf(self.machine, self.order))
    }
}

/// What an ELF file is that is no core file.
pub(crate) fn program(file: &dyn ReadAt, identity: ElfIdentity) -> Foreign {
    let is_ours = identity.other_machine().is_none();
    if identity.kind == ET_REL {
        let is_module = is_ours && has_section(file, THIS_MODULE);
        return if is_module { Foreign::Module } else { Foreign::Object };
    }
    if is_ours && is_mapped_as_kernel(file) { Foreign::Kernel } else { Foreign::Program }
}

/// What the program headers of a core file say of where memory is.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    count: u64,
    at_zero: u64,
    nowhere: u64,
}

impl Segments {
    /// Counts a `PT_LOAD` by its `p_paddr`.
    pub(crate) fn count(&mut self, physical: u64) {
        self.count += 1;
        self.at_zero += u64::from(physical == 0);
        self.nowhere += u64::from(physical == u64::MAX);
    }

    /// What a core file of x86-64 is if it is none of physical memory.
    ///
    /// Situation: a core of a process has its memory at virtual addresses, and its segments no
    /// physical ones: all are 0 (`fs/binfmt_elf.c`, gdb's `gcore`). `/proc/kcore` has none for what
    /// is mapped page by page, -1 since 4.18, and for nothing at all before. Netdump wrote notes
    /// like those of `/proc/kcore`, and physical addresses.
    pub(crate) fn foreign(&self, file: &dyn ReadAt, notes: &[Span]) -> Option<Foreign> {
        if self.count == 0 {
            return has_section(file, XEN_PAGES).then_some(Foreign::XenCore);
        }
        let none_has_one = self.at_zero == self.count;
        if !none_has_one && self.nowhere == 0 {
            return None;
        }
        let said = notes.iter().find_map(|section| Process::of(file, *section))?;
        if said.name.as_deref() == Some(KCORE) {
            return Some(Foreign::Kcore);
        }
        let name = said.name.map(|name| String::from_utf8_lossy(&name).into_owned());
        none_has_one.then_some(Foreign::Process { name })
    }
}

/// What the notes of a process say.
struct Process {
    name: Option<Vec<u8>>,
}

impl Process {
    /// From a section of notes, `None` if it has none of a process.
    fn of(file: &dyn ReadAt, section: Span) -> Option<Self> {
        let bytes = fetch(file, section.offset, section.size).ok()?;
        let mut is_process = false;
        for note in crate::notes::each(&bytes) {
            if note.name != b"CORE" {
                continue;
            }
            if note.kind == NT_PRPSINFO {
                let field = note.content.get(PR_FNAME)?;
                let name = field.split(|byte| *byte == 0).next().unwrap_or_default();
                return Some(Self { name: Some(name.to_vec()) });
            }
            is_process |= [NT_AUXV, NT_FILE].contains(&note.kind);
        }
        is_process.then_some(Self { name: None })
    }
}

/// Whether a 64-bit file has a segment where the kernel maps itself.
fn is_mapped_as_kernel(file: &dyn ReadAt) -> bool {
    let table = || {
        let header = fetch(file, 0, ELF_HEADER).ok()?;
        let (table, count) = (le::u64(&header, 32)?, le::u16(&header, 56)?);
        fetch(file, table, u64::from(count).checked_mul(PROGRAM_HEADER.try_into().ok()?)?).ok()
    };
    table().is_some_and(|table| {
        table.chunks_exact(PROGRAM_HEADER).any(|entry| {
            let address = le::u64(entry, 16);
            le::u32(entry, 0) == Some(PT_LOAD) && address.is_some_and(|at| at >= KERNEL_MAP)
        })
    })
}

/// Whether a 64-bit file has a section of a name.
fn has_section(file: &dyn ReadAt, name: &[u8]) -> bool {
    let Some((sections, strings)) = sections(file) else { return false };
    let is_named = |section: &[u8]| {
        let at = strings.checked_add(le::u32(section, 0)?.into())?;
        let found = fetch(file, at, u64::try_from(name.len()).ok()?.checked_add(1)?).ok()?;
        Some(found.strip_prefix(name)? == b"\0")
    };
    sections.chunks_exact(SECTION_HEADER).any(|section| is_named(section) == Some(true))
}

/// The section headers, and where their names are in the file.
fn sections(file: &dyn ReadAt) -> Option<(Cow<'_, [u8]>, u64)> {
    let size = u64::try_from(SECTION_HEADER).ok()?;
    let header = fetch(file, 0, ELF_HEADER).ok()?;
    let table = le::u64(&header, 40)?;
    let first = fetch(file, table, size).ok()?;
    // A number that does not fit in its field is in the first header.
    let count = match le::u16(&header, 60)? {
        0 => le::u64(&first, 32)?,
        count => count.into(),
    };
    let names = match le::u16(&header, 62)? {
        SHN_XINDEX => le::u32(&first, 40)?,
        names => names.into(),
    };
    let table = fetch(file, table, count.checked_mul(size)?).ok()?;
    let strings = table.chunks_exact(SECTION_HEADER).nth(usize::try_from(names).ok()?)?;
    let strings = le::u64(strings, 24)?;
    Some((table, strings))
}
