// SPDX-License-Identifier: MIT OR Apache-2.0
//! A task that waits forever, for what, and who holds it up.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use unwind::Frame;

use super::chain::{Chain, Link, Tie, Waits};
use super::everybody::{Everybody, called};
use super::left::{Kept, Pair, left, left_by};
use super::lock::wanted;
use super::lock_functions::LockSort;
use super::owner::Owner;
use super::sleeper::{is_pause, sleeper};
use super::taken::taken_before;
use super::until::until;
use super::{name, place};
use crate::claim::Claim;
use crate::diagnosis::{
    About, Advice, Diagnosis, Doing, Event, Grounds, Held, Involved, Member, Until, Waiting, What,
};
use crate::express::{Expression, NamedPart};
use crate::formats;
use crate::identify::FreedMemory;
use crate::machine::Machine;
use crate::scene::Scene;
use crate::told::Told;
use kernel::locks::LockKind;
use kernel::tasks::Task;

/// Tasks that are looked at for one that waits.
const MAX_TASKS: usize = 512;
/// Who has waited for less, in nanoseconds, may wait for no more than the next moment.
const MOMENT: u64 = 300_000_000;

/// Diagnoses what the watchdog for hung tasks complained of; `None` if the task is not in the dump.
pub(super) fn hung(machine: &Machine<'_>, told: &Told) -> Option<Diagnosis> {
    let all = Everybody::new(machine)?;
    let named = all.with_pid(told.hung?)?;
    let found = worst(&all, Some(named))?;
    // The watchdog says nothing of tasks that it does not name.
    let is_told = |task: &Task| task.address == named.address || told.all_hung.contains(&task.pid);
    let is_told = found.links.iter().any(|link| is_told(&link.task));
    Some(diagnosis(&all, &found, is_told))
}

/// Diagnoses a machine that was found to hang and has no CPU that runs a module's code; `None` if no task
/// sleeps where nothing interrupts it.
pub(super) fn blocked(machine: &Machine<'_>) -> Option<Diagnosis> {
    let all = Everybody::new(machine)?;
    let found = worst(&all, None)?;
    Some(diagnosis(&all, &found, false))
}

/// Diagnoses a machine of which nobody says that it hangs: what waits for a lock in a module's code. What only
/// sleeps there may be woken by its timer.
pub(super) fn locked(machine: &Machine<'_>) -> Option<Diagnosis> {
    let all = Everybody::new(machine)?;
    let found = worst(&all, None).filter(|found| rank(&all, found) <= Rank::Lock)?;
    let waited = found.links.first().map(|link| machine.kernel().waits_for(&link.task));
    if !waited.is_some_and(|waited| waited.is_ok_and(|waited| waited >= MOMENT)) {
        return None;
    }
    Some(diagnosis(&all, &found, false))
}

/// Diagnoses a task that waits of which only the stack is known.
pub(super) fn of_text(scene: &dyn Scene, frames: &[Frame], told: &Told) -> Option<Diagnosis> {
    let comm = told.hung_comm.clone()?;
    let frame = frames.get(sleeper(scene, None, frames))?;
    let wanted = wanted(scene, frames);
    let lock = wanted.as_ref().and_then(|wanted| wanted.expression.clone());
    // Who took the lock and still has it for sure waits for itself.
    let taken = wanted.as_ref().and_then(|wanted| taken_before(scene, frames, wanted));
    let is_own = taken.as_ref().is_some_and(|before| before.is_sure);
    let member = || Member { comm: comm.clone(), lock: lock.clone(), event: Event::Unknown };
    let circle = if is_own { vec![member()] } else { Vec::new() };
    let caller = wanted.as_ref().and_then(|wanted| Some((wanted, frames.get(wanted.caller)?)));
    let way = caller.filter(|_| !is_own);
    let kept = way.map(|(wanted, frame)| left_by(scene, wanted, frame.pc.for_lookup()));
    let held = Held::Unknown;
    let event = Event::Unknown;
    let until = None;
    let waiting = Waiting { circle, left: None, held, event, until, runs: false, comm, lock };
    let what = What::Waiting(waiting);
    let mut diagnosis = Diagnosis { pc: Some(frame.pc), ..Diagnosis::new(what) };
    diagnosis.evidence.extend(taken.map(|before| before.claim));
    diagnosis.blame.outside = scene.is_outside(frame.pc.for_lookup());
    if diagnosis.blame.outside {
        diagnosis.grounds = Grounds::Inferred;
    }
    if let Some(left) = kept.and_then(|kept| kept.only) {
        diagnosis.find_way(left);
    }
    Some(diagnosis)
}

