// SPDX-License-Identifier: MIT OR Apache-2.0
//! The pages of an image that are worth writing.

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

/// Pages that hold something else than zeros, by their numbers.
#[derive(Debug)]
pub(super) struct Pages<'i> {
    image: &'i Image,
    /// Page number, and the stretch with the page.
    filled: Vec<(u64, usize)>,
}

/// Compressed pages that follow each other among those to write.
#[derive(Debug)]
pub(super) struct Packed {
    /// Which of the pages to write they are.
    pub(super) pages: Range<usize>,
    /// Bytes of each, and whether it is compressed.
    pub(super) sizes: Vec<(usize, bool)>,
    /// All of them, one after the other.
    pub(super) data: Vec<u8>,
}

impl<'i> Pages<'i> {
    /// Looks at all pages that were ever written to.
    pub(super) fn of(image: &'i Image) -> io::Result<Self> {
        let mut filled = Vec::new();
        for (index, stretch) in image.stretches().iter().enumerate() {
            let content = image.stretch(stretch);
            let mut at = 0;
            while let Some(data) = image.data(stretch, at)? {
                let pages = content.get(data.clone()).unwrap_or_default().chunks_exact(PAGE);
                let first = number(stretch, data.start);
                filled.extend(
                    (first..)
                        .zip(pages)
                        .filter(|(_, page)| !is_zero(page))
                        .map(|(n, _)| (n, index)),
                );
                at = data.end;
            }
        }
        Ok(Self { image, filled })
    }

    /// Number of pages to write.
    pub(super) fn count(&self) -> usize {
        self.filled.len()
    }

    /// Two bitmaps of so many bytes each: pages that exist, pages to write.
    pub(super) fn bitmaps(&self, bytes: usize) -> Vec<u8> {
        let mut bits = vec![0; 2 * bytes];
        let mut set = |base: usize, number: u64| {
            let at = usize::try_from(number / 8).ok().and_then(|at| bits.get_mut(base + at));
            if let Some(byte) = at {
                *byte |= 1 << (number % 8);
            }
        };
        for stretch in self.image.stretches() {
            let pages = stretch.bytes / 4096;
            let first = stretch.address / 4096;
            (first..first + pages).for_each(|number| set(0, number));
        }
        self.filled.iter().for_each(|(number, _)| set(bytes, *number));
        bits
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

    /// The pages of one go; `None` when all are done.
    fn go(&self, go: usize, packer: &mut Packer) -> Option<Packed> {
        let start = go.checked_mul(GO).filter(|start| *start < self.filled.len())?;
        let pages = start..(start + GO).min(self.filled.len());
        let mut packed = Packed { pages: pages.clone(), sizes: Vec::new(), data: Vec::new() };
        for &(number, stretch) in self.filled.get(pages)? {
            let stretch = self.image.stretches().get(stretch)?;
            let at = usize::try_from(number * 4096 - stretch.address).ok()?;
            let page = self.image.stretch(stretch).get(at..at + PAGE)?;
            let small = packer.pack(page);
            packed.sizes.push((small.map_or(PAGE, <[u8]>::len), small.is_some()));
            packed.data.extend_from_slice(small.unwrap_or(page));
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

fn is_zero(page: &[u8]) -> bool {
    // By whole words, which the compiler makes into wide ones.
    page.chunks_exact(64).all(|line| line.iter().fold(0, |all, byte| all | byte) == 0)
}
