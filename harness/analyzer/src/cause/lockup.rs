// SPDX-License-Identifier: MIT OR Apache-2.0
//! A CPU that a watchdog found to run without end: what it runs, and for whom it waits.

use unwind::{Frame, Pc, StackKind, Trust};

use super::everybody::{Everybody, called};
use super::left::{Kept, left_by};
use super::lock::{Wanted, spins, wanted};
use super::lock_word::{is_taken, no_lock, word};
use super::owner::{Owner, owner};
use super::taken::{holds, taken_before};
use super::{own, place, stack_of};
use crate::blame::blamed;
use crate::claim::Claim;
use crate::diagnosis::{
    About, Diagnosis, Doing, Event, Grounds, Hang, Involved, Lockup, LockupKind, Member, OtherCpus,
    What,
};
use crate::fault::{Exit, busy_wait, ring};
use crate::kind::CrashKind;
use crate::machine::Machine;
use crate::scene::Scene;
use crate::told::Told;
use kernel::tasks::Task;

/// The flag of rflags that lets interrupts in.
const INTERRUPTS: u64 = 1 << 9;

/// Diagnoses a lockup. `frames` are those of the CPU that crashed.
pub(super) fn diagnose(machine: &Machine<'_>, frames: &[Frame], told: &Told) -> Diagnosis {
    let own = machine.kernel().crash().cpu;
    let other = told.stuck.filter(|cpu| own != Some(*cpu));
    let theirs = other.and_then(|cpu| {
        let task = machine.kernel().current_task(cpu).ok()?;
        stack_of(machine, &task)
    });
    let is_found = other.is_none() || theirs.is_some();
    let mut diagnosis = match theirs {
        Some(frames) => of_frames(machine, Some(machine), (&frames, other), told),
        None => of_frames(machine, Some(machine), (frames, own), told),
    };
    // Who noticed may be another CPU than the one that is stuck.
    let is_told = told.stuck.is_some() || told.is_own || kind(told) == LockupKind::Soft;
    if !is_found || !is_told {
        diagnosis.grounds = diagnosis.grounds.max(Grounds::Inferred);
        diagnosis.unknown.get_or_insert_with(|| "which CPU is stuck is not known".to_owned());
    }
    diagnosis
}

/// Diagnoses a lockup of which only the stack of the CPU that is stuck is known.
pub(super) fn of_text(scene: &dyn Scene, frames: &[Frame], told: &Told) -> Diagnosis {
    let mut diagnosis = of_frames(scene, None, (frames, None), told);
    diagnosis.grounds = diagnosis.grounds.max(Grounds::Inferred);
    diagnosis
}

/// `cpu` is the one whose stack the frames are.
fn of_frames(
    machine: &dyn Scene,
    dump: Option<&Machine<'_>>,
    (frames, cpu): (&[Frame], Option<u32>),
    told: &Told,
) -> Diagnosis {
    let mut lockup = Lockup { kind: kind(told), hang: Hang::Unknown, lock: None, left: None };
    let mut diagnosis = Diagnosis::new(What::Lockup(lockup.clone()));
    let Some(stuck) = interrupted(machine, frames) else {
        diagnosis.unknown = Some("nothing of its stack can be read".into());
        return diagnosis;
    };
    diagnosis.pc = Some(stuck.guilty.pc);
    let whose = dump.map_or_else(|| "the CPU".to_owned(), |dump| whose(dump, cpu));
    let running = Claim::new(Some(true)).text(format!("{whose} was interrupted at "));
    // A text may have the stack of a task that was switched out.
    if dump.is_some() || matches!(stuck.inner.pc, Pc::Interrupted(_)) {
        diagnosis.evidence.push(running.code(stuck.inner.pc.address()));
    }
    if machine.is_outside(stuck.guilty.pc.for_lookup()) {
        diagnosis.grounds = Grounds::Shown;
    } else {
        diagnosis.unknown =
            Some("no module from outside of the kernel's tree is on its stack".into());
    }
    let lock = wanted(machine, stuck.frames).filter(|lock| lock.caller <= stuck.position);
    lockup.hang = match &lock {
        Some(lock) => spinning(machine, dump, stuck.frames, (lock, cpu), &mut diagnosis),
        None if spins(machine, stuck.frames, stuck.position) => {
            diagnosis.grounds = diagnosis.grounds.max(Grounds::Inferred);
            let words = "which lock it is waited for is not known";
            diagnosis.unknown.get_or_insert_with(|| words.to_owned());
            Hang::Lock(OtherCpus::Unknown)
        }
        None => looping(machine, &stuck, &mut lockup, &mut diagnosis),
    };
    let mut kept = Kept::default();
    // What another CPU runs may have it.
    let is_open = matches!(lockup.hang, Hang::Lock(OtherCpus::Idle | OtherCpus::Unknown));
    if let Some(lock) = lock.as_ref().filter(|_| is_open) {
        let caller = stuck.frames.get(lock.caller);
        let by = |caller: &Frame| left_by(machine, lock, caller.pc.for_lookup());
        kept = caller.map(by).unwrap_or_default();
    }
    if let Some((dump, cpu)) = dump.zip(cpu) {
        let task = dump.kernel().current_task(cpu);
        let runs = task.map(|task| Involved { task: task.address, does: Doing::Runs });
        diagnosis.involved.extend(runs);
    }
    if let Some(lock) = lock {
        diagnosis.about = Some(About { part: lock.part, kept: kept.all, ..About::default() });
        lockup.lock = lock.expression;
    }
    diagnosis.what = What::Lockup(lockup);
    if let Some(left) = kept.only {
        diagnosis.find_way(left);
    }
    diagnosis
}

