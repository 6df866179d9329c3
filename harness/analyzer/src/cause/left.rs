// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way through a module's code that returns with a lock held.
//!
//! It is found in the code alone: whether control ever takes it, no dump tells.

use std::collections::BTreeMap;

use iced_x86::Mnemonic;
use kernel::locks::LockKind;
use unwind::Pc;

use super::lock::Wanted;
use super::lock_functions::{LockSort, gives_back, is_for_others, may_fail, taking, tries};
use super::taken::{LockName, is_given_back, lock_at};
use super::ways::{Escape, Way, Ways};
use crate::blame::culprit;
use crate::diagnosis::Left;
use crate::flow::{CallTarget, Code, call_target};
use crate::scene::Scene;
use crate::source_line::SourceLine;

/// Functions of one module that are looked through: of a larger one, the only way is not known to be it.
const MAX_FUNCTIONS: usize = 1 << 15;

/// What is taken and given back.
pub(super) enum Pair<'l> {
    /// A lock that a module's code waits for.
    Lock(&'l Wanted),
    /// What a function of the kernel takes and another one gives back, by their entries: `rtnl_lock()` and
    /// `rtnl_unlock()`.
    Functions {
        /// The one that takes it.
        takes: u64,
        /// The other one.
        gives: u64,
    },
}

/// The ways that end with a lock taken.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The only one that is likely.
    pub(super) only: Option<Left>,
    /// Each that the code has, likely or not.
    pub(super) all: Vec<Left>,
}

/// The ways in those modules that leave the lock taken.
pub(super) fn left(scene: &dyn Scene, pair: &Pair<'_>, modules: &[String]) -> Kept {
    let mut likely = Some(Vec::new());
    let mut kept = Kept::default();
    for module in modules {
        let (all, are_likely) = in_module(scene, pair, module).unwrap_or_default();
        for left in &all {
            if !kept.all.contains(left) {
                kept.all.push(left.clone());
            }
        }
        likely = likely.zip(are_likely).map(|(mut likely, more)| {
            likely.extend(more);
            likely
        });
    }
    let mut likely = likely.unwrap_or_default();
    likely.dedup();
    if let [_] = likely.as_slice() {
        kept.only = likely.pop();
    }
    kept
}

/// The same of one module, whose code at `pc` waits for the lock.
pub(super) fn left_by(scene: &dyn Scene, lock: &Wanted, pc: u64) -> Kept {
    let module = scene.code_name(pc).and_then(|code| code.module);
    left(scene, &Pair::Lock(lock), module.as_slice())
}

/// The ways of one module, and those that are likely, where that can be told; `None` if it is too large to look
/// through.
fn in_module(
    scene: &dyn Scene,
    pair: &Pair<'_>,
    module: &str,
) -> Option<(Vec<Left>, Option<Vec<Left>>)> {
    let entries = scene.functions_of(module);
    if entries.len() > MAX_FUNCTIONS {
        return None;
    }
    let mut search =
        Search { scene, pair, calls: BTreeMap::new(), tries: false, hands_back: false };
    let mut found = Vec::new();
    let direct = search.direct(&entries);
    for one in direct {
        match one.way {
            // It takes the lock for its callers where it succeeds.
            Some(_) if search.is_given_back_by_callers(one.entry) => {}
            Some(_) => found.push(one),
            None => found.extend(search.through(one)),
        }
    }
    let is_way = found.iter().any(|it| it.way.is_some());
    // Who waits for a semaphore may take what another one gives: an event, not a lock.
    let is_event = matches!(pair, Pair::Lock(lock)
        if lock.sort == LockSort::Sleep(LockKind::Semaphore));
    // Where a function gives back what another one took, it may be taken for that one.
    let is_handed_on = search.hands_back || is_event;
    let is_likely = |it: &Found| if is_way { it.way.is_some() } else { !is_handed_on };
    let likely = found.iter().filter(|it| is_likely(it)).map(|one| one.named(scene));
    // What takes it only if it is free may leave it taken, too.
    let likely = (!search.tries).then(|| likely.collect()).flatten();
    Some((found.iter().filter_map(|one| one.named(scene)).collect(), likely))
}

