// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of a kind a lock is: all objects of a structure have the same lock at the same place.

use crate::express::Writer;
use crate::flow::{Term, TermKind};

/// Structures that are locks: what begins with one is told from it by its owner only.
const LOCKS: [&str; 6] =
    ["mutex", "rw_semaphore", "semaphore", "raw_spinlock", "spinlock", "qspinlock"];

/// Where in which structure a lock lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LockClass {
    /// Tag of the structure.
    tag: String,
    /// Distance from its start, in bytes.
    offset: i64,
}

/// The class of the lock that a pointer leads to; `None` where types do not tell.
pub(super) fn lock_class(writer: &Writer<'_>, pointer: &Term) -> Option<LockClass> {
    match &pointer.kind {
        TermKind::Caller { pc, term } => lock_class(&writer.at(*pc), term),
        TermKind::Argument { term, .. } => lock_class(writer, term),
        _ => {
            let (_, structure, offset) = writer.structure_at(pointer, 8)?;
            let is_whole = LOCKS.contains(&structure.tag.as_str());
            (!is_whole).then_some(LockClass { tag: structure.tag, offset })
        }
    }
}
