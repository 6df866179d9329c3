// SPDX-License-Identifier: MIT OR Apache-2.0
//! A CPU that a watchdog found to run without end: what it runs, and for whom it waits.

use unwind::Frame;

use super::lock::{Wanted, taken_before, wanted};
use super::place;
use crate::blame::blamed;
use crate::claim::Claim;
use crate::fault::{Diagnosis, Says, busy_wait};
use crate::machine::Machine;
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene as _;
use crate::told::Told;

/// The flag of rflags that lets interrupts in.
const INTERRUPTS: u64 = 1 << 9;

/// Diagnoses a lockup. `frames` are those of the CPU that crashed.
pub(super) fn diagnose(machine: &Machine<'_>, frames: &[Frame], told: &Told) -> Diagnosis {
    let other = told.stuck.filter(|cpu| machine.kernel().crash().cpu != Some(*cpu));
    let theirs = other.and_then(|cpu| {
        let task = machine.kernel().current_task(cpu).ok()?;
        Some(machine.backtrace_of(&task).ok()?.walk.frames)
    });
    of_frames(machine, theirs.as_deref().unwrap_or(frames), told)
}

fn of_frames(machine: &Machine<'_>, frames: &[Frame], told: &Told) -> Diagnosis {
    let mut diagnosis = Diagnosis::new(told.kind.unwrap_or(CrashKind::SoftLockup));
    let Some(stuck) = interrupted(machine, frames) else {
        diagnosis.unknown = Some("nothing of its stack can be read".into());
        return diagnosis;
    };
    diagnosis.pc = Some(stuck.guilty.pc);
    let running = Claim::new(Some(true)).text("the CPU was interrupted at ");
    diagnosis.evidence.push(running.code(stuck.inner.pc.address()));
    if machine.is_outside(stuck.guilty.pc.for_lookup()) {
        diagnosis.confidence = Confidence::Proven;
    } else {
        diagnosis.unknown =
            Some("no module from outside of the kernel's tree is on its stack".into());
    }
    let lock = wanted(machine, stuck.frames).filter(|lock| lock.caller <= stuck.position);
    match lock {
        Some(lock) => spinning(machine, stuck.frames, &lock, &mut diagnosis),
        None => looping(machine, stuck.guilty, &mut diagnosis),
    }
    diagnosis
}

