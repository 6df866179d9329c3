// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes an [`Image`] as a kdump-compressed file, as makedumpfile does.
//!
//! Written from makedumpfile's `IMPLEMENTATION` and `diskdump_mod.h`: header, sub header with the
//! notes, a bitmap of the pages that exist and one of those in the file, a descriptor for each
//! page in the file, the pages. At dump level 1 no page of zeros is in the file of its own, but each
//! has a descriptor: all of them lead to one page of zeros, the first of the pages. So do
//! makedumpfile and QEMU; to `crash` a page without a descriptor is one that cannot be read.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::image::{Image, Stretch};
use super::pages::{Packed, Pages, Place};

const BLOCK: usize = 4096;
/// Bytes of `struct kdump_sub_header`.
const SUB_HEADER: usize = 104;
/// Bytes of `struct page_desc`.
const DESCRIPTOR: usize = 24;
/// The format's version, the first with 64-bit page numbers.
const VERSION: u32 = 6;
/// `DUMP_DH_COMPRESSED_ZLIB`, in the header and in a descriptor.
const ZLIB: u32 = 1;
/// Pages of zeros have no data of their own.
const LEVEL: u32 = 1;
/// Bytes of descriptors that are written at once.
const AT_ONCE: usize = 1 << 20;

/// Writes the image to the start of an empty file; the bytes written.
///
/// # Errors
/// The file cannot be written.
pub fn write(image: &Image, file: &File) -> io::Result<u64> {
    let layout = Layout::of(image);
    let pages = Pages::of(image)?;
    file.write_all_at(&layout.header(image), 0)?;
    file.write_all_at(&layout.sub_header(image), u64_of(BLOCK))?;
    let bitmap = pages.bitmap(layout.bitmap);
    // Of the pages that exist, and of those in the file: each has a descriptor.
    file.write_all_at(&bitmap, layout.bitmaps_at)?;
    file.write_all_at(&bitmap, layout.bitmaps_at + u64_of(layout.bitmap))?;
    let table_at = layout.bitmaps_at + u64_of(2 * layout.bitmap);
    let zeros_at = table_at + pages.count() * u64_of(DESCRIPTOR);
    file.write_all_at(&[0; BLOCK], zeros_at)?;
    let mut end = zeros_at + u64_of(BLOCK);
    pages.compressed(|packed| {
        let mut table = Table::at(file, table_at + packed.pages.start * u64_of(DESCRIPTOR));
        table.put(&packed, zeros_at, end)?;
        file.write_all_at(&packed.data, end)?;
        end += u64_of(packed.data.len());
        Ok(())
    })?;
    Ok(end)
}

/// Writes descriptors one after the other, many at once.
struct Table<'f> {
    file: &'f File,
    at: u64,
    waiting: Vec<u8>,
}

impl<'f> Table<'f> {
    fn at(file: &'f File, at: u64) -> Self {
        Self { file, at, waiting: Vec::new() }
    }

    /// Of all the pages, where the data of the first that holds something is at `data_at`.
    fn put(&mut self, packed: &Packed, zeros_at: u64, mut data_at: u64) -> io::Result<()> {
        let mut next = packed.pages.start;
        for Place { rank, size, compressed } in &packed.places {
            self.zeros(next..*rank, zeros_at)?;
            self.add(data_at, *size, if *compressed { ZLIB } else { 0 })?;
            data_at += u64_of(*size);
            next = rank + 1;
        }
        self.zeros(next..packed.pages.end, zeros_at)?;
        self.flush()
    }

    fn zeros(&mut self, pages: Range<u64>, zeros_at: u64) -> io::Result<()> {
        pages.into_iter().try_for_each(|_| self.add(zeros_at, BLOCK, 0))
    }

    /// `struct page_desc`: offset, bytes, compression, page flags (unused).
    fn add(&mut self, at: u64, size: usize, flags: u32) -> io::Result<()> {
        self.waiting.extend(at.to_le_bytes());
        self.waiting.extend(u32_of(size).to_le_bytes());
        self.waiting.extend(flags.to_le_bytes());
        self.waiting.extend(0_u64.to_le_bytes());
        if self.waiting.len() >= AT_ONCE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.waiting, self.at)?;
        self.at += u64_of(self.waiting.len());
        self.waiting.clear();
        Ok(())
    }
}

/// Where things are in the file.
struct Layout {
    /// Blocks of the sub header and the notes behind it.
    sub_blocks: usize,
    /// Bytes of one bitmap.
    bitmap: usize,
    bitmaps_at: u64,
    max_page: u64,
}

impl Layout {
    fn of(image: &Image) -> Self {
        let sub_blocks = (SUB_HEADER + image.notes().len()).div_ceil(BLOCK);
        let end = image.stretches().last().map_or(0, Stretch::end);
        let max_page = end / 4096;
        let bytes = usize::try_from(max_page.div_ceil(8)).unwrap_or(usize::MAX);
        Self {
            sub_blocks,
            bitmap: bytes.next_multiple_of(BLOCK),
            bitmaps_at: u64_of((1 + sub_blocks) * BLOCK),
            max_page,
        }
    }

    /// `struct disk_dump_header`.
    fn header(&self, image: &Image) -> Vec<u8> {
        let mut header = vec![0; BLOCK];
        let mut put = |at: usize, bytes: &[u8]| {
            header[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(0, b"KDUMP   ");
        put(8, &VERSION.to_le_bytes());
        put(12, image.uts());
        let numbers = [
            (424, ZLIB),
            (428, u32_of(BLOCK)),
            (432, u32_of(self.sub_blocks)),
            (436, u32_of(2 * self.bitmap / BLOCK)),
            (440, u32::try_from(self.max_page).unwrap_or(u32::MAX)),
            (460, image.cpus()),
        ];
        for (at, number) in numbers {
            put(at, &number.to_le_bytes());
        }
        header
    }

    /// `struct kdump_sub_header`, then the notes.
    fn sub_header(&self, image: &Image) -> Vec<u8> {
        let mut header = vec![0; SUB_HEADER];
        let notes_at = BLOCK + SUB_HEADER;
        let info = image.vmcoreinfo();
        let mut put = |at: usize, value: u64| {
            header[at..at + 8].copy_from_slice(&value.to_le_bytes());
        };
        put(0, image.phys_base().unwrap_or_default().cast_unsigned());
        // dump_level and split share a word.
        put(8, LEVEL.into());
        put(32, u64_of(notes_at + info.start));
        put(40, u64_of(info.len()));
        put(48, u64_of(notes_at));
        put(56, u64_of(image.notes().len()));
        put(88, self.max_page);
        put(96, self.max_page);
        header.extend(image.notes());
        header
    }
}

fn u64_of(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// Of a number that is far below the limit.
fn u32_of(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
