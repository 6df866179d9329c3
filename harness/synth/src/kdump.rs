// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kdump-compressed format, as makedumpfile lays it out on x86-64.

use crate::bytes::{Bytes, wide};
use crate::{Memory, PAGE, Packing, Page, notes};

/// A stretch of the file that tests damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// First byte.
    pub start: usize,
    /// First byte past it.
    pub end: usize,
}

/// What to write; [`Kdump::new`] fills it in as makedumpfile does.
#[derive(Debug, Clone)]
pub struct Kdump {
    /// Version of the header, 1 to 6.
    pub version: i32,
    /// Bytes in a block.
    pub block_size: usize,
    /// Compression asked for.
    pub packing: Packing,
    /// Whether the header's status names the compression; old writers leave it out.
    pub status_names_packing: bool,
    /// Whether the header's status says that the writer ran out of space.
    pub incomplete: bool,
    /// Dump level.
    pub dump_level: u32,
    /// `phys_base` in the sub-header.
    pub phys_base: i64,
    /// CPUs in the header.
    pub nr_cpus: u32,
    /// `machine` in the header.
    pub machine: &'static str,
    /// `release` in the header.
    pub release: &'static str,
    /// The notes, one after another.
    pub notes: Vec<u8>,
    /// Text of VMCOREINFO that the sub-header points at, apart from the notes.
    pub vmcoreinfo: String,
    /// Bytes of erase information at the end of the file.
    pub erase_info: Vec<u8>,
    /// Whether there is only one bitmap.
    pub one_bitmap: bool,
    /// The page numbers of which this file of a split set has the data.
    pub split: Option<(u64, u64)>,
    /// Whether it is written as QEMU does: no names but the machine, VMCOREINFO at the end of the
    /// notes and nowhere else, a page of zeros before all others.
    pub by_qemu: bool,
}

/// The finished file and where its parts are.
#[derive(Debug, Clone)]
pub struct KdumpFile {
    /// The file.
    pub bytes: Vec<u8>,
    /// Both bitmaps.
    pub bitmaps: Part,
    /// The page descriptors.
    pub descriptors: Part,
    /// The pages' data.
    pub data: Part,
}

impl Default for Kdump {
    fn default() -> Self {
        Self::new(Packing::Lzo)
    }
}

impl Kdump {
    /// A dump as makedumpfile 1.7 writes it at level 31.
    #[must_use]
    pub fn new(packing: Packing) -> Self {
        Self {
            version: 6,
            block_size: PAGE,
            packing,
            status_names_packing: true,
            incomplete: false,
            dump_level: 31,
            phys_base: 0,
            nr_cpus: 1,
            machine: "x86_64",
            release: "6.1.0-synth",
            notes: Vec::new(),
            vmcoreinfo: String::new(),
            erase_info: Vec::new(),
            one_bitmap: false,
            split: None,
            by_qemu: false,
        }
    }

    /// A dump as QEMU 10 writes it (`dump/dump.c`): it knows no names of the guest, its program is
    /// for more machines than one, and `phys_base` is what the guest told by VMCOREINFO, or 0.
    #[must_use]
    pub fn by_qemu(packing: Packing) -> Self {
        Self { machine: "Unknown", release: "", dump_level: 1, by_qemu: true, ..Self::new(packing) }
    }

    /// The file.
    #[must_use]
    pub fn write(&self, memory: &Memory) -> Vec<u8> {
        self.write_parts(memory).bytes
    }

    /// The file and where its parts are.
    #[must_use]
    pub fn write_parts(&self, memory: &Memory) -> KdumpFile {
        let mut file = Bytes::default();
        self.main_header(&mut file, memory);
        let sub_blocks = self.sub_header(&mut file, memory);
        file.put_u32(432, sub_blocks);
        let bitmaps = self.bitmaps(&mut file, memory);
        let (descriptors, data) = self.pages(&mut file, memory);
        if !self.erase_info.is_empty() {
            let at = file.0.len();
            file.put(at, &self.erase_info);
            file.put_u64(self.block_size + 64, wide(at));
            file.put_u64(self.block_size + 72, wide(self.erase_info.len()));
        }
        KdumpFile { bytes: file.0, bitmaps, descriptors, data }
    }

