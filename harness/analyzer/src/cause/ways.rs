// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ways through a function's code from where a lock is taken, by whether they give it back.

use std::collections::BTreeSet;

use iced_x86::{FlowControl, Mnemonic};

use crate::flow::{Code, Correlated};

/// How a function ends with a lock taken.
pub(super) enum Escape {
    /// On some way, while others give the lock back.
    Way(Way),
    /// On each way: it takes the lock for others.
    Always,
}

/// A way that ends a function with the lock taken.
pub(super) struct Way {
    /// Where it leaves the ways that give the lock back.
    pub(super) branch: usize,
    /// Where control comes from there if it goes none of the ways that leave the lock taken.
    pub(super) others: BTreeSet<usize>,
}

/// The ways through a function, by where one lock is given back.
pub(super) struct Ways<'c> {
    code: &'c Code,
    back: BTreeSet<usize>,
    /// Where control may still come to one of those.
    before: BTreeSet<usize>,
    /// Branches that go the same way.
    correlated: Vec<Correlated>,
    /// Of which of those, and how they go, if that is assumed.
    assumed: Option<(usize, bool)>,
}

impl<'c> Ways<'c> {
    /// `back` are the positions at which the lock is given back.
    pub(super) fn new(code: &'c Code, back: BTreeSet<usize>) -> Self {
        let mut ways = Self {
            code,
            back,
            before: BTreeSet::new(),
            correlated: Correlated::all(code),
            assumed: None,
        };
        ways.assume(None);
        ways
    }

    /// Follows only the ways on which a group of correlated branches goes so.
    fn assume(&mut self, assumed: Option<(usize, bool)>) {
        self.assumed = assumed;
        self.before = self.before(None);
    }

    /// Where control may still come to a place that gives the lock back, without coming to `start` before.
    fn before(&self, start: Option<usize>) -> BTreeSet<usize> {
        let back = |at: usize| {
            let all = self.code.predecessors(at).iter().copied();
            let is_way =
                |before: &usize| self.after(*before).contains(&at) && start != Some(*before);
            all.filter(is_way).collect()
        };
        reached(self.back.iter().copied(), back)
    }

    /// How the function ends without giving the lock back, of the ways from `start` on; `None` if each gives
    /// it back, or ends in a check that failed.
    pub(super) fn escape(&mut self, start: usize) -> Option<Escape> {
        let mut found = self.escape_assumed(start)?;
        for group in 0..self.correlated.len() {
            let ways = [true, false].map(|holds| {
                self.assume(Some((group, holds)));
                let entry = self.code.at(self.code.entry());
                let comes = reached(entry.into_iter(), |at| self.after(at)).contains(&start);
                if comes { self.escape_assumed(start) } else { None }
            });
            self.assume(None);
            let way = ways.into_iter().flatten().min_by_key(|it| matches!(it, Escape::Always))?;
            if matches!(way, Escape::Way(_)) {
                found = way;
            }
        }
        Some(found)
    }

    /// Whether the lock may be given back behind an instruction.
    pub(super) fn gives_back_after(&self, at: usize) -> bool {
        self.after(at).iter().any(|next| self.back.contains(next) || self.before.contains(next))
    }

    /// Who comes to where the lock is taken again with the lock taken comes to no end that gives it back.
    fn escape_assumed(&self, start: usize) -> Option<Escape> {
        let next = |at: usize| match self.back.contains(&at) || at == start {
            true => Vec::new(),
            false => self.after(at),
        };
        let before = self.before(Some(start));
        let held = reached(self.after(start).into_iter(), next);
        let ends = |at: &usize| (self.ends(*at) || *at == start) && !self.back.contains(at);
        held.iter().find(|at| ends(at))?;
        if !held.iter().any(|at| self.back.contains(at)) {
            return Some(Escape::Always);
        }
        // Where control leaves the ways that give the lock back.
        let is_branch = |at: &&usize| {
            before.contains(at)
                && !self.back.contains(at)
                && self.after(**at).iter().any(|next| self.is_lost(*next, (&held, &before)))
        };
        let branch = held.iter().find(is_branch)?;
        let is_lost = |next: &usize| self.is_lost(*next, (&held, &before));
        let others = self.after(*branch).into_iter().filter(|next| !is_lost(next));
        let others = reached(others, |at| self.after(at));
        Some(Escape::Way(Way { branch: *branch, others }))
    }

    /// Where control goes on. A check that failed is no way through the function: what lies behind the `ud2`
    /// of a `BUG()` is other code.
    fn after(&self, at: usize) -> Vec<usize> {
        match self.code.instruction(at).mnemonic() {
            Mnemonic::Ud2 => Vec::new(),
            _ => match self.assumed.and_then(|(at, holds)| Some((self.correlated.get(at)?, holds)))
            {
                Some((group, holds)) => group.successors(self.code, at, holds),
                None => self.code.successors(at),
            },
        }
    }

    /// Whether the lock is held at an instruction, from which control comes to no place that gives it back.
    fn is_lost(&self, at: usize, (held, before): (&BTreeSet<usize>, &BTreeSet<usize>)) -> bool {
        held.contains(&at) && !before.contains(&at) && !self.back.contains(&at)
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
