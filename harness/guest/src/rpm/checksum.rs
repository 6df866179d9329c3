// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checksums of repository metadata and packages, in the kinds that repositories name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::super::store::hex;

/// What is read at once.
const BLOCK: usize = 1 << 18;

/// A kind of checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Kind {
    /// By its name in repomd.xml and primary.xml; createrepo before 0.9 wrote `sha` for SHA-1.
    fn named(name: &str) -> Option<Self> {
        match name {
            "sha" | "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// By its number in package headers (RFC 9580, section 9.5). MD5 and SHA-1 are left out: they
    /// protect nothing.
    pub(super) fn numbered(number: u32) -> Option<Self> {
        match number {
            8 => Some(Self::Sha256),
            9 => Some(Self::Sha384),
            10 => Some(Self::Sha512),
            _ => None,
        }
    }

    fn digits(self) -> usize {
        match self {
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    /// What stands for it in a signature by RSA (RFC 8017, section 9.2, note 1).
    pub(super) fn identifier(self) -> &'static [u8] {
        match self {
            Self::Sha1 => b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
            Self::Sha256 => {
                b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
            }
            Self::Sha384 => {
                b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
            }
            Self::Sha512 => {
                b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
            }
        }
    }

    /// The checksum of all that `reader` gives, in lower-case hex.
    pub(super) fn of(self, reader: impl Read) -> io::Result<String> {
        Ok(hex(&self.digest(reader)?))
    }

    /// The checksum of all that `reader` gives.
    pub(super) fn digest(self, reader: impl Read) -> io::Result<Vec<u8>> {
        match self {
            Self::Sha1 => digest::<Sha1>(reader),
            Self::Sha256 => digest::<Sha256>(reader),
            Self::Sha384 => digest::<Sha384>(reader),
            Self::Sha512 => digest::<Sha512>(reader),
        }
    }
}

fn digest<D: Digest>(mut reader: impl Read) -> io::Result<Vec<u8>> {
    let mut hash = D::new();
    let mut buffer = vec![0; BLOCK];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().to_vec()),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What a file must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) kind: Kind,
    /// In lower-case hex.
    pub(super) value: String,
}

impl Checksum {
    /// None for a kind that is not known and for what cannot be a value of it.
    pub(super) fn new(kind: &str, value: &str) -> Option<Self> {
        let kind = Kind::named(kind)?;
        let value = value.trim().to_ascii_lowercase();
        let fits = value.len() == kind.digits() && value.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then_some(Self { kind, value })
    }

    /// Whether a file has it.
    pub(super) fn fits(&self, path: &Path) -> io::Result<bool> {
        Ok(self.kind.of(File::open(path)?)? == self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-4's examples: the message "abc".
    #[test]
    fn the_standards_examples_hold() {
        let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(Kind::Sha1.of(&b"abc"[..]).unwrap(), sha1);
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Kind::Sha256.of(&b"abc"[..]).unwrap(), sha256);
        assert!(Kind::Sha512.of(&b"abc"[..]).unwrap().starts_with("ddaf35a193617aba"));
    }

    #[test]
    fn what_is_no_checksum_is_none() {
        assert!(Checksum::new("sha256", &"a".repeat(64)).is_some());
        assert!(Checksum::new("sha", &"A".repeat(40)).is_some());
        assert!(Checksum::new("md5", &"a".repeat(32)).is_none());
        assert!(Checksum::new("sha256", &"a".repeat(40)).is_none());
        assert!(Checksum::new("sha1", &"/".repeat(40)).is_none());
    }
}
