// SPDX-License-Identifier: MIT OR Apache-2.0
//! Evaluates terms again on the dump.

use super::term::{Kept, Operator, Term, TermKind};

/// Words of the dump's memory.
pub trait Words {
    /// `size` (1, 2, 4 or 8) bytes at the virtual address, little endian; `None` if the dump
    /// cannot give them.
    fn word(&self, address: u64, size: u8) -> Option<u64>;
    /// Base of the per-CPU memory of the CPU that ran the code.
    fn per_cpu_base(&self) -> Option<u64>;
}

/// Rounds of a loop that are followed on the dump; longer lists take too long for a report.
const MAX_ROUNDS: usize = 4096;

/// The term's value as the dump's memory has it. What was observed of the value itself is not used,
/// but for what a register held at the function's entry; what was observed of the values that it was
/// made of stands in where memory cannot say.
pub fn evaluate(term: &Term, words: &dyn Words) -> Option<u64> {
    match &term.kind {
        TermKind::Caller { term, .. }
        | TermKind::Argument { term, .. }
        | TermKind::Variable { term, .. } => evaluate(term, words),
        TermKind::Choice(terms) => agree(terms.iter().map(|term| evaluate(term, words))),
        _ => compute(term, words, None),
    }
}

/// The term's value by the dump's memory and what registers held at the function's entry alone: nothing
/// that was observed of the values on the way stands in.
pub fn evaluate_unobserved(term: &Term, words: &dyn Words) -> Option<u64> {
    evaluate(&unobserved(term), words)
}

fn unobserved(term: &Term) -> Term {
    let mut plain = term.clone();
    let is_root = plain.parts().is_empty();
    if !is_root {
        plain.observed = None;
    }
    for part in plain.parts_mut() {
        *part = unobserved(part);
    }
    plain
}

/// The term's value in the round of a loop in which the loop's variable was `variable`.
pub fn evaluate_round(term: &Term, words: &dyn Words, variable: Option<u64>) -> Option<u64> {
    evaluate(term, words).or_else(|| evaluate_in(term, words, Some(variable?)))
}

/// The value of a part of a term: where memory cannot say, what something still holds of it.
fn part(term: &Term, words: &dyn Words, again: Option<u64>) -> Option<u64> {
    let computed = evaluate_in(term, words, again);
    computed.or(term.observed.filter(|_| again.is_none()))
}

/// The same in a round of a loop whose variable is `again`.
fn evaluate_in(term: &Term, words: &dyn Words, again: Option<u64>) -> Option<u64> {
    let computed = compute(term, words, again);
    match term.kind {
        // What a register held after a computation is as good as what was computed with.
        TermKind::Sum { .. }
        | TermKind::Binary { .. }
        | TermKind::Extend { .. }
        | TermKind::Walk { .. }
        | TermKind::Choice(_)
            if again.is_none() =>
        {
            computed.or(term.observed)
        }
        _ => computed,
    }
}

fn compute(term: &Term, words: &dyn Words, again: Option<u64>) -> Option<u64> {
    let value = |term: &Term| part(term, words, again);
    match &term.kind {
        TermKind::Constant(value) => Some(*value),
        TermKind::Load { .. } if term.kept == Kept::Replaced => None,
        TermKind::Load { address, size, signed } => {
            let mut word = words.word(value(address)?, *size)?;
            if let Kept::Moved { added, .. } = term.kept {
                word = zero_extend(word.wrapping_sub(added.cast_unsigned()), *size);
            }
            Some(if *signed { sign_extend(word, *size) } else { word })
        }
        TermKind::PerCpu { offset, size } => {
            words.word(words.per_cpu_base()?.wrapping_add(*offset), *size)
        }
        TermKind::Sum { base, index, offset } => {
            let index = match index {
                Some((index, scale)) => value(index)?.wrapping_mul(u64::from(*scale)),
                None => 0,
            };
            Some(value(base)?.wrapping_add(index).wrapping_add_signed(*offset))
        }
        TermKind::Binary { op, left, right, size } => {
            Some(operate(*op, value(left)?, value(right)?, *size))
        }
        TermKind::Extend { term, size, signed } => {
            let low = zero_extend(value(term)?, *size);
            Some(if *signed { sign_extend(low, *size) } else { low })
        }
        // Not what was observed here: that would prove the caller's expression with the bad value
        // itself.
        TermKind::Caller { term, .. }
        | TermKind::Argument { term, .. }
        | TermKind::Variable { term, .. } => evaluate_in(term, words, again),
        TermKind::Choice(terms) => agree(terms.iter().map(|term| evaluate_in(term, words, again))),
        // Which round it was in, only the end of the loop tells: [`round`].
        TermKind::Walk { .. } | TermKind::Again(_) => again,
        TermKind::Entry(_)
        | TermKind::EntryStack(_)
        | TermKind::StackAddress(_)
        | TermKind::Returned { .. }
        | TermKind::Local(_)
        | TermKind::Unknown(_) => term.observed,
    }
}

