// SPDX-License-Identifier: MIT OR Apache-2.0
//! The pages of an image, and which of them are worth writing.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::image::{Image, Stretch};

const PAGE: usize = 4096;
/// Pages that are compressed in one go, 4 MiB.
const GO: usize = 1024;
/// Goes that may wait for the disk.
const WAITING: usize = 8;
/// Most threads that compress; the analysis has a CPU of its own.
const MOST_THREADS: usize = 8;

/// The pages of the memory: those that hold something else than zeros, and how many there are.
#[derive(Debug)]
pub(super) struct Pages<'i> {
    image: &'i Image,
    filled: Vec<Filled>,
    /// Pages before those of each stretch.
    before: Vec<u64>,
    /// All pages, zeros too.
    count: u64,
}

/// A page that holds something else than zeros.
#[derive(Debug, Clone, Copy)]
struct Filled {
    /// Its number.
    number: u64,
    /// The stretch with the page.
    stretch: usize,
}

/// Compressed pages that follow each other among those that hold something, and how many of zeros
/// lie between them.
#[derive(Debug)]
pub(super) struct Packed {
    /// Which of all pages they and the zeros between them are.
    pub(super) pages: Range<u64>,
    /// Of each that holds something.
    pub(super) places: Vec<Place>,
    /// Their data, one after the other.
    pub(super) data: Vec<u8>,
}

/// Where a page stands among all pages, and what its data is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Pages before it.
    pub(super) rank: u64,
    /// Bytes of its data.
    pub(super) size: usize,
    /// Whether they are compressed.
    pub(super) compressed: bool,
}

impl<'i> Pages<'i> {
    /// Looks at all pages that were ever written to.
    pub(super) fn of(image: &'i Image) -> io::Result<Self> {
        let (mut filled, mut before, mut count) = (Vec::new(), Vec::new(), 0);
        for (index, stretch) in image.stretches().iter().enumerate() {
            before.push(count);
            count += stretch.bytes / 4096;
            let content = image.stretch(stretch);
            let mut at = 0;
            while let Some(data) = image.data(stretch, at)? {
                let pages = content.get(data.clone()).unwrap_or_default().chunks_exact(PAGE);
                let first = number(stretch, data.start);
                filled.extend(
                    (first..)
                        .zip(pages)
                        .filter(|(_, page)| !is_zero(page))
                        .map(|(number, _)| Filled { number, stretch: index }),
                );
                at = data.end;
            }
        }
        Ok(Self { image, filled, before, count })
    }

    /// Number of pages, with those of zeros.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// A bitmap of so many bytes, of the pages that exist.
    pub(super) fn bitmap(&self, bytes: usize) -> Vec<u8> {
        let mut bits = vec![0; bytes];
        for stretch in self.image.stretches() {
            let pages = stretch.bytes / 4096;
            let first = stretch.address / 4096;
            for number in first..first + pages {
                let at = usize::try_from(number / 8).ok().and_then(|at| bits.get_mut(at));
                if let Some(byte) = at {
                    *byte |= 1 << (number % 8);
                }
            }
        }
        bits
    }

    /// Pages before a page.
    fn rank(&self, page: Filled) -> Option<u64> {
        let stretch = self.image.stretches().get(page.stretch)?;
        Some(self.before.get(page.stretch)? + (page.number - stretch.address / 4096))
    }

    /// Compresses them on all CPUs and hands them over as they come, in any order.
    pub(super) fn compressed(
        &self,
        mut take: impl FnMut(Packed) -> io::Result<()>,
    ) -> io::Result<()> {
        let next = AtomicUsize::new(0);
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        thread::scope(|scope| {
            let (sender, results) = sync_channel(WAITING);
            for _ in 0..threads {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    let mut packer = Packer::new();
                    while let Some(packed) =
                        self.go(next.fetch_add(1, Ordering::Relaxed), &mut packer)
                    {
                        // The one who takes them has failed.
                        if sender.send(packed).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            results.into_iter().try_for_each(&mut take)
        })
    }

    /// The pages of one go, with the pages of zeros up to the next one; `None` when all are done.
    fn go(&self, go: usize, packer: &mut Packer) -> Option<Packed> {
        let start = go.checked_mul(GO)?;
        // Memory of nothing but zeros is one go, too.
        if start >= self.filled.len().max(1) {
            return None;
        }
        let end = start.saturating_add(GO);
        let first = if go == 0 { 0 } else { self.rank(*self.filled.get(start)?)? };
        let past = self.filled.get(end).map_or(Some(self.count), |page| self.rank(*page))?;
        let mut packed = Packed { pages: first..past, places: Vec::new(), data: Vec::new() };
        for page in self.filled.get(start..end.min(self.filled.len()))? {
            let stretch = self.image.stretches().get(page.stretch)?;
            let at = usize::try_from(page.number * 4096 - stretch.address).ok()?;
            let bytes = self.image.stretch(stretch).get(at..at + PAGE)?;
            let small = packer.pack(bytes);
            packed.places.push(Place {
                rank: self.rank(*page)?,
                size: small.map_or(PAGE, <[u8]>::len),
                compressed: small.is_some(),
            });
            packed.data.extend_from_slice(small.unwrap_or(bytes));
        }
        Some(packed)
    }
}

/// Compresses pages by zlib at its fastest: every reader of dumps knows it.
struct Packer {
    zlib: Compress,
    buffer: Vec<u8>,
}

impl Packer {
    fn new() -> Self {
        // One byte less than a page: what is not smaller stays as it is.
        Self { zlib: Compress::new(Compression::fast(), true), buffer: vec![0; PAGE - 1] }
    }

    fn pack(&mut self, page: &[u8]) -> Option<&[u8]> {
        self.zlib.reset();
        let status = self.zlib.compress(page, &mut self.buffer, FlushCompress::Finish).ok()?;
        let length = usize::try_from(self.zlib.total_out()).ok()?;
        (status == Status::StreamEnd).then(|| self.buffer.get(..length)).flatten()
    }
}

fn number(stretch: &Stretch, at: usize) -> u64 {
    (stretch.address + u64::try_from(at).unwrap_or(u64::MAX)) / 4096
}

/// Whether there is nothing but zeros. Memory is compared by the C library, which is fast also where
/// this crate is not optimised: a guest's whole memory goes through here at each capture.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    static ZEROS: [u8; PAGE] = [0; PAGE];
    bytes.chunks(PAGE).all(|page| ZEROS.get(..page.len()) == Some(page))
}
