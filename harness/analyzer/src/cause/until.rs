// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a task waits for that waits for no lock: the condition of a loop around `schedule()`, as `wait_event()`
//! makes one in the function that calls it, or a completion.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind};
use unwind::Frame;

use super::taken::{position, registers_at};
use crate::diagnosis::{Condition, Relation, Right, Until};
use crate::express::{Expression, Writer};
use crate::fault::{argument_of_call, named, with_callers};
use crate::flow::{Code, Slicer, Start, Term, TermKind, evaluate, is_call};
use crate::scene::Scene;

/// Functions that wait for a completion (`kernel/sched/completion.c`).
const COMPLETIONS: [&str; 8] = [
    "wait_for_completion",
    "wait_for_completion_io",
    "wait_for_completion_timeout",
    "wait_for_completion_io_timeout",
    "wait_for_completion_interruptible",
    "wait_for_completion_interruptible_timeout",
    "wait_for_completion_killable",
    "wait_for_completion_killable_timeout",
];
/// Functions that give the CPU away, which loops of `wait_event()` call.
const SCHEDULING: [&str; 4] =
    ["schedule", "schedule_timeout", "io_schedule", "io_schedule_timeout"];

/// What the function of `frames[at]` waits for, by its own code.
pub(super) fn until(scene: &dyn Scene, frames: &[Frame], at: usize) -> Option<Until> {
    let callee = frames.get(at.checked_sub(1)?)?.pc.for_lookup();
    let own = frames.get(at..)?;
    if scene.is_in(callee, &COMPLETIONS) {
        let (pc, term) = argument_of_call(scene, own)?;
        let term = named(scene, own, pc, &term);
        let completion = Writer::new(scene, pc).referent(&term, Some("completion"))?;
        return (!completion.has_distance()).then_some(Until::Completion(completion));
    }
    let waits = scene.is_in(callee, &SCHEDULING);
    waits.then(|| condition(scene, own)).flatten().map(Until::Condition)
}

/// The condition that ends the loop that the first frame waits in.
fn condition(scene: &dyn Scene, frames: &[Frame]) -> Option<Condition> {
    let frame = frames.first()?;
    let code = scene.function_code(frame.pc.for_lookup())?;
    let cycle = cycle(&code, position(&code, frame)?)?;
    let inside: BTreeSet<usize> = cycle.iter().copied().collect();
    cycle.iter().find_map(|at| {
        let jump = code.instruction(*at);
        if jump.flow_control() != FlowControl::ConditionalBranch {
            return None;
        }
        let out = code.successors(*at).into_iter().find(|next| !inside.contains(next))?;
        let is_taken = code.at(jump.near_branch_target()) == Some(out);
        let compare = at.checked_sub(1).filter(|before| code.predecessors(*at) == [*before])?;
        let relation = Relation::of(jump.mnemonic(), is_taken)?;
        let found = compared(scene, frames, (&code, compare), relation)?;
        Some(Condition { is_whole: ends_the_wait(&code, out), ..found })
    })
}

/// The shortest way from a position back to it: the innermost loop.
fn cycle(code: &Code, start: usize) -> Option<Vec<usize>> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut pending = VecDeque::from([start]);
    while let Some(at) = pending.pop_front() {
        for next in code.successors(at) {
            if next == start {
                let mut way = vec![at];
                while let Some(last) = way.last().filter(|last| **last != start) {
                    way.push(*before.get(last)?);
                }
                way.reverse();
                return Some(way);
            }
            if let Entry::Vacant(entry) = before.entry(next) {
                entry.insert(at);
                pending.push_back(next);
            }
        }
    }
    None
}

/// Whether control ends the wait behind that branch: it comes to a call, `finish_wait()`, by one way. Otherwise
/// more is asked.
fn ends_the_wait(code: &Code, out: usize) -> bool {
    let mut at = out;
    for _ in 0..code.instructions().len() {
        if is_call(code.instruction(at)) {
            return true;
        }
        let &[next] = code.successors(at).as_slice() else { return false };
        at = next;
    }
    false
}

/// What the instruction at a position compares, of which the first is in memory.
fn compared(
    scene: &dyn Scene,
    frames: &[Frame],
    (code, at): (&Code, usize),
    relation: Relation,
) -> Option<Condition> {
    let instruction = code.instruction(at);
    let keeps = |target| scene.keeps_registers(target);
    let start = Start { position: at, registers: registers_at(scene, frames, code, at) };
    let slicer = Slicer::new(code, scene, &keeps, start);
    let pc = frames.first()?.pc.for_lookup();
    let operand = |index| {
        let term = slicer.operand(index)?;
        Some(named(scene, frames, pc, &with_callers(scene, frames, 0, term)))
    };
    let left = operand(0)?;
    let (right, relation) = right(instruction, relation, || operand(1))?;
    let writer = Writer::new(scene, pc);
    let named = |term: &Term| {
        let is_memory = matches!(term.bare().kind, TermKind::Load { .. } | TermKind::PerCpu { .. });
        let name: Option<Expression> = writer.expression(term).ok();
        name.filter(|name| is_memory && !name.has_distance())
    };
    let bits = 8 * size(instruction)?;
    let value = |term: &Term| evaluate(term, scene).map(|value| signed(value, bits));
    let (other, against) = match right {
        Side::Number(number) => (Right::Number(number), Some(number)),
        Side::Term(term) => {
            let is = term.observed.map(|value| signed(value, bits));
            let name = named(&term)?;
            // The same memory, as it was when it was read before.
            match named(&left).is_some_and(|left| left == name) {
                true => (Right::Earlier, is),
                false => (Right::Expression(name), is.or_else(|| value(&term))),
            }
        }
    };
    let is = value(&left);
    let holds = is.zip(against).and_then(|(is, other)| relation.holds(is, other, bits));
    let part = match &left.bare().kind {
        TermKind::Load { address, size, .. } => writer.part_at(address, *size),
        _ => None,
    };
    let left = named(&left)?;
    Some(Condition { left, part, relation, right: other, is, holds, is_whole: false })
}

/// The other side of a comparison.
enum Side {
    Number(i64),
    Term(Term),
}

fn right(
    instruction: &Instruction,
    relation: Relation,
    operand: impl Fn() -> Option<Term>,
) -> Option<(Side, Relation)> {
    let bits = 8 * size(instruction)?;
    let number = || signed(instruction.immediate(1), bits);
    let is_immediate = !matches!(instruction.op1_kind(), OpKind::Register | OpKind::Memory);
    match (instruction.mnemonic(), is_immediate) {
        (Mnemonic::Cmp, true) => Some((Side::Number(number()), relation)),
        (Mnemonic::Cmp, false) => Some((Side::Term(operand()?), relation)),
        (Mnemonic::Test, false) if instruction.op0_register() == instruction.op1_register() => {
            Some((Side::Number(0), relation))
        }
        (Mnemonic::Test, true) => Some((Side::Number(number()), relation.of_bits()?)),
        _ => None,
    }
}

/// Bytes that are compared.
fn size(instruction: &Instruction) -> Option<u32> {
    let bytes = match instruction.op0_kind() {
        OpKind::Register => instruction.op0_register().size(),
        OpKind::Memory => instruction.memory_size().size(),
        _ => return None,
    };
    u32::try_from(bytes).ok().filter(|bytes| (1..=8).contains(bytes))
}

/// A number of so many bits, with its sign.
fn signed(value: u64, bits: u32) -> i64 {
    let unused = 64_u32.saturating_sub(bits);
    (value << unused).cast_signed() >> unused
}
