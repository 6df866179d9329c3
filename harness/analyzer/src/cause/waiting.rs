// SPDX-License-Identifier: MIT OR Apache-2.0
//! A task that waits forever, for what, and who waits for it in turn.

use unwind::Frame;

use super::lock::{Owner, Wanted, is_taken, listed, owner, taken_before, wanted};
use super::{name, place, stack_of};
use crate::blame::blamed;
use crate::claim::Claim;
use crate::diagnosis::{Diagnosis, Grounds, Waiting, What};
use crate::machine::Machine;
use crate::printer::CodeNames as _;
use crate::scene::Scene;
use crate::told::Told;
use kernel::tasks::{Task, TaskState};

/// Tasks that may wait for each other in one chain.
const MAX_CHAIN: usize = 8;

/// Functions that sleep for a time and are not marked as the scheduler's (`kernel/time/timer.c`).
const PAUSES: [&str; 2] = ["msleep", "msleep_interruptible"];
/// Tasks that are looked at for one that waits.
const MAX_TASKS: usize = 512;

/// A task of the chain.
struct Link {
    task: Task,
    frames: Vec<Frame>,
    guilty: usize,
    wanted: Option<Wanted>,
}

/// Diagnoses the task that the watchdog for hung tasks complained of; `None` if it is not in the
/// dump.
pub(super) fn hung(machine: &Machine<'_>, told: &Told) -> Option<Diagnosis> {
    let pid = told.hung?;
    let tasks = machine.kernel().tasks().ok()?;
    let first = tasks.items.iter().find(|task| task.pid == pid)?;
    of_task(machine, first)
}

/// Diagnoses a task that waits of which only the stack is known.
pub(super) fn of_text(scene: &dyn Scene, frames: &[Frame], told: &Told) -> Option<Diagnosis> {
    let comm = told.hung_comm.clone()?;
    let frame = frames.get(sleeper(scene, None, frames))?;
    let wanted = wanted(scene, frames);
    let lock = wanted.as_ref().and_then(|wanted| wanted.expression.clone());
    // Who took the lock and still has it for sure waits for itself.
    let taken = wanted.as_ref().and_then(|wanted| taken_before(scene, frames, wanted));
    let is_own = matches!(taken, Some((_, true)));
    let circle = if is_own { vec![(comm.clone(), lock.clone())] } else { Vec::new() };
    let what = What::Waiting(Waiting { comm, lock, circle });
    let mut diagnosis = Diagnosis { pc: Some(frame.pc), ..Diagnosis::new(what) };
    diagnosis.evidence.extend(taken.map(|(claim, _)| claim));
    diagnosis.blame.outside = scene.is_outside(frame.pc.for_lookup());
    if diagnosis.blame.outside {
        diagnosis.grounds = Grounds::Inferred;
    }
    Some(diagnosis)
}

/// Diagnoses a machine that was found to hang and has no CPU that runs a module's code: the task that
/// sleeps where nothing interrupts it, for a lock that a module waits for, else in a module, else
/// anywhere. `None` if there is none.
pub(super) fn blocked(machine: &Machine<'_>) -> Option<Diagnosis> {
    let tasks = machine.kernel().tasks().ok()?;
    let sleeps = |task: &&Task| task.state == TaskState::Uninterruptible;
    let rank = |task: &Task| {
        let frames = stack_of(machine, task).unwrap_or_default();
        let guilty = frames.get(blamed(machine, &frames, 0));
        let is_outside = guilty.is_some_and(|frame| machine.is_outside(frame.pc.for_lookup()));
        (!is_outside, wanted(machine, &frames).is_none())
    };
    let first = tasks.items.iter().filter(sleeps).take(MAX_TASKS).min_by_key(|task| rank(task))?;
    let mut diagnosis = of_task(machine, first)?;
    // One look does not tell that it never goes on.
    diagnosis.grounds = Grounds::Inferred;
    let words = "the hang was noticed from outside: for how long it waits is not known";
    diagnosis.unknown = Some(words.to_owned());
    Some(diagnosis)
}

/// Diagnoses a task that waits.
fn of_task(machine: &Machine<'_>, first: &Task) -> Option<Diagnosis> {
    let (chain, cycle) = chain(machine, first);
    // Who only waits for one of a circle has no part in it.
    let link = chain.get(cycle.unwrap_or_else(|| holder(machine, &chain)))?;
    let frame = link.frames.get(link.guilty)?;
    let lock = |link: &Link| link.wanted.as_ref().and_then(|wanted| wanted.expression.clone());
    let ring = cycle.and_then(|start| chain.get(start..)).unwrap_or_default();
    let circle = ring.iter().map(|link| (link.task.comm.clone(), lock(link))).collect();
    let waiting = Waiting { comm: link.task.comm.clone(), lock: lock(link), circle };
    let what = What::Waiting(waiting);
    let mut diagnosis = Diagnosis { pc: Some(frame.pc), ..Diagnosis::new(what) };
    for link in &chain {
        evidence(machine, link, &mut diagnosis.evidence);
    }
    let outside = machine.is_outside(frame.pc.for_lookup());
    diagnosis.blame.outside = outside;
    let is_free = link.wanted.as_ref().and_then(|wanted| owner(machine, wanted));
    diagnosis.grounds = match cycle {
        Some(_) => Grounds::Shown,
        None if matches!(is_free, Some(Owner::Nobody)) => {
            diagnosis.unknown = Some("the lock that it waits for was given back by now".to_owned());
            Grounds::Inferred
        }
        None if outside && link.wanted.is_some() => Grounds::Shown,
        None if outside => Grounds::Inferred,
        None => Grounds::None,
    };
    Some(diagnosis)
}

