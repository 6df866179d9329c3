// SPDX-License-Identifier: MIT OR Apache-2.0
//! A package's file: lead, signatures, header, payload; and whether a trusted key signed it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::super::member::Member;
use super::checksum::Kind;
use super::header::{Header, invalid, signature_tag, tag};
use super::keyring::{Keyring, Verdict};

/// Bytes before the first header, and what they begin with.
const LEAD: usize = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

/// A package that was opened.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) path: PathBuf,
    pub(super) header: Header,
    signatures: Header,
    /// Where header and payload begin, and where the file ends.
    header_start: u64,
    payload_start: u64,
    end: u64,
}

/// Why a package's content cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Distrust {
    #[error("no key is named that it may be signed with")]
    NoKeys,
    #[error("it is not signed")]
    Unsigned,
    #[error("it is signed by key {0}, which is not trusted")]
    OtherKey(String),
    #[error("its signature does not fit its content: {0}")]
    Wrong(String),
    #[error("its signature covers the header only, and the header has no checksum of the payload")]
    PayloadNotCovered,
    #[error("its payload does not have the checksum that its header says")]
    Payload,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

impl From<io::Error> for Distrust {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl Package {
    /// Reads the headers of a package.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let end = file.metadata()?.len();
        let mut lead = [0; LEAD];
        file.read_exact(&mut lead)?;
        if lead[..4] != LEAD_MAGIC {
            return Err(invalid("it is no RPM package"));
        }
        let signatures = Header::read(&mut file)?;
        let padding = signatures.raw().len().next_multiple_of(8) - signatures.raw().len();
        let header_start = file.seek(SeekFrom::Current(i64::try_from(padding).unwrap_or(0)))?;
        let header = Header::read(&mut file)?;
        let payload_start = file.stream_position()?;
        let path = path.to_owned();
        Ok(Self { path, header, signatures, header_start, payload_start, end })
    }

    /// The compressed payload.
    pub(super) fn payload(&self) -> io::Result<Member> {
        self.part(self.payload_start)
    }

    fn part(&self, start: u64) -> io::Result<Member> {
        Ok(Member::new(File::open(&self.path)?, start, self.end.saturating_sub(start)))
    }

    /// Checks that a trusted key signed the header, and that the same signature or a checksum in
    /// the header covers the payload.
    pub(super) fn check(&self, keys: &Keyring) -> Result<(), Distrust> {
        let whole = [signature_tag::PGP, signature_tag::GPG];
        let alone = [signature_tag::RSA, signature_tag::DSA];
        let header = self.verdict(&alone, keys, || Ok(self.header.raw()))?;
        let all = self.verdict(&whole, keys, || self.part(self.header_start))?;
        if !header && !all {
            return Err(Distrust::Unsigned);
        }
        match self.payload_digest()? {
            Some((kind, value)) if kind.of(self.payload()?)? == value => Ok(()),
            Some(_) => Err(Distrust::Payload),
            None if all => Ok(()),
            None => Err(Distrust::PayloadNotCovered),
        }
    }

    /// Whether one of these tags has a good signature. A bad one is an error.
    fn verdict<R: Read>(
        &self,
        tags: &[u32],
        keys: &Keyring,
        data: impl Fn() -> io::Result<R>,
    ) -> Result<bool, Distrust> {
        let mut good = false;
        for signature in tags.iter().filter_map(|tag| self.signatures.bytes(*tag)) {
            match keys.verify(signature, data()?) {
                Verdict::Good => good = true,
                Verdict::OtherKey(id) => return Err(Distrust::OtherKey(id)),
                Verdict::Wrong(why) => return Err(Distrust::Wrong(why)),
            }
        }
        Ok(good)
    }

    /// The checksum of the compressed payload, where the header has one.
    fn payload_digest(&self) -> Result<Option<(Kind, String)>, Distrust> {
        let Some(value) = self.header.text(tag::PAYLOADDIGEST) else { return Ok(None) };
        let number = self.header.number(tag::PAYLOADDIGESTALGO).unwrap_or(8);
        let kind = Kind::numbered(number).ok_or_else(|| {
            Distrust::Unreadable(format!("the checksum of its payload is of kind {number}"))
        })?;
        Ok(Some((kind, value.to_ascii_lowercase())))
    }
}
