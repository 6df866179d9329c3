// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lock that a stack waits for, and who has it.

use std::collections::BTreeSet;

use iced_x86::Register;
use unwind::{Frame, Pc};

use super::{name, place};
use crate::claim::Claim;
use crate::express::{Expression, Writer};
use crate::fault::{argument_of_call, named};
use crate::flow::{CallTarget, Code, Slicer, Start, call_target, evaluate};
use crate::machine::Machine;
use crate::scene::Scene as _;
use kernel::locks::{Holder, LockKind};
use kernel::tasks::Task;

/// Functions that wait for a spinlock or a lock of that sort; their first argument is the lock.
const SPINNING: [&str; 22] = [
    "queued_spin_lock_slowpath",
    "native_queued_spin_lock_slowpath",
    "__pv_queued_spin_lock_slowpath",
    "queued_read_lock_slowpath",
    "queued_write_lock_slowpath",
    "do_raw_spin_lock",
    "_raw_spin_lock",
    "_raw_spin_lock_bh",
    "_raw_spin_lock_irq",
    "_raw_spin_lock_irqsave",
    "_raw_read_lock",
    "_raw_read_lock_bh",
    "_raw_read_lock_irq",
    "_raw_read_lock_irqsave",
    "_raw_write_lock",
    "_raw_write_lock_bh",
    "_raw_write_lock_irq",
    "_raw_write_lock_irqsave",
    "__ticket_spin_lock",
    "ticket_spin_lock",
    "__lock_text_start",
    "pv_wait_node",
];

/// Functions that sleep until they get a mutex or semaphore; their first argument is the lock.
const SLEEPING: [&str; 26] = [
    "mutex_lock",
    "mutex_lock_interruptible",
    "mutex_lock_killable",
    "mutex_lock_io",
    "__mutex_lock",
    "__mutex_lock_common",
    "__mutex_lock_slowpath",
    "__mutex_lock_killable_slowpath",
    "__mutex_lock_interruptible_slowpath",
    "down",
    "down_interruptible",
    "down_killable",
    "__down",
    "__down_common",
    "__down_interruptible",
    "down_read",
    "down_read_killable",
    "down_write",
    "down_write_killable",
    "rwsem_down_read_slowpath",
    "rwsem_down_write_slowpath",
    "rwsem_down_read_failed",
    "rwsem_down_write_failed",
    "call_rwsem_down_read_failed",
    "call_rwsem_down_write_failed",
    "rt_mutex_lock",
];

/// Functions that give a lock back.
const UNLOCKING: [&str; 8] = [
    "mutex_unlock",
    "up",
    "up_read",
    "up_write",
    "_raw_spin_unlock",
    "_raw_spin_unlock_bh",
    "_raw_spin_unlock_irq",
    "_raw_spin_unlock_irqrestore",
];

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

/// What sort of lock a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LockSort {
    /// A spinlock.
    Spin,
    /// Another one.
    Other,
}

/// Functions that spin for locks whose words are not those of a spinlock.
const NO_SPINLOCKS: [&str; 10] = [
    "queued_read_lock_slowpath",
    "queued_write_lock_slowpath",
    "_raw_read_lock",
    "_raw_read_lock_bh",
    "_raw_read_lock_irq",
    "_raw_read_lock_irqsave",
    "_raw_write_lock",
    "_raw_write_lock_bh",
    "_raw_write_lock_irq",
    "_raw_write_lock_irqsave",
];

/// The lock that the frames wait for: the outermost function of the innermost run of lock
/// functions tells it best, since its caller knows the lock by name.
pub(super) fn wanted(machine: &Machine<'_>, frames: &[Frame]) -> Option<Wanted> {
    let waits = |frame: &Frame, names: &[&str]| machine.is_in(frame.pc.for_lookup(), names);
    let is_lock = |frame: &&Frame| waits(frame, &SPINNING) || waits(frame, &SLEEPING);
    let first = frames.iter().position(|frame| is_lock(&frame))?;
    let run = frames.iter().skip(first).take_while(is_lock).count();
    let last = first + run - 1;
    let frame = frames.get(last)?;
    let caller = last + 1;
    let (pc, term) = argument_of_call(machine, frames.get(caller..)?)?;
    let address = evaluate(&term, machine).or(term.observed)?;
    let tag = Writer::new(machine, frame.pc.for_lookup()).pointee_of_parameter(0);
    let term = named(machine, frames, pc, &term);
    let expression = Writer::new(machine, pc).referent(&term, tag.as_deref());
    let is_spin = waits(frame, &SPINNING) && !waits(frame, &NO_SPINLOCKS) && is_queued(machine);
    let sort = if is_spin { LockSort::Spin } else { LockSort::Other };
    Some(Wanted { address, expression, function: name(machine, frame), caller, sort })
}

