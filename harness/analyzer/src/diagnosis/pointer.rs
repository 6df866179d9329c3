// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bad pointer, and what was done with it.

use super::how::Use;
use super::nature::Nature;
use crate::express::Expression;
use crate::identify::StackOwner;
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
    /// The pointer on the way that leads to something else than it is used for.
    pub mistaken: Option<Mistaken>,
    /// Whether most likely an object was run over that too little was allocated for; the line to blame is that.
    pub overrun: bool,
    /// The test that lets the code come there where it is NULL.
    pub tested: Option<Test>,
    /// The object accessed through it as C, for reads and writes.
    pub object: Option<Expression>,
}

/// A pointer to a structure that leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistaken {
    /// The pointer as C.
    pub pointer: Expression,
    /// Tag of the structure.
    pub structure: String,
    /// Where it leads.
    pub leads: Elsewhere,
}

/// Where a pointer to a structure leads that leads to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// Into a variable with static storage that has none there.
    Variable {
        /// The variable.
        name: Expression,
    },
    /// To where one would be around the head of a list, if that were an entry.
    Head {
        /// The list.
        name: Expression,
    },
    /// Into a stack, and it is kept elsewhere: whether what it led to is there still is not known.
    Stack(StackOwner),
    /// To where no pointer can be a member.
    Misaligned,
}

impl Mistaken {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { pointer, structure, leads } = self;
        match leads {
            Elsewhere::Variable { name } => {
                format!("`{pointer}` leads to `{name}`, and to no struct {structure}")
            }
            Elsewhere::Head { name } => format!(
                "`{pointer}` is what lies around the head of list `{name}`, and no struct {structure}"
            ),
            Elsewhere::Stack(StackOwner::Task { comm, .. }) => {
                format!("`{pointer}` leads into the stack of task `{comm}`")
            }
            Elsewhere::Stack(StackOwner::Cpu(_)) => format!("`{pointer}` leads into a CPU's stack"),
            Elsewhere::Misaligned => {
                format!("`{pointer}` is misaligned, and leads to no struct {structure}")
            }
        }
    }

    /// Why what is read through it may be something else, in words.
    #[must_use]
    pub const fn doubt(&self) -> &'static str {
        match self.leads {
            Elsewhere::Variable { .. } | Elsewhere::Head { .. } | Elsewhere::Misaligned => {
                "most likely the pointer is wrong, and not what was read through it"
            }
            Elsewhere::Stack(_) => {
                "whether the variable that was there is there still is not known"
            }
        }
    }
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
