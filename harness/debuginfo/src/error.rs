// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a file cannot be used at all.

/// Why a file cannot be opened as an [`Image`](crate::Image).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first bytes are not those of a 64-bit little-endian ELF file.
    #[error("not a 64-bit little-endian ELF file")]
    NotElf,
    /// For another machine than x86-64.
    #[error("ELF machine {0} is not x86-64 (62)")]
    Machine(u16),
    /// A kernel must be an executable (`ET_EXEC`, `ET_DYN`), a module relocatable (`ET_REL`).
    #[error("ELF file type {found} is not {wanted}")]
    FileType {
        /// `e_type` of the file.
        found: u16,
        /// What the caller asked for.
        wanted: &'static str,
    },
    /// The debug information that was split off belongs to another build of the file.
    #[error("it is of another build: the file has build-id {image}, the debug file {debug}")]
    OtherDebugFile {
        /// Build-id of the kernel or module, in hexadecimal.
        image: String,
        /// That of the debug file.
        debug: String,
    },
    /// `dwz` moved a part of the debug information into a file that was not given.
    #[error("a part of it is in the supplementary file {0}, which was not found")]
    NoSupplementaryFile(String),
    /// The supplementary file that was given is not the one that the debug information means.
    #[error(
        "a part of it is in a supplementary file with build-id {wanted}, and the one found has {found}"
    )]
    OtherSupplementaryFile {
        /// Build-id in the link, in hexadecimal.
        wanted: String,
        /// That of the file; empty if it has none.
        found: String,
    },
    /// A header or table lies outside of the file or contradicts itself.
    #[error("{what} of the ELF file is damaged or cut off")]
    Damaged {
        /// The header or table.
        what: &'static str,
    },
}
