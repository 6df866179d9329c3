// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lock that a stack waits for.

use unwind::Frame;

use super::lock_class::{LockClass, lock_class};
use super::lock_functions::{LockSort, waiting};
use super::name;
use crate::blame::blamed;
use crate::express::{Expression, NamedPart, Writer};
use crate::fault::{argument_of_call, given, named, with_callers};
use crate::flow::{Term, evaluate};
use crate::machine::Machine;
use crate::scene::Scene;
use kernel::tasks::Task;

/// A lock that a stack waits for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Address of the lock.
    pub(super) address: u64,
    /// Whether that is sure: a register has it, or the lock's own list of waiters; what the code reads it from may
    /// have been written to since.
    pub(super) is_fixed: bool,
    /// The lock as C, where the caller has a name for it.
    pub(super) expression: Option<Expression>,
    /// Where in which structure it lies, where the caller's types tell.
    pub(super) class: Option<LockClass>,
    /// The same, for who searches the code.
    pub(super) part: Option<NamedPart>,
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
    let (first, last, sort) = waits(machine, frames)?;
    let frame = frames.get(last)?;
    let caller = last + 1;
    let (pc, term) = argument_of_call(machine, frames.get(caller..)?)?;
    // A CPU that spins has it in a register.
    let inner = frames.get(first).filter(|_| sort.spins());
    let given = inner.and_then(|frame| given(machine, frame));
    let by_code = term.observed.or_else(|| evaluate(&term, machine));
    let address = given.or(by_code)?;
    let is_fixed = given.is_some() || term.is_fixed();
    let tag = Writer::new(machine, frame.pc.for_lookup()).pointee_of_parameter(0);
    let term = named(machine, frames, pc, &term);
    let writer = Writer::new(machine, pc);
    let expression = writer.referent(&term, tag.as_deref());
    let class = lock_class(&writer, &term, tag.as_deref());
    let part = writer.part_at(&term, 4);
    let handed = handed(machine, frames.get(caller..)?, &term, tag.as_deref());
    let (expression, part) = match handed {
        Some((expression, part)) => (Some(expression), part),
        None => (expression, part),
    };
    let expression = expression.filter(|_| by_code == Some(address));
    let function = name(machine, frame);
    Some(Wanted { address, is_fixed, expression, class, part, function, caller, sort })
}

/// The lock as the module names it that handed it to the function of the kernel which takes it.
///
/// Example: `wake_up(&job->wq)` waits in `__wake_up()` for `wq_head->lock`, which is `job->wq.lock`.
fn handed(
    machine: &dyn Scene,
    frames: &[Frame],
    term: &Term,
    tag: Option<&str>,
) -> Option<(Expression, Option<NamedPart>)> {
    let own = blamed(machine, frames, 0);
    let module = frames.get(own).map(|frame| frame.pc.for_lookup())?;
    if own == 0 || !machine.is_outside(module) {
        return None;
    }
    let pc = frames.first()?.pc.for_lookup();
    let term = with_callers(machine, frames, own, term.clone());
    let writer = Writer::new(machine, pc).from(module);
    let term = named(machine, frames, pc, &term);
    let expression = writer.referent(&term, tag)?;
    let part = writer.unbounded().part_at(&term, 4);
    (!expression.has_distance() && !expression.is_number()).then_some((expression, part))
}

/// The lock that a task waits for, where its caller's code does not tell: the lock's own list of
/// those who wait, or the parameters of its functions, may.
///
/// Example: `param_attr_store()` takes the lock of the parameters' module, which it got from a
/// parameter of its own that nobody kept.
pub(super) fn listed(machine: &Machine<'_>, task: &Task, frames: &[Frame]) -> Option<Wanted> {
    let (_, last, sort) = waits(machine, frames)?;
    let address = machine.blocked_on(task)?.lock.address;
    let function = name(machine, frames.get(last)?);
    let caller = last + 1;
    Some(Wanted {
        address,
        is_fixed: true,
        expression: None,
        class: None,
        part: None,
        function,
        caller,
        sort,
    })
}

/// Whether the frames spin for a lock that the one at a position called for, whichever it is.
pub(super) fn spins(machine: &dyn Scene, frames: &[Frame], at: usize) -> bool {
    waits(machine, frames).is_some_and(|(_, last, sort)| sort.spins() && last < at)
}

/// Positions of the innermost and the outermost of the innermost run of lock functions, and the sort of lock.
fn waits(machine: &dyn Scene, frames: &[Frame]) -> Option<(usize, usize, LockSort)> {
    let sort = |frame: &Frame| waiting(machine, frame.pc.for_lookup());
    let (first, spins) =
        frames.iter().enumerate().find_map(|(at, frame)| Some((at, sort(frame)?.spins())))?;
    // A semaphore is slept for, and the spinlock inside of it is spun for.
    let same = |frame: &Frame| sort(frame).filter(|sort| sort.spins() == spins);
    let (last, sort) = (first..).zip(frames.get(first..)?.iter().map_while(same)).last()?;
    Some((first, last, sort))
}
