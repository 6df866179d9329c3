// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names for values that the code computed without one.
//!
//! `container_of()` and pointers into arrays become sums of a parameter and an offset that its type
//! does not have, and a loop's variable may have no name where the loop changes it. If a register
//! holds the value at the fault and the debug information says which variable is in that register,
//! that is its name.

use crate::express::Writer;
use crate::flow::{Term, TermKind, evaluate, full, held};
use crate::scene::Scene;

use super::NULL_PAGE;

/// The term with names for parts that have none; `variable` is what its loop's variable is worth.
pub(super) fn named(
    scene: &dyn Scene,
    writer: Writer<'_>,
    registers: &[Option<u64>; 16],
    term: &Term,
    variable: Option<u64>,
) -> Term {
    let is_plain =
        |term: &Term| writer.expression(term).is_ok_and(|text| !text.contains("(void *)"));
    let mut named = term.clone();
    if is_plain(term) {
        return named;
    }
    let locals: Vec<(u64, String)> = (0..16_u8)
        .filter_map(|number| {
            let value = held(registers, number).filter(|value| *value >= NULL_PAGE)?;
            Some((value, writer.local_in(full(number))?))
        })
        .collect();
    let name = |part: &Term| {
        let value = match part.kind {
            TermKind::Walk { .. } => variable,
            TermKind::Sum { .. } | TermKind::Entry(_) => evaluate(part, scene),
            _ => None,
        };
        let value = value.filter(|_| !is_plain(part))?;
        locals.iter().find(|(known, _)| *known == value).map(|(_, name)| name.clone())
    };
    for part in named.parts_mut() {
        rename(part, writer.pc(), &name);
    }
    named
}

fn rename(term: &mut Term, pc: u64, name: &dyn Fn(&Term) -> Option<String>) {
    if matches!(term.kind, TermKind::Caller { .. }) {
        return;
    }
    if let Some(name) = name(term) {
        let (site, observed) = (term.site, term.observed);
        let inner = Box::new(std::mem::replace(term, Term::unknown("", 0)));
        *term = Term::new(TermKind::Variable { name, pc, term: inner }, site).observed(observed);
        return;
    }
    for part in term.parts_mut() {
        rename(part, pc, name);
    }
}
