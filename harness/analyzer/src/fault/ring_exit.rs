// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a loop that follows a chain may end.
//!
//! Situation: slots are linked in a ring on purpose, and who wants one goes round until one is free: that the chain
//! has no end is no mistake, and what the loop asks of each slot is what never comes.

use std::collections::BTreeSet;

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind};

use super::naming::named_in_code;
use crate::express::{Expression, Writer};
use crate::flow::{Code, Slicer, Start, Term, TermKind, between, evaluate_round, walk};
use crate::scene::Scene;

/// What ends a loop that follows a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The chain's end, or nothing that is known.
    End,
    /// Only what it finds in an entry.
    Member {
        /// As C.
        member: Expression,
        /// Whether the dump has a value in each entry that does not end it.
        is_shown: bool,
    },
}

/// The entries that a loop goes round through.
pub(super) struct Round<'r> {
    /// The loop's variable in each round.
    pub(super) variables: &'r [u64],
    /// Where the link to the next one lies, in each round.
    pub(super) links: &'r BTreeSet<u64>,
}

/// What ends the loop that the instruction at a position is in.
pub(super) fn exit(scene: &dyn Scene, (code, position): (&Code, usize), round: &Round<'_>) -> Exit {
    let inside = between(code, position, position);
    let keeps = |target| scene.keeps_registers(target);
    let sides = |at: usize| {
        let start = Start { position: at, registers: [None; 16] };
        let slicer = Slicer::new(code, scene, &keeps, start);
        [slicer.operand(0), slicer.operand(1)].into_iter().flatten().collect::<Vec<Term>>()
    };
    let compares =
        |at: &usize| matches!(code.instruction(*at).mnemonic(), Mnemonic::Cmp | Mnemonic::Test);
    let is_end = |at: usize| sides(at).iter().any(|term| round.is_link(scene, term));
    if inside.iter().copied().filter(compares).any(is_end) {
        return Exit::End;
    }
    let mut found = None;
    for at in inside.iter().copied() {
        let ways = code.successors(at);
        let is_out = |next: &usize| !inside.contains(next);
        let Some(out) = ways.iter().copied().find(is_out) else { continue };
        if code.instruction(at).flow_control() != FlowControl::ConditionalBranch {
            return Exit::End;
        }
        let compare = at.checked_sub(1).filter(|it| compares(it) && code.predecessors(at) == [*it]);
        let Some(compare) = compare else { return Exit::End };
        let Some(term) = sides(compare).into_iter().find(|term| walk(term).is_some()) else {
            return Exit::End;
        };
        let Some(member) = member(scene, code.instruction(compare).ip(), &term) else {
            return Exit::End;
        };
        let goes_on = |variable: &u64| {
            let value = evaluate_round(&term, scene, Some(*variable))?;
            goes_on(code, (compare, at), (value, out))
        };
        let is_shown = round.variables.iter().all(|variable| goes_on(variable) == Some(true));
        // Of several, none alone is what the loop waits for.
        if found.replace(Exit::Member { member, is_shown }).is_some() {
            return Exit::End;
        }
    }
    found.unwrap_or(Exit::End)
}

/// The member of an entry that is compared, as C.
fn member(scene: &dyn Scene, pc: u64, term: &Term) -> Option<Expression> {
    let named = named_in_code(scene, pc, term);
    let expression = Writer::new(scene, pc).expression(&named).ok()?;
    let is_named = !expression.is_number() && !expression.has_distance();
    (is_named && matches!(expression, Expression::Member(..))).then_some(expression)
}

/// Whether the loop goes on where the value is compared with a number; `None` if that is not what decides.
fn goes_on(
    code: &Code,
    (compare, jump): (usize, usize),
    (value, out): (u64, usize),
) -> Option<bool> {
    let (compare, jump) = (code.instruction(compare), code.instruction(jump));
    let is_equal = value == number(compare)?;
    let is_taken = match jump.mnemonic() {
        Mnemonic::Je => is_equal,
        Mnemonic::Jne => !is_equal,
        _ => return None,
    };
    let leaves_taken = code.at(jump.near_branch_target()) == Some(out);
    Some(is_taken != leaves_taken)
}

/// The number that something is compared with.
fn number(compare: &Instruction) -> Option<u64> {
    let is_itself = compare.mnemonic() == Mnemonic::Test
        && compare.op1_kind() == OpKind::Register
        && compare.op0_register() == compare.op1_register();
    let immediate =
        || compare.try_immediate(1).ok().filter(|_| compare.mnemonic() == Mnemonic::Cmp);
    if is_itself { Some(0) } else { immediate() }
}

impl Round<'_> {
    /// Whether the term is the loop's variable itself, or a link of an entry: what is compared to find the end.
    fn is_link(&self, scene: &dyn Scene, term: &Term) -> bool {
        match &term.kind {
            TermKind::Walk { .. } | TermKind::Again(_) => true,
            TermKind::Sum { base, index: None, .. } => self.is_link(scene, base),
            TermKind::Variable { term, .. } | TermKind::Argument { term, .. } => {
                self.is_link(scene, term)
            }
            TermKind::Load { address, size: 8, .. } => {
                let place = |variable: &u64| evaluate_round(address, scene, Some(*variable));
                self.variables
                    .iter()
                    .any(|variable| place(variable).is_some_and(|it| self.links.contains(&it)))
            }
            _ => false,
        }
    }
}
