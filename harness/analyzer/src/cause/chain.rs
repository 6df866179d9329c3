// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who waits for whom.

use std::rc::Rc;

use unwind::Frame;

use super::everybody::Everybody;
use super::flush::{Awaited, awaited};
use super::lock::{Wanted, listed, wanted};
use super::lock_functions::LockSort;
use super::owner::{Owner, owner};
use super::readers::reading;
use super::sleeper::sleeper;
use kernel::locks::LockKind;
use kernel::tasks::Task;

/// Tasks that may wait for each other in one chain.
const MAX_CHAIN: usize = 8;

/// A task of the chain.
pub(super) struct Link {
    pub(super) task: Task,
    pub(super) frames: Rc<[Frame]>,
    /// Position of the frame to blame.
    pub(super) guilty: usize,
    pub(super) waits: Waits,
}

/// What a task waits for.
pub(super) enum Waits {
    /// For a lock, and who has it.
    Lock(Box<Wanted>, Owner),
    /// For another task to finish something.
    Task(Awaited),
    /// For something else, if at all.
    Else,
}

/// How sure it is that the next of a chain is whom the one before waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tie {
    /// A lock's word names it, and nothing else.
    Named,
    /// Its stack shows a call that takes the lock, on some way to where it is.
    Likely,
    /// The lock's word and its stack, or its stack on each way, or the lists of workers.
    Sure,
}

/// Tasks, each of which waits for the next one.
pub(super) struct Chain {
    pub(super) links: Vec<Link>,
    /// Position of the link that the last one waits for.
    pub(super) circle: Option<usize>,
}

impl Link {
    fn of(all: &Everybody<'_, '_>, task: &Task) -> Self {
        let frames = all.stack(task);
        let guilty = sleeper(all.machine, Some(all.machine), &frames);
        let lock = awaited_lock(all, task, &frames);
        let waits = match lock {
            Some(lock) => {
                let owner = owner(all, task, &lock);
                Waits::Lock(Box::new(lock), owner)
            }
            None => {
                let other = awaited(all, task, &frames).or_else(|| reading(all, task, &frames));
                other.map_or(Waits::Else, Waits::Task)
            }
        };
        Self { task: task.clone(), frames, guilty, waits }
    }

    /// Whom the task waits for, and how sure that is.
    pub(super) fn next(&self) -> Option<(&Task, Tie)> {
        match &self.waits {
            Waits::Lock(_, Owner::Shown(shown)) => {
                Some((&shown.task, if shown.is_sure { Tie::Sure } else { Tie::Likely }))
            }
            Waits::Lock(_, Owner::Named(task)) => Some((task, Tie::Named)),
            Waits::Task(awaited) => {
                Some((&awaited.task, if awaited.is_sure { Tie::Sure } else { Tie::Likely }))
            }
            Waits::Lock(..) | Waits::Else => None,
        }
    }

    /// The lock that it waits for.
    pub(super) const fn lock(&self) -> Option<&Wanted> {
        match &self.waits {
            Waits::Lock(lock, _) => Some(lock),
            Waits::Task(_) | Waits::Else => None,
        }
    }

    /// The frame to blame.
    pub(super) fn frame(&self) -> Option<&Frame> {
        self.frames.get(self.guilty)
    }

    /// The frames of what that called.
    pub(super) fn inner(&self) -> &[Frame] {
        self.frames.get(..self.guilty).unwrap_or_default()
    }

    /// Whether that is of a module from outside of the kernel's tree.
    pub(super) fn is_outside(&self, all: &Everybody<'_, '_>) -> bool {
        self.frame().is_some_and(|frame| all.is_outside(frame))
    }
}