/// How much a chain tells of why a machine hangs, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A circle that a module has a part in.
    Circle,
    /// A module's code has what another task waits for.
    Holder,
    /// A module's code waits for a lock whose owner is gone.
    Gone,
    /// A module's code waits for a lock that names the task itself as its owner.
    Itself,
    /// A module's code waits for a lock.
    Lock,
    /// A module's code has what another task waits for, and sleeps there for a time: it goes on by itself.
    Pause,
    /// A module's code sleeps.
    Sleep,
    /// No module is known to have a part in it.
    Kernel,
}

fn rank(all: &Everybody<'_, '_>, chain: &Chain) -> Rank {
    use Owner as O;
    let at = chain.blamed(all);
    let Some(link) = chain.links.get(at) else { return Rank::Kernel };
    match (&link.waits, link.is_outside(all)) {
        (_, false) => Rank::Kernel,
        _ if chain.circle.is_some() => Rank::Circle,
        (Waits::Else, _) if at > 0 && is_pause(all.machine, link.inner()) => Rank::Pause,
        _ if at > 0 => Rank::Holder,
        (Waits::Lock(_, O::Exited(_) | O::Younger(_) | O::Lost | O::Freed(_)), _) => Rank::Gone,
        (Waits::Lock(_, O::Named(owner)), _) if owner.address == link.task.address => Rank::Itself,
        (Waits::Lock(..), _) => Rank::Lock,
        _ => Rank::Sleep,
    }
}

/// The chain that tells most of why tasks sleep without end: beginning with any of them, since the one that
/// a watchdog names first is seldom the one to blame. Of those that tell as much, that of the one named,
/// then of whom the others wait for, then of who waits longest.
fn worst<'m>(all: &Everybody<'m, '_>, named: Option<&'m Task>) -> Option<Chain> {
    let kernel = all.machine.kernel();
    let is_named = |task: &Task| named.is_some_and(|named| named.address == task.address);
    let others = all.asleep().filter(|task| !is_named(task));
    let chains = named.into_iter().chain(others).take(MAX_TASKS).map(|task| {
        let waited = kernel.waits_for(task).unwrap_or(0);
        (is_named(task) || waited >= MOMENT, waited, Chain::of(all, task))
    });
    let chains: Vec<(bool, u64, Chain)> =
        chains.filter(|(_, _, chain)| !chain.links.is_empty()).collect();
    let mut ends: BTreeMap<Option<u64>, usize> = BTreeMap::new();
    let end = |chain: &Chain| chain.links.get(chain.blamed(all)).map(|link| link.task.address);
    for (_, _, chain) in &chains {
        *ends.entry(end(chain)).or_default() += 1;
    }
    let key = |(waits, waited, chain): &(bool, u64, Chain)| {
        let first = chain.links.first().is_some_and(|link| is_named(&link.task));
        let longest = Reverse(*waited);
        (!waits, rank(all, chain), !first, Reverse(ends.get(&end(chain)).copied()), longest)
    };
    let best = (0..chains.len()).min_by_key(|at| chains.get(*at).map(key))?;
    chains.into_iter().nth(best).map(|(_, _, chain)| chain)
}

