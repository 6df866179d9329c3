// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way through a module's code that returns with a lock held, which its other ways give back.
//!
//! It is found in the code alone: whether control ever takes it, no dump tells.

use std::collections::BTreeSet;

use iced_x86::{FlowControl, Mnemonic};
use unwind::Pc;

use super::lock::Wanted;
use super::lock_functions::{LockSort, may_fail, taking};
use super::taken::{LockName, is_given_back, lock_at};
use crate::blame::culprit;
use crate::diagnosis::Left;
use crate::flow::{CallTarget, Code, call_target};
use crate::scene::Scene;

/// Functions of one module that are looked through: of a larger one, the only way is not known to be it.
const MAX_FUNCTIONS: usize = 1 << 15;

/// The way in the module of the code at `pc` that leaves the lock taken; `None` if there is none, or if
/// there are several.
pub(super) fn left(scene: &dyn Scene, lock: &Wanted, pc: u64) -> Option<Left> {
    let module = scene.code_name(pc)?.module?;
    let entries = scene.functions_of(&module);
    if entries.len() > MAX_FUNCTIONS {
        return None;
    }
    let mut found: Vec<Left> = Vec::new();
    for entry in entries {
        // The cold part of a function has a name of its own.
        let Some(code) = scene.function_code(entry).filter(|code| code.entry() == entry) else {
            continue;
        };
        for left in in_function(scene, &code, lock) {
            if !found.contains(&left) {
                found.push(left);
            }
        }
    }
    let [_] = found.as_slice() else { return None };
    found.pop()
}

/// The ways of one function.
fn in_function(scene: &dyn Scene, code: &Code, lock: &Wanted) -> Vec<Left> {
    let wanted = LockName::of(lock);
    let mut found = Vec::new();
    for (position, instruction) in code.instructions().iter().enumerate() {
        let Some(CallTarget::Direct(target)) = call_target(instruction) else { continue };
        let takes = taking(scene, target).is_some_and(|sort| sort.is_of(lock.sort));
        if !takes {
            continue;
        }
        let name = lock_at(scene, &[], (code, position), target);

        if !name.is_like(&wanted) {
            continue;
        }
        let start = if may_fail(scene, target) { succeeds(code, position) } else { Some(position) };
        let Some(start) = start else { continue };
        let ways = Ways::new(scene, code, (&name, lock.sort));
        found.extend(ways.escape(start).and_then(|way| named(scene, code, position, &way)));
    }
    found
}

/// The function that takes the lock in the call at `taken`, its line where the way begins, and the last line
/// of it that only the way has: what is returned stands behind what is done else. Of functions that are
/// inlined there the line is that of their call.
fn named(scene: &dyn Scene, code: &Code, taken: usize, way: &Way) -> Option<Left> {
    let ip = |at: usize| code.instruction(at).ip();
    let function = culprit(scene, Pc::Interrupted(ip(taken)))?.function?;
    let line = |at: usize| {
        let image = scene.image_at(ip(at))?;
        let chain = image.source(ip(at)).found()?;
        let own = chain.into_iter().find(|it| it.function.as_ref() == Some(&function))?;
        let file = own.file?;
        Some((own.line?, file.rsplit('/').next()?.to_owned()))
    };
    let from = line(way.branch)?;
    let by = way.own.iter().filter_map(|at| line(*at)).max().filter(|by| *by != from);
    let words = |(line, file): (u32, String)| format!("{file}:{line}");
    Some(Left { function, from: words(from), by: by.map(words) })
}

/// The instruction before which a function that may fail has taken the lock: it returns 0 then.
fn succeeds(code: &Code, call: usize) -> Option<usize> {
    /// Instructions between the call and the test of what it returned.
    const NEAR: usize = 4;
    let jump = (call + 1..=call + NEAR)
        .take_while(|at| *at < code.instructions().len())
        .find(|at| matches!(code.instruction(*at).mnemonic(), Mnemonic::Je | Mnemonic::Jne))?;
    let test = jump.checked_sub(1).filter(|test| *test > call)?;
    if code.instruction(test).mnemonic() != Mnemonic::Test {
        return None;
    }
    let instruction = code.instruction(jump);
    let target = match instruction.mnemonic() {
        Mnemonic::Je => instruction.near_branch_target(),
        _ => instruction.next_ip(),
    };
    code.at(target)
}