/// The CPU, by the task that it runs where it is not the one that the kernel crashed on.
fn whose(machine: &Machine<'_>, cpu: Option<u32>) -> String {
    let kernel = machine.kernel();
    let other = cpu.filter(|cpu| kernel.crash().cpu != Some(*cpu));
    match other.and_then(|cpu| kernel.current_task(cpu).ok()) {
        Some(task) => format!("the CPU that runs task `{}`", called(&task)),
        None => "the CPU".to_owned(),
    }
}

/// Who noticed.
fn kind(told: &Told) -> LockupKind {
    match told.kind {
        Some(CrashKind::HardLockup) => LockupKind::Hard,
        Some(CrashKind::RcuStall) => LockupKind::Rcu,
        Some(CrashKind::Nmi) => LockupKind::Nmi { interrupts_off: false },
        Some(CrashKind::Sysrq) => LockupKind::Asked,
        _ => LockupKind::Soft,
    }
}

/// Diagnoses a crash that an NMI asked for, by whoever saw that the machine hung; `None` if no CPU
/// ran a module from outside of the kernel's tree.
///
/// Situation: a driver waits with interrupts off for a device, and no watchdog looks (a virtual
/// machine without performance counters). The NMI arrives at one CPU, not always at the one that
/// hangs, and says nothing but that somebody wanted it.
pub(super) fn awoken(machine: &Machine<'_>, frames: &[Frame], told: &Told) -> Option<Diagnosis> {
    let own = machine.kernel().crash().cpu;
    let all = std::iter::once((own, frames.to_vec())).chain(others_than(machine, own));
    found_awake(machine, Some(machine), all, told)
}

/// The same, of a machine on which no CPU crashed.
pub(super) fn of_all(machine: &Machine<'_>, told: &Told) -> Option<Diagnosis> {
    found_awake(machine, Some(machine), others_than(machine, None), told)
}

/// The CPUs but that one, each with the stack of the task that it runs.
fn others_than<'m>(
    machine: &'m Machine<'_>,
    own: Option<u32>,
) -> impl Iterator<Item = (Option<u32>, Vec<Frame>)> + 'm {
    let kernel = machine.kernel();
    let cpus = kernel.up_cpus().unwrap_or_default().into_iter();
    cpus.filter(move |cpu| own != Some(*cpu)).filter_map(move |cpu| {
        let task = kernel.current_task(cpu).ok()?;
        Some((Some(cpu), stack_of(machine, &task)?))
    })
}

/// The same, of the one stack that a text has.
pub(super) fn awoken_in_text(
    scene: &dyn Scene,
    frames: &[Frame],
    told: &Told,
) -> Option<Diagnosis> {
    found_awake(scene, None, std::iter::once((None, frames.to_vec())), told)
}

