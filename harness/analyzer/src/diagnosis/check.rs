// SPDX-License-Identifier: MIT OR Apache-2.0
//! A check that failed, and what it was about.

use crate::express::Expression;
use crate::kind::CrashKind;

/// A check that failed: of a module, or one that the kernel makes of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it was about.
    pub kind: CheckKind,
    /// What it looked at, as C.
    pub expression: Option<Expression>,
}

/// What a check was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckKind {
    /// `BUG()` or `BUG_ON()`.
    Bug,
    /// An instruction that the CPU does not know.
    InvalidOpcode,
    /// A trap of the code's own that no table of the kernel's checks has: `__builtin_trap()`, or what a compiler puts
    /// where code must not come to.
    Trap,
    /// A fatal warning.
    Warn,
    /// One that the kernel survived.
    Warning,
    /// `panic()`, with what it was given.
    Panic {
        /// The words, if the log has them.
        words: Option<String>,
    },
    /// A list whose links are wrong.
    List(ListEntry),
    /// An object that was freed.
    DoubleFree(Freed),
    /// A reference counter.
    Refcount(Complaint),
    /// Something that does not fit into a buffer.
    Fortify(Overflow),
    /// `BUG_ON()` of a function of the kernel, which the code to blame called.
    Called {
        /// The function.
        function: String,
        /// What it was given, as C, of what has a name.
        given: Vec<Expression>,
    },
    /// A stack's canary.
    StackProtector,
    /// Sleeping where that is forbidden.
    SleepingInAtomic,
    /// No memory left.
    OutOfMemory,
    /// Undefined behaviour, caught by the compiler's checks.
    Undefined,
    /// Something else that the kernel says, of that kind and in its words.
    Other(CrashKind, Option<String>),
}

/// What is known of the entry of a list that a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListEntry {
    /// It has the mark of one that was taken out, and was to be taken out.
    OutAlready,
    /// The list has NULL in both of its links, and something was to be put in.
    NoList,
    /// The list itself is in freed memory, and something was to be put in.
    ListFreed,
    /// It is the list itself, or the place in it, that it was to be put to.
    Itself,
    /// It is in the list already, and was to be put in.
    InAlready,
    /// It is in memory that was allocated anew and that the list leads to already, and was to be put in.
    Reused,
    /// Its neighbour is in a free object.
    Freed,
    /// Its neighbour does not lead back to it.
    Broken,
    /// Nothing that tells more.
    Unknown,
}

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overflow {
    /// A string that does not end inside of its array.
    Unterminated,
    /// A string that is copied to an array that is too small for it.
    TooLong {
        /// The function that copies it.
        function: String,
        /// The string, as C.
        string: Expression,
        /// Bytes that it takes with its end.
        needs: u64,
        /// Bytes of the array.
        has: u64,
    },
    /// What a function of the C library is to do (`fortify_panic()`).
    Buffer,
    /// What is copied between the kernel and a process (`usercopy_abort()`).
    UserCopy,
    /// One of them.
    Either,
}

/// What is known of the object that a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freed {
    /// It is free already.
    Again,
    /// Which one is not known.
    Unknown,
}

/// What the checks of reference counters complain of (`lib/refcount.c`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// "underflow; use-after-free"
    Underflow,
    /// "addition on 0; use-after-free"
    FromZero,
    /// "saturated; leaking memory"
    Saturated,
    /// Another one.
    Other,
}

impl Check {
    /// A check of that sort, of which no more is known.
    #[must_use]
    pub const fn new(kind: CheckKind) -> Self {
        Self { kind, expression: None }
    }

    /// The kind of crash.
    #[must_use]
    pub const fn kind(&self) -> CrashKind {
        match &self.kind {
            CheckKind::Bug | CheckKind::Called { .. } => CrashKind::Bug,
            CheckKind::InvalidOpcode | CheckKind::Trap => CrashKind::InvalidOpcode,
            CheckKind::Warn | CheckKind::Warning => CrashKind::Warn,
            CheckKind::Panic { .. } => CrashKind::Panic,
            CheckKind::List(_) => CrashKind::ListCorruption,
            CheckKind::DoubleFree(_) => CrashKind::DoubleFree,
            CheckKind::Refcount(_) => CrashKind::Refcount,
            CheckKind::Fortify(_) => CrashKind::Fortify,
            CheckKind::StackProtector => CrashKind::StackProtector,
            CheckKind::SleepingInAtomic => CrashKind::SleepingInAtomic,
            CheckKind::OutOfMemory => CrashKind::OutOfMemory,
            CheckKind::Undefined => CrashKind::UndefinedBehavior,
            CheckKind::Other(kind, _) => *kind,
        }
    }

    /// What it looked at, as C.
    #[must_use]
    pub fn expression(&self) -> Option<&Expression> {
        self.expression.as_ref()
    }
}