/// Whether the kernel's spinlocks are queued ones (4.2 and later, and RHEL's 3.10); before, they were
/// tickets.
fn is_queued(machine: &Machine<'_>) -> bool {
    let names = ["native_queued_spin_lock_slowpath", "queued_spin_lock_slowpath"];
    names.iter().any(|name| machine.kernel().symbol(name).is_ok())
}

/// Who has a lock that tasks sleep for.
#[derive(Debug, Clone)]
pub(super) enum Owner {
    /// That task.
    Task(Task),
    /// Tasks that read; which ones, the lock does not tell for sure.
    Readers,
}

/// Who has the mutex or semaphore, where it tells.
pub(super) fn owner(machine: &Machine<'_>, lock: &Wanted) -> Option<Owner> {
    let kernel = machine.kernel();
    let kind = match lock.function.as_str() {
        function if function.contains("mutex") => LockKind::Mutex,
        function if function.contains("down_write") || function.contains("down_read") => {
            LockKind::RwSemaphore
        }
        _ => return None,
    };
    let task = match kernel.lock(kind, lock.address).ok()?.holder {
        Holder::Task(task) => task,
        Holder::Readers { .. } => return Some(Owner::Readers),
        Holder::Nobody | Holder::Somebody => return None,
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
}

/// The calls of `taking`, functions that take locks, in the functions of modules on the stack, but those
/// that the frames are in.
fn taken(machine: &Machine<'_>, frames: &[Frame], taking: &[&str]) -> Vec<Taken> {
    let mut found = Vec::new();
    for frame in frames.iter().filter(|frame| machine.is_outside(frame.pc.for_lookup())) {
        let Some(code) = machine.function_code(frame.pc.for_lookup()) else { continue };
        for (position, instruction) in code.instructions().iter().enumerate() {
            let Some(CallTarget::Direct(target)) = call_target(instruction) else { continue };
            if !machine.is_in(target, taking) || !is_kept(machine, &code, position, frame) {
                continue;
            }
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
            });
        }
    }
    found
}

/// Whether control comes from the call that takes a lock to where the frame is without passing one
/// that gives a lock back.
fn is_kept(machine: &Machine<'_>, code: &Code, taken: usize, frame: &Frame) -> bool {
    let Pc::Return(address) = frame.pc else { return false };
    let Some(end) = code.before(address).filter(|end| *end != taken) else { return false };
    let gives_back = |at: usize| {
        let target = call_target(code.instruction(at));
        matches!(target, Some(CallTarget::Direct(target)) if machine.is_in(target, &UNLOCKING))
    };
    let mut seen = BTreeSet::new();
    let mut pending = code.successors(taken);
    while let Some(at) = pending.pop() {
        if at == end {
            return true;
        }
        if seen.insert(at) && !gives_back(at) {
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

/// Where a function on the stack takes the lock, too, by a call that is not the one it waits in.
pub(super) fn taken_before(
    machine: &Machine<'_>,
    frames: &[Frame],
    lock: &Wanted,
) -> Option<Claim> {
    let is_same = |taken: &&Taken| {
        let same_name = taken.lock.is_some() && taken.lock == lock.expression;
        taken.address == Some(lock.address) || same_name
    };
    let taking: &[&str] = match lock.sort {
        LockSort::Spin => &SPINNING,
        LockSort::Other => &SLEEPING,
    };
    let all = taken(machine, frames.get(lock.caller..)?, taking);
    Some(all.iter().find(is_same)?.claim("the same lock"))
}

/// Where a function on the stack takes a spinlock; whether it still has it is not checked.
pub(super) fn spinlock_before(machine: &Machine<'_>, frames: &[Frame]) -> Option<Claim> {
    let all = taken(machine, frames, &SPINNING);
    let first = all.first()?;
    let lock = first.lock.as_ref().map_or_else(|| "a spinlock".to_owned(), |e| format!("`{e}`"));
    Some(first.claim(&lock))
}