/// The lock that a task waits for. What its code says is where the lock would be now; the lock's own list of
/// those who wait tells whether it is the one.
fn awaited_lock(all: &Everybody<'_, '_>, task: &Task, frames: &[Frame]) -> Option<Wanted> {
    let kernel = all.machine.kernel();
    let is_listed = |lock: &Wanted| match lock.sort {
        LockSort::Sleep(kind @ (LockKind::Mutex | LockKind::RwSemaphore | LockKind::Semaphore)) => {
            let state = kernel.lock(kind, lock.address);
            state.is_ok_and(|state| state.waiters.contains(&task.address))
        }
        _ => true,
    };
    let by_code = wanted(all.machine, frames);
    if let Some(lock) = by_code.as_ref().filter(|lock| is_listed(lock)) {
        // The list of a lock that is slept for has said so.
        return Some(Wanted { is_fixed: lock.is_fixed || !lock.sort.spins(), ..lock.clone() });
    }
    listed(all.machine, task, frames).map(|lock| match by_code {
        // The name is that of the code, whatever it leads to by now.
        Some(code) => {
            let (expression, class, part) = (code.expression, code.class, code.part);
            Wanted { expression, class, part, ..lock }
        }
        None => lock,
    })
}

impl Chain {
    /// The chain that begins with the task.
    pub(super) fn of(all: &Everybody<'_, '_>, first: &Task) -> Self {
        let mut links: Vec<Link> = Vec::new();
        let mut next = Some(first.clone());
        while let Some(task) = next.take() {
            if let Some(start) = links.iter().position(|link| link.task.address == task.address) {
                // A name in a lock's word alone closes no circle: the memory may have been another task's.
                let ring = links.get(start..).unwrap_or_default();
                let is_sure =
                    ring.iter().all(|link| link.next().is_some_and(|it| it.1 > Tie::Named));
                return Self { links, circle: is_sure.then_some(start) };
            }
            if links.len() == MAX_CHAIN {
                break;
            }
            let link = Link::of(all, &task);
            if link.frames.is_empty() {
                break;
            }
            next = link.next().map(|(task, _)| task.clone());
            links.push(link);
        }
        Self { links, circle: None }
    }

    /// The links that wait for each other.
    pub(super) fn ring(&self) -> &[Link] {
        self.circle.and_then(|start| self.links.get(start..)).unwrap_or_default()
    }

    /// Position of the link to blame: of a circle, its first one or who waits for work; else the last one in a module's code of
    /// those who hold up the first, as far as it is likely that they do.
    ///
    /// Example: on 3.10 the parameters of all modules are written under one lock, `param_lock`. A module's
    /// write waits there for an answer that never comes; the watchdog complains first of another write,
    /// which waits for `param_lock` in the kernel's own code.
    pub(super) fn blamed(&self, all: &Everybody<'_, '_>) -> usize {
        if let Some(start) = self.circle {
            // Who waits for another one's work with a lock held that the work needs has made the mistake, not
            // the work that takes the lock.
            let ring = (start..).zip(self.ring()).filter(|(_, link)| link.is_outside(all));
            let key = |(at, link): &(usize, &Link)| (!matches!(link.waits, Waits::Task(_)), *at);
            return ring.min_by_key(key).map_or(start, |(at, _)| at);
        }
        let mut found = 0;
        for (at, pair) in (1..).zip(self.links.windows(2)) {
            let [waiter, holder] = pair else { break };
            let Some((_, tie)) = waiter.next() else { break };
            // What it does by now has nothing to do with a lock that it is not seen to have taken there.
            if tie == Tie::Named {
                break;
            }
            if holder.is_outside(all) {
                found = at;
            }
        }
        found
    }

    /// How sure each step is from the first to the one at that position, or all around the circle.
    pub(super) fn tie(&self, to: usize) -> Tie {
        let steps = match self.circle {
            Some(_) => self.ring(),
            None => self.links.get(..to).unwrap_or_default(),
        };
        let ties = steps.iter().filter_map(|link| link.next().map(|(_, tie)| tie));
        ties.min().unwrap_or(Tie::Sure)
    }
}
