// SPDX-License-Identifier: MIT OR Apache-2.0
//! An instruction for those who show code themselves.

/// An instruction as it stands in the dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Its address, in hex.
    pub address: String,
    /// `symbol+offset`.
    pub place: Option<String>,
    /// In AT&T form, with what its operand refers to.
    pub text: String,
    /// Whether it is the one at fault, or the call that led there.
    pub at_fault: bool,
}
