// SPDX-License-Identifier: MIT OR Apache-2.0
//! The head of a list that was taken for an entry, as the list is empty.
//!
//! Example: `list_first_entry(&hub->jobs, struct job, link)->ops` of a hub without jobs: the entry is the head
//! itself, and what is read as its member is a word of the hub.

use super::reads::innermost;
use crate::claim::Claim;
use crate::express::Writer;
use crate::flow::{Round, Term, evaluate_round};
use crate::scene::Scene;

/// The innermost link on the way that leads to where it is itself, and through which something was read.
pub(super) fn empty_list(
    scene: &dyn Scene,
    (writer, round): (Writer<'_>, Option<Round>),
    term: &Term,
) -> Option<Claim> {
    innermost(writer, term, &|writer, term, (address, size)| {
        let at = evaluate_round(address, scene, round.map(|round| round.variable))?;
        let is_itself = size == 8
            && scene.word(at, 8) == Some(at)
            && term.observed.is_none_or(|held| held == at);
        let text = writer.unbounded().expression(term).ok().filter(|_| is_itself)?;
        let claim = Claim::new(Some(true)).text(format!("`{text}` leads to where it is itself, "));
        Some(claim.data(at).text(": the list is empty, or the entry is in none"))
    })
}