/// Diagnoses the first of the CPUs that runs a module from outside of the kernel's tree.
fn found_awake(
    machine: &dyn Scene,
    dump: Option<&Machine<'_>>,
    all: impl Iterator<Item = (Option<u32>, Vec<Frame>)>,
    told: &Told,
) -> Option<Diagnosis> {
    let (cpu, frames, is_off) = all.into_iter().find_map(|(cpu, frames)| {
        let stuck = interrupted(machine, &frames)?;
        let is_outside = machine.is_outside(stuck.guilty.pc.for_lookup());
        let is_off = stuck.inner.registers.flags.is_some_and(|flags| flags & INTERRUPTS == 0);
        is_outside.then_some((cpu, frames, is_off))
    })?;
    let mut diagnosis = of_frames(machine, dump, (&frames, cpu), told);
    if diagnosis.kind() == CrashKind::Nmi {
        // One look at a CPU does not prove that it never goes on.
        diagnosis.grounds = Grounds::Inferred;
        if is_off {
            let claim = Claim::new(Some(true)).text("the CPU had interrupts off there");
            diagnosis.evidence.push(claim);
        }
        if let What::Lockup(lockup) = &mut diagnosis.what {
            lockup.kind = LockupKind::Nmi { interrupts_off: is_off };
        }
    }
    Some(diagnosis)
}

/// What a watchdog interrupted.
struct Stuck<'f> {
    /// The stack from what was interrupted on.
    frames: &'f [Frame],
    /// What was interrupted, the first of them.
    inner: &'f Frame,
    /// The one to blame.
    guilty: &'f Frame,
    /// Where that is among them.
    position: usize,
}

impl<'f> Stuck<'f> {
    /// Of a stack that begins with what was interrupted; `None` if nothing of it is known.
    fn of(machine: &dyn Scene, frames: &'f [Frame]) -> Option<Self> {
        let position = blamed(machine, frames, 0);
        let (inner, guilty) = (frames.first()?, frames.get(position)?);
        Some(Self { frames, inner, guilty, position })
    }
}

/// What was interrupted last, or if no module runs there, what that had interrupted.
///
/// Situation: a dump is cut before the stack of the CPU that a watchdog complained of. The only
/// frame is that of `panic()`, where the note's registers are from, and nothing was interrupted.
fn interrupted<'f>(machine: &dyn Scene, frames: &'f [Frame]) -> Option<Stuck<'f>> {
    let exceptions = (0..).zip(frames).skip(1).filter(|(_, frame)| frame.exception.is_some());
    let mut starts: Vec<usize> = exceptions.map(|(position, _)| position).collect();
    if starts.is_empty() {
        starts.push(0);
    }
    let stuck = |start: &usize| Stuck::of(machine, frames.get(*start..)?);
    let is_outside = |stuck: &Stuck<'_>| machine.is_outside(stuck.guilty.pc.for_lookup());
    let outside = starts.iter().filter_map(stuck).find(is_outside);
    outside.or_else(|| starts.iter().find_map(stuck))
}

/// What is waited for by a CPU.
fn spinning(
    scene: &dyn Scene,
    dump: Option<&Machine<'_>>,
    frames: &[Frame],
    (lock, cpu): (&Wanted, Option<u32>),
    diagnosis: &mut Diagnosis,
) -> Hang {
    let named = lock.expression.as_ref().map_or_else(|| "a lock".to_owned(), |e| format!("`{e}`"));
    let claim = Claim::new(Some(true)).text(format!("it waits for {named} at ")).data(lock.address);
    diagnosis.evidence.push(claim.text(format!(" in `{}`", lock.function)));
    let Some(machine) = dump else { return by_code(scene, frames, lock, diagnosis) };
    if let Some((no, claim)) = no_lock(machine, lock) {
        diagnosis.evidence.push(claim);
        if let Some(doubt) = no.doubt() {
            diagnosis.leave_open(doubt);
        }
        return Hang::NoLock(no);
    }
    let before = taken_before(machine, frames, lock);
    diagnosis.evidence.extend(before.as_ref().map(|before| before.claim.clone()));
    let own = before.filter(|before| before.is_sure);
    let is_own = own.is_some();
    if let Some(hang) = held(machine, (frames, lock, cpu), diagnosis) {
        return hang;
    }
    let others = others(machine, (lock, cpu), diagnosis);
    let is_taken = is_taken(machine, lock) == Some(true);
    diagnosis.evidence.extend(word(machine, lock));
    if is_taken && !is_own && others == OtherCpus::Idle {
        let claim = Claim::new(Some(true)).text("no other CPU runs code that could have the lock");
        diagnosis.evidence.push(claim);
    }
    if !is_own {
        diagnosis.grounds = Grounds::Inferred;
        let words = "a spinlock names nobody, and no stack shows who has it";
        diagnosis.unknown.get_or_insert_with(|| words.to_owned());
    }
    match own {
        Some(before) if is_taken => {
            let (own, claim) = own::own(machine, frames, lock, &before);
            diagnosis.evidence.extend(claim);
            Hang::Own(own)
        }
        None if is_taken => Hang::Lock(others),
        _ => Hang::Lock(OtherCpus::Unknown),
    }
}

