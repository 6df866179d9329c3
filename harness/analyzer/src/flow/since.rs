// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is written between an instruction and the point that is looked back from.
//!
//! A register that no path between the two writes still holds at the end what it held at the
//! instruction: the registers of a fault are observations of earlier values.

use std::cell::RefCell;
use std::collections::BTreeMap;

use iced_x86::{Instruction, InstructionInfoFactory};

use super::code::Code;
use super::effect::{CallTarget, call_target, copied, is_call, written};
use super::registers::RegisterSet;

/// Registers that may be written between instructions and the end.
pub(super) struct Since {
    end: usize,
    own: Vec<RegisterSet>,
    last: RefCell<BTreeMap<usize, RegisterSet>>,
    rounds: RefCell<BTreeMap<(usize, Option<usize>), RegisterSet>>,
}

impl Since {
    pub(super) fn new(code: &Code, keeps_registers: &dyn Fn(u64) -> bool, end: usize) -> Self {
        let mut factory = InstructionInfoFactory::new();
        let own = code.instructions().iter();
        let own = own.map(|instruction| changed(&mut factory, keeps_registers, instruction));
        Self { end, own: own.collect(), last: RefCell::default(), rounds: RefCell::default() }
    }

    /// Registers that the instruction itself may change.
    pub(super) fn own(&self, position: usize) -> RegisterSet {
        self.own.get(position).copied().unwrap_or_default()
    }

    /// Registers that may be written from the last time on that control came to the instruction,
    /// by any path that leads to the end without coming there again.
    pub(super) fn last(&self, code: &Code, position: usize) -> RegisterSet {
        if position == self.end {
            return RegisterSet::default();
        }
        if let Some(known) = self.last.borrow().get(&position) {
            return *known;
        }
        let mut set = self.own(position);
        for at in between(code, position, self.end) {
            set.insert_all(self.own(at));
        }
        self.last.borrow_mut().insert(position, set);
        set
    }

    /// Registers that may be written by the rounds of loops that come to the instruction again, once
    /// control has come there from `predecessor` for the last time, or where the function is entered.
    pub(super) fn rounds(
        &self,
        code: &Code,
        position: usize,
        predecessor: Option<usize>,
    ) -> RegisterSet {
        let key = (position, predecessor);
        if let Some(known) = self.rounds.borrow().get(&key) {
            return *known;
        }
        let stops = [position, predecessor.unwrap_or(position)];
        let before = reached(position, &stops, |at| code.predecessors(at).to_vec());
        let after = reached(position, &stops, |at| code.successors(at));
        let mut set = RegisterSet::default();
        for at in (0..code.instructions().len()).filter(|at| Some(*at) != predecessor) {
            let is_of = |reached: &[bool]| reached.get(at).copied().unwrap_or_default();
            if is_of(&before) && is_of(&after) {
                set.insert_all(self.own(at));
            }
        }
        // Without a way back, what is reached is the instruction itself.
        let is_loop = code
            .predecessors(position)
            .iter()
            .any(|&at| Some(at) != predecessor && after.get(at).copied().unwrap_or_default());
        let set = if is_loop { set } else { RegisterSet::default() };
        self.rounds.borrow_mut().insert(key, set);
        set
    }

    /// A register that has at the end what `original` held when the function was entered: a copy
    /// made before the first branch, which nothing wrote since. Compilers keep parameters so.
    pub(super) fn copy(&self, code: &Code, original: u8) -> Option<u8> {
        let mut position = code.at(code.entry())?;
        loop {
            // What is behind the end has not run.
            if position == self.end {
                return None;
            }
            let instruction = code.instruction(position);
            let own = self.own(position);
            let &[next] = code.successors(position).as_slice() else { return None };
            let copy = copied(instruction).filter(|(_, from)| *from == original).map(|(to, _)| to);
            let copy = copy.filter(|&copy| !self.last(code, next).contains(copy));
            // A jump back to here would make the copy one of another round.
            let is_entry_only = code.predecessors(next).len() == 1;
            if copy.is_some() || own.contains(original) || !is_entry_only {
                return copy.filter(|_| is_entry_only);
            }
            position = next;
        }
    }
}

/// Positions of the instructions that may run from the last time on that control came to `position`,
/// before it comes to `end`: by any path that leads there without coming to `position` again.
pub fn between(code: &Code, position: usize, end: usize) -> Vec<usize> {
    let before = reached(end, &[position], |at| code.predecessors(at).to_vec());
    let after = reached(position, &[position], |at| code.successors(at));
    let is_set = |set: &[bool], at: usize| set.get(at).copied().unwrap_or_default();
    // The end itself has not run yet, unless a loop leads back to it.
    let has_run =
        |at: usize| at != end || code.successors(at).iter().any(|&next| is_set(&before, next));
    (0..code.instructions().len())
        .filter(|&at| is_set(&before, at) && is_set(&after, at) && has_run(at))
        .collect()
}

/// Whether each way from `from` to `to` leads past the instruction.
pub(super) fn is_passed(code: &Code, (from, to): (usize, usize), instruction: usize) -> bool {
    let around = reached(from, &[from, instruction], |at| code.successors(at));
    !around.get(to).copied().unwrap_or_default()
}

/// The registers that may change from the last time on that control came to `position`, before it comes to
/// `end`.
pub fn changed_since(
    code: &Code,
    keeps_registers: &dyn Fn(u64) -> bool,
    position: usize,
    end: usize,
) -> RegisterSet {
    let mut factory = InstructionInfoFactory::new();
    let mut set = RegisterSet::default();
    for at in between(code, position, end) {
        set.insert_all(changed(&mut factory, keeps_registers, code.instruction(at)));
    }
    set
}

/// Which instructions are reached from `start` in steps of `next` that do not go on from `barriers`.
fn reached(start: usize, barriers: &[usize], next: impl Fn(usize) -> Vec<usize>) -> Vec<bool> {
    let mut found = Vec::new();
    let mut pending = vec![start];
    let mut is_first = true;
    while let Some(at) = pending.pop() {
        if barriers.contains(&at) && !is_first {
            continue;
        }
        is_first = false;
        for step in next(at) {
            if found.len() <= step {
                found.resize(step + 1, false);
            }
            if let Some(reached) = found.get_mut(step).filter(|reached| !**reached) {
                *reached = true;
                pending.push(step);
            }
        }
    }
    if found.len() <= start {
        found.resize(start + 1, false);
    }
    if let Some(reached) = found.get_mut(start) {
        *reached = true;
    }
    found
}

/// The registers that the instruction may change, a call's callee included.
pub(super) fn changed(
    factory: &mut InstructionInfoFactory,
    keeps_registers: &dyn Fn(u64) -> bool,
    instruction: &Instruction,
) -> RegisterSet {
    let mut changed = written(factory, instruction);
    if is_call(instruction) {
        let target = call_target(instruction);
        if !matches!(target, Some(CallTarget::Direct(to)) if keeps_registers(to)) {
            changed.insert_all(RegisterSet::CALLER_SAVED);
        }
    }
    changed
}
