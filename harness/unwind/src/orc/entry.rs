// SPDX-License-Identifier: MIT OR Apache-2.0
//! One ORC entry, the same for all versions of the format.

use serde::{Deserialize, Serialize};

use crate::Register;

/// What holds from one code address up to the next entry's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrcEntry {
    /// What is on the stack.
    pub kind: Kind,
    /// Where it is.
    pub cfa: Cfa,
    /// Where the caller's `rbp` is.
    pub bp: Bp,
    /// Whether the caller's program counter is an interrupted instruction.
    pub signal: bool,
}

/// What the CFA of an entry points at (above).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Nothing is known about this code.
    Undefined,
    /// There is no caller.
    EndOfStack,
    /// A return address is right below the CFA.
    Call,
    /// A whole `struct pt_regs` is at the CFA.
    Regs,
    /// Only the hardware's five words are at the CFA; other registers are unchanged.
    RegsPartial,
}

/// How to compute the canonical frame address (called "previous sp" in the kernel).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cfa {
    /// No rule, or one that makes no sense.
    Undefined,
    /// `cfa = base + offset`
    Register {
        /// Register of the frame.
        base: Register,
        /// Bytes.
        offset: i64,
    },
    /// `cfa = [base + offset] + add`
    Indirect {
        /// Register of the frame.
        base: Register,
        /// Bytes before the load.
        offset: i64,
        /// Bytes after the load.
        add: i64,
    },
}

/// Where the caller's `rbp` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bp {
    /// `rbp` is unchanged.
    Same,
    /// `[cfa + offset]`
    AtCfa(i64),
    /// `[rbp + offset]`
    AtBp(i64),
    /// The entry names a register that cannot be.
    Unknown,
}
