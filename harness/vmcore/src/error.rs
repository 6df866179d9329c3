// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stops a file from being opened, and what does not stop it but must be said.

use std::ops::Range;

use crate::{Absent, Foreign, Machine, Pfn, PhysAddr, ReadError};

/// Why a file cannot be read as a vmcore at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first bytes belong to no format known here.
    #[error("not a vmcore: the file starts with {}", hex(start))]
    NotVmcore {
        /// The first bytes of the file, up to eight.
        start: Vec<u8>,
    },
    /// The file is of a known kind that is none of the forms of a vmcore read here.
    #[error("not a vmcore but {0}")]
    Foreign(Foreign),
    /// The file ends inside a header without which nothing can be read.
    #[error("the file ends inside its {what}")]
    Cut {
        /// The header.
        what: &'static str,
        /// What could not be read.
        source: ReadError,
    },
    /// A field has a value that no writer writes.
    #[error("the {what} at file offset {offset:#x} is {value:#x}")]
    Malformed {
        /// The field.
        what: &'static str,
        /// Where it is in the file.
        offset: u64,
        /// What it holds.
        value: u64,
    },
    /// The file is of a kind that is known and not read here.
    #[error("{what} is not supported (file offset {offset:#x})")]
    Unsupported {
        /// The kind of file or field.
        what: &'static str,
        /// Where the file says so.
        offset: u64,
    },
    /// The dump is of another kind of machine.
    #[error("a dump of another machine ({machine}), only those of x86_64 are read")]
    Machine {
        /// The machine, as the header names it.
        machine: Machine,
    },
    /// Neither the header nor the notes tell the machine.
    #[error("nothing in the dump tells its machine, only dumps of x86_64 are supported")]
    UnknownMachine,
    /// The memory map given for a file of raw RAM has a range that is empty, overlaps another
    /// one or does not end below 2^64.
    #[error("the range of {size:#x} bytes at {start} of the memory map makes no sense")]
    RamRange {
        /// Physical address of the range's first byte.
        start: PhysAddr,
        /// Bytes.
        size: u64,
    },
}

/// Why files cannot be read as the set that `makedumpfile --split` makes of one dump. Files are
/// numbered from 0, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// No files were given.
    #[error("a dump has at least one file")]
    Empty,
    /// A file cannot be read as a vmcore at all.
    #[error("{error}")]
    File {
        /// Which one.
        file: usize,
        /// Why.
        error: Error,
    },
    /// A file is a dump of its own.
    #[error("it is no part of a split dump, only those are taken together")]
    NotSplit {
        /// Which one.
        file: usize,
    },
    /// A file is a part of another dump than the first one.
    #[error("it is a part of another dump than the first file")]
    OtherDump {
        /// Which one.
        file: usize,
    },
}

impl Error {
    /// What a person can do about it, if there is anything. `FILE` stands for the file.
    #[must_use]
    pub fn way_out(&self) -> Option<&'static str> {
        match self {
            Self::Foreign(foreign) => Some(foreign.way_out()),
            Self::Machine { .. } | Self::UnknownMachine => {
                Some("let a crash(8) that was built for that machine open it")
            }
            Self::NotVmcore { .. } => Some(
                "give the file that kdump wrote; raw RAM (a .vmem, a LiME file with padding) needs \
                 a description, see docs/raw-ram.md",
            ),
            Self::Cut { .. } => Some("copy it again, and compare the sizes: the file is shorter"),
            Self::Malformed { .. } | Self::Unsupported { .. } | Self::RamRange { .. } => None,
        }
    }
}

impl SetError {
    /// What a person can do about it, if there is anything. `FILE` stands for the file.
    #[must_use]
    pub fn way_out(&self) -> Option<&'static str> {
        match self {
            Self::File { error, .. } => error.way_out(),
            Self::Empty => None,
            Self::NotSplit { .. } | Self::OtherDump { .. } => {
                Some("analyze each dump by itself, or a folder of them with --group")
            }
        }
    }

    /// Which file it is about.
    #[must_use]
    pub fn file(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::File { file, .. } | Self::NotSplit { file } | Self::OtherDump { file } => *file,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing, it is empty".to_owned();
    }
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("bytes {}", pairs.join(" "))
}

