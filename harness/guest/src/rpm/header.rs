// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header structure of RPM packages, version 3 and 4 of the format: an index of tagged values
//! and the store with the values, all big-endian.
//!
//! Written from RPM's manual, "RPM V4 Package format" and its table of tags.

use std::io::{self, Read};

use super::identity::Identity;
use super::version::Evr;

/// First bytes of a header: a magic number, the version of the structure, four reserved bytes.
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
const ENTRY: usize = 16;
/// The limits that RPM itself has: entries of the index, bytes of the store.
const MAX_ENTRIES: usize = 0xffff;
const MAX_STORE: usize = 256 << 20;

/// Tags of the package's header that are read here.
pub(super) mod tag {
    pub(crate) const NAME: u32 = 1000;
    pub(crate) const VERSION: u32 = 1001;
    pub(crate) const RELEASE: u32 = 1002;
    pub(crate) const EPOCH: u32 = 1003;
    pub(crate) const ARCH: u32 = 1022;
    pub(crate) const PROVIDENAME: u32 = 1047;
    pub(crate) const REQUIREFLAGS: u32 = 1048;
    pub(crate) const REQUIRENAME: u32 = 1049;
    pub(crate) const REQUIREVERSION: u32 = 1050;
    pub(crate) const SOURCERPM: u32 = 1044;
    pub(crate) const PROVIDEFLAGS: u32 = 1112;
    pub(crate) const PROVIDEVERSION: u32 = 1113;
    pub(crate) const DIRINDEXES: u32 = 1116;
    pub(crate) const BASENAMES: u32 = 1117;
    pub(crate) const DIRNAMES: u32 = 1118;
    pub(crate) const PAYLOADFORMAT: u32 = 1124;
    pub(crate) const PAYLOADCOMPRESSOR: u32 = 1125;
    /// Checksum of the compressed payload and its kind (since RPM 4.14).
    pub(crate) const PAYLOADDIGEST: u32 = 5092;
    pub(crate) const PAYLOADDIGESTALGO: u32 = 5093;
}

/// Tags of the signature's header.
pub(super) mod signature_tag {
    /// OpenPGP signatures of the header alone.
    pub(crate) const DSA: u32 = 267;
    pub(crate) const RSA: u32 = 268;
    /// OpenPGP signatures of header and payload.
    pub(crate) const PGP: u32 = 1002;
    pub(crate) const GPG: u32 = 1005;
}

/// A header.
#[derive(Debug)]
pub(super) struct Header {
    /// All of it as it is in the file: what signatures are made of.
    raw: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u32,
    kind: u32,
    /// Into `raw`.
    start: usize,
    count: usize,
}

impl Header {
    /// Reads a header; nothing after it is read.
    pub(super) fn read(reader: &mut impl Read) -> io::Result<Self> {
        let mut raw = vec![0; 16];
        reader.read_exact(&mut raw)?;
        if raw[..8] != MAGIC {
            return Err(invalid("no header where one should be"));
        }
        let (count, store) = (be32(&raw, 8), be32(&raw, 12));
        let sizes = (usize::try_from(count.unwrap_or(0)), usize::try_from(store.unwrap_or(0)));
        let (Ok(count @ ..=MAX_ENTRIES), Ok(store @ ..=MAX_STORE)) = sizes else {
            return Err(invalid("a header of impossible size"));
        };
        let length = count * ENTRY + store;
        let got = reader.by_ref().take(length as u64).read_to_end(&mut raw)?;
        if got != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let store = 16 + count * ENTRY;
        let entries = (0..count).filter_map(|number| entry(&raw, 16 + number * ENTRY, store));
        let entries = entries.collect();
        Ok(Self { raw, entries })
    }

    /// The bytes of it.
    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// A binary value.
    pub(super) fn bytes(&self, tag: u32) -> Option<&[u8]> {
        let entry = self.find(tag, &[7])?;
        self.raw.get(entry.start..entry.start.checked_add(entry.count)?)
    }

