// SPDX-License-Identifier: MIT OR Apache-2.0
//! The pages of a kdump-compressed dump.

use std::cell::RefCell;
use std::ops::Range;

use super::bitmap::{Bitmap, bit_is_set};
use super::descriptor::{DESCRIPTOR, Descriptor};
use super::header::Header;
use crate::cache::PageCache;
use crate::codec::Decoders;
use crate::read_at::{Span, fetch, fetch_available};
use crate::{Absent, Codec, Lost, Pfn, PhysAddr, Problem, ReadAt};

/// Descriptors looked at from the end to find out whether the file was cut, and from the start
/// to find out its compression.
const SAMPLE: u64 = 512;

/// The dump level that leaves out pages of zeros and nothing else, so that what is left out is known.
const ONLY_ZEROS: u32 = 1;

/// Finds, decompresses and keeps pages.
pub(crate) struct KdumpMemory {
    page_size: u64,
    max_pfn: u64,
    dump_level: u32,
    /// Where the bitmap of existing pages starts, if it is not the one of pages in the file.
    existing: Option<u64>,
    in_file: Bitmap,
    /// Where the descriptors start.
    table: u64,
    /// The pages that have a descriptor here, and how many set bits come before them.
    pages: Range<u64>,
    skipped: u64,
    state: RefCell<State>,
}

/// What reading changes.
struct State {
    cache: PageCache,
    decoders: Decoders,
}

/// Where a page stands.
enum Place {
    At(Descriptor),
    Excluded,
    NotRam,
}

impl KdumpMemory {
    /// Counts the bitmap. Reads nothing else.
    pub(crate) fn open(file: &dyn ReadAt, header: &Header) -> Self {
        let Span { offset, size } = header.bitmaps;
        let (existing, one) =
            if header.has_two_bitmaps() { (Some(offset), size / 2) } else { (None, size) };
        let in_file_at = if existing.is_some() { offset + one } else { offset };
        let bits = header.max_pfn.min(one.saturating_mul(8));
        let in_file = Bitmap::count(file, in_file_at, bits);
        let pages = match &header.split {
            Some(split) => split.start.0..split.end.0,
            None => 0..header.max_pfn,
        };
        let skipped =
            if pages.start == 0 { 0 } else { in_file.rank(file, pages.start).unwrap_or(0) };
        let page_size = usize::try_from(header.block_size).expect("at most 64 KiB");
        let state = State { cache: PageCache::new(page_size), decoders: Decoders::default() };
        Self {
            page_size: header.block_size,
            max_pfn: header.max_pfn,
            dump_level: header.dump_level,
            existing,
            in_file,
            table: header.bitmaps.end(),
            pages,
            skipped,
            state: RefCell::new(state),
        }
    }

    /// Fills `buffer` from `address` on.
    pub(crate) fn read(
        &self,
        file: &dyn ReadAt,
        address: PhysAddr,
        buffer: &mut [u8],
    ) -> Result<(), Absent> {
        let mut at = address.0;
        let mut rest = buffer;
        while !rest.is_empty() {
            let into = usize::try_from(at % self.page_size).expect("less than a page");
            let page_left = usize::try_from(self.page_size).expect("at most 64 KiB") - into;
            let (now, later) = rest.split_at_mut(page_left.min(rest.len()));
            self.read_in_page(file, PhysAddr(at), into, now)?;
            rest = later;
            if rest.is_empty() {
                break;
            }
            let Some(next) = at.checked_add(now.len().try_into().unwrap_or(u64::MAX)) else {
                return Err(Absent::NotRam { address: PhysAddr(u64::MAX) });
            };
            at = next;
        }
        Ok(())
    }

    #[expect(clippy::indexing_slicing, reason = "whoever reads ends at the end of the page")]
    fn read_in_page(
        &self,
        file: &dyn ReadAt,
        address: PhysAddr,
        into: usize,
        buffer: &mut [u8],
    ) -> Result<(), Absent> {
        let pfn = Pfn(address.0 / self.page_size);
        let mut state = self.state.borrow_mut();
        let State { cache, decoders } = &mut *state;
        let page = cache.get(pfn, |page| self.load(file, decoders, address, page))?;
        buffer.copy_from_slice(&page[into..into + buffer.len()]);
        Ok(())
    }

    /// Decompresses the page of `address`.
    fn load(
        &self,
        file: &dyn ReadAt,
        decoders: &mut Decoders,
        address: PhysAddr,
        page: &mut [u8],
    ) -> Result<(), Absent> {
        let pfn = Pfn(address.0 / self.page_size);
        let lost = |why| Absent::Lost { address, why };
        let descriptor = match self.place(file, pfn).map_err(lost)? {
            Place::At(descriptor) => descriptor,
            Place::NotRam => return Err(Absent::NotRam { address }),
            // makedumpfile's level adds up when a dump is filtered again.
            Place::Excluded if self.dump_level == ONLY_ZEROS => {
                page.fill(0);
                return Ok(());
            }
            Place::Excluded => {
                return Err(Absent::Excluded { address, dump_level: Some(self.dump_level) });
            }
        };
        if !descriptor.is_written() {
            return Err(lost(Lost::NotWritten));
        }
        let Descriptor { offset, size, flags } = descriptor;
        let codec = descriptor
            .codec(self.page_size)
            .ok_or_else(|| lost(Lost::Descriptor { pfn, size, flags }))?;
        let data = fetch(file, offset, size.into()).map_err(|error| lost(error.into()))?;
        decoders
            .decompress(codec, &data, page)
            .ok_or_else(|| lost(Lost::Corrupt { pfn, codec, offset }))
    }

