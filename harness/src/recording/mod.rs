// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recordings: what the analysis of a crash looked at, in a small file, so that the analysis can be
//! made again without the dump, the kernel's package or QEMU.
//!
//! Of the dump a recording has its headers and the bytes of memory that were read; of the kernel's
//! and the modules' files it has no bytes, but the questions that were asked (a symbol, a line, a
//! type) with their answers. An analyzer that asks for more is told that the recording lacks it.

mod container;
mod kept;
mod made;
mod make;
mod recorded;
mod replay;
mod spans;

use std::collections::BTreeMap;

use debuginfo::Answers;
use serde::{Deserialize, Serialize};

pub use made::Made;
pub use make::make;
pub use recorded::Recorded;

use crate::run::outcome::Crash;
use spans::Spans;

/// Most bytes that a recording may have.
pub const MAX_BYTES: usize = 512 << 10;
/// How files with recordings end.
pub const EXTENSION: &str = "recording";

/// What an analysis looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Where it is from.
    pub about: About,
    /// Length of the dump's file.
    file_length: u64,
    /// Bytes of the dump's file, without the pages.
    file: Spans,
    /// Bytes of physical memory.
    memory: Spans,
    /// What was asked about the kernel.
    vmlinux: Answers,
    /// What was asked about modules, by their names.
    modules: BTreeMap<String, Answers>,
}

/// The run that was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Name of the case.
    pub case: String,
    /// Name of the guest.
    pub guest: String,
    /// The crash as it was seen from outside.
    pub crash: Crash,
    /// The report that was made of it when it was recorded; recordings of before do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
}

impl About {
    /// `case@guest`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.case, self.guest)
    }
}
