// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of parameters and variables in one frame of a stack: where they are once the frame's
//! registers are known.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::TypeId;

/// One frame, as far as it is known.
pub trait FrameState {
    /// Value of a register, by DWARF number (16 is the program counter).
    fn register(&self, number: u16) -> Option<u64>;
    /// The canonical frame address: the stack pointer before the return address was pushed.
    fn cfa(&self) -> Option<u64>;
    /// Fills `buffer` from a run-time address; `None` if a byte is missing.
    fn memory(&self, address: u64, buffer: &mut [u8]) -> Option<()>;
    /// What the caller passed when it called the frame's physical function.
    ///
    /// # Errors
    /// Why that is not known.
    fn passed(&self, what: Passed) -> Result<u64, Absent>;
}

/// Something that a caller passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Passed {
    /// What a register held when the function was entered, by DWARF number.
    Register(u16),
    /// The argument for a parameter that this copy of the function has dropped, by the place of the
    /// parameter's entry in `.debug_info` of the same image.
    Parameter(usize),
}

/// A parameter or variable in one frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameValue {
    /// Name in the source.
    pub name: String,
    /// Its type.
    pub ty: Option<TypeId>,
    /// Whether it is a parameter (else a variable).
    pub parameter: bool,
    /// Function it belongs to; an inlined one for `depth` above 0.
    pub function: String,
    /// Inline depth of that function: 0 is the physical function.
    pub depth: u32,
    /// The value, or why it cannot be had.
    pub value: Result<Datum, Absent>,
    /// How it was got.
    pub origin: Origin,
}

/// A value or the place that has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Datum {
    /// In memory at this run-time address.
    Memory(u64),
    /// The bytes themselves, little-endian; there may be more than the type needs.
    Bytes(Vec<u8>),
}

/// How a value was got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Origin {
    /// A constant of the debug information.
    Constant,
    /// From where the debug information places it: registers and memory of the frame.
    Place,
    /// It is still what the caller passed; that was computed in the caller's frame.
    Caller,
    /// It is kept nowhere any more, and this is what the caller passed: the function may have
    /// assigned another value since.
    AtEntry,
}

/// Why a value cannot be had. No text has an address in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Absent {
    /// The compiler keeps it nowhere at this place.
    #[error("not kept here")]
    Nowhere,
    /// The register that has it was not saved by the functions that were called.
    #[error("{} was not saved", register_name(*.0))]
    Register(u16),
    /// Its place is relative to a frame that is not known.
    #[error("the frame is not known")]
    Frame,
    /// Its memory is not in the dump.
    #[error("its memory cannot be read")]
    Memory,
    /// A part of it is kept nowhere.
    #[error("a part of it is not kept")]
    Part,
    /// It points to something that was never stored.
    #[error("what it points to is not kept")]
    PointsNowhere,
    /// Nothing is known of the caller.
    #[error("not kept here, and the caller is not known")]
    NoCaller,
    /// The frame was not entered by a call.
    #[error("not kept here, and the function was not entered by a call")]
    NoCall,
    /// The caller's debug information does not tell what it passed.
    #[error("not kept here, and the caller does not tell what it passed")]
    NotPassed,
    /// The caller called another function, which jumped to this one.
    #[error("not kept here, and the caller called another function, which jumped here")]
    OtherCallee,
    /// The caller called through a pointer, and nothing proves that it pointed here.
    #[error("not kept here, and the call went through a pointer that is not kept")]
    Indirect,
    /// An operation or form that kernels do not use.
    #[error("{0} is not supported")]
    Unsupported(Cow<'static, str>),
    /// The debug information is damaged.
    #[error("the debug information is damaged")]
    Malformed,
    /// The chain of callers is longer than is followed.
    #[error("more callers than are followed")]
    Limit,
}

/// Name of a register by its DWARF number.
#[must_use]
pub fn register_name(number: u16) -> &'static str {
    const NAMES: [&str; 17] = [
        "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15", "rip",
    ];
    NAMES.get(usize::from(number)).copied().unwrap_or("a register")
}
