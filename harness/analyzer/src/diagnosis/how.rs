// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is done with a pointer.

/// What was done with the pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It was read through.
    Read,
    /// It was written through.
    Write,
    /// It was read and written through by one instruction.
    Change,
    /// It was called or jumped to.
    Call,
}