/// Where a function ends with the lock taken.
struct Found {
    entry: u64,
    code: Code,
    /// Position of the call that takes it.
    taken: usize,
    /// The way; `None` if it is each.
    way: Option<Way>,
}

/// The functions of one module.
struct Search<'s> {
    scene: &'s dyn Scene,
    pair: &'s Pair<'s>,
    /// The functions that each calls, by their entries.
    calls: BTreeMap<u64, Vec<u64>>,
    /// Whether a function takes a lock of that sort if it is free.
    tries: bool,
    /// Whether a function gives such a lock back that it has not taken.
    hands_back: bool,
}

impl Search<'_> {
    /// In the functions that take the lock themselves.
    fn direct(&mut self, entries: &[u64]) -> Vec<Found> {
        let mut found = Vec::new();
        for entry in entries {
            // The cold part of a function has a name of its own.
            let code = self.scene.function_code(*entry).filter(|code| code.entry() == *entry);
            let Some(code) = code else { continue };
            let targets = (0..code.instructions().len()).filter_map(|at| called(&code, at));
            self.calls.insert(*entry, targets.collect());
            let takes = |at: &usize| called(&code, *at).is_some_and(|target| self.takes(target));
            let takes: Vec<usize> = (0..code.instructions().len()).filter(takes).collect();
            let calls = self.calls.get(entry).map(Vec::as_slice).unwrap_or_default();
            self.tries |= calls.iter().any(|target| self.is_try(*target));
            self.hands_back |= takes.is_empty() && calls.iter().any(|target| self.gives(*target));
            for at in takes {
                let escape = called(&code, at).and_then(|target| {
                    let name = self.name(&code, at, target)?;
                    let fails = may_fail(self.scene, target);
                    let start = if fails { succeeds(&code, at)? } else { at };
                    self.ways(&code, name.as_ref()).escape(start)
                });
                found.extend(escape.map(|escape| Found::of(*entry, code.clone(), at, escape)));
            }
        }
        found
    }

    /// Of a function that takes the lock for its callers, those that leave it taken; the function itself, if
    /// none of them gives it back.
    fn through(&self, taker: Found) -> Vec<Found> {
        let name = self.own_name();
        let mut found = Vec::new();
        let mut is_balanced = false;
        for (entry, _) in self.callers(taker.entry) {
            let Some(code) = self.scene.function_code(entry) else { continue };
            let mut ways = self.ways(&code, name.as_ref());
            let all = 0..code.instructions().len();
            for at in all.filter(|at| called(&code, *at) == Some(taker.entry)) {
                let escape = ways.escape(at);
                is_balanced |= !matches!(escape, Some(Escape::Always));
                found.extend(escape.map(|escape| Found::of(entry, code.clone(), at, escape)));
            }
        }
        if is_balanced { found } else { vec![taker] }
    }

    /// Whether the function takes a lock of that sort.
    fn takes(&self, target: u64) -> bool {
        match self.pair {
            Pair::Lock(lock) => {
                taking(self.scene, target).is_some_and(|sort| sort.is_of(lock.sort))
            }
            Pair::Functions { takes, .. } => target == *takes,
        }
    }

    /// Whether the function takes a lock of that sort if it is free, or for another task.
    fn is_try(&self, target: u64) -> bool {
        let is_of_sort = |sort| tries(self.scene, target, sort);
        matches!(self.pair, Pair::Lock(lock) if is_of_sort(lock.sort))
            || is_for_others(self.scene, target)
    }

    /// Whether the function gives a lock of that sort back.
    fn gives(&self, target: u64) -> bool {
        match self.pair {
            Pair::Lock(lock) => gives_back(self.scene, target, lock.sort),
            Pair::Functions { gives, .. } => target == *gives,
        }
    }

    /// What is known of the lock itself, where it is told from others.
    fn own_name(&self) -> Option<LockName> {
        match self.pair {
            Pair::Lock(lock) => Some(LockName::of(lock)),
            Pair::Functions { .. } => None,
        }
    }

    /// The lock that a call takes, where locks are told apart; `None` if it is another one.
    fn name(&self, code: &Code, at: usize, target: u64) -> Option<Option<LockName>> {
        let Some(own) = self.own_name() else { return Some(None) };
        let name = lock_at(self.scene, &[], (code, at), target);
        name.is_like(&own).then_some(Some(name))
    }

    /// The ways through a function, by where it gives the lock of that name back.
    fn ways<'c>(&self, code: &'c Code, name: Option<&LockName>) -> Ways<'c> {
        let all = 0..code.instructions().len();
        let back = all.filter(|at| match (self.pair, name) {
            (Pair::Lock(lock), Some(name)) => {
                is_given_back(self.scene, (code, *at), (name, lock.sort))
            }
            (Pair::Functions { gives, .. }, _) => called(code, *at) == Some(*gives),
            (Pair::Lock(_), None) => false,
        });
        Ways::new(code, back.collect())
    }

    /// The functions that call it.
    fn callers(&self, function: u64) -> impl Iterator<Item = (u64, &[u64])> {
        let calls = self.calls.iter().map(|(entry, calls)| (*entry, calls.as_slice()));
        calls.filter(move |(entry, calls)| *entry != function && calls.contains(&function))
    }

    /// Whether a function gives back behind a call of that one what it has not taken itself: that one then
    /// takes it for its callers where it succeeds.
    fn is_given_back_by_callers(&self, function: u64) -> bool {
        let name = self.own_name();
        self.callers(function).any(|(entry, calls)| {
            if calls.iter().any(|target| self.takes(*target)) {
                return false;
            }
            let Some(code) = self.scene.function_code(entry) else { return false };
            let ways = self.ways(&code, name.as_ref());
            let all = 0..code.instructions().len();
            let mut sites = all.filter(|at| called(&code, *at) == Some(function));
            sites.any(|at| ways.gives_back_after(at))
        })
    }
}

