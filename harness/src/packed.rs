// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are compressed as a whole, and what they unpack to.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

use crate::map::Map;

/// What is written at once; as much of zeros becomes a hole.
const BLOCK: usize = 1 << 16;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// `xz`.
    Xz,
    /// `zstd`.
    Zstd,
    /// `gzip`, `pigz`.
    Gzip,
    /// `bzip2`, `pbzip2`.
    Bzip2,
    /// `lz4`.
    Lz4,
}

/// What a file may unpack to, and where.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    /// Bytes at most.
    pub(crate) most: u64,
    /// The folder of the unpacked file, which has no name in it; the system's own for such files without one.
    pub(crate) folder: Option<PathBuf>,
}

/// A file, unpacked.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// What came out.
    pub(crate) content: Map,
    /// Why there may be more, or why it may be wrong.
    pub(crate) damage: Option<io::Error>,
}

/// Why nothing was unpacked.
#[derive(Debug)]
pub(crate) enum Failed {
    /// What is packed is damaged from its beginning.
    Damaged(io::Error),
    /// It has more than is taken.
    TooLarge,
    /// The unpacked file cannot be written.
    Write(io::Error),
}

impl Packing {
    /// By the first bytes of a file: xz file format 1.2 §2.1.1.1, RFC 8878 §3.1.1, RFC 1952 §2.3.1, the magic of
    /// bzip2 (its version `h` and a digit, then the pi of its first block), LZ4 frame format 1.6.4 §"General structure"
    /// and §"Legacy frame".
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        const MAGIC: [(&[u8], Packing); 5] = [
            (b"\xfd7zXZ\0", Packing::Xz),
            (b"\x28\xb5\x2f\xfd", Packing::Zstd),
            (b"\x1f\x8b", Packing::Gzip),
            (b"\x04\x22\x4d\x18", Packing::Lz4),
            (b"\x02\x21\x4c\x18", Packing::Lz4),
        ];
        if is_skippable(start) {
            return Some(Self::Zstd);
        }
        let named = MAGIC.iter().find(|(magic, _)| start.starts_with(magic));
        let is_bzip2 = start.starts_with(b"BZh")
            && start.get(4..10).is_some_and(|pi| pi == b"\x31\x41\x59\x26\x53\x59");
        named.map(|(_, packing)| *packing).or(is_bzip2.then_some(Self::Bzip2))
    }

    /// Unpacks into a file without a name, which the system takes back by itself: memory would not hold it. Zeros
    /// become holes.
    ///
    /// # Errors
    /// Nothing came out, too much, or it cannot be written.
    pub(crate) fn unpack(self, packed: &[u8], room: &Room) -> Result<Unpacked, Failed> {
        let mut file = match &room.folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        }
        .map_err(Failed::Write)?;
        let mut written = Sparse { file: &mut file, length: 0 };
        let damage = match self.pour(packed, room.most, &mut written) {
            Ok(()) => None,
            Err(Failed::Damaged(why)) if written.length > 0 => Some(why),
            Err(other) => return Err(other),
        };
        let length = written.length;
        file.set_len(length).map_err(Failed::Write)?;
        if length == 0 {
            return Err(Failed::Damaged(io::ErrorKind::UnexpectedEof.into()));
        }
        let content = Map::of(&file).map_err(Failed::Write)?;
        Ok(Unpacked { content, damage })
    }

    fn pour(self, packed: &[u8], most: u64, to: &mut Sparse<'_>) -> Result<(), Failed> {
        match self {
            Self::Xz => copy(&mut XzReader::new(packed, true), most, to),
            Self::Gzip => copy(&mut MultiGzDecoder::new(packed), most, to),
            Self::Bzip2 => copy(&mut MultiBzDecoder::new(packed), most, to),
            Self::Lz4 => frames(packed, most, to, |rest, to, most| {
                let mut decoder = FrameDecoder::new(rest);
                copy(&mut decoder, most, to)?;
                Ok(decoder.into_inner())
            }),
            Self::Zstd => frames(packed, most, to, |rest, to, most| {
                let decoder = StreamingDecoder::new(rest);
                let mut decoder =
                    decoder.map_err(|error| Failed::Damaged(io::Error::other(error)))?;
                copy(&mut decoder, most, to)?;
                Ok(decoder.into_inner())
            }),
        }
    }
}

