// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of a kind a lock is: all objects of a structure have the same lock at the same place.

use crate::express::Writer;
use crate::flow::{Term, TermKind};

/// Where in which structure a lock lies.
#[derive(Debug, Clone)]
pub(super) struct LockClass {
    /// Tag of the structure.
    tag: String,
    /// Distance from its start, in bytes.
    offset: u64,
    /// Whether it is one of an array's.
    element: bool,
}

impl LockClass {
    /// Whether the structure is an element of an array, which one is not known.
    pub(super) const fn is_of_element(&self) -> bool {
        self.element
    }

    /// Whether both are the same member of one structure.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.tag == other.tag && self.offset == other.offset
    }

    /// Whether both are members of one structure, and not the same.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.tag == other.tag && self.offset != other.offset
    }
}

/// The class of the lock that a pointer leads to, whose structure's tag is known; `None` where types do not tell. Structures of the kernel's
/// own tell nothing: all wait queues, and all of what has one, have a lock at the same place.
pub(super) fn lock_class(
    writer: &Writer<'_>,
    pointer: &Term,
    tag: Option<&str>,
) -> Option<LockClass> {
    match &pointer.kind {
        TermKind::Caller { pc, term } => lock_class(&writer.at(*pc), term, tag),
        TermKind::Argument { term, .. } => lock_class(writer, term, tag),
        _ => {
            let (structure, offset) = writer.holder(pointer, tag)?;
            let element = matches!(&pointer.kind, TermKind::Sum { index: Some(_), .. });
            Some(LockClass { tag: structure.tag, offset, element })
        }
    }
}
