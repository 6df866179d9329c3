// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chains of objects that a loop follows and that lead back into themselves.
//!
//! Situation: an entry is put into a hash bucket that it is in already, or the same entries are linked twice, and who
//! looks for one that is not there never comes to the end.

use std::collections::BTreeSet;

use unwind::{Frame, Pc};

use super::ring_exit::{Exit, Round, exit};
use crate::claim::Claim;
use crate::express::{Expression, NamedPart, Pointee, Writer};
use crate::flow::{Code, Slicer, Start, Term, TermKind, evaluate, evaluate_round, full, walk};
use crate::link::{by_number, waits_in};
use crate::scene::Scene;

/// Structures that begin chains (`include/linux/types.h`, `include/linux/llist.h`, 3.10 to 6.12).
const HEADS: [&str; 4] = ["list_head", "hlist_head", "hlist_nulls_head", "llist_head"];
/// Entries that are followed.
const MOST: u64 = 1 << 16;

/// A chain without an end.
pub(crate) struct Ring {
    /// Where the loop began to follow it, as C.
    pub(crate) first: Expression,
    /// The link of an entry to the next one, for who searches the code.
    pub(crate) part: Option<NamedPart>,
    /// How many entries it leads round through.
    pub(crate) entries: u64,
    /// What ends the loop.
    pub(crate) exit: Exit,
    /// What the dump has of it.
    pub(crate) claim: Claim,
}

/// The chain that a loop of the frame's function follows without end.
pub(crate) fn ring(scene: &dyn Scene, frame: &Frame) -> Option<Ring> {
    let pc = frame.pc.for_lookup();
    let (code, start) = match frame.pc {
        Pc::Interrupted(address) => {
            let code = scene.function_code(pc)?;
            let position = code.at(address)?;
            (code, Start { position, registers: by_number(&frame.registers) })
        }
        Pc::Return(_) => {
            let site = waits_in(scene, frame)?;
            let start = site.start();
            (site.code, start)
        }
    };
    let position = start.position;
    let known = (0..).zip(start.registers).filter_map(|(number, value)| value.map(|_| number));
    let registers: Vec<u8> = known.collect();
    let keeps = |target| scene.keeps_registers(target);
    let slicer = Slicer::new(&code, scene, &keeps, start);
    let place = (&code, position);
    registers
        .into_iter()
        .find_map(|number| followed(scene, place, pc, &slicer.register(full(number))))
}

/// The ring of the loop's variable that the term is made of.
fn followed(scene: &dyn Scene, position: (&Code, usize), pc: u64, term: &Term) -> Option<Ring> {
    let TermKind::Walk { first, next, .. } = &walk(term)?.kind else { return None };
    let (start, link) = (load(first)?, load(next)?);
    let begin = evaluate(first, scene)?;
    // The place of the link that a variable is read from in the next round.
    let place = |variable: u64| evaluate_round(link, scene, Some(variable));
    let after = |variable: u64| evaluate_round(next, scene, Some(variable));
    let head = evaluate(start, scene)?;
    let (met, entries) = circle(begin, after)?;
    // A list that is one on purpose leads back to where it begins.
    let variables = walked(met, entries, after)?;
    let links = variables.iter().map(|it| place(*it)).collect::<Option<BTreeSet<u64>>>()?;
    if links.contains(&head) {
        return None;
    }
    let writer = Writer::new(scene, pc).used_as(Pointee::Data);
    let named = super::named_in_code(scene, pc, first);
    let first = writer.expression(&named).ok().filter(|c| !c.is_number() && !c.has_distance())?;
    // What begins the chain is the head, and not its member.
    let is_head = writer.around(start, 8).is_some_and(|(it, _)| HEADS.contains(&it.tag.as_str()));
    let first = match first {
        Expression::Member(head, _) if is_head => *head,
        first => first,
    };
    let part = writer.unbounded().part_at(link, 8);
    let claim = Claim::new(Some(true)).text(format!("from `{first}`, the chain comes to "));
    let words = format!(" and leads back there behind {entries}");
    let claim = claim.data(met).text(words).text(match entries {
        1 => " entry",
        _ => " entries",
    });
    let exit = exit(scene, position, &Round { variables: &variables, links: &links });
    Some(Ring { first, part, entries, exit, claim })
}

/// The values of a loop's variable in so many rounds.
fn walked(begin: u64, rounds: u64, after: impl Fn(u64) -> Option<u64>) -> Option<Vec<u64>> {
    let mut variable = Some(begin);
    let next = |_| {
        let now = variable?;
        variable = after(now);
        Some(now)
    };
    (0..rounds).map(next).collect()
}

/// The address that a term was read from, but for what was added to it since.
fn load(term: &Term) -> Option<&Term> {
    match &term.kind {
        TermKind::Load { address, size: 8, .. } => Some(address),
        TermKind::Sum { base, index: None, .. } => load(base),
        TermKind::Variable { term, .. } | TermKind::Argument { term, .. } => load(term),
        _ => None,
    }
}

/// A value that comes again, and after how many steps (Brent's algorithm); `None` if the steps end or are too many.
fn circle(begin: u64, after: impl Fn(u64) -> Option<u64>) -> Option<(u64, u64)> {
    let (mut mark, mut power, mut length) = (begin, 1_u64, 0_u64);
    let mut now = begin;
    for _ in 0..MOST {
        now = after(now).filter(|now| *now != 0)?;
        length += 1;
        if now == mark {
            return Some((mark, length));
        }
        if length == power {
            (mark, power, length) = (now, power.saturating_mul(2), 0);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_come_again_are_counted() {
        // 1, 2, 3, 4, 5, 3, …
        let after = |now: u64| Some(if now == 5 { 3 } else { now + 1 });
        let (met, length) = circle(1, after).unwrap();
        assert!((3..=5).contains(&met));
        assert_eq!(length, 3);
        assert_eq!(circle(7, |_| Some(7)), Some((7, 1)));
        assert_eq!(circle(1, |now| (now < 9).then_some(now + 1)), None);
        assert_eq!(circle(1, |now| now.checked_add(1)), None);
    }
}
