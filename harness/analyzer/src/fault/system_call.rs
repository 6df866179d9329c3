// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the process gave to the system call in which a fault happened.

use crate::flow::{Term, TermKind, evaluate};
use crate::identify::NULL_PAGE;
use crate::scene::Scene;

/// Whether the process gave the pointer, or one of the values that it was computed from without memory, to the
/// system call that the stack begins with.
///
/// Example: `buf` of `write()` is in rsi still as the kernel saved that, when a driver reads `buf[3]`.
pub(super) fn is_given(scene: &dyn Scene, term: Option<&Term>, pointer: u64) -> bool {
    let given = scene.arguments_of_system_call();
    let is_its = |value: u64| value >= NULL_PAGE && given.contains(&value);
    is_its(pointer) || term.is_some_and(|term| is_of(scene, term, &is_its))
}

/// Whether a value that the term was computed from is one of those; what memory had is not looked behind.
fn is_of(scene: &dyn Scene, term: &Term, is_its: &dyn Fn(u64) -> bool) -> bool {
    if term.observed.or_else(|| evaluate(term, scene)).is_some_and(is_its) {
        return true;
    }
    match &term.kind {
        TermKind::Load { .. } => false,
        TermKind::Walk { first, .. } => is_of(scene, first, is_its),
        _ => term.parts().into_iter().any(|part| is_of(scene, part, is_its)),
    }
}
