// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lock that a stack waits for, and who has it.

use std::collections::BTreeSet;

use iced_x86::Register;
use unwind::{Frame, Pc};

use super::lock_functions::{LockSort, gives_back, gives_back_inline, taking};
use super::{name, place};
use crate::claim::Claim;
use crate::express::{Expression, Writer};
use crate::fault::{argument_of_call, named};
use crate::flow::{CallTarget, Code, Slicer, Start, call_target, evaluate};
use crate::machine::Machine;
use crate::scene::Scene;
use kernel::locks::Holder;
use kernel::tasks::Task;

/// A lock that a stack waits for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Address of the lock.
    pub(super) address: u64,
    /// The lock as C, where the caller has a name for it.
    pub(super) expression: Option<Expression>,
    /// The function that waits for it, as its caller called it.
    pub(super) function: String,
    /// Position of the frame that called it.
    pub(super) caller: usize,
    /// What sort of lock it is.
    pub(super) sort: LockSort,
}

/// The lock that the frames wait for: the outermost function of the innermost run of lock
/// functions tells it best, since its caller knows the lock by name.
pub(super) fn wanted(machine: &dyn Scene, frames: &[Frame]) -> Option<Wanted> {
    let (last, sort) = waits(machine, frames)?;
    let frame = frames.get(last)?;
    let caller = last + 1;
    let (pc, term) = argument_of_call(machine, frames.get(caller..)?)?;
    let address = evaluate(&term, machine).or(term.observed)?;
    let tag = Writer::new(machine, frame.pc.for_lookup()).pointee_of_parameter(0);
    let term = named(machine, frames, pc, &term);
    let expression = Writer::new(machine, pc).referent(&term, tag.as_deref());
    Some(Wanted { address, expression, function: name(machine, frame), caller, sort })
}

/// The lock that a task waits for, where its caller's code does not tell: the lock's own list of
/// those who wait, or the parameters of its functions, may.
///
/// Example: `param_attr_store()` takes the lock of the parameters' module, which it got from a
/// parameter of its own that nobody kept.
pub(super) fn listed(machine: &Machine<'_>, task: &Task, frames: &[Frame]) -> Option<Wanted> {
    let (last, sort) = waits(machine, frames)?;
    let address = machine.blocked_on(task)?.lock.address;
    let function = name(machine, frames.get(last)?);
    Some(Wanted { address, expression: None, function, caller: last + 1, sort })
}

/// Position of the outermost of the innermost run of lock functions, and the sort of lock.
fn waits(machine: &dyn Scene, frames: &[Frame]) -> Option<(usize, LockSort)> {
    let sort = |frame: &Frame| taking(machine, frame.pc.for_lookup());
    let (first, spins) =
        frames.iter().enumerate().find_map(|(at, frame)| Some((at, sort(frame)?.spins())))?;
    // A semaphore is slept for, and the spinlock inside of it is spun for.
    let same = |frame: &Frame| sort(frame).filter(|sort| sort.spins() == spins);
    (first..).zip(frames.get(first..)?.iter().map_while(same)).last()
}

/// Who has a lock that tasks sleep for.
#[derive(Debug, Clone)]
pub(super) enum Owner {
    /// That task.
    Task(Task),
    /// Tasks that read; which ones, the lock does not tell for sure.
    Readers,
    /// No task, by now.
    Nobody,
}

/// Who has the mutex or semaphore, where it tells.
pub(super) fn owner(machine: &Machine<'_>, lock: &Wanted) -> Option<Owner> {
    let kernel = machine.kernel();
    let LockSort::Sleep(kind) = lock.sort else { return None };
    let state = kernel.lock(kind, lock.address).ok()?;
    let task = match state.holder {
        _ if state.is_handed_over => return Some(Owner::Nobody),
        Holder::Task(task) => task,
        Holder::Readers { .. } => return Some(Owner::Readers),
        Holder::Nobody => return Some(Owner::Nobody),
        Holder::Somebody => return None,
    };
    let known = kernel.tasks().ok()?.items.iter().find(|other| other.address == task)?;
    Some(Owner::Task(known.clone()))
}

/// A call on the way that takes a lock.
struct Taken {
    lock: Option<Expression>,
    address: Option<u64>,
    function: String,
    line: Option<String>,
    /// Position of the frame that takes it.
    frame: usize,
    kept: Kept,
}

/// Whether a lock is still taken where a function is by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// On each way there.
    Always,
    /// On some way there.
    Perhaps,
}

