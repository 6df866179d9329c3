// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was read through a pointer to per-CPU memory that is NULL.
//!
//! Example: `this_cpu_ptr(stats)->last` of `stats` that nobody allocated is what the kernel's first per-CPU variables
//! have there, and may be anything.

use super::found::Found;
use super::reads::innermost;
use crate::claim::Claim;
use crate::diagnosis::{About, Nature};
use crate::express::Writer;
use crate::flow::{Term, TermKind, evaluate};
use crate::scene::Scene;

/// The innermost pointer to per-CPU memory on the way that is NULL, where something was read through it.
pub(super) fn null_per_cpu(scene: &dyn Scene, writer: Writer<'_>, term: &Term) -> Option<Found> {
    innermost(writer, term, &|writer, _, (address, _)| {
        let (writer, pointer) = per_cpu_pointer(writer, address)?;
        let TermKind::Load { address: slot, size, .. } = &pointer.bare().kind else { return None };
        let at = evaluate(address, scene).filter(|_| evaluate(pointer, scene) == Some(0))?;
        let inside = at.wrapping_sub(scene.per_cpu_base()?);
        let claim = Claim::new(Some(true)).data(at).text(", which was read, is ");
        let claim = claim.text(format!("{inside:#x} bytes into the CPU's own memory"));
        let part = writer.unbounded().part_at(slot, *size);
        Some(Found {
            claim: Some(claim),
            expression: writer.expression(pointer).ok(),
            about: About { part, ..About::default() },
            ..Nature::PerCpuNull.into()
        })
    })
}

/// The pointer to per-CPU memory that the address was computed from, and a writer of its function.
fn per_cpu_pointer<'t, 'w>(writer: Writer<'w>, term: &'t Term) -> Option<(Writer<'w>, &'t Term)> {
    match &term.kind {
        TermKind::Caller { pc, term } => per_cpu_pointer(writer.at(*pc), term),
        TermKind::Argument { term, .. } | TermKind::Variable { term, .. } => {
            per_cpu_pointer(writer, term)
        }
        TermKind::Sum { base, index: None, .. } => per_cpu_pointer(writer, base),
        TermKind::Sum { base, index: Some((index, 1)), .. } => {
            let all = [(base, index), (index, base)];
            let mut all = all.into_iter().filter(|(own, _)| writer.is_own_cpu(own));
            all.next().map(|(_, pointer)| (writer, pointer.as_ref()))
        }
        _ => None,
    }
}
