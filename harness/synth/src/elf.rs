// SPDX-License-Identifier: MIT OR Apache-2.0
//! ELF vmcores.

use crate::bytes::{Bytes, wide};
use crate::{Memory, PAGE, Page};

/// A `PT_LOAD` segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `p_vaddr`.
    pub virt: u64,
    /// `p_paddr`.
    pub phys: u64,
    /// Bytes in the file.
    pub stored: Vec<u8>,
    /// `p_memsz`.
    pub size: u64,
}

/// What to write.
#[derive(Debug, Clone, Default)]
pub struct Elf {
    /// The segments.
    pub segments: Vec<Segment>,
    /// The notes, one after another; none if empty.
    pub notes: Vec<u8>,
    /// Whether `e_flags` says that the writer ran out of space.
    pub incomplete: bool,
    /// Whether the number of program headers is in the first section header, as the kernel
    /// writes it when it does not fit in `e_phnum`.
    pub extended_numbering: bool,
}

impl Elf {
    /// The memory as `makedumpfile -E` writes it: a segment for each run of kept pages and the
    /// excluded ones that follow it. `virt` is where physical address 0 is mapped. A page that
    /// was not written cannot be told in this form and must not be there.
    #[must_use]
    pub fn of(memory: &Memory, virt: u64) -> Self {
        let mut segments: Vec<Segment> = Vec::new();
        let page_size = wide(PAGE);
        for (pfn, page) in &memory.pages {
            let phys = pfn * page_size;
            let grows = segments.last().is_some_and(|last| {
                let full = wide(last.stored.len()) == last.size;
                last.phys + last.size == phys && (full || *page == Page::Excluded)
            });
            if !grows {
                let virt = virt.wrapping_add(phys);
                segments.push(Segment { virt, phys, stored: Vec::new(), size: 0 });
            }
            let last = segments.last_mut().expect("just pushed");
            last.size += page_size;
            if let Page::Kept(bytes) = page {
                last.stored.extend(bytes);
            }
        }
        Self { segments, ..Self::default() }
    }

    /// The file: header, program headers, notes, data.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut file = Bytes::default();
        file.put(0, b"\x7fELF\x02\x01\x01");
        file.put_u16(16, 4);
        file.put_u16(18, 62);
        file.put_u32(20, 1);
        file.put_u32(48, u32::from(self.incomplete));
        file.put_u16(52, 64);
        file.put_u16(54, 56);
        let count = self.segments.len() + usize::from(!self.notes.is_empty());
        let mut table = 64;
        if self.extended_numbering {
            file.put_u16(56, 0xffff);
            file.put_u64(40, 64);
            file.put_u16(58, 64);
            file.put_u16(60, 1);
            file.put_u32(64 + 44, u32::try_from(count).expect("a number of segments"));
            table = 128;
        } else {
            file.put_u16(56, u16::try_from(count).expect("a small number of segments"));
        }
        file.put_u64(32, wide(table));
        file.put(table + 56 * count, &[]);
        let mut entry = table;
        if !self.notes.is_empty() {
            let at = file.0.len();
            file.put(at, &self.notes);
            header(&mut file, entry, 4, [wide(at), 0, 0, wide(self.notes.len()), 0]);
            entry += 56;
        }
        for Segment { virt, phys, stored, size } in &self.segments {
            // makedumpfile leaves the offset of a segment with nothing in the file at 0.
            let at = if stored.is_empty() { 0 } else { file.align(8) };
            file.put(file.0.len(), stored);
            header(&mut file, entry, 1, [wide(at), *virt, *phys, wide(stored.len()), *size]);
            entry += 56;
        }
        file.0
    }
}

/// A program header with its offset, virtual and physical address, size in file and in memory.
fn header(file: &mut Bytes, at: usize, kind: u32, fields: [u64; 5]) {
    file.put_u32(at, kind);
    for (index, value) in fields.iter().enumerate() {
        file.put_u64(at + 8 + 8 * index, *value);
    }
}
