// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which coding of the entries a kernel has.

use super::{Error, hex};

/// Coding of the ORC entries; the number of bits and their meaning differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 4.14–5.11: as [`Version::V1`], but `SP_INDIRECT` adds its offset before the load.
    V1AddFirst,
    /// 5.12–6.2.
    V1,
    /// 6.3: a signal bit.
    V2,
    /// 6.4–7.0: "undefined" and "end of stack" are types.
    V3,
    /// 7.1 and later: registers renumbered.
    V4,
}

/// Contents of `.orc_header`: a hash of `orc_types.h` that the kernel's build makes
/// (`scripts/orc_hash.sh`, since 6.4 and 6.3.10), in hex as `sha1sum` prints it.
const HEADERS: [(&str, Version); 3] = [
    ("db84aed4103b31dd51e017f8f79783ca985c2c51", Version::V2),
    ("fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24", Version::V3),
    ("137c36ad7627c4dd55932176bb0ecdbd5041fc82", Version::V4),
];
const HASH_BYTES: usize = 20;

/// First release (major, minor) of each version.
const RELEASES: [((u32, u32), Version); 5] = [
    ((4, 14), Version::V1AddFirst),
    ((5, 12), Version::V1),
    ((6, 3), Version::V2),
    ((6, 4), Version::V3),
    ((7, 1), Version::V4),
];

/// Enterprise Linux 9 took over the coding of 6.4 into its 5.14.0 with this build, without the
/// header. Example: `5.14.0-570.12.1.el9_6.x86_64`.
const EL9_V3: u32 = 517;

impl Version {
    /// From the contents of `.orc_header`, or without it from the release (`uname -r`).
    ///
    /// # Errors
    ///
    /// Unknown hash, or a release that has no ORC tables or cannot be read.
    pub fn detect(header: Option<&[u8]>, release: &str) -> Result<Self, Error> {
        match header {
            Some(header) => Self::from_header(header),
            None => Self::from_release(release),
        }
    }

    fn from_header(header: &[u8]) -> Result<Self, Error> {
        let hash = header.get(..HASH_BYTES).unwrap_or(header);
        let text = hex(hash);
        let known = HEADERS.iter().find(|(known, _)| *known == text);
        known.map(|(_, version)| *version).ok_or(Error::UnknownHeader { hash: hash.to_vec() })
    }

    fn from_release(release: &str) -> Result<Self, Error> {
        if release.contains(".el9") && el_build(release).is_some_and(|build| build >= EL9_V3) {
            return Ok(Self::V3);
        }
        let unknown = || Error::UnknownRelease { release: release.to_owned() };
        let number = major_minor(release).ok_or_else(unknown)?;
        let known = RELEASES.iter().rev().find(|(first, _)| *first <= number);
        known.map(|(_, version)| *version).ok_or_else(unknown)
    }
}

/// The build number of an Enterprise Linux release: `570` of `5.14.0-570.12.1.el9_6.x86_64`.
fn el_build(release: &str) -> Option<u32> {
    let (_, build) = release.split_once("5.14.0-")?;
    leading_number(build)
}

fn major_minor(release: &str) -> Option<(u32, u32)> {
    let (major, rest) = release.split_once('.')?;
    Some((major.parse().ok()?, leading_number(rest)?))
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}
