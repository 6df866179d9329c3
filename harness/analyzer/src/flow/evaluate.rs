// SPDX-License-Identifier: MIT OR Apache-2.0
//! Evaluates terms again on the dump.

use super::term::{Term, TermKind};

/// Words of the dump's memory.
pub trait Words {
    /// `size` (1, 2, 4 or 8) bytes at the virtual address, little endian; `None` if the dump
    /// cannot give them.
    fn word(&self, address: u64, size: u8) -> Option<u64>;
    /// Base of the per-CPU memory of the CPU that ran the code.
    fn per_cpu_base(&self) -> Option<u64>;
}

/// The term's value as the dump's memory has it; observations are used only where memory cannot
/// say (what a register held at the function's entry).
pub fn evaluate(term: &Term, words: &dyn Words) -> Option<u64> {
    match &term.kind {
        TermKind::Constant(value) => Some(*value),
        TermKind::Load { address, size, signed } => {
            let word = words.word(evaluate(address, words)?, *size)?;
            Some(if *signed { sign_extend(word, *size) } else { word })
        }
        TermKind::PerCpu { offset, size } => {
            words.word(words.per_cpu_base()?.wrapping_add(*offset), *size)
        }
        TermKind::Sum { base, index, offset } => {
            let index = match index {
                Some((index, scale)) => evaluate(index, words)?.wrapping_mul(u64::from(*scale)),
                None => 0,
            };
            Some(evaluate(base, words)?.wrapping_add(index).wrapping_add_signed(*offset))
        }
        // Not what was observed here: that would prove the caller's expression with the bad value
        // itself.
        TermKind::Caller { term, .. } => evaluate(term, words),
        TermKind::Choice(terms) => agree(terms.iter().map(|term| evaluate(term, words))),
        TermKind::Entry(_)
        | TermKind::EntryStack(_)
        | TermKind::StackAddress(_)
        | TermKind::Returned { .. }
        | TermKind::Unknown(_) => term.observed,
    }
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
