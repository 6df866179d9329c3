// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why an expression has no value.

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no expression.
    #[error("`{text}`, column {column}: {message}")]
    Syntax {
        /// What is wrong there.
        message: String,
        /// Where, in characters, from 1.
        column: usize,
        /// The whole text.
        text: String,
    },
    /// Longer or deeper than is looked at.
    #[error("the expression is too {0}")]
    TooMuch(&'static str),
    /// No variable, function or enumerator of that name.
    #[error("no symbol `{0}` in the kernel or its modules")]
    NoSymbol(String),
    /// No type of that name.
    #[error("no type `{0}` in the debug information of the kernel or its modules")]
    NoType(String),
    /// The symbol is there, its type is not.
    #[error("the type of `{name}` is not known ({reason}); cast its address 0x{address:x}")]
    Untyped {
        /// The symbol.
        name: String,
        /// Where it is.
        address: u64,
        /// Why there is no type.
        reason: String,
    },
    /// A per-CPU variable without a CPU.
    #[error("`{0}` is a per-CPU variable: write `{0}:CPU`")]
    PerCpu(String),
    /// A CPU of a variable that has one copy only.
    #[error("`{0}` is not a per-CPU variable")]
    NotPerCpu(String),
    /// No member of that name.
    #[error("`{ty}` has no member `{member}`")]
    NoMember {
        /// The structure or union.
        ty: String,
        /// What was asked for.
        member: String,
    },
    /// An operator that the operand's type does not take.
    #[error("{0}")]
    Types(String),
    /// Memory that cannot be read.
    #[error("cannot read {what}: {why}")]
    Memory {
        /// What was to be read.
        what: String,
        /// Why it cannot be, with the address.
        why: String,
    },
    /// Division by zero.
    #[error("division by zero")]
    DivisionByZero,
}

impl Error {
    pub(super) fn types(message: impl Into<String>) -> Self {
        Self::Types(message.into())
    }
}
