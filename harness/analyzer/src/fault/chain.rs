// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chain of loads that led to a bad value, each checked on the dump.

use crate::claim::Claim;
use crate::express::Writer;
use crate::flow::{Term, TermKind, evaluate};
use crate::report::Confidence;
use crate::scene::Scene;
use crate::signature::source_name;

/// What is known of where a bad value came from.
pub(super) struct Origin {
    /// As C.
    pub(super) expression: Result<String, String>,
    /// One claim for each load, from the root outwards.
    pub(super) steps: Vec<Claim>,
    /// Whether the dump gives the bad value again.
    pub(super) confidence: Confidence,
}

/// Where the value came from, compared with what it was at the fault.
pub(super) fn origin(scene: &dyn Scene, writer: Writer<'_>, term: &Term, bad: u64) -> Origin {
    let expression = writer.expression(term);
    let mut steps = Vec::new();
    loads(scene, writer, term, &mut steps);
    let again = evaluate(term, scene);
    let confidence = match (&expression, again) {
        (Err(_), _) => Confidence::Unknown,
        (Ok(_), Some(value)) if value == bad && is_grounded(term) => Confidence::Proven,
        (Ok(_), _) => Confidence::Likely,
    };
    if let (Ok(text), Some(value)) = (&expression, again)
        && value != bad
    {
        let claim = Claim::new(Some(false)).text(format!("`{text}` was ")).data(bad);
        steps.push(claim.text(" at the fault and is ").data(value).text(" in the dump"));
    }
    Origin { expression, steps, confidence }
}

/// Adds a claim for each load inside of the term, innermost first.
fn loads(scene: &dyn Scene, writer: Writer<'_>, term: &Term, steps: &mut Vec<Claim>) {
    match &term.kind {
        TermKind::Load { address, .. } => {
            loads(scene, writer, address, steps);
            if let Ok(text) = writer.expression(term) {
                let at = evaluate(address, scene);
                steps.push(holds(scene, &text, at, evaluate(term, scene)));
            }
        }
        TermKind::Sum { base, index, .. } => {
            loads(scene, writer, base, steps);
            if let Some((index, _)) = index {
                loads(scene, writer, index, steps);
            }
        }
        TermKind::Caller { pc, term } => {
            let outer = Writer::new(scene, *pc);
            loads(scene, outer, term, steps);
            if let (Ok(text), Some(name)) = (outer.expression(term), scene.symbol_at(*pc)) {
                let words = format!("`{}` passes `{text}`", source_name(&name.0));
                steps.push(Claim::new(Some(true)).text(words));
            }
        }
        TermKind::Entry(_) | TermKind::EntryStack(_) => {
            if let (Ok(text), Some(value)) = (writer.expression(term), term.observed) {
                let claim = Claim::new(Some(true)).text(format!("argument `{text}` is "));
                steps.push(claim.data(value));
            }
        }
        _ => {}
    }
}

fn holds(scene: &dyn Scene, text: &str, at: Option<u64>, value: Option<u64>) -> Claim {
    let confirmed = value.map(|_| true);
    let mut claim = Claim::new(confirmed).text(format!("`{text}`"));
    if let Some(at) = at {
        claim = claim.text(" at ").data(at);
    }
    match (value, at.and_then(|at| scene.why_unreadable(at))) {
        (Some(value), _) => claim.text(" holds ").data(value),
        (None, Some(why)) => claim.text(format!(" cannot be read: {why}")),
        (None, None) => claim.text(" is at an address that is not known"),
    }
}

/// Whether every part of the value is known: no alternatives, nothing that was given up, and what
/// a register held at the entry is still there to see.
fn is_grounded(term: &Term) -> bool {
    match &term.kind {
        TermKind::Constant(_) | TermKind::PerCpu { .. } => true,
        TermKind::Caller { term, .. } => is_grounded(term),
        TermKind::Load { address, .. } => is_grounded(address),
        TermKind::Sum { base, index, .. } => {
            is_grounded(base) && index.as_ref().is_none_or(|(index, _)| is_grounded(index))
        }
        TermKind::Entry(_)
        | TermKind::EntryStack(_)
        | TermKind::StackAddress(_)
        | TermKind::Returned { .. } => term.observed.is_some(),
        TermKind::Choice(_) | TermKind::Unknown(_) => false,
    }
}
