// SPDX-License-Identifier: MIT OR Apache-2.0
//! Terms made from single instructions, and from the ways of a loop.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::effect::{CallTarget, call_target};
use super::term::{Operator, Place, Term, TermKind};

/// Alternatives of one value that are still worth telling.
pub(super) const MAX_CHOICES: usize = 8;

/// The term as a loop's variable, if it is one: what comes from before the loop, and what a round
/// makes of it.
pub(super) fn looped(term: Term, place: Place) -> Term {
    if !term.has_again(place) {
        return term;
    }
    let (site, observed) = (term.site, term.observed);
    let alternatives = match term.kind {
        TermKind::Choice(terms) => terms,
        _ => vec![term],
    };
    let (mut rounds, before): (Vec<Term>, Vec<Term>) =
        alternatives.into_iter().partition(|term| term.has_again(place));
    rounds.retain(|term| term.kind != TermKind::Again(place));
    let one = |mut terms: Vec<Term>| match terms.len() {
        0 => None,
        1 => terms.pop(),
        _ => Some(Term::new(TermKind::Choice(terms), 0)),
    };
    if before.len() > MAX_CHOICES {
        return Term::unknown("set in more than eight places", site).observed(observed);
    }
    match (one(before), one(rounds)) {
        (Some(first), Some(next)) => {
            let (first, next) = (Box::new(first), Box::new(next));
            Term::new(TermKind::Walk { first, next, place }, site).observed(observed)
        }
        (Some(only), None) => only.observed(observed),
        (None, _) => {
            Term::unknown("a value that only the rounds of a loop change", site).observed(observed)
        }
    }
}

/// A part of a register, widened.
pub(super) fn extended(term: Term, source: Register, signed: bool, site: u64) -> Term {
    let size = u8::try_from(source.size()).unwrap_or(8);
    let fits = match &term.kind {
        TermKind::Load { size: loaded, signed: sign, .. } => {
            *loaded < size || (*loaded == size && *sign == signed)
        }
        TermKind::PerCpu { size: loaded, .. } => *loaded <= size && !signed,
        TermKind::Constant(value) => *value < 1 << 31,
        _ => false,
    };
    if size >= 8 || fits {
        return term;
    }
    Term::new(TermKind::Extend { term: Box::new(term), size, signed }, site)
}

/// The operator of an instruction that joins its first operand with its second one.
pub(super) fn operator(mnemonic: Mnemonic) -> Option<Operator> {
    Some(match mnemonic {
        Mnemonic::And => Operator::And,
        Mnemonic::Or => Operator::Or,
        Mnemonic::Xor => Operator::Xor,
        Mnemonic::Imul => Operator::Multiply,
        Mnemonic::Shr => Operator::ShiftRight,
        _ => return None,
    })
}

pub(super) fn binary(op: Operator, left: Term, right: Term, size: u8, site: u64) -> Term {
    // `x * 8 - x` is how compilers write `x * 7`.
    if op == Operator::Subtract
        && let Some(less) = left.less(&right)
    {
        return less;
    }
    let (left, right) = (Box::new(left), Box::new(right));
    Term::new(TermKind::Binary { op, left, right, size }, site)
}

pub(super) fn returned(call: &Instruction, number: u8) -> Term {
    let target = match call_target(call) {
        Some(CallTarget::Direct(target)) => Some(target),
        _ => None,
    };
    if number == 0 {
        Term::new(TermKind::Returned { target }, call.ip())
    } else {
        Term::unknown("a register that a call may change", call.ip())
    }
}

pub(super) fn per_cpu(instruction: &Instruction, size: u8) -> Term {
    let offset = if instruction.is_ip_rel_memory_operand() {
        Some(instruction.ip_rel_memory_address())
    } else {
        let plain = instruction.memory_base() == Register::None
            && instruction.memory_index() == Register::None;
        plain.then(|| instruction.memory_displacement64())
    };
    match offset {
        Some(offset) => Term::new(TermKind::PerCpu { offset, size }, instruction.ip()),
        None => Term::unknown("a computed per-CPU address", instruction.ip()),
    }
}

pub(super) fn add(base: Term, index: Option<(Term, u32)>, offset: i64, site: u64) -> Term {
    match index {
        None => base.plus(offset),
        Some((index, scale)) => base.indexed(index, scale, offset, site),
    }
}

pub(super) fn is_same_register_twice(instruction: &Instruction) -> bool {
    instruction.op1_kind() == OpKind::Register
        && instruction.op0_register() == instruction.op1_register()
}
