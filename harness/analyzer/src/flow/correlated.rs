// SPDX-License-Identifier: MIT OR Apache-2.0
//! Branches of one function that test the same value, and so go the same way.

use std::collections::BTreeMap;

use iced_x86::{FlowControl, Mnemonic, OpKind};

use super::code::Code;
use super::registers::{held, number};
use super::since::{between, changed_since};

/// Branches that are compared with each other, of one function: a larger one has so many only where a
/// compiler unrolled a loop.
const MAX_BRANCHES: usize = 256;

/// Where the branches of a function went whose tests can still be made: the register holds what it held there.
///
/// They are those of the way that led to where the function is.
pub fn decided(
    code: &Code,
    keeps_registers: &dyn Fn(u64) -> bool,
    (end, registers): (usize, &[Option<u64>; 16]),
) -> BTreeMap<usize, usize> {
    let branches = 0..code.instructions().len();
    let tests = branches.filter_map(|at| Some((at, test(code, at)?))).take(MAX_BRANCHES);
    let went = tests.filter_map(|(at, (test, taken_if))| {
        let value = held(registers, test.register)?;
        // In a loop it may have gone another way in each round.
        if !between(code, at, at).is_empty() {
            return None;
        }
        if changed_since(code, keeps_registers, at, end).contains(test.register) {
            return None;
        }
        let instruction = code.instruction(at);
        let address = if test.holds(value)? == taken_if {
            instruction.near_branch_target()
        } else {
            instruction.next_ip()
        };
        Some((at, code.at(address)?))
    });
    went.collect()
}

/// Branches that test the same value by the same comparison.
///
/// Example: `down(&p->bufs); if (early) up(&p->bufs); wait(); if (!early) up(&p->bufs);` has no way that keeps
/// the semaphore: the second test goes as the first one did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Correlated {
    /// Position of each jump, and whether it is taken where the comparison holds.
    jumps: Vec<(usize, bool)>,
}

/// What a branch tests.
#[derive(PartialEq, Eq)]
struct Test {
    mnemonic: Mnemonic,
    register: u8,
    size: usize,
    other: Other,
    /// The jump that is taken where the comparison holds.
    condition: Mnemonic,
}

#[derive(PartialEq, Eq)]
enum Other {
    Itself,
    Number(u64),
}

impl Test {
    /// Whether the comparison holds for that value of the register.
    fn holds(&self, value: u64) -> Option<bool> {
        let bits =
            u32::try_from(self.size).ok()?.checked_mul(8).filter(|bits| (8..=64).contains(bits))?;
        let mask = u64::MAX >> (64 - bits);
        let signed = |value: u64| (value << (64 - bits)).cast_signed() >> (64 - bits);
        let value = value & mask;
        let other = match (self.mnemonic, &self.other) {
            (Mnemonic::Cmp, Other::Number(other)) => *other & mask,
            (_, Other::Itself) => 0,
            (_, Other::Number(other)) => {
                return (self.condition == Mnemonic::Je).then_some(value & other == 0);
            }
        };
        match self.condition {
            Mnemonic::Je => Some(value == other),
            Mnemonic::Ja => Some(value > other),
            Mnemonic::Jae => Some(value >= other),
            Mnemonic::Jg => Some(signed(value) > signed(other)),
            Mnemonic::Jge => Some(signed(value) >= signed(other)),
            Mnemonic::Js => Some(signed(value.wrapping_sub(other)) < 0),
            _ => None,
        }
    }
}

impl Correlated {
    /// The groups of such branches.
    pub fn all(code: &Code) -> Vec<Self> {
        let branches = 0..code.instructions().len();
        let tests = branches.filter_map(|at| Some((at, test(code, at)?))).take(MAX_BRANCHES);
        let tests: Vec<(usize, (Test, bool))> = tests.collect();
        let mut found: Vec<(&Test, Self)> = Vec::new();
        for (at, (test, holds)) in &tests {
            let fits = |group: &&mut (&Test, Self)| {
                let others = group.1.jumps.iter();
                group.0 == test && { others }
                    .all(|(other, _)| keeps(code, *other, *at, test.register))
            };
            match found.iter_mut().find(fits) {
                Some((_, group)) => group.jumps.push((*at, *holds)),
                None => found.push((test, Self { jumps: vec![(*at, *holds)] })),
            }
        }
        found.into_iter().map(|(_, group)| group).filter(|group| group.jumps.len() > 1).collect()
    }

    /// Where control goes from a position if the comparison of these branches holds, or does not.
    pub fn successors(&self, code: &Code, at: usize, holds: bool) -> Vec<usize> {
        let Some((_, taken_if)) = self.jumps.iter().find(|(jump, _)| *jump == at) else {
            return code.successors(at);
        };
        let instruction = code.instruction(at);
        let address = if *taken_if == holds {
            instruction.near_branch_target()
        } else {
            instruction.next_ip()
        };
        code.at(address).into_iter().collect()
    }
}

/// What the conditional jump at a position tests, and whether it is taken where that holds.
fn test(code: &Code, at: usize) -> Option<(Test, bool)> {
    let jump = code.instruction(at);
    if jump.flow_control() != FlowControl::ConditionalBranch {
        return None;
    }
    let (condition, holds) = positive(jump.mnemonic())?;
    let before = at.checked_sub(1)?;
    let compare = code.instruction(before);
    // Another way to the jump may bring other flags.
    if code.predecessors(at) != [before] || compare.op0_kind() != OpKind::Register {
        return None;
    }
    let register = number(compare.op0_register())?;
    let other = match (compare.mnemonic(), compare.op1_kind()) {
        (Mnemonic::Test, OpKind::Register) if compare.op1_register() == compare.op0_register() => {
            Other::Itself
        }
        (Mnemonic::Test | Mnemonic::Cmp, kind) if is_immediate(kind) => {
            Other::Number(compare.immediate(1))
        }
        _ => return None,
    };
    let size = compare.op0_register().size();
    Some((Test { mnemonic: compare.mnemonic(), register, size, other, condition }, holds))
}

const fn is_immediate(kind: OpKind) -> bool {
    matches!(
        kind,
        OpKind::Immediate8
            | OpKind::Immediate8to16
            | OpKind::Immediate8to32
            | OpKind::Immediate8to64
            | OpKind::Immediate16
            | OpKind::Immediate32
            | OpKind::Immediate32to64
    )
}

/// The one of a jump and its opposite that stands for both, and whether it is that one.
const fn positive(jump: Mnemonic) -> Option<(Mnemonic, bool)> {
    use Mnemonic as M;
    Some(match jump {
        M::Je => (M::Je, true),
        M::Jne => (M::Je, false),
        M::Ja => (M::Ja, true),
        M::Jbe => (M::Ja, false),
        M::Jae => (M::Jae, true),
        M::Jb => (M::Jae, false),
        M::Jg => (M::Jg, true),
        M::Jle => (M::Jg, false),
        M::Jge => (M::Jge, true),
        M::Jl => (M::Jge, false),
        M::Js => (M::Js, true),
        M::Jns => (M::Js, false),
        _ => return None,
    })
}

/// Whether the register holds the same at two branches, whichever comes first: nothing on a way from one to
/// the other changes it.
fn keeps(code: &Code, one: usize, other: usize, register: u8) -> bool {
    let changes =
        |from: usize, to: usize| changed_since(code, &|_| false, from, to).contains(register);
    !changes(one, other) && !changes(other, one)
}
