// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that a function has just got of an allocator.

use unwind::Frame;

use super::taken::position;
use crate::flow::{CallTarget, Term, TermKind, between, call_target, is_call};
use crate::leads::allocates;
use crate::scene::Scene;

/// New memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fresh {
    /// The function that gave it.
    pub(super) by: String,
    /// Whether no other function was called since, so that nobody else can have done anything with it.
    pub(super) is_untouched: bool,
}

/// The call of an allocator that the pointer comes of, with what was added to it, if the frame's function made it.
///
/// Example: `list_add(&c->link, &clients)` of a `c` that `kmalloc()` gave a line above.
pub(super) fn fresh(scene: &dyn Scene, frame: &Frame, term: &Term) -> Option<Fresh> {
    let (target, site) = returned(term)?;
    let by = scene.kernel_function(target).filter(|name| allocates(name))?;
    let code = scene.function_code(frame.pc.for_lookup())?;
    let (start, end) = (code.at(site)?, position(&code, frame)?);
    let keeps = |at: usize| match call_target(code.instruction(at)) {
        Some(CallTarget::Direct(target)) => scene.keeps_registers(target),
        _ => false,
    };
    let mut since = between(&code, start, end).into_iter().filter(|at| ![start, end].contains(at));
    let is_untouched = since.all(|at| !is_call(code.instruction(at)) || keeps(at));
    Some(Fresh { by, is_untouched })
}

/// The function that returned the pointer, and where it was called.
fn returned(term: &Term) -> Option<(u64, u64)> {
    let bare = term.bare();
    match &bare.kind {
        TermKind::Returned { target } => Some(((*target)?, bare.site)),
        TermKind::Sum { base, index: None, .. } => returned(base),
        _ => None,
    }
}