/// The calls of functions that take locks of that sort in the functions of modules on the stack, but
/// those that the frames are in, and those after which the lock was given back on each way.
fn taken(machine: &dyn Scene, frames: &[Frame], sort: LockSort) -> Vec<Taken> {
    let mut found = Vec::new();
    for (at, frame) in frames.iter().enumerate() {
        if !machine.is_outside(frame.pc.for_lookup()) {
            continue;
        }
        let Some(code) = machine.function_code(frame.pc.for_lookup()) else { continue };
        for (position, instruction) in code.instructions().iter().enumerate() {
            let Some(CallTarget::Direct(target)) = call_target(instruction) else { continue };
            let takes = taking(machine, target).is_some_and(|it| it.is_of(sort));
            let Some(kept) = takes.then(|| kept(machine, &code, position, frame)).flatten() else {
                continue;
            };
            let keeps = |target| machine.keeps_registers(target);
            let start = Start { position, registers: [None; 16] };
            let term = Slicer::new(&code, machine, &keeps, start).register(Register::RDI);
            let tag = Writer::new(machine, target).pointee_of_parameter(0);
            let writer = Writer::new(machine, instruction.ip());
            found.push(Taken {
                lock: writer.referent(&named(machine, frames, writer.pc(), &term), tag.as_deref()),
                address: evaluate(&term, machine),
                function: place(machine, frame),
                line: machine.source_line(instruction.ip()),
                frame: at,
                kept,
            });
        }
    }
    found
}

/// Whether control comes from the call that takes a lock to where the frame is without passing one
/// that gives a lock back.
fn kept(machine: &dyn Scene, code: &Code, taken: usize, frame: &Frame) -> Option<Kept> {
    let Pc::Return(address) = frame.pc else { return None };
    let end = code.before(address).filter(|end| *end != taken)?;
    let is_given_back = |at: usize| {
        let instruction = code.instruction(at);
        match call_target(instruction) {
            Some(CallTarget::Direct(target)) => gives_back(machine, target),
            _ => gives_back_inline(machine, instruction.ip()),
        }
    };
    if !reaches(code, code.successors(taken), end, |at| !is_given_back(at)) {
        return None;
    }
    // Around the call, or after one that gave a lock back.
    let entry = code.at(code.entry())?;
    let others = (0..code.instructions().len()).filter(|at| is_given_back(*at));
    let starts = std::iter::once(entry).chain(others).collect();
    let is_around = reaches(code, starts, end, |at| at != taken);
    Some(if is_around { Kept::Perhaps } else { Kept::Always })
}

/// Whether control comes from one of the instructions to the end, by instructions that it may pass.
fn reaches(code: &Code, starts: Vec<usize>, end: usize, may_pass: impl Fn(usize) -> bool) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending = starts;
    while let Some(at) = pending.pop() {
        if at == end {
            return true;
        }
        if may_pass(at) && seen.insert(at) {
            pending.extend(code.successors(at));
        }
    }
    false
}

impl Taken {
    fn claim(&self, what: &str) -> Claim {
        let line = self.line.as_ref().map_or_else(String::new, |line| format!(" at `{line}`"));
        Claim::new(Some(true)).text(format!("{} takes {what}{line}", self.function))
    }
}

/// Where a function on the stack takes the lock, too, by a call that is not the one it waits in, and
/// whether it has it still for sure.
pub(super) fn taken_before(
    machine: &dyn Scene,
    frames: &[Frame],
    lock: &Wanted,
) -> Option<(Claim, bool)> {
    let is_same = |taken: &&Taken| match taken.address {
        Some(address) => address == lock.address,
        // By the same name, another call of the function may mean another lock.
        None => taken.frame == 0 && taken.lock.is_some() && taken.lock == lock.expression,
    };
    let all = taken(machine, frames.get(lock.caller..)?, lock.sort);
    let same: Vec<&Taken> = all.iter().filter(is_same).collect();
    let first = same.iter().find(|it| it.kept == Kept::Always).or_else(|| same.first())?;
    Some((first.claim("the same lock"), first.kept == Kept::Always))
}

/// Whether a function of a module on the stack takes that lock and may have it still.
pub(super) fn is_taken(machine: &dyn Scene, frames: &[Frame], lock: &Wanted) -> bool {
    taken(machine, frames, lock.sort).iter().any(|taken| taken.address == Some(lock.address))
}

/// Where a function on the stack takes a spinlock; whether it still has it is not checked.
pub(super) fn spinlock_before(machine: &dyn Scene, frames: &[Frame]) -> Option<Claim> {
    let all = taken(machine, frames, LockSort::Spin);
    let first = all.first()?;
    let lock = first.lock.as_ref().map_or_else(|| "a spinlock".to_owned(), |e| format!("`{e}`"));
    Some(first.claim(&lock))
}