/// The diagnosis of a chain; `is_told` is whether the kernel itself says that its first task waits for too
/// long.
fn diagnosis(all: &Everybody<'_, '_>, chain: &Chain, is_told: bool) -> Diagnosis {
    let at = chain.blamed(all);
    // Where it is not sure that a task has the lock, a way that leaves it taken tells more.
    let is_guess = at > 0 && chain.circle.is_none() && chain.tie(at) < Tie::Sure;
    let before = at.checked_sub(1).filter(|_| is_guess);
    let at = before.filter(|at| left_of(all, chain, *at).only.is_some()).unwrap_or(at);
    let Some((link, frame)) = chain.links.get(at).and_then(|it| Some((it, it.frame()?))) else {
        return Diagnosis::of_kind(crate::kind::CrashKind::HungTask);
    };
    let is_circle = chain.circle.is_some();
    let waiter = at.checked_sub(1).filter(|_| !is_circle).and_then(|at| chain.links.get(at));
    // Who waits for the same lock has it as little as the one before.
    let address = |link: &Link| link.lock().map(|lock| lock.address);
    let waiter = waiter.filter(|it| address(it).is_none() || address(it) != address(link));
    let held = match waiter {
        Some(waiter) => Held::For {
            waiter: called(&waiter.task),
            lock: expression(chain, waiter),
            event: waiter.lock().is_none().then(|| event(waiter)),
        },
        None => held(link),
    };
    let is_there = matches!(&link.waits, Waits::Lock(_, owner)
        if !matches!(owner, Owner::Nobody | Owner::Lost | Owner::Freed(_)));
    let kept = match is_there && !is_circle {
        true => left_of(all, chain, at),
        false => Kept::default(),
    };
    let comm = called(&link.task);
    let ring = chain.ring().iter();
    // The one at fault comes first.
    let first = ring.clone().position(|it| it.task.address == link.task.address).unwrap_or(0);
    let mut circle: Vec<Member> = ring.map(|link| member(chain, link)).collect();
    let turn = first.min(circle.len());
    circle.rotate_left(turn);
    let lock = expression(chain, link);
    let runs = all.is_running(&link.task);
    let by_code = || until(all.machine, &link.frames, link.guilty);
    let by_code = || matches!(link.waits, Waits::Else).then(by_code).flatten().filter(|_| !runs);
    // In between, it waits for those who gave a reference back a moment ago.
    let until = device(all, &link.frames).or_else(by_code);
    let event = event(link);
    let waiting = Waiting { comm, lock, event, until, runs, circle, held, left: None };
    let what = What::Waiting(waiting);
    let mut diagnosis = Diagnosis { pc: Some(frame.pc), ..Diagnosis::new(what) };
    for link in &chain.links {
        evidence(all, link, &mut diagnosis.evidence);
    }
    diagnosis.involved = involved(chain, at);
    let part = part(chain, link, &diagnosis.what);
    diagnosis.about = Some(About { part, kept: kept.all, ..About::default() });
    diagnosis.blame.outside = all.is_outside(frame);
    judge(chain, at, is_told, &mut diagnosis);
    // The watchdog says nothing of who looks again and again.
    if is_pause(all.machine, link.inner()) {
        diagnosis.advice = None;
    }
    if let Some(left) = kept.only {
        diagnosis.find_way(left);
        diagnosis.grounds = diagnosis.grounds.min(Grounds::Inferred);
    }
    diagnosis
}

/// The ways that leave the lock taken that a link waits for.
fn left_of(all: &Everybody<'_, '_>, chain: &Chain, at: usize) -> Kept {
    let lock = chain.links.get(at).and_then(|link| Some((link, link.lock()?)));
    let caller = lock.and_then(|(link, lock)| Some((lock, link.frames.get(lock.caller)?)));
    let Some((lock, caller)) = caller else { return Kept::default() };
    match all.is_outside(caller) {
        true => left_by(all.machine, lock, caller.pc.for_lookup()),
        false => left_by_any(all, caller).unwrap_or_default(),
    }
}

/// The ways in any module from outside of the kernel's tree that leave taken what the kernel's function of a
/// frame takes, and that of the other name gives back.
///
/// Example: a module returns from a lookup without `rtnl_unlock()`, and `ip` waits in `rtnl_lock()`.
fn left_by_any(all: &Everybody<'_, '_>, frame: &Frame) -> Option<Kept> {
    let machine = all.machine;
    let name = machine.kernel_function(frame.pc.for_lookup())?;
    let (before, behind) =
        name.rsplit_once("lock").filter(|(before, _)| !before.ends_with("un"))?;
    let entry = |name: &str| machine.kernel().symbol(name).ok();
    let takes = entry(&name)?;
    let gives = entry(&format!("{before}unlock{behind}"))?;
    Some(left(machine, &Pair::Functions { takes, gives }, &all.outside_modules()))
}

