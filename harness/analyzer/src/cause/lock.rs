// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lock that a stack waits for, and who has it.

use iced_x86::Register;
use unwind::Frame;

use super::{name, place};
use crate::claim::Claim;
use crate::express::Writer;
use crate::fault::argument_of_call;
use crate::flow::{CallTarget, Slicer, Start, Term, Words as _, call_target, evaluate};
use crate::machine::Machine;
use crate::scene::Scene as _;
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

/// A lock that a stack waits for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Address of the lock.
    pub(super) address: u64,
    /// The lock as C, where the caller has a name for it.
    pub(super) expression: Option<String>,
    /// The function that waits for it, as its caller called it.
    pub(super) function: String,
    /// Position of the frame that called it.
    pub(super) caller: usize,
}

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
    let expression = object(Writer::new(machine, pc), &term);
    Some(Wanted { address, expression, function: name(machine, frame), caller })
}

/// The object that a pointer leads to, as C.
fn object(writer: Writer<'_>, pointer: &Term) -> Option<String> {
    let text = writer.expression(pointer).ok()?;
    Some(text.strip_prefix('&').map_or_else(|| format!("*{text}"), str::to_owned))
}

/// The task that has the mutex at the address: low bits of the owner's word are flags (4.10 and
/// later), before it was a pointer.
pub(super) fn owner(machine: &Machine<'_>, lock: &Wanted) -> Option<Task> {
    let kernel = machine.kernel();
    let structure = match lock.function.as_str() {
        function if function.contains("mutex") => "mutex",
        function if function.contains("down_write") || function.contains("down_read") => {
            "rw_semaphore"
        }
        _ => return None,
    };
    let field = kernel.field(structure, "owner").ok()?;
    let word = machine.word(lock.address.checked_add(field.offset)?, 8)?;
    let task = word & !7;
    let known = kernel.tasks().ok()?.items.iter().find(|other| other.address == task)?;
    Some(known.clone())
}

/// A call on the way that takes a spinlock.
struct Taken {
    lock: Option<String>,
    address: Option<u64>,
    function: String,
    line: Option<String>,
}

/// The calls that take spinlocks in the functions of modules on the stack, but those that the
/// frames are in.
fn taken(machine: &Machine<'_>, frames: &[Frame]) -> Vec<Taken> {
    let mut found = Vec::new();
    for frame in frames.iter().filter(|frame| machine.is_outside(frame.pc.for_lookup())) {
        let Some(code) = machine.function_code(frame.pc.for_lookup()) else { continue };
        for (position, instruction) in code.instructions().iter().enumerate() {
            let Some(CallTarget::Direct(target)) = call_target(instruction) else { continue };
            let is_own_call = instruction.next_ip() == frame.pc.address();
            if is_own_call || !machine.is_in(target, &SPINNING) {
                continue;
            }
            let keeps = |target| machine.keeps_registers(target);
            let start = Start { position, registers: [None; 16] };
            let term = Slicer::new(&code, machine, &keeps, start).register(Register::RDI);
            found.push(Taken {
                lock: object(Writer::new(machine, instruction.ip()), &term),
                address: evaluate(&term, machine),
                function: place(machine, frame),
                line: machine.source_line(instruction.ip()),
            });
        }
    }
    found
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
    let all = taken(machine, frames.get(lock.caller..)?);
    Some(all.iter().find(is_same)?.claim("the same lock"))
}

/// Where a function on the stack takes a spinlock; whether it still has it is not checked.
pub(super) fn spinlock_before(machine: &Machine<'_>, frames: &[Frame]) -> Option<Claim> {
    let all = taken(machine, frames);
    let first = all.first()?;
    let lock = first.lock.as_ref().map_or_else(|| "a spinlock".to_owned(), |e| format!("`{e}`"));
    Some(first.claim(&lock))
}
