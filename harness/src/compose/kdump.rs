// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes an [`Image`] as a kdump-compressed file, as makedumpfile does.
//!
//! Written from makedumpfile's `IMPLEMENTATION` and `diskdump_mod.h`: header, sub header with the
//! notes, a bitmap of the pages that exist and one of those in the file, a descriptor for each
//! page in the file, the pages. Pages of zeros are left out (dump level 1).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::image::Image;
use super::pages::{Packed, Pages};

const BLOCK: usize = 4096;
/// Bytes of `struct kdump_sub_header`.
const SUB_HEADER: usize = 104;
/// Bytes of `struct page_desc`.
const DESCRIPTOR: usize = 24;
/// The format's version, the first with 64-bit page numbers.
const VERSION: u32 = 6;
/// `DUMP_DH_COMPRESSED_ZLIB`, in the header and in a descriptor.
const ZLIB: u32 = 1;
/// Pages of zeros are not in the file.
const LEVEL: u32 = 1;

/// Writes the image to the start of an empty file; the bytes written.
///
/// # Errors
/// The file cannot be written.
pub fn write(image: &Image, file: &File) -> io::Result<u64> {
    let layout = Layout::of(image);
    let pages = Pages::of(image)?;
    file.write_all_at(&layout.header(image), 0)?;
    file.write_all_at(&layout.sub_header(image), u64_of(BLOCK))?;
    file.write_all_at(&pages.bitmaps(layout.bitmap), layout.bitmaps_at)?;
    let descriptors_at = layout.bitmaps_at + u64_of(2 * layout.bitmap);
    let mut end = descriptors_at + u64_of(pages.count() * DESCRIPTOR);
    pages.compressed(|packed| {
        let at = descriptors_at + u64_of(packed.pages.start * DESCRIPTOR);
        file.write_all_at(&descriptors(&packed, end), at)?;
        file.write_all_at(&packed.data, end)?;
        end += u64_of(packed.data.len());
        Ok(())
    })?;
    Ok(end)
}

/// `struct page_desc` of each page: offset, bytes, compression, page flags (unused).
fn descriptors(packed: &Packed, mut at: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(packed.sizes.len() * DESCRIPTOR);
    for (size, compressed) in &packed.sizes {
        bytes.extend(at.to_le_bytes());
        bytes.extend(u32_of(*size).to_le_bytes());
        bytes.extend(if *compressed { ZLIB } else { 0 }.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        at += u64_of(*size);
    }
    bytes
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
        let end = image.stretches().last().map_or(0, |last| last.address + last.bytes);
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
