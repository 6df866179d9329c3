// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's ORC unwind tables, 4.14 and later.
//!
//! Two sections of the kernel and of each module (`arch/x86/include/asm/orc_types.h`,
//! `arch/x86/kernel/unwind_orc.c`): `.orc_unwind_ip` has a signed 32-bit distance from the word
//! itself to the code for each entry, `.orc_unwind` the six-byte entries. How an entry is coded
//! changed over time ([`Version`]); `.orc_header` tells since 6.3.10 and 6.4.

mod decode;
mod entry;
mod table;
mod version;

pub use entry::{Bp, Cfa, Kind, OrcEntry};
pub use table::Table;
pub use version::Version;

/// Why a table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The two sections do not have the same number of entries.
    #[error(
        ".orc_unwind_ip has {ip_bytes} bytes and .orc_unwind {entry_bytes}, which do not match"
    )]
    LengthMismatch {
        /// Size of `.orc_unwind_ip`.
        ip_bytes: usize,
        /// Size of `.orc_unwind`.
        entry_bytes: usize,
    },
    /// `.orc_header` has a hash that no known version has.
    #[error(".orc_header has the unknown hash {}", hex(.hash))]
    UnknownHeader {
        /// Contents of the section, at most the first 20 bytes.
        hash: Vec<u8>,
    },
    /// There is no `.orc_header`, and the release tells no version.
    #[error("kernel release {release:?} tells no version of ORC tables")]
    UnknownRelease {
        /// As `uname -r` gives it.
        release: String,
    },
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
