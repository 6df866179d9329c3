// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bad pointer, and what was done with it.

use super::how::Use;
use super::nature::Nature;
use crate::express::Expression;
use crate::kind::CrashKind;

/// Which part of a bad address is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The pointer.
    Pointer,
    /// A number that was added to a good pointer.
    Index,
}

/// What the address alone tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symptom {
    /// NULL, or NULL plus an offset.
    Null,
    /// An address that no machine has.
    NonCanonical,
    /// An address where nothing is, or that does not allow what was done.
    Bad,
}

/// A bad pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPointer {
    /// What was done with it.
    pub how: Use,
    /// The address accessed.
    pub address: u64,
    /// What that alone tells.
    pub symptom: Symptom,
    /// Which part of the address is bad.
    pub role: Role,
    /// Whether it is a number a little below 0.
    pub below: bool,
    /// What the pointer is, where more is known than the symptom.
    pub nature: Option<Nature>,
    /// The pointer as C.
    pub expression: Option<Expression>,
    /// The number of an element that an array on the way does not have, as C, and the array.
    pub past: Option<(Expression, Expression)>,
    /// What it is the link of as C, where that has no list: it was never initialised, or was cleared.
    pub unset: Option<Expression>,
    /// The node as C that it is a link of, where that has NULL in both of its links.
    pub unlinked: Option<Expression>,
    /// Whether most likely an object was run over that too little was allocated for; the line to blame is that.
    pub overrun: bool,
    /// The test that lets the code come there where it is NULL.
    pub tested: Option<Test>,
    /// The object accessed through it as C, for reads and writes.
    pub object: Option<Expression>,
}

/// A test of a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Test {
    /// Its address.
    pub pc: u64,
    /// Whether each way there leads through it, as far as is known.
    pub is_certain: bool,
}

impl Symptom {
    /// The kind of a crash of which no more is known.
    #[must_use]
    pub const fn kind(self, how: Use) -> CrashKind {
        match (self, how) {
            (Self::Null, Use::Call) => CrashKind::NullCall,
            (Self::Null, Use::Read) => CrashKind::NullRead,
            (Self::Null, Use::Write | Use::Change) => CrashKind::NullWrite,
            (_, Use::Call) => CrashKind::BadCall,
            (Self::NonCanonical, _) => CrashKind::GeneralProtection,
            (Self::Bad, Use::Read) => CrashKind::BadRead,
            (Self::Bad, Use::Write | Use::Change) => CrashKind::BadWrite,
        }
    }
}

impl BadPointer {
    /// The kind: the mistake where what the pointer is tells it, else the symptom.
    #[must_use]
    pub fn kind(&self) -> CrashKind {
        if self.overrun {
            return CrashKind::HeapOverflow;
        }
        if self.past.is_some() && self.how != Use::Call {
            return CrashKind::OutOfBounds;
        }
        let mistake = self.nature.as_ref().and_then(|nature| nature.kind(self.how));
        mistake.unwrap_or_else(|| self.symptom.kind(self.how))
    }

    /// Whether a number that is too large led there, and not a pointer.
    #[must_use]
    pub fn is_index(&self) -> bool {
        self.role == Role::Index || self.past.is_some()
    }
}