/// What the task does that has the lock, as its stack shows: it sleeps, or runs on another CPU, or waits there
/// for a lock that the one who waits has. It is the one to blame.
fn held(
    machine: &Machine<'_>,
    (frames, lock, cpu): (&[Frame], &Wanted, Option<u32>),
    diagnosis: &mut Diagnosis,
) -> Option<Hang> {
    let all = Everybody::new(machine)?;
    let kernel = machine.kernel();
    let waiter = kernel.current_task(cpu.or(kernel.crash().cpu)?).ok()?;
    let Owner::Shown(shown) = owner(&all, &waiter, lock) else { return None };
    let task = &shown.task;
    let its = all.stack(task);
    let is_running = all.is_running(task);
    let stuck = if is_running { interrupted(machine, &its) } else { None };
    let its = stuck.as_ref().map_or(&*its, |stuck| stuck.frames);
    let frame = its.get(blamed(machine, its, 0))?;
    let claim = Claim::new(Some(true)).text(format!("task {}", called(task)));
    let claim = claim.volatile(format!(" (pid {})", task.pid));
    let claim =
        claim.text(if is_running { " is on another CPU in " } else { " went to sleep in " });
    let claim = claim.text(place(machine, frame));
    let claim = claim.at(machine.source_line(frame.pc.for_lookup()).as_ref()).text(": ");
    let kept =
        if shown.is_sure { ", and has not given it back" } else { ", and may have it still" };
    diagnosis.evidence.push(claim.with(&shown.taken.clone().text(kept)));
    diagnosis.unknown = None;
    diagnosis.grounds = if shown.is_sure { Grounds::Shown } else { Grounds::Inferred };
    if !shown.is_sure {
        let words = "whether the lock was given back before is not known";
        diagnosis.unknown = Some(words.to_owned());
    }
    let part = |does| Involved { task: task.address, does };
    // Who waits holds up the other one, too: each has made half of the mistake.
    if let Some(theirs) = wanted(machine, its).filter(|theirs| theirs.sort.spins() && is_running) {
        let own = holds(machine, frames.get(lock.caller..)?, &theirs).filter(|own| own.is_same)?;
        let claim = Claim::new(Some(true)).text("it waits there for ");
        let named = theirs.expression.as_ref().map_or_else(String::new, |e| format!("`{e}` at "));
        let claim = claim.text(named).data(theirs.address).text(", and ");
        diagnosis.evidence.push(claim.with(&own.taken).text(", and has not given it back"));
        if !own.is_kept || !own.is_fixed {
            diagnosis.grounds = Grounds::Inferred;
            let words = "whether the locks were given back before is not known";
            diagnosis.unknown.get_or_insert_with(|| words.to_owned());
        }
        diagnosis.involved.push(part(Doing::Waits));
        let member = |task: &Task, lock: &Wanted| Member {
            comm: called(task),
            lock: lock.expression.clone(),
            event: Event::Unknown,
        };
        return Some(Hang::Circle(vec![member(&waiter, lock), member(task, &theirs)]));
    }
    diagnosis.pc = Some(frame.pc);
    diagnosis.involved.push(part(Doing::Holds));
    diagnosis.blame.outside = all.is_outside(frame);
    let comm = called(task);
    Some(if is_running { Hang::Held(comm) } else { Hang::Asleep(comm) })
}

/// Whether the code that waits took the lock before, as far as the code alone tells.
fn by_code(scene: &dyn Scene, frames: &[Frame], lock: &Wanted, diagnosis: &mut Diagnosis) -> Hang {
    match taken_before(scene, frames, lock).filter(|before| before.is_sure) {
        Some(before) => {
            let (own, claim) = own::own(scene, frames, lock, &before);
            diagnosis.evidence.push(before.claim);
            diagnosis.evidence.extend(claim);
            Hang::Own(own)
        }
        None => Hang::Lock(OtherCpus::Unknown),
    }
}