/// Something that is wrong with a dump that can be read all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no VMCOREINFO, so nothing tells the kernel's release, KASLR offset or layouts.
    #[error("the dump has no VMCOREINFO")]
    NoVmcoreinfo,
    /// VMCOREINFO is not among the notes and was found in the memory.
    #[error("the dump has no VMCOREINFO among its notes; it was found in memory at {address}")]
    VmcoreinfoFound {
        /// Where it begins.
        address: PhysAddr,
    },
    /// VMCOREINFO is announced and not readable.
    #[error("VMCOREINFO cannot be read: {0}")]
    VmcoreinfoCut(ReadError),
    /// There are no CPU notes, so no CPU's registers are known.
    #[error("the dump has no CPU register notes")]
    NoCpuNotes,
    /// Notes are announced and not, or not all, readable.
    #[error("the notes cannot be read: {0}")]
    NotesCut(ReadError),
    /// Notes or VMCOREINFO are in memory that there is not.
    #[error("the notes cannot be read: {0}")]
    NotesAbsent(Absent),
    /// A note is not what its type says, or runs over the end of its section; then what follows it
    /// is ignored.
    #[error("the note at byte {at:#x} of the notes is malformed")]
    BadNote {
        /// Where it starts in the notes.
        at: u64,
    },
    /// More notes are malformed than are listed.
    #[error("{count} more of the notes are malformed")]
    MoreBadNotes {
        /// How many.
        count: u64,
    },
    /// The writer marked the dump as not written to its end.
    #[error("the writer marked the dump as incomplete")]
    MarkedIncomplete,
    /// The file is shorter than its headers say.
    #[error("the file was cut: it should have at least {needed} bytes and has {length}")]
    FileCut {
        /// Length that the headers ask for, as far as they were looked at.
        needed: u64,
        /// Length of the file.
        length: u64,
    },
    /// A flattened stream ends without its end mark.
    #[error("the flattened file ends at offset {at:#x} without its end mark")]
    FlattenedCut {
        /// Where the end mark or a record should be.
        at: u64,
    },
    /// A program header makes no sense and is ignored.
    #[error("program header {index} of the ELF vmcore makes no sense")]
    BadSegment {
        /// Which one, from 0.
        index: u64,
    },
    /// More program headers make no sense than are listed.
    #[error("{count} more program headers of the ELF vmcore make no sense")]
    MoreBadSegments {
        /// How many.
        count: u64,
    },
    /// The bitmap is shorter than the memory it stands for.
    #[error("the page bitmap ends at page {pages:#x} of {max_pfn:#x}")]
    BitmapShort {
        /// Pages that the bitmap covers.
        pages: u64,
        /// Pages that there are.
        max_pfn: u64,
    },
    /// Pages of a split dump are in a file that is not there.
    #[error("the file of the split dump with pages {} to {} is missing", pages.start, pages.end)]
    SetGap {
        /// The pages.
        pages: Range<Pfn>,
    },
    /// Pages of a split dump are in two of the files; those of the file that starts later count.
    #[error("two files of the split dump have pages {} to {}", pages.start, pages.end)]
    SetOverlap {
        /// The pages.
        pages: Range<Pfn>,
    },
    /// Something is wrong with one file of a split dump.
    #[error("in the file with pages {} to {}: {problem}", pages.start, pages.end)]
    InPart {
        /// The pages that the file has.
        pages: Range<Pfn>,
        /// What it is.
        problem: Box<Self>,
    },
}

/// Most malformed entries of one table that are listed one by one: a hostile file has millions.
pub(crate) const MOST_LISTED: u64 = 16;

impl Problem {
    /// Whether it means that memory is missing that the writer wanted in the dump.
    pub(crate) fn means_incomplete(&self) -> bool {
        match self {
            Self::MarkedIncomplete
            | Self::FileCut { .. }
            | Self::FlattenedCut { .. }
            | Self::BitmapShort { .. }
            | Self::NotesCut(_)
            | Self::NotesAbsent(_)
            | Self::VmcoreinfoCut(_)
            | Self::BadSegment { .. }
            | Self::MoreBadSegments { .. }
            | Self::SetGap { .. } => true,
            Self::InPart { problem, .. } => problem.means_incomplete(),
            Self::SetOverlap { .. }
            | Self::VmcoreinfoFound { .. }
            | Self::NoVmcoreinfo
            | Self::NoCpuNotes
            | Self::BadNote { .. }
            | Self::MoreBadNotes { .. } => false,
        }
    }
}
