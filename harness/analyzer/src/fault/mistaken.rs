// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pointers that visibly lead to something else than the structure that they are used as pointers to.
//!
//! Example: a `private_data` that the driver's `open()` takes for its own session, and which the kernel set to the
//! device: what is read as a member of the session is a word of the device.

use super::reads::innermost;
use crate::diagnosis::{Elsewhere, Mistaken};
use crate::express::{Expression, Structure, Writer};
use crate::flow::{Round, Term, TermKind, evaluate_round};
use crate::identify::{Identity, StackPlace};
use crate::scene::Scene;

/// Bytes of a pointer.
const POINTER: u8 = 8;

/// The innermost pointer on the way that leads elsewhere.
pub(super) fn mistaken(
    scene: &dyn Scene,
    (writer, round): (Writer<'_>, Option<Round>),
    term: &Term,
) -> Option<Mistaken> {
    innermost(writer, term, &|writer, _, (address, size)| {
        Read { scene, writer: writer.unbounded(), address, size, round }.mistaken()
    })
}

/// A read of a member.
struct Read<'t> {
    scene: &'t dyn Scene,
    writer: Writer<'t>,
    address: &'t Term,
    size: u8,
    round: Option<Round>,
}

impl Read<'_> {
    fn mistaken(&self) -> Option<Mistaken> {
        let place = self.evaluate(self.address)?;
        let (pointer, structure, inside) = self.writer.structure_at(self.address, self.size)?;
        let value = place.wrapping_sub(inside.cast_unsigned());
        // The address of a variable that the code itself names is what it is.
        if self.base().is_some_and(|base| matches!(base.kind, TermKind::Constant(_))) {
            return None;
        }
        let identity = self.scene.identity(place)?;
        let is_aligned = self.size != POINTER || place.is_multiple_of(POINTER.into());
        let elsewhere = match (&identity.stack, is_aligned) {
            (_, false) => Some(Elsewhere::Misaligned),
            (Some(stack), _) if !stack.guard => self.on_stack(stack),
            _ => self.in_variable(&identity, (value, &structure)),
        };
        Some(Mistaken { pointer, structure: structure.tag, leads: elsewhere? })
    }

    fn evaluate(&self, term: &Term) -> Option<u64> {
        evaluate_round(term, self.scene, self.round.map(|round| round.variable))
    }

    /// What constants were added to, to get the address.
    fn base(&self) -> Option<&Term> {
        let mut term = self.address.bare();
        while let TermKind::Sum { base, index: None, .. } = &term.kind {
            term = base.bare();
        }
        Some(term)
    }

    /// A stack, if the pointer into it was kept elsewhere: the function whose variable it led to may have returned.
    fn on_stack(&self, stack: &StackPlace) -> Option<Elsewhere> {
        let TermKind::Load { address, .. } = &self.base()?.kind else { return None };
        let kept = self.evaluate(address)?;
        let is_kept_elsewhere = !(stack.stack.low..stack.stack.high).contains(&kept);
        is_kept_elsewhere.then(|| Elsewhere::Stack(stack.owner.clone()))
    }

    /// A variable with static storage that has no such structure where the pointer leads.
    fn in_variable(
        &self,
        identity: &Identity,
        (value, structure): (u64, &Structure),
    ) -> Option<Elsewhere> {
        identity.symbol.as_ref().filter(|symbol| symbol.offset < symbol.size)?;
        let name = self.writer.variable_without(identity.address, (value, structure))?;
        Some(match self.head(value, structure) {
            Some(head) => Elsewhere::Head { name: head },
            None => Elsewhere::Variable { name },
        })
    }

    /// The list whose own head is around which the structure was looked for.
    fn head(&self, value: u64, structure: &Structure) -> Option<Expression> {
        let links = self.writer.parts_of(structure, &["list_head"]);
        let mut heads = links.iter().filter_map(|link| {
            self.writer.variable_of(value.checked_add(link.part.start)?, "list_head")
        });
        heads.next()
    }
}