    fn place(&self, file: &dyn ReadAt, pfn: Pfn) -> Result<Place, Lost> {
        if pfn.0 >= self.max_pfn {
            return Ok(Place::NotRam);
        }
        let Some(rank) = self.in_file.rank_if_set(file, pfn.0)? else {
            let exists = match self.existing {
                Some(offset) => bit_is_set(file, offset, pfn.0)?,
                None => false,
            };
            return Ok(if exists { Place::Excluded } else { Place::NotRam });
        };
        if !self.pages.contains(&pfn.0) {
            return Err(Lost::OtherFile { pfn });
        }
        let index = rank.saturating_sub(self.skipped);
        Ok(Place::At(Descriptor::read(file, self.table, index)?))
    }

    /// Number of descriptors in this file.
    fn descriptors(&self, file: &dyn ReadAt) -> u64 {
        let end = self.in_file.rank(file, self.pages.end).unwrap_or(self.in_file.total());
        end.saturating_sub(self.skipped)
    }

    /// Bytes of the pages whose data is in this file.
    pub(crate) fn bytes_in_file(&self, file: &dyn ReadAt) -> u64 {
        self.descriptors(file).saturating_mul(self.page_size)
    }

    /// Bytes of memory that existed.
    pub(crate) fn bytes_existing(&self, file: &dyn ReadAt) -> u64 {
        let pages = match self.existing {
            Some(offset) => Bitmap::count(file, offset, self.in_file.bits()).total(),
            None => self.in_file.total(),
        };
        pages.saturating_mul(self.page_size)
    }

    /// The compression of the first pages that are compressed.
    pub(crate) fn sample_compression(&self, file: &dyn ReadAt) -> Option<Codec> {
        let count = self.descriptors(file).min(SAMPLE);
        let bytes = fetch_available(file, self.table, count * DESCRIPTOR).ok()?;
        let size = usize::try_from(DESCRIPTOR).ok()?;
        let codecs = bytes.chunks_exact(size).filter_map(Descriptor::parse);
        let mut codecs = codecs.filter_map(|descriptor| descriptor.codec(self.page_size));
        let first = codecs.next()?;
        Some(
            std::iter::once(first)
                .chain(codecs)
                .find(|codec| *codec != Codec::Raw)
                .unwrap_or(first),
        )
    }

    /// What the lengths of bitmap, descriptors and data say about a file that was cut. Looks
    /// at the last descriptors only: data is written in the order of the pages, apart from the
    /// one page of zeros that all such pages share.
    pub(crate) fn problems(&self, file: &dyn ReadAt, problems: &mut Vec<Problem>) {
        if self.in_file.bits() < self.max_pfn {
            let (pages, max_pfn) = (self.in_file.bits(), self.max_pfn);
            problems.push(Problem::BitmapShort { pages, max_pfn });
        }
        let count = self.descriptors(file);
        let table_end = self.table.saturating_add(count.saturating_mul(DESCRIPTOR));
        let mut needed = table_end;
        for index in (count.saturating_sub(SAMPLE)..count).rev() {
            let Ok(descriptor) = Descriptor::read(file, self.table, index) else { break };
            needed = needed.max(descriptor.end());
        }
        let length = file.len();
        if needed > length {
            problems.push(Problem::FileCut { needed, length });
        }
    }

    /// First byte past everything that the headers and descriptors point at.
    pub(crate) fn end(&self, file: &dyn ReadAt) -> Result<u64, crate::Error> {
        let cut = |source| crate::Error::Cut { what: "page descriptors", source };
        let count = self.descriptors(file);
        let mut end = self.table;
        let mut index = 0;
        while index < count {
            let chunk = SAMPLE.min(count - index);
            let offset = self.table.saturating_add(index.saturating_mul(DESCRIPTOR));
            let bytes = fetch(file, offset, chunk * DESCRIPTOR).map_err(cut)?;
            end = end.max(offset.saturating_add(chunk * DESCRIPTOR));
            for entry in bytes.chunks_exact(usize::try_from(DESCRIPTOR).unwrap_or(usize::MAX)) {
                let descriptor = Descriptor::parse(entry).expect("a whole descriptor");
                if descriptor.is_written() && descriptor.codec(self.page_size).is_none() {
                    let value = descriptor.size.into();
                    return Err(crate::Error::Malformed { what: "page descriptor", offset, value });
                }
                end = end.max(if descriptor.is_written() { descriptor.end() } else { 0 });
            }
            index += chunk;
        }
        Ok(end)
    }
}