/// How far the chain carries.
fn judge(chain: &Chain, at: usize, is_told: bool, diagnosis: &mut Diagnosis) {
    let Some(link) = chain.links.get(at) else { return };
    let tie = chain.tie(at);
    let waiter = at.checked_sub(1).and_then(|at| chain.links.get(at));
    let awaited = waiter.and_then(|waiter| match &waiter.waits {
        Waits::Task(awaited) => Some(awaited.event),
        _ => None,
    });
    let doubt = match (&link.waits, tie) {
        (_, Tie::Named) => Some(
            "the lock names its owner, whose stack does not show that it took the lock: it may have \
             exited, and its memory be another task's",
        ),
        (_, Tie::Likely) if awaited == Some(Event::Readers) => {
            Some("whether it is that reader that is waited for is not known")
        }
        (_, Tie::Likely) if awaited.is_some() => {
            Some("whether it is that work that is waited for is not known")
        }
        (_, Tie::Likely) => Some("whether the lock was given back before is not known"),
        _ if chain.circle.is_some() => None,
        (Waits::Lock(_, Owner::Exited(_)), _) => None,
        (Waits::Lock(_, Owner::Younger(_)), _) => Some(
            "the task that the lock names is younger than the wait, and may have taken the lock before its \
             turn",
        ),
        (Waits::Lock(_, Owner::Nobody), _) => {
            Some("the lock that it waits for was given back by now")
        }
        (Waits::Lock(_, Owner::Lost), _) => {
            Some("whether the memory was freed and used again, or written over, is not known")
        }
        (Waits::Lock(_, Owner::Named(_)), _) => Some(
            "the lock names a task whose stack does not show that it took it: it returned with the lock, \
             or the owner has exited and its memory is this task's",
        ),
        (Waits::Lock(_, Owner::Unknown | Owner::Readers), _) => {
            Some("who has the lock is not to be seen in the dump")
        }
        _ if !is_told => {
            Some("the hang was noticed from outside: for how long it waits is not known")
        }
        _ => None,
    };
    let is_lock = matches!(link.waits, Waits::Lock(..)) || at > 0 || chain.circle.is_some();
    diagnosis.grounds = match (doubt, diagnosis.blame.outside) {
        (None, true) if is_lock => Grounds::Shown,
        (_, true) => Grounds::Inferred,
        // A circle needs nobody to blame.
        (None, false) if chain.circle.is_some() => Grounds::Shown,
        (_, false) if chain.circle.is_some() || !is_told => Grounds::Inferred,
        (_, false) => Grounds::None,
    };
    diagnosis.unknown = doubt.map(str::to_owned);
    if !is_told {
        diagnosis.advice = Some(Advice::PanicOnHang);
    }
}

/// The tasks whose stacks tell: the one to blame, whom it holds up, the others of the circle.
fn involved(chain: &Chain, at: usize) -> Vec<Involved> {
    let part = |link: &Link, does| Involved { task: link.task.address, does };
    let is_circle = chain.circle.is_some();
    let first = chain
        .links
        .get(at)
        .map(|link| part(link, if at > 0 && !is_circle { Doing::Holds } else { Doing::Waits }));
    let others = chain.links.iter().enumerate().filter(|(other, _)| *other != at);
    let role = |other: usize| if is_circle || other < at { Doing::Waits } else { Doing::Holds };
    first.into_iter().chain(others.map(|(other, link)| part(link, role(other)))).collect()
}

/// What is known of who has the lock that the task waits for.
fn held(link: &Link) -> Held {
    match &link.waits {
        Waits::Lock(_, Owner::Exited(_) | Owner::Younger(_)) => Held::Exited,
        Waits::Lock(_, Owner::Named(task)) => {
            Held::Named { comm: called(task), is_waiter: task.address == link.task.address }
        }
        Waits::Lock(_, Owner::Freed(freed)) => Held::Freed(freed.clone()),
        Waits::Lock(_, Owner::Lost) => Held::Lost,
        Waits::Lock(lock, _) if lock.sort == LockSort::Sleep(LockKind::Semaphore) => Held::Down,
        _ => Held::Unknown,
    }
}

/// The network device whose last reference the frames wait for, as the kernel's log tells.
fn device(all: &Everybody<'_, '_>, frames: &[Frame]) -> Option<Until> {
    const WAITING: [&str; 3] =
        ["netdev_wait_allrefs_any", "netdev_wait_allrefs", "netdev_run_todo"];
    let machine = all.machine;
    frames.iter().find(|frame| machine.is_in(frame.pc.for_lookup(), &WAITING))?;
    let log = machine.kernel().log().ok()?;
    let last = log.items.iter().rev().find_map(|line| formats::device_in_use(&line.text))?;
    Some(Until::Device { name: Expression::name(last.0), count: last.1 })
}

/// What the code can be searched for: the lock that the link waits for or that the one before waits for, or
/// what its condition is on.
fn part(chain: &Chain, link: &Link, what: &What) -> Option<NamedPart> {
    let until = match what {
        What::Waiting(Waiting { until: Some(Until::Condition(it)), .. }) => it.part.clone(),
        _ => None,
    };
    let mut locks = std::iter::once(link).chain(&chain.links).filter_map(Link::lock);
    until.or_else(|| locks.find_map(|lock| lock.part.clone()))
}

