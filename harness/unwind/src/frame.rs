// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a walk gives: frames, each with how it was found, and why there are no more.

use crate::{ExceptionFrame, Registers, StackKind, StopReason};

/// A program counter and what it means.
///
/// ```
/// use unwind::Pc;
///
/// assert_eq!(Pc::Interrupted(0x1000).for_lookup(), 0x1000);
/// assert_eq!(Pc::Return(0x1000).for_lookup(), 0x0fff);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pc {
    /// The instruction at this run-time address did not complete (fault) or is the next to run
    /// (interrupt, sleeping task's first frame).
    Interrupted(u64),
    /// A call returns to this run-time address; the call is the instruction before it.
    Return(u64),
}

impl Pc {
    /// The address itself, as saved.
    pub fn address(self) -> u64 {
        match self {
            Self::Interrupted(address) | Self::Return(address) => address,
        }
    }

    /// The address to look up tables, functions and lines with: inside the calling instruction
    /// for return addresses.
    ///
    /// Situation: a call that never returns may be the last instruction of its function, and the
    /// line of a return address is the next statement's. Example: the fault called from
    /// `process_bprm_put` was reported on the line after the call, outside the inlined function
    /// that made it.
    pub fn for_lookup(self) -> u64 {
        match self {
            Self::Interrupted(address) => address,
            Self::Return(address) => address.wrapping_sub(1),
        }
    }
}

/// How a frame was found, surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Saved registers: the walk's start or an exception frame.
    Exact,
    /// Rules of DWARF call frame information.
    Cfi,
    /// Rules of the kernel's ORC tables.
    Orc,
    /// The chain of saved frame pointers.
    FramePointer,
    /// Of a function that its caller called and that went on with a jump: it left nothing on the
    /// stack. Never found by a walk; its registers are those that it gave back.
    Jumped,
    /// The kernel's own unwinder found it and wrote it into its log. Never found by a walk.
    Told,
    /// The return address of a call that went to a bad address.
    Call,
    /// A word on the stack that looks like a return address, or anything found from there on.
    Scan,
}

/// One physical frame; inlined functions are the caller's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Where it is.
    pub pc: Pc,
    /// Its stack pointer: at the interruption, or after the return of the call it made.
    pub sp: u64,
    /// Stack pointer of its caller after the return (DWARF's canonical frame address), once the
    /// caller was found by rules that tell it.
    pub cfa: Option<u64>,
    /// Its registers, as far as known; `rip` and `rsp` equal `pc` and `sp`.
    pub registers: Registers,
    /// How it was found.
    pub trust: Trust,
    /// The kind of stack `sp` is on, if known.
    pub stack: Option<StackKind>,
    /// The exception frame its registers were taken from: this code was interrupted, and the
    /// frame before it is the kernel's entry code. `None` for the walk's first frame.
    pub exception: Option<ExceptionFrame>,
}

/// Frames found, innermost first, and why the walk stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// Innermost first.
    pub frames: Vec<Frame>,
    /// Why there are no more.
    pub stop: StopReason,
}
