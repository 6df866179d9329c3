// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a page is compressed, and the one place where the libraries for it are called.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

/// Compression of a page in a kdump-compressed dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// Not compressed.
    Raw,
    /// zlib (`makedumpfile -c`).
    Zlib,
    /// LZO1X (`makedumpfile -l`).
    Lzo,
    /// Snappy (`makedumpfile -p`).
    Snappy,
    /// Zstandard (`makedumpfile -z`).
    Zstd,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::Zlib => "zlib",
            Self::Lzo => "lzo",
            Self::Snappy => "snappy",
            Self::Zstd => "zstd",
        })
    }
}

impl Codec {
    /// The codec that `DUMP_DH_COMPRESSED_*` flags name (`diskdump_mod.h` of makedumpfile),
    /// `None` if they name several or one that is not known.
    pub(crate) fn from_flags(flags: u32) -> Option<Self> {
        match flags {
            0 => Some(Self::Raw),
            0x1 => Some(Self::Zlib),
            0x2 => Some(Self::Lzo),
            0x4 => Some(Self::Snappy),
            0x20 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The largest window that a zstd frame may ask for. A page's frame needs no more than a page;
/// the limit keeps a damaged one from asking for gigabytes.
const ZSTD_WINDOW: u64 = 1 << 20;

/// Decompressors, kept so that their tables are allocated once.
#[derive(Default)]
pub(crate) struct Decoders {
    zlib: Option<Decompress>,
    zstd: Option<ruzstd::decoding::FrameDecoder>,
}

impl Decoders {
    /// Decompresses `data` into `page`. `None` if it is corrupt or does not fill exactly one
    /// page.
    pub(crate) fn decompress(&mut self, codec: Codec, data: &[u8], page: &mut [u8]) -> Option<()> {
        let length = match codec {
            Codec::Raw if data.len() == page.len() => {
                page.copy_from_slice(data);
                page.len()
            }
            Codec::Raw => return None,
            Codec::Zlib => self.inflate(data, page)?,
            Codec::Lzo => lzo::decompress_into(data, page).ok()?,
            Codec::Snappy => snap::raw::Decoder::new().decompress(data, page).ok()?,
            Codec::Zstd => self.zstd().decode_all(data, page).ok()?,
        };
        (length == page.len()).then_some(())
    }

    fn inflate(&mut self, data: &[u8], page: &mut [u8]) -> Option<usize> {
        let zlib = self.zlib.get_or_insert_with(|| Decompress::new(true));
        zlib.reset(true);
        let status = zlib.decompress(data, page, FlushDecompress::Finish).ok()?;
        (status == Status::StreamEnd).then(|| usize::try_from(zlib.total_out()).ok())?
    }

    fn zstd(&mut self) -> &mut ruzstd::decoding::FrameDecoder {
        self.zstd.get_or_insert_with(|| {
            let mut decoder = ruzstd::decoding::FrameDecoder::new();
            decoder.set_max_window_size(ZSTD_WINDOW);
            decoder
        })
    }
}