/// The name of the lock that a link waits for: where its code has none, that of another one that waits for it.
fn expression(chain: &Chain, link: &Link) -> Option<Expression> {
    let own = link.lock()?;
    let others = chain.links.iter().filter_map(Link::lock);
    let same = others.filter(|other| other.address == own.address);
    std::iter::once(own).chain(same).find_map(|lock| lock.expression.clone())
}

const fn event(link: &Link) -> Event {
    match &link.waits {
        Waits::Task(awaited) => awaited.event,
        Waits::Lock(..) | Waits::Else => Event::Unknown,
    }
}

fn member(chain: &Chain, link: &Link) -> Member {
    Member { comm: called(&link.task), lock: expression(chain, link), event: event(link) }
}

/// The task, in a sentence.
fn task(task: &Task) -> Claim {
    let claim = Claim::new(Some(true)).text(format!("task {}", called(task)));
    claim.volatile(format!(" (pid {})", task.pid))
}

fn evidence(all: &Everybody<'_, '_>, link: &Link, claims: &mut Vec<Claim>) {
    let Some(frame) = link.frame() else { return };
    let machine = all.machine;
    let claim = match &link.waits {
        Waits::Lock(lock, _) => {
            let named = lock.expression.as_ref();
            let named =
                named.map_or_else(|| "the lock at ".to_owned(), |lock| format!("`{lock}` at "));
            let claim = task(&link.task).text(" waits for ").text(named);
            claim.data(lock.address).text(format!(" in {}", place(machine, frame)))
        }
        Waits::Task(awaited) => {
            let claim = task(&link.task).text(" ").with(&awaited.why);
            claim.text(format!(" in {}", place(machine, frame)))
        }
        Waits::Else => {
            let inner = link.inner().last();
            let inner = inner.map(|inner| format!(", which called `{}`", name(machine, inner)));
            task(&link.task)
                .text(if all.is_running(&link.task) { " runs in " } else { " sleeps in " })
                .text(place(machine, frame))
                .text(inner.unwrap_or_default())
        }
    };
    claims.push(claim.at(machine.source_line(frame.pc.for_lookup()).as_ref()));
    let Waits::Lock(lock, owner) = &link.waits else { return };
    let at = Claim::new(Some(true)).text("the lock at ").data(lock.address);
    match owner {
        Owner::Shown(shown) => {
            let holder = &shown.task;
            if shown.is_named {
                let claim = at.text(format!(" is held by task {}", called(holder)));
                claims.push(claim.volatile(format!(" (pid {})", holder.pid)));
            }
            let has = if shown.is_sure { " has it: " } else { " may have it: " };
            claims.push(task(holder).text(has).with(&shown.taken));
        }
        Owner::Named(holder) => {
            let claim = at.text(format!(" names task {}", called(holder)));
            let claim = claim.volatile(format!(" (pid {})", holder.pid));
            claims.push(claim.text(" as its owner, whose stack does not show that it took it"));
        }
        Owner::Exited(holder) => {
            // Others may have had its memory since, and have exited, too.
            let claim = at.text(" names memory as its owner's that was last of a task");
            let claim = claim.volatile(format!(", {} (pid {})", called(holder), holder.pid));
            claims.push(claim.text(", which has exited: so has the owner"));
        }
        Owner::Younger(holder) => {
            let claim = at.text(" names memory as its owner's that is of a task by now");
            let claim = claim.volatile(format!(", {} (pid {})", called(holder), holder.pid));
            let words = ", which was made after the first wait began";
            claims.push(claim.text(words));
        }
        Owner::Readers => claims.push(at.text(" is held for reading")),
        Owner::Nobody => claims.push(at.text(" was given back by now")),
        Owner::Freed(FreedMemory::Object { cache }) => {
            claims.push(at.text(format!(" is in a free object of {cache}")));
        }
        Owner::Freed(FreedMemory::Pages) => claims.push(at.text(" is in a free page")),
        Owner::Lost => {
            let claim = at.text(" has a list of those who wait without task ");
            let claim = claim.text(called(&link.task));
            claims.push(claim.text(", which has to be in it until it is woken"));
        }
        Owner::Unknown => {}
    }
}
