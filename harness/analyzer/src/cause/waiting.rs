// SPDX-License-Identifier: MIT OR Apache-2.0
//! A task that waits forever, for what, and who waits for it in turn.

use unwind::Frame;

use super::lock::{Wanted, owner, wanted};
use super::{name, place};
use crate::blame::blamed;
use crate::claim::Claim;
use crate::fault::{Diagnosis, Says};
use crate::machine::Machine;
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene as _;
use crate::told::Told;
use kernel::tasks::Task;

/// Tasks that may wait for each other in one chain.
const MAX_CHAIN: usize = 8;

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
    let (chain, cycle) = chain(machine, first);
    let link = chain.first()?;
    let frame = link.frames.get(link.guilty)?;
    let kind = if cycle.is_some() { CrashKind::Deadlock } else { CrashKind::HungTask };
    let mut diagnosis = Diagnosis { pc: Some(frame.pc), ..Diagnosis::new(kind) };
    for link in &chain {
        evidence(machine, link, &mut diagnosis.evidence);
    }
    let outside = machine.is_outside(frame.pc.for_lookup());
    diagnosis.expression = link.wanted.as_ref().and_then(|wanted| wanted.expression.clone());
    diagnosis.confidence = match cycle {
        Some(_) => Confidence::Proven,
        None if outside && link.wanted.is_some() => Confidence::Proven,
        None if outside => Confidence::Likely,
        None => Confidence::Unknown,
    };
    diagnosis.says = Some(match cycle {
        Some(length) => deadlock(&chain, length),
        None => waits(link),
    });
    Some(diagnosis)
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
        let Ok(walked) = machine.backtrace_of(&task) else { break };
        let frames = walked.walk.frames;
        let guilty = blamed(machine, &frames, 0);
        let wanted = wanted(machine, &frames);
        next = wanted.as_ref().and_then(|wanted| owner(machine, wanted));
        chain.push(Link { task, frames, guilty, wanted });
    }
    (chain, None)
}

fn evidence(machine: &Machine<'_>, link: &Link, claims: &mut Vec<Claim>) {
    let Some(frame) = link.frames.get(link.guilty) else { return };
    let claim = Claim::new(Some(true)).text(format!("task {}", link.task.comm));
    let claim = claim.volatile(format!(" (pid {})", link.task.pid));
    let claim = match &link.wanted {
        Some(wanted) => {
            let lock = wanted.expression.as_ref().map(|lock| format!("`{lock}` at "));
            let claim = claim.text(" waits for ").text(lock.unwrap_or_default());
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
    if let Some(wanted) = &link.wanted
        && let Some(owner) = owner(machine, wanted)
    {
        let claim = Claim::new(Some(true)).text("the lock at ").data(wanted.address);
        let claim = claim.text(format!(" is held by task {}", owner.comm));
        claims.push(claim.volatile(format!(" (pid {})", owner.pid)));
    }
}

fn deadlock(chain: &[Link], start: usize) -> Says {
    let lock = |link: &Link| link.wanted.as_ref().and_then(|wanted| wanted.expression.clone());
    let ring = chain.get(start..).unwrap_or_default();
    if let [own] = ring {
        let lock = lock(own).map_or_else(|| "a lock".to_owned(), |lock| format!("`{lock}`"));
        let words = format!("{lock} is wanted by the task that has it: it waits for itself");
        return Says::new("deadlock of a task with itself", words);
    }
    let mut names: Vec<String> = ring.iter().map(|link| format!("`{}`", link.task.comm)).collect();
    names.dedup();
    let who = match names.as_slice() {
        [same] => format!("{} tasks {same}", ring.len()),
        _ => names.join(" and "),
    };
    let mut locks: Vec<String> =
        ring.iter().filter_map(lock).map(|lock| format!("`{lock}`")).collect();
    locks.dedup();
    let of =
        if locks.is_empty() { String::new() } else { format!(" over {}", locks.join(" and ")) };
    Says::new(
        format!("deadlock{}", of.replace('`', "")),
        format!("{who} wait for each other{of}: the first waits"),
    )
}

fn waits(link: &Link) -> Says {
    match link.wanted.as_ref().and_then(|wanted| wanted.expression.as_deref()) {
        Some(lock) => Says::new(
            format!("task hung on {lock}"),
            format!("`{lock}` is never given back: task `{}` waits for it", link.task.comm),
        ),
        None => Says::new(
            "task hung",
            format!("task `{}` waits and nobody wakes it: it sleeps", link.task.comm),
        ),
    }
}
