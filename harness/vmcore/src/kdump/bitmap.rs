// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page bitmaps: one bit for each page, least significant bit first.

use crate::read_at::fetch;
use crate::{ReadAt, ReadError};

/// Pages between two precomputed ranks: a rank is then at most 256 bytes of counting away, and
/// the ranks take 3 % of the bitmap.
const STRIDE: u64 = 2048;
/// Strides counted at once.
const CHUNK: u64 = 256 * STRIDE;

/// A bitmap with the number of set bits before every stride.
#[derive(Debug)]
pub(crate) struct Bitmap {
    /// Where it starts in the file.
    offset: u64,
    /// Bits that the file has of it.
    bits: u64,
    /// Set bits before bit `STRIDE * index`.
    ranks: Vec<u64>,
    /// Set bits in all.
    total: u64,
}

impl Bitmap {
    /// Counts a bitmap of `bits` bits, or as much of it as the file has.
    pub(crate) fn count(file: &dyn ReadAt, offset: u64, bits: u64) -> Self {
        let available = file.len().saturating_sub(offset).saturating_mul(8);
        let mut bitmap = Self { offset, bits: bits.min(available), ranks: Vec::new(), total: 0 };
        let mut at = 0;
        while at < bitmap.bits {
            let chunk_bits = CHUNK.min(bitmap.bits - at);
            let Ok(chunk) = fetch(file, offset + at / 8, chunk_bits.div_ceil(8)) else {
                bitmap.bits = at;
                break;
            };
            for stride in chunk.chunks(stride_bytes()) {
                bitmap.ranks.push(bitmap.total);
                bitmap.total += ones(stride, (bitmap.bits - at).min(STRIDE));
                at += STRIDE;
            }
        }
        bitmap
    }

    /// Bits that can be looked up.
    pub(crate) fn bits(&self) -> u64 {
        self.bits
    }

    /// Number of set bits.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Number of set bits before `bit` if it is set itself, `None` if it is clear.
    pub(crate) fn rank_if_set(
        &self,
        file: &dyn ReadAt,
        bit: u64,
    ) -> Result<Option<u64>, ReadError> {
        let (before, within) = self.stride(file, bit)?;
        let byte = within.last().copied().unwrap_or_default();
        if byte >> (bit % 8) & 1 == 0 {
            return Ok(None);
        }
        Ok(Some(before + ones(&within, bit % STRIDE)))
    }

    /// Number of set bits before `bit`.
    pub(crate) fn rank(&self, file: &dyn ReadAt, bit: u64) -> Result<u64, ReadError> {
        if bit >= self.bits {
            return Ok(self.total);
        }
        let (before, within) = self.stride(file, bit)?;
        Ok(before + ones(&within, bit % STRIDE))
    }

    /// The rank of the stride of `bit`, and the stride's bytes up to and with that of `bit`.
    fn stride<'f>(
        &self,
        file: &'f dyn ReadAt,
        bit: u64,
    ) -> Result<(u64, std::borrow::Cow<'f, [u8]>), ReadError> {
        let index = usize::try_from(bit / STRIDE).unwrap_or(usize::MAX);
        let past_end =
            ReadError::PastEnd { offset: self.offset + bit / 8, length: 1, end: file.len() };
        let before = self.ranks.get(index).filter(|_| bit < self.bits).ok_or(past_end)?;
        let start = bit / STRIDE * STRIDE / 8;
        let bytes = fetch(file, self.offset + start, bit / 8 - start + 1)?;
        Ok((*before, bytes))
    }
}

/// Whether a bit is set, for a bitmap whose ranks nobody needs.
pub(crate) fn bit_is_set(file: &dyn ReadAt, offset: u64, bit: u64) -> Result<bool, ReadError> {
    let mut byte = [0];
    file.read_at(offset.saturating_add(bit / 8), &mut byte)?;
    Ok(byte[0] >> (bit % 8) & 1 == 1)
}

fn stride_bytes() -> usize {
    usize::try_from(STRIDE / 8).expect("a small constant")
}

/// Set bits among the first `bits` of `bytes`.
fn ones(bytes: &[u8], bits: u64) -> u64 {
    let whole = usize::try_from(bits / 8).unwrap_or(usize::MAX).min(bytes.len());
    let (whole, rest) = bytes.split_at(whole);
    let (words, tail) = whole.as_chunks::<8>();
    let mut sum: u64 =
        words.iter().map(|word| u64::from(u64::from_le_bytes(*word).count_ones())).sum();
    sum += tail.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
    let mask = (1_u8 << (bits % 8)) - 1;
    sum + rest.first().map_or(0, |byte| u64::from((byte & mask).count_ones()))
}
