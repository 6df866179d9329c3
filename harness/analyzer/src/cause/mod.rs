// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why the kernel crashed, whatever the crash was.
//!
//! Faults on memory are [`fault`](crate::fault)'s. Here is what else ends a kernel: checks that
//! failed, watchdogs that lost patience, and `panic()`. The log tells which of them it was; who
//! did it is looked for on the stacks.

mod bug;
mod canary;
mod chain;
mod check_kind;
mod divide;
mod everybody;
mod exhausted;
mod flush;
mod fresh;
mod given;
mod left;
mod list_links;
mod lock;
mod lock_class;
mod lock_functions;
mod lock_word;
mod lockup;
mod overflow;
mod overrun;
mod own;
mod owner;
mod readers;
mod releases;
mod reported;
mod room;
mod running;
mod sleeper;
mod subject;
mod taken;
mod until;
mod waiting;
mod ways;

use unwind::{Frame, Trust};

pub(crate) use lockup::before_the_stop;
pub(crate) use running::running;

use crate::blame::{blamed, tied};
use crate::claim::Claim;
use crate::context::{Begins, Walks};
use crate::diagnosis::{Diagnosis, Given};
use crate::fault::examine;
use crate::kind::CrashKind;
use crate::link::completed;
use crate::machine::Machine;
use crate::message;
use crate::scene::Scene;
use crate::symbol_name::source_name;
use crate::told::Told;
use kernel::tasks::Task;

/// The diagnosis of a crash whose registers are known.
pub(crate) fn diagnose(
    scene: &dyn Scene,
    dump: Option<&Machine<'_>>,
    walks: &Walks,
    told: &Told,
) -> Diagnosis {
    if told.kind.is_none_or(message::may_be_a_consequence)
        && let Some(machine) = dump
        && let Some(diagnosis) = overrun::overrun(machine, &walks.fault)
    {
        return diagnosis;
    }
    let mut diagnosis = kind_of(scene, dump, walks, told);
    diagnosis.say_once();
    if let Some(detail) = &told.detail {
        let claim = Claim::new(Some(true)).text("the kernel's log says: ");
        diagnosis.evidence.insert(0, message::quoted(claim, detail.trim_end()));
    }
    diagnosis
}

fn kind_of(
    machine: &dyn Scene,
    dump: Option<&Machine<'_>>,
    walks: &Walks,
    told: &Told,
) -> Diagnosis {
    let frames = walks.fault.frames.as_slice();
    let told = &Told { kind: kind(machine, walks, told), ..told.clone() };
    let reported = || reported::diagnose(machine, dump, frames, told);
    match told.kind {
        _ if walks.begins == Begins::Fault => faulted(machine, dump, walks, told),
        Some(CrashKind::SoftLockup | CrashKind::HardLockup | CrashKind::RcuStall) => match dump {
            Some(machine) => lockup::diagnose(machine, frames, told),
            None => lockup::of_text(machine, frames, told),
        },
        Some(CrashKind::Nmi) => match dump {
            Some(dump) => lockup::awoken(dump, frames, told).or_else(|| waiting::blocked(dump)),
            None => lockup::awoken_in_text(machine, frames, told),
        }
        .unwrap_or_else(reported),
        Some(CrashKind::Sysrq) => asked_for(dump, frames, told).unwrap_or_else(reported),
        Some(CrashKind::HungTask) => match dump {
            Some(machine) => waiting::hung(machine, told),
            None => waiting::of_text(machine, frames, told),
        }
        .unwrap_or_else(reported),
        _ => reported(),
    }
}

/// Diagnoses a machine of which somebody asked for a dump, as people do of one that hangs; `None` if nothing
/// of a module hangs there.
fn asked_for(dump: Option<&Machine<'_>>, frames: &[Frame], told: &Told) -> Option<Diagnosis> {
    let dump = dump?;
    let spins = lockup::awoken(dump, frames, told).filter(Diagnosis::is_of_lock);
    spins.or_else(|| waiting::locked(dump))
}

/// The kind, where something else than a fault ended the kernel: what a module gives to `panic()` is
/// its own words, whatever they are.
fn kind(machine: &dyn Scene, walks: &Walks, told: &Told) -> Option<CrashKind> {
    let caller = walks.fault.frames.first().filter(|frame| frame.trust != Trust::Scan);
    let is_own = caller.is_some_and(|frame| machine.is_outside(frame.pc.for_lookup()));
    if walks.begins == Begins::Panic && is_own {
        return Some(CrashKind::Panic);
    }
    told.kind
}