/// What unpacks one frame, and gives what follows it.
type OneFrame<'p> = fn(&'p [u8], &mut Sparse<'_>, u64) -> Result<&'p [u8], Failed>;

/// Frames one after the other, as tools that work with several threads write them.
fn frames<'p>(
    packed: &'p [u8],
    most: u64,
    to: &mut Sparse<'_>,
    one: OneFrame<'p>,
) -> Result<(), Failed> {
    let mut rest = packed;
    while !rest.is_empty() {
        if is_skippable(rest) {
            rest = skipped(rest).unwrap_or_default();
            continue;
        }
        // Tapes and disks fill up with zeros.
        if to.length > 0 && rest.iter().all(|byte| *byte == 0) {
            break;
        }
        let after = one(rest, to, most)?;
        if after.len() == rest.len() {
            return Err(Failed::Damaged(io::ErrorKind::InvalidData.into()));
        }
        rest = after;
    }
    Ok(())
}

/// Whether a frame begins that has nothing of the content (RFC 8878 §3.1.2; LZ4 has the same): tools with several
/// threads, such as pzstd, write one before each of the others.
fn is_skippable(start: &[u8]) -> bool {
    start.get(1..4) == Some(b"\x2a\x4d\x18") && start.first().is_some_and(|byte| byte >> 4 == 5)
}

/// What follows such a frame.
fn skipped(frame: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(*frame.get(4..)?.first_chunk()?);
    frame.get(usize::try_from(length).ok()?.checked_add(8)?..)
}

/// Copies to the end, as far as there is room.
fn copy(from: &mut dyn Read, most: u64, to: &mut Sparse<'_>) -> Result<(), Failed> {
    let mut block = vec![0; BLOCK];
    loop {
        let (taken, error) = fill(from, &mut block);
        let bytes = block.get(..taken).unwrap_or_default();
        if to.length.saturating_add(taken as u64) > most {
            return Err(Failed::TooLarge);
        }
        to.add(bytes).map_err(Failed::Write)?;
        match error {
            Some(error) => return Err(Failed::Damaged(error)),
            None if taken < BLOCK => return Ok(()),
            None => {}
        }
    }
}

/// Reads a whole block, or what there is up to the end or an error.
fn fill(from: &mut dyn Read, block: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut taken = 0;
    while let Some(rest) = block.get_mut(taken..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(count) => taken += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (taken, Some(error)),
        }
    }
    (taken, None)
}

/// A file that is written from its beginning, with holes where there are zeros.
struct Sparse<'f> {
    file: &'f mut File,
    length: u64,
}

