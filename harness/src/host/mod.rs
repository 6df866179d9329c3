// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the host must have: QEMU, a compiler, make, apt.

pub(crate) mod child;

/// Something the host lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The program or file.
    pub what: String,
    /// What it is for.
    pub why: String,
    /// The package that has it, in the host's distribution, where known.
    pub package: Option<String>,
}

/// What the host lacks, in the order it is needed.
#[must_use]
pub fn missing() -> Vec<Missing> {
    Vec::new()
}