fn faulted(
    machine: &dyn Scene,
    dump: Option<&Machine<'_>>,
    walks: &Walks,
    told: &Told,
) -> Diagnosis {
    let frames = walks.fault.frames.as_slice();
    let guilty = blamed(machine, frames, 0);
    let of_kind = |kind| Diagnosis {
        pc: frames.get(guilty).map(|frame| frame.pc),
        blame: tied(machine, frames, 0, guilty),
        ..Diagnosis::of_kind(kind)
    };
    match told.kind {
        Some(CrashKind::DoubleFault | CrashKind::StackOverflow) => {
            let memory = || memory(machine, frames, told);
            let of_kind = || of_kind(CrashKind::DoubleFault);
            match dump {
                Some(dump) => exhausted::exhausted(dump, &walks.fault),
                None => exhausted::of_text(machine, &walks.fault, told),
            }
            .or_else(memory)
            .unwrap_or_else(of_kind)
        }
        // Older kernels write through NULL for sysrq-c; later ones call `panic()`.
        Some(CrashKind::Sysrq) => asked_for(dump, frames, told)
            .unwrap_or_else(|| reported::diagnose(machine, dump, frames, told)),
        Some(CrashKind::DivideError) => divide::diagnose(machine, frames),
        None
        | Some(CrashKind::GeneralProtection | CrashKind::Panic | CrashKind::ExecOfNonExecutable) => {
            let kind = told.kind.unwrap_or(CrashKind::Unknown);
            memory(machine, frames, told).unwrap_or_else(|| of_kind(kind))
        }
        Some(kind) => bug::diagnose(machine, frames, kind, told),
    }
}

fn memory(machine: &dyn Scene, frames: &[Frame], told: &Told) -> Option<Diagnosis> {
    let mut diagnosis = examine(machine, frames, told.address)?;
    let guilty = blamed(machine, frames, 0);
    let is_nameless = diagnosis.blame.outside && diagnosis.expression().is_none();
    // What the kernel's function met that has no name is somewhere in what the module gave to it.
    if let Some((inner, own)) =
        guilty.checked_sub(1).and_then(|at| frames.get(at).zip(frames.get(guilty..)))
        && is_nameless
    {
        diagnosis.given = given::given(machine, Some(inner), own);
        let words = diagnosis.given.as_ref().map(Given::words);
        diagnosis.evidence.extend(words.map(|words| Claim::new(Some(true)).text(words)));
    }
    Some(diagnosis)
}

/// The lock that a task waits for, and where a function on a stack has taken it and may have it still.
pub(crate) fn held_at(
    machine: &Machine<'_>,
    (before, frames): (&dyn Scene, &[Frame]),
    waiter: &Task,
) -> Option<(Option<crate::express::Expression>, Claim)> {
    let stack = stack_of(machine, waiter)?;
    let own = lockup::before_the_stop(machine, &stack);
    let lock = lock::wanted(machine, own).or_else(|| lock::listed(machine, waiter, own));
    let spun = || {
        let start = own.iter().skip(1).position(|frame| frame.exception.is_some())? + 1;
        lock::wanted(machine, own.get(start..)?)
    };
    let lock = lock.or_else(spun)?;
    let hold = taken::holds(before, frames, &lock)?;
    Some((lock.expression, hold.taken))
}

/// The stack of a task, with the frames of functions that went on with a jump.
fn stack_of(machine: &Machine<'_>, task: &Task) -> Option<Vec<Frame>> {
    let walked = machine.backtrace_of(task).ok()?;
    Some(completed(machine, &walked.walk.frames))
}

/// Name of the frame's function as in the source; `?` if it has none.
fn name(machine: &dyn Scene, frame: &Frame) -> String {
    let code = machine.code_name(frame.pc.for_lookup());
    code.map_or_else(|| "?".to_owned(), |code| source_name(&code.symbol).to_owned())
}

/// Name of the innermost function of the frame, the one that was inlined into the others.
fn innermost(machine: &dyn Scene, frame: &Frame) -> Option<String> {
    let pc = frame.pc.for_lookup();
    let chain = machine.image_at(pc).and_then(|image| image.source(pc).found());
    let inner = chain.and_then(|chain| chain.into_iter().next()?.function);
    inner.or_else(|| Some(name(machine, frame)))
}

/// Name and module of the frame's function, for sentences.
fn place(machine: &dyn Scene, frame: &Frame) -> String {
    let module = machine.code_name(frame.pc.for_lookup()).and_then(|code| code.module);
    let module = module.map(|module| format!(" [{module}]")).unwrap_or_default();
    format!("`{}{module}`", name(machine, frame))
}
