// SPDX-License-Identifier: MIT OR Apache-2.0
//! The pointer that an address was computed from.
//!
//! Of `slots[group + i - first]` a compiler may add the numbers to the pointer in any order, and keep sums of
//! some of them in registers: only the parts that nothing was added to tell which of them is the pointer.

use crate::flow::{Operator, Term, TermKind, evaluate_round};
use crate::scene::Scene;

/// Farther from its pointer than this, an address was not computed by an index into what the pointer
/// leads to.
const FARTHEST: u64 = 1 << 20;

/// The pointer that an address was computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) value: u64,
    /// Whether a number that is no constant was added to it, or steps of a loop.
    pub(super) has_index: bool,
}

/// The pointer that the address `at`, computed as `address`, comes of, in the round of a loop in which its variable
/// was `variable`. `None` if its parts are not known, or several of them are addresses: a difference of two of
/// them leads from what one leads to into something else.
pub(super) fn pointer(
    scene: &dyn Scene,
    address: &Term,
    at: u64,
    variable: Option<u64>,
) -> Option<Pointer> {
    let mut parts = Parts { scene, variable, pointers: Vec::new(), has_index: false };
    parts.of(address)?;
    let [value] = parts.pointers.as_slice() else { return None };
    let is_near = at.wrapping_sub(*value).cast_signed().unsigned_abs() <= FARTHEST;
    is_near.then_some(Pointer { value: *value, has_index: parts.has_index })
}

/// What a sum is made of.
struct Parts<'s> {
    scene: &'s dyn Scene,
    variable: Option<u64>,
    pointers: Vec<u64>,
    has_index: bool,
}

impl Parts<'_> {
    /// Adds those of a term; `None` if one is not known.
    fn of(&mut self, term: &Term) -> Option<()> {
        match &term.kind {
            TermKind::Caller { term, .. }
            | TermKind::Argument { term, .. }
            | TermKind::Variable { term, .. } => self.of(term),
            TermKind::Sum { base, index, .. } => {
                self.of(base)?;
                match index {
                    Some((index, 1)) => self.of(index),
                    Some((index, _)) => self.number(index),
                    None => Some(()),
                }
            }
            TermKind::Binary { op: Operator::Subtract, left, right, .. } => {
                self.of(left)?;
                self.number(right)
            }
            // Steps of an array; of a list, each round reads another pointer.
            TermKind::Walk { first, next, .. } if !reads(next) => {
                self.has_index = true;
                self.of(first)
            }
            TermKind::Constant(value) => {
                self.pointers
                    .extend(Some(*value).filter(|value| self.scene.may_be_address(*value)));
                Some(())
            }
            _ => {
                let value = self.value(term)?;
                match self.scene.may_be_address(value) {
                    true => self.pointers.push(value),
                    false => self.has_index = true,
                }
                Some(())
            }
        }
    }

    /// Adds a part that is no pointer, or `None` if it is one.
    fn number(&mut self, term: &Term) -> Option<()> {
        self.has_index |= !matches!(term.bare().kind, TermKind::Constant(_));
        self.value(term).filter(|value| !self.scene.may_be_address(*value)).map(|_| ())
    }

    fn value(&self, term: &Term) -> Option<u64> {
        evaluate_round(term, self.scene, self.variable).or(term.observed)
    }
}

/// Whether memory is read to get the value.
fn reads(term: &Term) -> bool {
    matches!(term.kind, TermKind::Load { .. } | TermKind::PerCpu { .. })
        || term.parts().into_iter().any(reads)
}