    fn main_header(&self, file: &mut Bytes, memory: &Memory) {
        file.put(0, b"KDUMP   ");
        file.put(8, &self.version.to_le_bytes());
        let names = match self.by_qemu {
            true => ["", "", "", "", self.machine, ""],
            false => ["Linux", "synth", self.release, "#1 SMP", self.machine, "(none)"],
        };
        for (index, name) in names.iter().enumerate() {
            file.put(12 + 65 * index, name.as_bytes());
        }
        let packing = if self.status_names_packing { self.packing.flag() } else { 0 };
        file.put_u32(424, packing | if self.incomplete { 8 } else { 0 });
        file.put_u32(428, small(self.block_size));
        file.put_u32(440, u32::try_from(memory.max_pfn()).unwrap_or(u32::MAX));
        file.put_u32(460, self.nr_cpus);
        file.align(self.block_size);
    }

    /// Gives the number of blocks it takes.
    fn sub_header(&self, file: &mut Bytes, memory: &Memory) -> u32 {
        let at = self.block_size;
        let since = |version: i32| self.version >= version;
        file.put(at, &self.phys_base.to_le_bytes());
        file.put_u32(at + 8, self.dump_level);
        let mut end = at + 104;
        if let Some((first, past)) = self.split.filter(|_| since(2)) {
            file.put_u32(at + 12, 1);
            file.put_u64(at + if since(6) { 80 } else { 16 }, first);
            file.put_u64(at + if since(6) { 88 } else { 24 }, past);
        }
        if since(3) && !self.vmcoreinfo.is_empty() && !self.by_qemu {
            file.put(end, self.vmcoreinfo.as_bytes());
            file.put_u64(at + 32, wide(end));
            file.put_u64(at + 40, wide(self.vmcoreinfo.len()));
            end = file.align(4);
        }
        let mut notes = self.notes.clone();
        if self.by_qemu && !self.vmcoreinfo.is_empty() {
            notes.extend(notes::vmcoreinfo(&self.vmcoreinfo));
            // The note's header of three words, its name in twelve bytes.
            let text = end + self.notes.len() + 24;
            file.put_u64(at + 32, wide(text));
            file.put_u64(at + 40, wide(self.vmcoreinfo.len()));
        }
        if since(4) && !notes.is_empty() {
            file.put(end, &notes);
            file.put_u64(at + 48, wide(end));
            file.put_u64(at + 56, wide(notes.len()));
        }
        if since(6) {
            file.put_u64(at + 96, memory.max_pfn());
        }
        small(file.align(self.block_size) / self.block_size - 1)
    }

    fn bitmaps(&self, file: &mut Bytes, memory: &Memory) -> Part {
        let bytes = usize::try_from(memory.max_pfn().div_ceil(8)).expect("a small machine");
        let size = bytes.next_multiple_of(self.block_size);
        let mut existing = vec![0; size];
        let mut dumped = vec![0; size];
        for (pfn, page) in &memory.pages {
            let byte = usize::try_from(pfn / 8).expect("a small machine");
            existing[byte] |= 1 << (pfn % 8);
            if *page != Page::Excluded {
                dumped[byte] |= 1 << (pfn % 8);
            }
        }
        let start = file.0.len();
        if !self.one_bitmap {
            file.put(start, &existing);
        }
        file.put(file.0.len(), &dumped);
        let end = file.0.len();
        file.put_u32(436, small((end - start) / self.block_size));
        Part { start, end }
    }

    /// Writes descriptors and data. All pages of zeros share the first page's data.
    fn pages(&self, file: &mut Bytes, memory: &Memory) -> (Part, Part) {
        let here = |pfn: u64| self.split.is_none_or(|(first, past)| (first..past).contains(&pfn));
        let pages =
            memory.pages.iter().filter(|(pfn, page)| here(**pfn) && **page != Page::Excluded);
        let table = file.0.len();
        let start = table + 24 * pages.clone().count();
        file.put(start, &[]);
        let mut zero_page = self.by_qemu.then(|| {
            file.put(start, &vec![0; self.block_size]);
            (start, self.block_size, 0)
        });
        for (index, (_, page)) in pages.enumerate() {
            let Page::Kept(bytes) = page else {
                file.put(table + 24 * index, &[0; 24]);
                continue;
            };
            let is_zero = bytes.iter().all(|byte| *byte == 0);
            let (at, size, flags) = match zero_page.filter(|_| is_zero) {
                Some(known) => known,
                None => {
                    let (data, flags) = self.packing.pack(bytes);
                    let at = file.0.len();
                    file.put(at, &data);
                    (at, data.len(), flags)
                }
            };
            if is_zero {
                zero_page = Some((at, size, flags));
            }
            file.put_u64(table + 24 * index, wide(at));
            file.put_u32(table + 24 * index + 8, small(size));
            file.put_u32(table + 24 * index + 12, flags);
        }
        (Part { start: table, end: start }, Part { start, end: file.0.len() })
    }
}

fn small(value: usize) -> u32 {
    value.try_into().expect("fits in a header field")
}
