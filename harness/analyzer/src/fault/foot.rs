// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a bad pointer was made of.
//!
//! `&wq->head` of a `wq` that is NULL is 0x48, and the entry around a list's link that is NULL is -16:
//! what is wrong is the pointer that something was added to, not the sum.

use crate::diagnosis::About;
use crate::express::{Expression, Pointee, Structure, Writer};
use crate::flow::{Round, Term, TermKind, evaluate, evaluate_round, round};
use crate::identify::NULL_PAGE;
use crate::scene::Scene;

/// The pointer that distances were added to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foot<'t, 'w> {
    /// The pointer.
    pub(super) term: &'t Term,
    /// What it is written with: the function whose names it has.
    pub(super) writer: Writer<'w>,
    /// Its value, where something tells it.
    pub(super) value: Option<u64>,
    /// What was added to it, in bytes; `None` if that is not one number.
    pub(super) distance: Option<i64>,
    /// The round of a loop on the way.
    pub(super) round: Option<Round>,
}

impl<'t, 'w> Foot<'t, 'w> {
    /// Of a term in the writer's function; the term was worth `bad`.
    pub(super) fn of(scene: &dyn Scene, writer: Writer<'w>, term: &'t Term, bad: u64) -> Self {
        let round = round(term, scene, bad);
        Self { term, writer, value: Some(bad), distance: Some(0), round }.inside(scene)
    }

    /// What the variable of the loop was worth.
    fn variable(&self) -> Option<u64> {
        self.round.map(|round| round.variable)
    }

    fn inside(self, scene: &dyn Scene) -> Self {
        let value = |term: &Term| match term.kind {
            TermKind::Walk { .. } | TermKind::Again(_) => self.variable().or(term.observed),
            _ => term.observed.or_else(|| evaluate(term, scene)),
        };
        match &self.term.kind {
            TermKind::Caller { pc, term } => {
                Self { term, writer: self.writer.at(*pc), ..self }.inside(scene)
            }
            TermKind::Argument { term, .. } => Self { term, ..self }.inside(scene),
            TermKind::Variable { term, pc, .. } if is_sum(term) => {
                Self { term, writer: self.writer.at(*pc), ..self }.inside(scene)
            }
            // What the round before read is what is bad, and not the variable.
            TermKind::Walk { first, next, .. } => {
                let source = self.round.and_then(|round| round.source(first, next));
                match source.filter(|(source, _)| is_read(source)) {
                    Some((source, round)) => Self { term: source, round, ..self }.inside(scene),
                    None => self,
                }
            }
            // Of two registers that are added, either may be the pointer.
            TermKind::Sum { base, index: Some((index, 1)), offset }
                if value(base).is_some_and(|it| it < NULL_PAGE)
                    && value(index).is_some_and(|it| it >= NULL_PAGE) =>
            {
                let added = value(base).and_then(|it| offset.checked_add_unsigned(it));
                let distance = added.zip(self.distance).and_then(|(a, b)| a.checked_add(b));
                Self { term: index, distance, value: value(index), ..self }.inside(scene)
            }
            TermKind::Sum { base, index, offset } if !is_number(base) => {
                let known = index.is_none().then_some(*offset);
                let distance = known.and_then(|offset| self.distance?.checked_add(offset));
                // Where the sum is known and the number that was added, so is what it was added to.
                let by_sum = self.value.zip(known).map(|(sum, it)| sum.wrapping_add_signed(-it));
                let value = by_sum.or_else(|| value(base));
                Self { term: base, value, distance, ..self }.inside(scene)
            }
            _ => self,
        }
    }

    /// The pointer as C; `None` if it has no name, or the dump has another value there: then it
    /// is not known to have been that.
    pub(super) fn expression(&self, scene: &dyn Scene) -> Option<Expression> {
        let now = evaluate_round(self.term, scene, self.variable());
        let is_other = now.zip(self.value).is_some_and(|(now, was)| now != was);
        self.writer
            .used_as(Pointee::Data)
            .expression(self.term)
            .ok()
            .filter(|c| !is_other && !c.is_number())
    }

    /// What the code can be searched for: where the pointer was read from.
    pub(super) fn about(&self) -> About {
        let part = match &self.term.bare().kind {
            TermKind::Load { address, size, .. } => self.at_site().part_at(address, *size),
            _ => None,
        };
        About { part, ..About::default() }
    }

    /// The innermost structure that the pointer was read from as a member, and how far into it that is.
    pub(super) fn around(&self) -> Option<(Structure, u64)> {
        match &self.term.bare().kind {
            TermKind::Load { address, size, .. } => self.at_site().around(address, *size),
            _ => None,
        }
    }

    /// Whether it is a pointer by its type, and not only by what it is used as.
    pub(super) fn is_pointer(&self) -> bool {
        self.writer.unbounded().used_as(Pointee::Data).is_pointer(self.term)
    }

    /// The structure that the pointer is to.
    pub(super) fn structure(&self) -> Option<Structure> {
        self.at_site().pointee(self.term)
    }

    /// The member of the structure that the pointer is to which begins at the distance from its start: its name, and
    /// the tag of its own structure, if it is one.
    pub(super) fn member_at(&self, start: u64) -> Option<(String, Option<String>)> {
        self.at_site().member_at(&self.structure()?, start)
    }

    /// A writer that names the variables of the function that the term is of.
    fn at_site(&self) -> Writer<'w> {
        let mut writer = self.writer.unbounded();
        let mut term = self.term;
        loop {
            term = match &term.kind {
                TermKind::Caller { pc, term } => {
                    writer = writer.at(*pc);
                    term
                }
                TermKind::Argument { term, .. } | TermKind::Variable { term, .. } => term,
                _ => return writer,
            };
        }
    }

    /// The address that the pointer was loaded from.
    pub(super) fn loaded_from(&self, scene: &dyn Scene) -> Option<u64> {
        match &self.term.bare().kind {
            TermKind::Load { address, .. } => evaluate_round(address, scene, self.variable()),
            _ => None,
        }
    }
}

fn is_sum(term: &Term) -> bool {
    match &term.kind {
        TermKind::Sum { base, .. } => !is_number(base),
        TermKind::Caller { term, .. }
        | TermKind::Argument { term, .. }
        | TermKind::Variable { term, .. } => is_sum(term),
        _ => false,
    }
}

/// Whether the term is a pointer that was read from memory, with what was added to it.
fn is_read(term: &Term) -> bool {
    match &term.kind {
        TermKind::Load { .. } => true,
        TermKind::Sum { base, index: None, .. } => is_read(base),
        TermKind::Caller { term, .. }
        | TermKind::Argument { term, .. }
        | TermKind::Variable { term, .. } => is_read(term),
        _ => false,
    }
}

/// Whether the term is a number of the code: the base of a sum that has none, or a static array's.
fn is_number(term: &Term) -> bool {
    matches!(term.kind, TermKind::Constant(_))
}
