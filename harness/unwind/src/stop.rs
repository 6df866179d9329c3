// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a walk ends.

use std::fmt;

use crate::Registers;

/// Why a walk stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The kernel was entered from user mode with these registers.
    User(Box<Registers>),
    /// The tables say that this is the outermost function of a kernel thread or of boot.
    Root,
    /// The stack (or a register's save area) could not be read at this address.
    NoMemory {
        /// Run-time virtual address.
        address: u64,
    },
    /// The next stack pointer lies below the last one or on a stack already left: a loop.
    NoProgress {
        /// Stack pointer that was proposed.
        sp: u64,
    },
    /// The limit of frames was reached.
    Limit,
    /// A return address is no code, or nothing tells who called a bad address.
    BadPc {
        /// The address that is no code.
        pc: u64,
    },
    /// The code is known, but nothing says how to unwind it.
    NoRule {
        /// Address looked up.
        pc: u64,
    },
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(registers) => write!(f, "entered from user mode at {:#x}", registers.rip),
            Self::Root => write!(f, "outermost function"),
            Self::NoMemory { address } => write!(f, "stack not readable at {address:#x}"),
            Self::NoProgress { sp } => write!(f, "stack pointer {sp:#x} leads backwards"),
            Self::Limit => write!(f, "limit of frames reached"),
            Self::BadPc { pc } => write!(f, "{pc:#x} is no code"),
            Self::NoRule { pc } => write!(f, "no rule to unwind {pc:#x}"),
        }
    }
}