/// A way that ends a function with the lock taken.
struct Way {
    /// Where it leaves the ways that give the lock back.
    branch: usize,
    /// What no other way has.
    own: Vec<usize>,
}

/// The ways through a function, by where one lock is given back.
struct Ways<'c> {
    code: &'c Code,
    back: BTreeSet<usize>,
    /// Where control may still come to one of those.
    before: BTreeSet<usize>,
}

impl<'c> Ways<'c> {
    fn new(scene: &dyn Scene, code: &'c Code, lock: (&LockName, LockSort)) -> Self {
        let all = 0..code.instructions().len();
        let back: BTreeSet<usize> =
            all.filter(|at| is_given_back(scene, (code, *at), lock)).collect();
        let before = reached(back.iter().copied(), |at| code.predecessors(at).to_vec());
        Self { code, back, before }
    }

    /// The way that ends the function without giving the lock back, of those from `start` on; `None` if
    /// there is none, or if the function gives it back nowhere.
    fn escape(&self, start: usize) -> Option<Way> {
        let next = |at: usize| match self.back.contains(&at) {
            true => Vec::new(),
            false => self.after(at),
        };
        let held = reached(self.after(start).into_iter(), next);
        // A function that gives it back nowhere takes it for others.
        if self.back.is_empty() {
            return None;
        }
        let ends = |at: &usize| self.ends(*at) && !self.back.contains(at);
        held.iter().find(|at| ends(at))?;
        // Where control leaves the ways that give the lock back.
        let is_branch = |at: &&usize| {
            self.before.contains(at)
                && !self.back.contains(at)
                && self.after(**at).iter().any(|next| self.is_lost(*next, &held))
        };
        let is_never = || !held.iter().any(|at| self.back.contains(at));
        let branch = held.iter().find(is_branch).or_else(|| is_never().then_some(&start))?;
        let shared = reached(self.back.iter().copied(), |at| self.after(at));
        let lost = self.after(*branch);
        let lost = lost.into_iter().filter(|next| self.is_lost(*next, &held));
        let way = reached(lost, |at| self.after(at));
        let own = way.into_iter().filter(|at| !shared.contains(at) && !self.ends(*at));
        Some(Way { branch: *branch, own: own.collect() })
    }

    /// Where control goes on. A check that failed is no way through the function: what lies behind the `ud2`
    /// of a `BUG()` is other code.
    fn after(&self, at: usize) -> Vec<usize> {
        match self.code.instruction(at).mnemonic() {
            Mnemonic::Ud2 => Vec::new(),
            _ => self.code.successors(at),
        }
    }

    /// Whether the lock is held at an instruction, from which control comes to no place that gives it back.
    fn is_lost(&self, at: usize, held: &BTreeSet<usize>) -> bool {
        held.contains(&at) && !self.before.contains(&at) && !self.back.contains(&at)
    }

    /// Whether the function ends with the instruction: it returns, or goes on in another one.
    fn ends(&self, at: usize) -> bool {
        let instruction = self.code.instruction(at);
        match instruction.flow_control() {
            FlowControl::Return => true,
            FlowControl::UnconditionalBranch => {
                self.code.at(instruction.near_branch_target()).is_none()
            }
            _ => false,
        }
    }
}

/// The positions themselves, and all that are reached from them.
fn reached(
    starts: impl Iterator<Item = usize>,
    next: impl Fn(usize) -> Vec<usize>,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut pending: Vec<usize> = starts.collect();
    while let Some(at) = pending.pop() {
        if found.insert(at) {
            pending.extend(next(at));
        }
    }
    found
}