/// Position of the task to blame in a chain that is no circle: the last one in a module's code of those
/// who hold up the first. Who waits for a lock is seldom the one to blame.
///
/// Example: on 3.10 the parameters of all modules are written under one lock, `param_lock`. A module's
/// write waits there for an answer that never comes; the watchdog complains first of another write,
/// which waits for `param_lock` in the kernel's own code.
///
/// A lock's owner is a hint: the task may have exited with the lock held, and its memory be another
/// task's by now. So the owner counts only where its stack shows a function that takes the lock.
fn holder(machine: &Machine<'_>, chain: &[Link]) -> usize {
    let pairs = chain.windows(2).map_while(|pair| match pair {
        [waiter, owner] => has_taken(machine, waiter, owner).then_some(owner),
        _ => None,
    });
    let outside = |link: &Link| {
        let frame = link.frames.get(link.guilty);
        frame.is_some_and(|frame| machine.is_outside(frame.pc.for_lookup()))
    };
    (1..).zip(pairs).filter(|(_, owner)| outside(owner)).last().map_or(0, |(at, _)| at)
}

/// Whether a task's stack shows that it took the lock that another one waits for: by a call, or
/// because it is in the function that the other one waits in.
fn has_taken(machine: &Machine<'_>, waiter: &Link, owner: &Link) -> bool {
    let Some(wanted) = &waiter.wanted else { return false };
    let function = |frame: &Frame| {
        machine.code_name(frame.pc.for_lookup()).map(|code| (code.symbol, code.module))
    };
    let waits_in = waiter.frames.get(wanted.caller).and_then(function);
    let is_in_it = |frame: &Frame| waits_in.is_some() && function(frame) == waits_in;
    owner.frames.iter().any(is_in_it) || is_taken(machine, &owner.frames, wanted)
}

/// Who waits for whom, and from where on the chain is a circle.
fn chain(machine: &Machine<'_>, first: &Task) -> (Vec<Link>, Option<usize>) {
    let mut chain: Vec<Link> = Vec::new();
    let mut next = Some(first.clone());
    while let Some(task) = next.take() {
        if let Some(start) = chain.iter().position(|link| link.task.address == task.address) {
            return (chain, Some(start));
        }
        if chain.len() == MAX_CHAIN {
            break;
        }
        let Some(frames) = stack_of(machine, &task) else { break };
        let guilty = sleeper(machine, Some(machine), &frames);
        let wanted = wanted(machine, &frames).or_else(|| listed(machine, &task, &frames));
        next = wanted.as_ref().and_then(|wanted| match owner(machine, wanted)? {
            Owner::Task(task) => Some(task),
            // Of those who read, its own stack tells whether the task is one.
            Owner::Readers => {
                let (_, is_sure) = taken_before(machine, &frames, wanted)?;
                is_sure.then(|| task.clone())
            }
            Owner::Nobody => None,
        });
        chain.push(Link { task, frames, guilty, wanted });
    }
    (chain, None)
}

/// The frame to blame for a sleep; without a module, the innermost function that is none of the
/// scheduler's own, as in the kernel's `wchan`.
fn sleeper(machine: &dyn Scene, dump: Option<&Machine<'_>>, frames: &[Frame]) -> usize {
    let guilty = blamed(machine, frames, 0);
    let is_outside = |frame: &Frame| machine.is_outside(frame.pc.for_lookup());
    if frames.get(guilty).is_some_and(is_outside) {
        return guilty;
    }
    let symbol = |name| dump?.kernel().symbol(name).ok();
    let range = symbol("__sched_text_start").zip(symbol("__sched_text_end"));
    let is_scheduler = |frame: &Frame| {
        let pc = frame.pc.for_lookup();
        range.is_some_and(|(start, end)| (start..end).contains(&pc)) || machine.is_in(pc, &PAUSES)
    };
    frames.iter().position(|frame| !is_scheduler(frame)).unwrap_or(guilty)
}

fn evidence(machine: &Machine<'_>, link: &Link, claims: &mut Vec<Claim>) {
    let Some(frame) = link.frames.get(link.guilty) else { return };
    let claim = Claim::new(Some(true)).text(format!("task {}", link.task.comm));
    let claim = claim.volatile(format!(" (pid {})", link.task.pid));
    let claim = match &link.wanted {
        Some(wanted) => {
            let lock = wanted.expression.as_ref();
            let lock =
                lock.map_or_else(|| "the lock at ".to_owned(), |lock| format!("`{lock}` at "));
            let claim = claim.text(" waits for ").text(lock);
            claim.data(wanted.address).text(format!(" in {}", place(machine, frame)))
        }
        None => {
            let inner = link.guilty.checked_sub(1).and_then(|at| link.frames.get(at));
            let inner = inner.map(|inner| format!(", which called `{}`", name(machine, inner)));
            claim
                .text(format!(" sleeps in {}", place(machine, frame)))
                .text(inner.unwrap_or_default())
        }
    };
    let claim = match machine.source_line(frame.pc.for_lookup()) {
        Some(line) => claim.text(format!(" at `{line}`")),
        None => claim,
    };
    claims.push(claim);
    let Some(wanted) = &link.wanted else { return };
    let claim = Claim::new(Some(true)).text("the lock at ").data(wanted.address);
    match owner(machine, wanted) {
        Some(Owner::Task(owner)) => {
            let claim = claim.text(format!(" is held by task {}", owner.comm));
            claims.push(claim.volatile(format!(" (pid {})", owner.pid)));
        }
        Some(Owner::Readers) => {
            claims.push(claim.text(" is held for reading"));
            claims.extend(taken_before(machine, &link.frames, wanted).map(|(claim, _)| claim));
        }
        Some(Owner::Nobody) => claims.push(claim.text(" was given back by now")),
        None => {}
    }
}