impl Sparse<'_> {
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.iter().any(|byte| *byte != 0) {
            self.file.seek(SeekFrom::Start(self.length))?;
            self.file.write_all(bytes)?;
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The tools that write each form; two runs of a tool make a file of two frames.
    const TOOLS: [(&str, &[&str], Packing); 5] = [
        ("gzip", &["-c", "-1"], Packing::Gzip),
        ("xz", &["-c", "-0"], Packing::Xz),
        ("zstd", &["-c", "-1", "-q"], Packing::Zstd),
        ("bzip2", &["-c", "-1"], Packing::Bzip2),
        ("lz4", &["-c", "-1", "-q"], Packing::Lz4),
    ];

    /// What is packed: text, more zeros than a block has, bytes that do not shrink, zeros at the end.
    fn content() -> Vec<u8> {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        let mut bytes = b"some text\n".repeat(1000);
        bytes.resize(300_000, 0);
        bytes.extend((0..100_000).map(|_| noise()));
        bytes.resize(bytes.len() + 200_000, 0);
        bytes
    }

    /// The file as that tool packs it; none where it is not installed.
    fn packed(tool: &str, words: &[&str], content: &[u8]) -> Option<Vec<u8>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let output = Command::new(tool).args(words).arg(file.path()).output().ok()?;
        assert!(output.status.success(), "{tool}");
        Some(output.stdout)
    }

    fn room(most: u64) -> Room {
        Room { most, folder: None }
    }

    #[test]
    fn what_tools_pack_is_unpacked_and_frames_may_follow_each_other() {
        let content = content();
        let mut tried = 0;
        for (tool, words, packing) in TOOLS {
            let Some(bytes) = packed(tool, words, &content) else { continue };
            tried += 1;
            assert_eq!(Packing::of(&bytes), Some(packing), "{tool}");
            for times in [1, 2] {
                let unpacked = packing.unpack(&bytes.repeat(times), &room(1 << 30)).unwrap();
                assert!(unpacked.damage.is_none(), "{tool} {times}");
                assert!(unpacked.content[..] == content.repeat(times), "{tool} {times}");
            }
        }
        assert!(tried >= 2, "gzip and xz are on every machine");
    }

    #[test]
    fn frames_without_content_and_zeros_at_the_end_are_passed_over() {
        let Some(frame) = packed("zstd", &["-c", "-q"], b"content") else { return };
        let skippable = b"\x50\x2a\x4d\x18\x04\0\0\0more";
        let bytes = [&skippable[..], &frame, skippable, &frame, &[0; 512]].concat();
        assert_eq!(Packing::of(&bytes), Some(Packing::Zstd));
        let unpacked = Packing::Zstd.unpack(&bytes, &room(99)).unwrap();
        assert_eq!(
            (&unpacked.content[..], unpacked.damage.is_none()),
            (&b"contentcontent"[..], true)
        );
        let cut = Packing::Zstd.unpack(&bytes[..10], &room(99));
        assert!(matches!(cut, Err(Failed::Damaged(_))));
    }

    #[test]
    fn of_what_is_cut_off_the_beginning_comes_and_that_it_is_damaged() {
        let content = content();
        for (tool, words, packing) in TOOLS {
            let Some(bytes) = packed(tool, words, &content) else { continue };
            for cut in [bytes.len() * 3 / 4, bytes.len() - 1] {
                // A block of the others is whole or not there at all, and they have large ones.
                let Ok(unpacked) = packing.unpack(&bytes[..cut], &room(1 << 30)) else {
                    assert!(!matches!(packing, Packing::Gzip | Packing::Xz), "{tool} {cut}");
                    continue;
                };
                assert!(unpacked.damage.is_some(), "{tool} {cut}");
                assert!(content.starts_with(&unpacked.content), "{tool} {cut}");
            }
            assert!(matches!(packing.unpack(&bytes[..9], &room(99)), Err(Failed::Damaged(_))));
        }
    }

    #[test]
    fn more_than_there_is_room_for_is_no_file() {
        let bytes = packed("gzip", &["-c"], &[0; 200_000]).unwrap();
        assert!(matches!(Packing::Gzip.unpack(&bytes, &room(199_999)), Err(Failed::TooLarge)));
        assert_eq!(Packing::Gzip.unpack(&bytes, &room(200_000)).unwrap().content.len(), 200_000);
        let folder = Some(PathBuf::from("/nowhere"));
        let nowhere = Packing::Gzip.unpack(&bytes, &Room { most: 1, folder });
        assert!(matches!(nowhere, Err(Failed::Write(_))));
    }

    #[test]
    fn files_of_other_kinds_are_not_packed() {
        for start in
            [&b"KDUMP   "[..], b"\x7fELF", b"makedumpfile", b"BZh9 is a text", b"", b"\x1f"]
        {
            assert_eq!(Packing::of(start), None);
        }
    }
}