/// Diagnoses a crash that an NMI asked for, by whoever saw that the machine hung; `None` if no CPU
/// ran a module from outside of the kernel's tree.
///
/// Situation: a driver waits with interrupts off for a device, and no watchdog looks (a virtual
/// machine without performance counters). The NMI arrives at one CPU, not always at the one that
/// hangs, and says nothing but that somebody wanted it.
pub(super) fn awoken(machine: &Machine<'_>, frames: &[Frame], told: &Told) -> Option<Diagnosis> {
    let kernel = machine.kernel();
    let others = kernel.online_cpus().unwrap_or_default().into_iter();
    let others = others.filter(|cpu| kernel.crash().cpu != Some(*cpu)).filter_map(|cpu| {
        let task = kernel.current_task(cpu).ok()?;
        Some(machine.backtrace_of(&task).ok()?.walk.frames)
    });
    let (frames, is_off) = std::iter::once(frames.to_vec()).chain(others).find_map(|frames| {
        let stuck = interrupted(machine, &frames)?;
        let is_outside = machine.is_outside(stuck.guilty.pc.for_lookup());
        let is_off = stuck.inner.registers.flags.is_some_and(|flags| flags & INTERRUPTS == 0);
        is_outside.then_some((frames, is_off))
    })?;
    let mut diagnosis = of_frames(machine, &frames, told);
    if diagnosis.kind == CrashKind::Nmi {
        // One look at a CPU does not prove that it never goes on.
        diagnosis.confidence = Confidence::Likely;
        if is_off {
            diagnosis.kind = CrashKind::HardLockup;
            let claim = Claim::new(Some(true)).text("the CPU had interrupts off there");
            diagnosis.evidence.push(claim);
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
    fn of(machine: &Machine<'_>, frames: &'f [Frame]) -> Option<Self> {
        let position = blamed(machine, frames, 0);
        let (inner, guilty) = (frames.first()?, frames.get(position)?);
        Some(Self { frames, inner, guilty, position })
    }
}

/// What was interrupted last, or if no module runs there, what that had interrupted.
///
/// Situation: a dump is cut before the stack of the CPU that a watchdog complained of. The only
/// frame is that of `panic()`, where the note's registers are from, and nothing was interrupted.
fn interrupted<'f>(machine: &Machine<'_>, frames: &'f [Frame]) -> Option<Stuck<'f>> {
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

fn spinning(machine: &Machine<'_>, frames: &[Frame], lock: &Wanted, diagnosis: &mut Diagnosis) {
    diagnosis.expression.clone_from(&lock.expression);
    let named = lock.expression.as_ref().map_or_else(|| "a lock".to_owned(), |e| format!("`{e}`"));
    let claim = Claim::new(Some(true)).text(format!("it waits for {named} at ")).data(lock.address);
    diagnosis.evidence.push(claim.text(format!(" in `{}`", lock.function)));
    if let Some(claim) = taken_before(machine, frames, lock) {
        diagnosis.evidence.push(claim);
    }
    let waiting = others(machine, lock, diagnosis);
    let title = lock.expression.as_deref().unwrap_or("a lock");
    diagnosis.says = Some(match waiting {
        // A spinlock's owner is on a CPU all the time. If nobody else is, it is this one.
        Others::Idle => {
            diagnosis.kind = CrashKind::Deadlock;
            Says::new(
                format!("deadlock on {title}"),
                format!("{named} is taken, and nobody else runs who could have it: waited for"),
            )
        }
        Others::Busy | Others::Unknown => Says::new(
            format!("lockup waiting for {title}"),
            format!("{named} is never given back: waited for"),
        ),
    });
}

/// What the other CPUs do.
enum Others {
    Idle,
    Busy,
    Unknown,
}

fn others(machine: &Machine<'_>, lock: &Wanted, diagnosis: &mut Diagnosis) -> Others {
    let kernel = machine.kernel();
    let Ok(cpus) = kernel.online_cpus() else { return Others::Unknown };
    let own = kernel.crash().cpu;
    let mut found = Others::Idle;
    for cpu in cpus {
        if Some(cpu) == own {
            continue;
        }
        let Ok(task) = kernel.current_task(cpu) else { return Others::Unknown };
        let Ok(walked) = machine.backtrace_of(&task) else { return Others::Unknown };
        let frames = walked.walk.frames;
        let claim = Claim::new(Some(true)).text("meanwhile ");
        let same = wanted(machine, &frames).filter(|other| other.address == lock.address);
        let guilty = blamed(machine, &frames, 0);
        let outside = frames.get(guilty).filter(|f| machine.is_outside(f.pc.for_lookup()));
        let claim = match (outside, same) {
            (Some(frame), Some(_)) => claim
                .text(format!("another CPU waits for the same lock in {}", place(machine, frame))),
            (Some(frame), None) => {
                found = Others::Busy;
                let at = machine.source_line(frame.pc.for_lookup()).unwrap_or_default();
                claim.text(format!("another CPU runs {} at `{at}`", place(machine, frame)))
            }
            (None, _) if task.pid == 0 || frames.is_empty() => continue,
            (None, Some(_)) => claim.text("another CPU waits for the same lock"),
            // It may be in a function of the kernel that was called with the lock held.
            (None, None) => {
                diagnosis.confidence = Confidence::Likely;
                continue;
            }
        };
        diagnosis.evidence.push(claim);
    }
    found
}

fn looping(machine: &Machine<'_>, guilty: &Frame, diagnosis: &mut Diagnosis) {
    let waits = busy_wait(machine, guilty.pc);
    if let Some(pc) = waits {
        diagnosis.pc = Some(pc);
        let claim = Claim::new(Some(true)).text("the loop there waits with `pause` at ");
        diagnosis.evidence.push(claim.code(pc.address()));
    }
    let kind = match diagnosis.kind {
        CrashKind::HardLockup => "hard lockup",
        CrashKind::RcuStall => "RCU stall",
        CrashKind::Nmi => "hang",
        _ => "soft lockup",
    };
    diagnosis.says = Some(match waits {
        Some(_) => Says::new(
            format!("{kind} in a busy wait"),
            "a busy wait never ends".to_owned() + ": the CPU runs",
        ),
        None => Says::new(kind, format!("{kind}: the CPU never leaves the code")),
    });
}