/// A round of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// What the loop's variable is in it.
    pub variable: u64,
    /// What it was in the round before.
    pub before: Before,
    /// Whether the dump leads there from the loop's beginning.
    pub is_followed: bool,
}

/// What a loop's variable was in the round before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// There was none.
    First,
    /// That.
    Value(u64),
    /// There may have been one.
    Unknown,
}

impl Round {
    /// What gave the variable its value in this round, of what it is at first and what each round makes
    /// of it; with the round in which it did. `None` if that is not known.
    #[must_use]
    pub fn source<'t>(self, first: &'t Term, next: &'t Term) -> Option<(&'t Term, Option<Self>)> {
        match self.before {
            Before::First => Some((first, None)),
            Before::Value(variable) => {
                Some((next, Some(Self { variable, before: Before::Unknown, ..self })))
            }
            Before::Unknown => None,
        }
    }
}

/// The round of the loop inside of the term in which the term is worth `wanted`; `None` if there is no
/// loop inside, or no such round in the dump.
pub fn round(term: &Term, words: &dyn Words, wanted: u64) -> Option<Round> {
    let walked = walk(term)?;
    let TermKind::Walk { first, next, .. } = &walked.kind else { return None };
    let is_wanted = |variable| match walked.observed {
        Some(observed) if observed != variable => false,
        _ => evaluate_in(term, words, Some(variable)) == Some(wanted),
    };
    let followed = || {
        let (mut variable, mut before) = (evaluate(first, words)?, Before::First);
        for _ in 0..MAX_ROUNDS {
            if is_wanted(variable) {
                return Some(Round { variable, before, is_followed: true });
            }
            let after = evaluate_in(next, words, Some(variable))?;
            if after == variable {
                return None;
            }
            (variable, before) = (after, Before::Value(variable));
        }
        None
    };
    followed().or_else(|| {
        let variable = walked.observed.filter(|it| is_wanted(*it))?;
        Some(Round { variable, before: Before::Unknown, is_followed: false })
    })
}

/// The loop's variable inside of the term, if there is exactly one.
pub fn walk(term: &Term) -> Option<&Term> {
    if let TermKind::Walk { .. } = term.kind {
        return Some(term);
    }
    let mut found = term.parts().into_iter().filter_map(walk);
    found.next().filter(|_| found.next().is_none())
}

fn operate(op: Operator, left: u64, right: u64, size: u8) -> u64 {
    let bits = u32::from(size) * 8;
    let (left, right) = (zero_extend(left, size), zero_extend(right, size));
    let count = u32::try_from(right & 0xff).unwrap_or(0) % bits.max(1);
    let result = match op {
        Operator::Subtract => left.wrapping_sub(right),
        Operator::Multiply => left.wrapping_mul(right),
        Operator::And => left & right,
        Operator::Or => left | right,
        Operator::Xor => left ^ right,
        Operator::ShiftLeft => left.wrapping_shl(count),
        Operator::ShiftRight => left.wrapping_shr(count),
    };
    zero_extend(result, size)
}

fn zero_extend(word: u64, size: u8) -> u64 {
    let unused = 64_u32.saturating_sub(u32::from(size) * 8);
    if unused >= 64 { 0 } else { word << unused >> unused }
}

/// The one value that all give, if all give one.
pub fn agree(mut values: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let first = values.next()??;
    values.all(|value| value == Some(first)).then_some(first)
}

fn sign_extend(word: u64, size: u8) -> u64 {
    let unused = 64_u32.saturating_sub(u32::from(size) * 8);
    (word << unused).cast_signed().wrapping_shr(unused).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_extension_keeps_full_words() {
        assert_eq!(sign_extend(0xff, 1), u64::MAX);
        assert_eq!(sign_extend(0x7f, 1), 0x7f);
        assert_eq!(sign_extend(0x8000_0000, 4), 0xffff_ffff_8000_0000);
        assert_eq!(sign_extend(0x8000_0000_0000_0000, 8), 0x8000_0000_0000_0000);
    }
}
