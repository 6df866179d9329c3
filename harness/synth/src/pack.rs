// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compression of pages. Only zlib comes from a library; the others are small encoders of our
//! own, far from dense, which produce what the formats' descriptions allow.

use std::io::Write;

/// How pages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// zlib.
    Zlib,
    /// LZO1X.
    Lzo,
    /// Snappy.
    Snappy,
    /// Zstandard.
    Zstd,
}

impl Packing {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::None, Self::Zlib, Self::Lzo, Self::Snappy, Self::Zstd];

    /// The flag in page descriptors and in the header's status.
    #[must_use]
    pub fn flag(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Zlib => 1,
            Self::Lzo => 2,
            Self::Snappy => 4,
            Self::Zstd => 32,
        }
    }

    /// A page's data in the file and its descriptor's flag: the page itself, unflagged, if it
    /// does not get smaller.
    #[must_use]
    pub fn pack(self, page: &[u8]) -> (Vec<u8>, u32) {
        let packed = match self {
            Self::None => return (page.to_vec(), 0),
            Self::Zlib => zlib(page),
            Self::Lzo => lzo(page),
            Self::Snappy => snappy(page),
            Self::Zstd => zstd(page),
        };
        if packed.len() < page.len() { (packed, self.flag()) } else { (page.to_vec(), 0) }
    }
}

fn zlib(page: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(page).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// Literal bytes followed by a copy of `length` bytes from `distance` back; a length of 0 means
/// that the input ends with the literals.
struct Step<'p> {
    literals: &'p [u8],
    distance: usize,
    length: usize,
}

/// Cuts a page into steps: at each place the first of a few distances at which at least eight
/// bytes repeat.
fn steps(page: &[u8]) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < page.len() {
        let found = [1, 2, 4, 8, 16, 64, 256]
            .into_iter()
            .filter(|distance| *distance <= at)
            .map(|distance| (distance, repeated(page, at, distance)))
            .find(|(_, length)| *length >= 8);
        match found {
            Some((distance, length)) => {
                steps.push(Step { literals: &page[start..at], distance, length });
                at += length;
                start = at;
            }
            None => at += 1,
        }
    }
    steps.push(Step { literals: &page[start..], distance: 0, length: 0 });
    steps
}

/// Number of bytes from `at` on that are the same as `distance` before.
fn repeated(page: &[u8], at: usize, distance: usize) -> usize {
    page[at..].iter().zip(&page[at - distance..]).take_while(|(now, then)| now == then).count()
}

/// An LZO1X stream of literal runs and of copies in the form with a 14-bit distance.
fn lzo(page: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for step in steps(page) {
        lzo_literals(&mut out, step.literals);
        if step.length > 0 {
            lzo_length(&mut out, 0x20, step.length - 2, 31);
            let distance = u16::try_from((step.distance - 1) << 2).expect("a short distance");
            out.extend(distance.to_le_bytes());
        }
    }
    out.extend([0x11, 0, 0]);
    out
}

/// Up to three literals hide in the two lowest bits of the copy before them; more are a run of
/// their own. A stream starts as if a copy with no literals came before.
fn lzo_literals(out: &mut Vec<u8>, literals: &[u8]) {
    match literals.len() {
        0 => return,
        n @ 1..=3 if out.is_empty() => out.push(17 + u8::try_from(n).expect("at most 3")),
        n @ 1..=3 => {
            let low = out.len() - 2;
            out[low] |= u8::try_from(n).expect("at most 3");
        }
        n => lzo_length(out, 0, n - 3, 15),
    }
    out.extend(literals);
}

/// A length in the low bits of an instruction, or, past what fits there, 0 and then bytes: zeros
/// of 255 each and a last one that is not zero.
fn lzo_length(out: &mut Vec<u8>, instruction: u8, length: usize, fits: usize) {
    if length <= fits {
        out.push(instruction | u8::try_from(length).expect("a few bits"));
        return;
    }
    out.push(instruction);
    let mut rest = length - fits;
    while rest > 255 {
        out.push(0);
        rest -= 255;
    }
    out.push(u8::try_from(rest).expect("at most 255"));
}

/// A raw snappy stream: the length, literals, copies with a 16-bit offset.
fn snappy(page: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut length = page.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).expect("seven bits"));
    for step in steps(page) {
        for literals in step.literals.chunks(256) {
            // Tag 60: the length less one follows in one byte.
            out.extend([60 << 2, u8::try_from(literals.len() - 1).expect("a chunk")]);
            out.extend(literals);
        }
        let distance = u16::try_from(step.distance).expect("a short distance").to_le_bytes();
        let mut left = step.length;
        while left > 0 {
            let now = left.min(64);
            out.push(u8::try_from((now - 1) << 2 | 2).expect("a byte"));
            out.extend(distance);
            left -= now;
        }
    }
    out
}

/// A zstd frame with the size of its content, of blocks that are stored or repeat one byte.
fn zstd(page: &[u8]) -> Vec<u8> {
    let mut out = 0xfd2f_b528_u32.to_le_bytes().to_vec();
    // Frame header descriptor: content size in four bytes, single segment.
    out.push(0b1010_0000);
    out.extend(u32::try_from(page.len()).expect("a page").to_le_bytes());
    let runs = page.chunk_by(|left, right| left == right);
    let mut stored: Vec<u8> = Vec::new();
    for run in runs {
        if run.len() < 16 {
            stored.extend(run);
            continue;
        }
        zstd_block(&mut out, 0, stored.len(), &stored);
        stored.clear();
        zstd_block(&mut out, 1, run.len(), &run[..1]);
    }
    zstd_block(&mut out, 0, stored.len(), &stored);
    // The last block is an empty stored one with the last bit set.
    out.extend([1, 0, 0]);
    out
}

/// A block of kind 0 (stored) or 1 (one byte repeated).
fn zstd_block(out: &mut Vec<u8>, kind: u32, size: usize, data: &[u8]) {
    if size > 0 {
        let header = u32::try_from(size).expect("a page") << 3 | kind << 1;
        out.extend(&header.to_le_bytes()[..3]);
        out.extend(data);
    }
}
