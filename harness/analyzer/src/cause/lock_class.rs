// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of a kind a lock is: all objects of a structure have the same lock at the same place.

use crate::express::Writer;
use crate::flow::{Term, TermKind};

/// Where in which structure a lock lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LockClass {
    /// Tag of the structure.
    tag: String,
    /// Distance from its start, in bytes.
    offset: i64,
}

impl LockClass {
    /// Whether both are members of one structure, and not the same.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.tag == other.tag && self.offset != other.offset
    }
}

/// The class of the lock that a pointer leads to; `None` where types do not tell. Structures of the kernel's
/// own tell nothing: all wait queues, and all of what has one, have a lock at the same place.
pub(super) fn lock_class(writer: &Writer<'_>, pointer: &Term) -> Option<LockClass> {
    match &pointer.kind {
        TermKind::Caller { pc, term } => lock_class(&writer.at(*pc), term),
        TermKind::Argument { term, .. } => lock_class(writer, term),
        _ => {
            let (_, structure, offset) = writer.structure_at(pointer, 8)?;
            let is_own = !writer.is_of_kernel(&structure.tag);
            is_own.then_some(LockClass { tag: structure.tag, offset })
        }
    }
}