    /// Numbers of 16 or 32 bits; none for an absent tag.
    pub(super) fn numbers(&self, tag: u32) -> Vec<u32> {
        let Some(entry) = self.find(tag, &[3, 4]) else { return Vec::new() };
        let size = if entry.kind == 3 { 2 } else { 4 };
        let end = entry.count.checked_mul(size).and_then(|bytes| entry.start.checked_add(bytes));
        let bytes = end.and_then(|end| self.raw.get(entry.start..end)).unwrap_or_default();
        let number = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all << 8 | u32::from(*byte));
        bytes.chunks_exact(size).map(number).collect()
    }

    /// The first number.
    pub(super) fn number(&self, tag: u32) -> Option<u32> {
        self.numbers(tag).first().copied()
    }

    /// Texts; none for an absent tag.
    pub(super) fn texts(&self, tag: u32) -> Vec<&str> {
        let Some(entry) = self.find(tag, &[6, 8, 9]) else { return Vec::new() };
        let rest = self.raw.get(entry.start..).unwrap_or_default();
        let texts = rest.split(|byte| *byte == 0).take(entry.count);
        texts.map(|text| std::str::from_utf8(text).unwrap_or_default()).collect()
    }

    /// The first text.
    pub(super) fn text(&self, tag: u32) -> Option<&str> {
        self.texts(tag).first().copied()
    }

    /// The paths of the package's files, absolute.
    pub(super) fn files(&self) -> Vec<String> {
        let folders = self.texts(tag::DIRNAMES);
        let (names, indexes) = (self.texts(tag::BASENAMES), self.numbers(tag::DIRINDEXES));
        let path = |(name, index): (&&str, &u32)| {
            Some(format!("{}{name}", folders.get(usize::try_from(*index).ok()?)?))
        };
        names.iter().zip(&indexes).filter_map(path).collect()
    }

    /// What the package calls itself.
    ///
    /// # Errors
    /// It has no such name, or none that can be a part of a path.
    pub(super) fn identity(&self) -> Result<Identity, String> {
        let text = |tag| self.text(tag).unwrap_or_default();
        let evr = Evr {
            epoch: self.number(tag::EPOCH).unwrap_or(0),
            version: text(tag::VERSION).to_owned(),
            release: text(tag::RELEASE).to_owned(),
        };
        Identity::new(text(tag::NAME), &evr, text(tag::ARCH))
    }

    fn find(&self, tag: u32, kinds: &[u32]) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.tag == tag && kinds.contains(&entry.kind)).copied()
    }
}

fn entry(raw: &[u8], at: usize, store: usize) -> Option<Entry> {
    let [tag, kind, offset, count] = [0, 4, 8, 12].map(|field| be32(raw, at + field));
    let start = store.checked_add(usize::try_from(offset?).ok()?)?;
    (start < raw.len()).then_some(())?;
    Some(Entry { tag: tag?, kind: kind?, start, count: usize::try_from(count?).ok()? })
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub(super) fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of one text, one number and one list of texts, laid out as the manual says.
    fn sample() -> Vec<u8> {
        let store = b"kernel\0\0\0\0\0\x07a\0bc\0";
        let mut bytes = MAGIC.to_vec();
        let number = |value: usize| u32::try_from(value).unwrap().to_be_bytes();
        bytes.extend([3, store.len()].map(number).concat());
        for (tag, kind, offset, count) in [(1000, 6, 0, 1), (1003, 4, 8, 1), (1047, 8, 12, 2)] {
            bytes.extend([tag, kind, offset, count].map(number).concat());
        }
        bytes.extend(store);
        bytes
    }

    #[test]
    fn values_are_read_by_tag_and_type() {
        let bytes = [sample(), b"rest".to_vec()].concat();
        let mut reader = &bytes[..];
        let header = Header::read(&mut reader).unwrap();
        assert_eq!(header.text(tag::NAME), Some("kernel"));
        assert_eq!(header.number(tag::EPOCH), Some(7));
        assert_eq!(header.texts(tag::PROVIDENAME), ["a", "bc"]);
        assert_eq!(header.text(tag::EPOCH), None, "a number is no text");
        assert_eq!(header.bytes(tag::NAME), None);
        assert_eq!(header.raw(), sample());
        assert_eq!(reader, b"rest");
    }

    #[test]
    fn every_cut_and_every_changed_byte_ends_well() {
        let whole = sample();
        for end in 0..whole.len() {
            assert!(Header::read(&mut &whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let Ok(header) = Header::read(&mut &bytes[..]) else { continue };
                for tag in [tag::NAME, tag::EPOCH, tag::PROVIDENAME] {
                    let _ = (header.texts(tag), header.numbers(tag), header.bytes(tag));
                }
                let _ = header.files();
            }
        }
    }
}