/// What the CPUs do but the one that waits.
fn others(
    machine: &Machine<'_>,
    (lock, own): (&Wanted, Option<u32>),
    diagnosis: &mut Diagnosis,
) -> OtherCpus {
    let kernel = machine.kernel();
    let Ok(cpus) = kernel.up_cpus() else { return OtherCpus::Unknown };
    let mut found = OtherCpus::Idle;
    for cpu in cpus {
        if Some(cpu) == own {
            continue;
        }
        let Ok(task) = kernel.current_task(cpu) else { return OtherCpus::Unknown };
        let Some(frames) = stack_of(machine, &task) else { return OtherCpus::Unknown };
        let claim = Claim::new(Some(true)).text("meanwhile ");
        let frames = before_the_stop(machine, &frames);
        let same = wanted(machine, frames).filter(|other| other.address == lock.address);
        let sure = frames.iter().filter(|frame| frame.trust != Trust::Scan);
        let outside = sure.clone().find(|frame| machine.is_outside(frame.pc.for_lookup()));
        let is_interrupted = frames.iter().skip(1).any(|frame| frame.exception.is_some());
        let claim = match (outside, same) {
            (Some(frame), Some(_)) => claim
                .text(format!("another CPU waits for the same lock in {}", place(machine, frame))),
            (Some(frame), None) => {
                found = OtherCpus::Busy;
                let line = machine.source_line(frame.pc.for_lookup());
                claim.text(format!("another CPU runs {}", place(machine, frame))).at(line.as_ref())
            }
            (None, Some(_)) => claim.text("another CPU waits for the same lock"),
            (None, None) if task.pid == 0 && !is_interrupted => continue,
            // It may be in a function of the kernel that was called with the lock held.
            (None, None) => {
                diagnosis.grounds = Grounds::Inferred;
                found = OtherCpus::Unknown;
                continue;
            }
        };
        diagnosis.evidence.push(claim);
    }
    found
}

/// Functions in which the CPUs wait that another one stopped, by an NMI or an interrupt.
const STOPS: [&str; 4] =
    ["crash_nmi_callback", "stop_this_cpu", "sysvec_reboot", "smp_reboot_interrupt"];

/// The frames of what a CPU ran before another one stopped it.
pub(crate) fn before_the_stop<'f>(machine: &dyn Scene, frames: &'f [Frame]) -> &'f [Frame] {
    let stop = |frame: &Frame| {
        frame.stack == Some(StackKind::Nmi) || machine.is_in(frame.pc.for_lookup(), &STOPS)
    };
    let exception = frames.iter().skip(1).position(|frame| frame.exception.is_some());
    let Some(start) = exception.map(|at| at + 1) else { return frames };
    match frames.split_at_checked(start) {
        Some((first, rest)) if first.iter().any(stop) => rest,
        _ => frames,
    }
}

fn looping(
    machine: &dyn Scene,
    stuck: &Stuck<'_>,
    lockup: &mut Lockup,
    diagnosis: &mut Diagnosis,
) -> Hang {
    let own = stuck.frames.iter().take(stuck.position + 1);
    if let Some(found) = own.into_iter().find_map(|frame| ring(machine, frame)) {
        diagnosis.evidence.push(found.claim);
        diagnosis.about = Some(About { part: found.part, ..About::default() });
        lockup.lock = Some(found.first);
        let until = match found.exit {
            Exit::End => None,
            Exit::Member { member, is_shown } => {
                if is_shown {
                    let words =
                        format!("in each of them, `{member}` is such that the loop goes on");
                    diagnosis.evidence.push(Claim::new(Some(true)).text(words));
                }
                let words =
                    "the chain may be a ring on purpose: nothing in the loop asks for its end";
                diagnosis.leave_open(words);
                Some(member)
            }
        };
        return Hang::Ring { entries: found.entries, until };
    }
    let Some(pc) = busy_wait(machine, stuck.guilty.pc) else { return Hang::Running };
    diagnosis.pc = Some(pc);
    let claim = Claim::new(Some(true)).text("the loop there waits with `pause` at ");
    diagnosis.evidence.push(claim.code(pc.address()));
    Hang::BusyWait
}
