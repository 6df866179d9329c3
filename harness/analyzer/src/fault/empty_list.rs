// SPDX-License-Identifier: MIT OR Apache-2.0
//! The head of a list that was taken for an entry, as the list is empty.
//!
//! Example: `list_first_entry(&hub->jobs, struct job, link)->ops` of a hub without jobs: the entry is the head
//! itself, and what is read as its member is a word of the hub.

use crate::claim::Claim;
use crate::express::Writer;
use crate::flow::{Round, Term, TermKind, evaluate_round};
use crate::scene::Scene;

/// The innermost link on the way that leads to where it is itself, and through which something was read.
pub(super) fn empty_list(
    scene: &dyn Scene,
    (writer, round): (Writer<'_>, Option<Round>),
    term: &Term,
) -> Option<Claim> {
    let writer = match &term.kind {
        TermKind::Caller { pc, .. } => writer.at(*pc),
        TermKind::Walk { .. } => return None,
        _ => writer,
    };
    let mut parts = term.parts().into_iter();
    if let Some(found) = parts.find_map(|part| empty_list(scene, (writer, round), part)) {
        return Some(found);
    }
    let TermKind::Load { address, size: 8, .. } = &term.kind else { return None };
    let variable = round.map(|round| round.variable);
    let at = evaluate_round(address, scene, variable)?;
    let is_itself = scene.word(at, 8) == Some(at) && term.observed.is_none_or(|held| held == at);
    let text = writer.unbounded().expression(term).ok().filter(|_| is_itself)?;
    let claim = Claim::new(Some(true)).text(format!("`{text}` leads to where it is itself, "));
    Some(claim.data(at).text(": the list is empty, or the entry is in none"))
}