/// The function that the instruction at a position calls by its address.
fn called(code: &Code, at: usize) -> Option<u64> {
    match call_target(code.instruction(at)) {
        Some(CallTarget::Direct(target)) => Some(target),
        _ => None,
    }
}

impl Found {
    fn of(entry: u64, code: Code, taken: usize, escape: Escape) -> Self {
        let way = match escape {
            Escape::Way(way) => Some(way),
            Escape::Always => None,
        };
        Self { entry, code, taken, way }
    }

    /// The function that takes the lock, its line where the way begins, and the last line of it that only
    /// the way has: what is returned stands behind what is done else. Of functions that are inlined there
    /// the line is that of their call.
    fn named(&self, scene: &dyn Scene) -> Option<Left> {
        let ip = |at: usize| self.code.instruction(at).ip();
        let function = culprit(scene, Pc::Interrupted(ip(self.taken)))?.function?;
        let line = |at: usize| line_in(scene, ip(at), &function);
        let start = self.way.as_ref().map_or(self.taken, |way| way.branch);
        let from = line(start)?;
        let by = self.way.as_ref().and_then(|way| {
            let is_behind = |it: &SourceLine| it.file == from.file && it.line > from.line;
            let others = way.others.iter().filter_map(|at| line(*at));
            let end = others.filter(is_behind).map(|it| it.line).min();
            // What the way returns may be computed before it begins, or be part of another return.
            let all = (0..self.code.instructions().len()).filter_map(line);
            let own = all.filter(|it| is_behind(it) && end.is_none_or(|end| it.line < end));
            own.max_by_key(|it| it.line)
        });
        Some(Left { function, from, by, always: self.way.is_none() })
    }
}

/// The line of the function that the instruction belongs to.
fn line_in(scene: &dyn Scene, ip: u64, function: &str) -> Option<SourceLine> {
    let image = scene.image_at(ip)?;
    let chain = image.source(ip).found()?;
    let own = chain.into_iter().find(|it| it.function.as_deref() == Some(function))?;
    SourceLine::of_frame(Some(image), &own)
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
