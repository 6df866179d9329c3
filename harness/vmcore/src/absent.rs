// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a stretch of physical memory cannot be read. That is an answer, not a failure: most of
//! a machine's memory is left out of its dump on purpose.

use std::fmt;

use crate::{Codec, Pfn, PhysAddr, ReadError};

/// Memory that the dump does not give, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// The page existed and was left out when the dump was written.
    Excluded {
        /// First byte that is absent.
        address: PhysAddr,
        /// makedumpfile's dump level, where the file says it.
        dump_level: Option<u32>,
    },
    /// The page should be in the file and is not, or is damaged.
    Lost {
        /// First byte that is absent.
        address: PhysAddr,
        /// What happened to it.
        why: Lost,
    },
    /// There was no memory at that address, or none that belongs to the crashed kernel.
    NotRam {
        /// First byte that is absent.
        address: PhysAddr,
    },
}

impl Absent {
    /// The first byte that is absent.
    #[must_use]
    pub fn address(&self) -> PhysAddr {
        match self {
            Self::Excluded { address, .. }
            | Self::Lost { address, .. }
            | Self::NotRam { address } => *address,
        }
    }
}

impl Absent {
    /// Why, without the address.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Excluded { dump_level, .. } => {
                format!("its page was left out of the dump{}", by_level(*dump_level))
            }
            Self::Lost { .. } => "its page should be in the dump and is lost".to_owned(),
            Self::NotRam { .. } => "there is no memory".to_owned(),
        }
    }
}

/// What a dump level leaves out, in brackets.
fn by_level(level: Option<u32>) -> String {
    let kinds = level.map(excluded_kinds).filter(|kinds| !kinds.is_empty());
    let kinds = kinds.zip(level);
    kinds
        .map(|(kinds, level)| format!(" (dump level {level} leaves out {kinds} pages)"))
        .unwrap_or_default()
}

impl std::error::Error for Absent {}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excluded { address, dump_level } => {
                write!(f, "physical memory at {address} was left out of the dump")?;
                f.write_str(&by_level(*dump_level))
            }
            Self::Lost { address, why } => {
                write!(f, "physical memory at {address} is lost: {why}")
            }
            Self::NotRam { address } => write!(f, "there is no memory at {address}"),
        }
    }
}

/// What the bits of makedumpfile's `-d` stand for (its manual page; the same in all versions).
fn excluded_kinds(level: u32) -> String {
    let kinds = [(1, "zero"), (2, "cache"), (4, "private cache"), (8, "user"), (16, "free")];
    let named: Vec<&str> =
        kinds.iter().filter(|(bit, _)| level & bit != 0).map(|(_, name)| *name).collect();
    named.join(", ")
}

/// What happened to a page that should be in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// The file ends, or was cut, before the page, its descriptor or its bit in the bitmap.
    #[error("the file was cut ({0})")]
    Cut(#[from] ReadError),
    /// The writer ran out of space and left the page's descriptor empty.
    #[error("the dump was not written to its end")]
    NotWritten,
    /// The page's descriptor makes no sense.
    #[error("page {pfn} has a descriptor of size {size} and flags {flags:#x}")]
    Descriptor {
        /// The page.
        pfn: Pfn,
        /// Bytes that its data takes in the file, as the descriptor says.
        size: u32,
        /// The descriptor's flags.
        flags: u32,
    },
    /// The page's data does not decompress to one page.
    #[error("the {codec} data of page {pfn} at file offset {offset:#x} is corrupt")]
    Corrupt {
        /// The page.
        pfn: Pfn,
        /// How the page is compressed.
        codec: Codec,
        /// Where its data is in the file.
        offset: u64,
    },
    /// The page is in another file of a set written by `makedumpfile --split`.
    #[error("page {pfn} is in another file of a split set")]
    OtherFile {
        /// The page.
        pfn: Pfn,
    },
}
