// SPDX-License-Identifier: MIT OR Apache-2.0
//! The locks that the functions on a stack have taken.

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register};
use unwind::{Frame, Pc, Trust};

use super::lock::Wanted;
use super::lock_class::{LockClass, class_by_root, class_by_variable, lock_class};
use super::lock_functions::{LockSort, gives_back, gives_back_inline, may_fail, taking};
use super::place;
use super::releases::may_release;
use crate::claim::Claim;
use crate::express::{Expression, Writer};
use crate::fault::{named, named_in_code, with_callers};
use crate::flow::{
    CallTarget, Code, Slicer, Start, Term, between, call_target, changed_since, decided, evaluate,
    is_call,
};
use crate::link::by_number;
use crate::scene::Scene;
use crate::source_line::SourceLine;

/// What tells one lock from another.
#[derive(Debug, Clone)]
pub(super) struct LockName {
    /// Its address.
    pub(super) address: Option<u64>,
    /// Whether that is what it was when the lock was taken: nothing else can have been written since to what
    /// leads there.
    pub(super) is_fixed: bool,
    /// Where in which structure it lies.
    pub(super) class: Option<LockClass>,
    /// The lock as C.
    pub(super) expression: Option<Expression>,
}

impl LockName {
    /// The lock that is waited for.
    pub(super) fn of(lock: &Wanted) -> Self {
        let address = Some(lock.address);
        let (class, expression) = (lock.class.clone(), lock.expression.clone());
        Self { address, is_fixed: lock.is_fixed, class, expression }
    }

    /// Whether they are known to be different locks: by their addresses, or as two members of one structure.
    /// The same lock may be reached through structures inside of each other.
    fn differs(&self, other: &Self) -> bool {
        match self.address.zip(other.address) {
            Some((one, other)) => one != other,
            None => self
                .class
                .as_ref()
                .zip(other.class.as_ref())
                .is_some_and(|(one, other)| one.is_beside(other)),
        }
    }

    /// Whether they are one lock, as far as their addresses or else their places tell.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match self.address.zip(other.address) {
            Some((one, other)) => one == other,
            None => {
                self.class.as_ref().zip(other.class.as_ref()).is_some_and(|(a, b)| a.is_like(b))
            }
        }
    }
}

/// A call on the way that takes a lock.
struct Taken {
    lock: LockName,
    /// How it takes it.
    sort: LockSort,
    function: String,
    line: Option<SourceLine>,
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

/// The lock that the call at a position is given.
pub(super) fn lock_at(
    machine: &dyn Scene,
    frames: &[Frame],
    (code, position): (&Code, usize),
    function: u64,
) -> LockName {
    let keeps = |target| machine.keeps_registers(target);
    let start = Start { position, registers: registers_at(machine, frames, code, position) };
    let term = Slicer::new(code, machine, &keeps, start).register(Register::RDI);
    let term = if frames.is_empty() { term } else { with_callers(machine, frames, 0, term) };
    let tag = Writer::new(machine, function).pointee_of_parameter(0);
    let writer = Writer::new(machine, code.instruction(position).ip());
    let term: Term = match frames {
        [] => named_in_code(machine, writer.pc(), &term),
        _ => named(machine, frames, writer.pc(), &term),
    };
    LockName {
        // What a register still holds is what it was; what leads there may be changed.
        address: term.observed.or_else(|| evaluate(&term, machine)),
        is_fixed: term.is_fixed(),
        class: lock_class(&writer, &term, tag.as_deref())
            .or_else(|| class_by_variable(machine, code, position))
            .or_else(|| class_by_root(machine, code, position)),
        expression: writer.referent(&term, tag.as_deref()),
    }
}

/// What the registers held at a position of the function that the first frame is in: those that nothing
/// changes on the way from there to where the frame is.
pub(super) fn registers_at(
    machine: &dyn Scene,
    frames: &[Frame],
    code: &Code,
    at: usize,
) -> [Option<u64>; 16] {
    let frame = frames.first();
    let end = frame.and_then(|frame| Some((frame, position(code, frame)?)));
    let Some((frame, end)) = end else { return [None; 16] };
    let since = changed_since(code, &|target| machine.keeps_registers(target), at, end);
    let mut registers = by_number(&frame.registers);
    for (number, value) in (0..).zip(&mut registers) {
        *value = value.filter(|_| !since.contains(number));
    }
    registers
}

/// The calls of functions that take locks of that sort in the functions on the stack that are looked at,
/// but those that the frames are in, and those after which the lock was given back on each way.
fn taken(
    machine: &dyn Scene,
    frames: &[Frame],
    sort: LockSort,
    is_looked_at: &dyn Fn(&Frame) -> bool,
) -> Vec<Taken> {
    let mut found = Vec::new();
    for (at, frame) in frames.iter().enumerate() {
        if frame.trust == Trust::Scan || !is_looked_at(frame) {
            continue;
        }
        let Some(code) = machine.function_code(frame.pc.for_lookup()) else { continue };
        for (position, instruction) in code.instructions().iter().enumerate() {
            let Some(CallTarget::Direct(target)) = call_target(instruction) else { continue };
            let Some(taken) = taking(machine, target).filter(|it| it.is_of(sort)) else { continue };
            let lock =
                lock_at(machine, frames.get(at..).unwrap_or_default(), (&code, position), target);
            let name = (&lock, sort);
            let Some(kept) = kept(machine, (&code, position), name, frame) else { continue };
            let is_dropped = || is_dropped(machine, frames, at, name);
            let kept = if kept == Kept::Always && is_dropped() { Kept::Perhaps } else { kept };
            found.push(Taken {
                lock,
                sort: taken,
                function: place(machine, frame),
                line: machine.source_line(instruction.ip()),
                frame: at,
                kept,
            });
        }
    }
    found
}

/// Whether the instruction at a position may give that lock back.
pub(super) fn is_given_back(
    machine: &dyn Scene,
    (code, position): (&Code, usize),
    (lock, sort): (&LockName, LockSort),
) -> bool {
    let instruction = code.instruction(position);
    match call_target(instruction) {
        Some(CallTarget::Direct(target)) if gives_back(machine, target, sort) => {
            !lock_at(machine, &[], (code, position), target).differs(lock)
        }
        // A function of a module may do it for the one that calls it.
        Some(CallTarget::Direct(target)) if code.at(target).is_none() => {
            unlocks(machine, target, sort) || gives_back_inline(machine, instruction.ip())
        }
        _ => sort.spins() && acts(instruction) && gives_back_inline(machine, instruction.ip()),
    }
}

/// Whether the instruction calls or writes to memory. What else an inlined function consists of may stand far
/// from it: the address of a lock is loaded into a register before the loop behind which the lock is given back.
fn acts(instruction: &Instruction) -> bool {
    is_call(instruction)
        || instruction.op0_kind() == OpKind::Memory
            && !matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test)
}

/// Whether a module's function gives a lock back that it has not taken itself.
fn unlocks(machine: &dyn Scene, function: u64, sort: LockSort) -> bool {
    let code = || machine.is_outside(function).then(|| machine.function_code(function)).flatten();
    let target = |instruction: &Instruction| match call_target(instruction) {
        Some(CallTarget::Direct(target)) => Some(target),
        _ => None,
    };
    code().is_some_and(|code| {
        let calls: Vec<u64> = code.instructions().iter().filter_map(target).collect();
        let takes = |target: &u64| taking(machine, *target).is_some_and(|it| it.is_of(sort));
        !calls.iter().any(takes) && calls.iter().any(|target| gives_back(machine, *target, sort))
    })
}

/// Whether control comes from the call that takes a lock to where the frame is without passing one
/// that gives it back.
fn kept(
    machine: &dyn Scene,
    (code, taken): (&Code, usize),
    (lock, sort): (&LockName, LockSort),
    frame: &Frame,
) -> Option<Kept> {
    let end = position(code, frame).filter(|end| *end != taken)?;
    let all = 0..code.instructions().len();
    let gives = |at: &usize| *at != end && is_given_back(machine, (code, *at), (lock, sort));
    let back: BTreeSet<usize> = all.filter(gives).collect();
    let keeps = |target| machine.keeps_registers(target);
    let went = decided(code, &keeps, (end, &by_number(&frame.registers)));
    if !reaches(code, code.successors(taken), (end, &went), |at| !back.contains(&at)) {
        return None;
    }
    let takes = |at: &usize| {
        *at == taken
            || matches!(call_target(code.instruction(*at)), Some(CallTarget::Direct(target))
                if taking(machine, target).is_some_and(|it| it.is_of(sort))
                    && lock_at(machine, &[], (code, *at), target).is_like(lock))
    };
    let takes: BTreeSet<usize> = (0..code.instructions().len()).filter(takes).collect();
    let is_around = may_be_free(code, (&takes, &back), (end, &went));
    let fails = match call_target(code.instruction(taken)) {
        Some(CallTarget::Direct(target)) => may_fail(machine, target),
        _ => true,
    };
    let way = between(code, taken, end);
    let way: Vec<usize> = way.into_iter().filter(|at| *at != taken && *at != end).collect();
    let is_open = is_around
        || fails
        || is_open(machine, code, sort)
        || may_release(machine, (code, &way), sort);
    Some(if is_open { Kept::Perhaps } else { Kept::Always })
}

/// Whether control may come to the end without the lock: around the calls that take it, or after as many that
/// gave it back. Readers may have a lock more than once.
fn may_be_free(
    code: &Code,
    (takes, back): (&BTreeSet<usize>, &BTreeSet<usize>),
    (end, went): (usize, &BTreeMap<usize, usize>),
) -> bool {
    /// A lock is seldom had more often.
    const MOST: u8 = 3;
    let mut seen = BTreeSet::new();
    let mut pending: Vec<(usize, u8)> =
        code.at(code.entry()).into_iter().map(|entry| (entry, 0)).collect();
    while let Some((at, had)) = pending.pop() {
        if at == end && had == 0 {
            return true;
        }
        if !seen.insert((at, had)) {
            continue;
        }
        let has = match (takes.contains(&at), back.contains(&at)) {
            (true, _) => (had + 1).min(MOST),
            (false, true) => had.saturating_sub(1),
            (false, false) => had,
        };
        match went.get(&at) {
            Some(next) => pending.push((*next, has)),
            None => pending.extend(code.successors(at).into_iter().map(|next| (next, has))),
        }
    }
    false
}

/// Whether not all ways through a function are known: a jump through a table leads to places that its code
/// does not name, and without debug information what is inlined does not show.
fn is_open(machine: &dyn Scene, code: &Code, sort: LockSort) -> bool {
    let jumps = |it: &Instruction| it.flow_control() == FlowControl::IndirectBranch;
    let has_source = || {
        let image = machine.image_at(code.entry());
        image.is_some_and(debuginfo::Image::has_debug_info)
    };
    code.instructions().iter().any(jumps) || sort.spins() && !has_source()
}

/// Where in its function a frame is.
pub(super) fn position(code: &Code, frame: &Frame) -> Option<usize> {
    match frame.pc {
        Pc::Return(address) => code.before(address),
        Pc::Interrupted(address) => code.at(address),
    }
}

/// The scheduler's functions, which give back nothing but the locks of run queues.
const SCHEDULER: [&str; 3] = ["__schedule", "schedule", "preempt_schedule_common"];

/// Whether a function further in may have given the lock back before it went where it is: `drain()` that
/// gives back what its caller took, waits, and takes it again.
fn is_dropped(
    machine: &dyn Scene,
    frames: &[Frame],
    at: usize,
    (lock, sort): (&LockName, LockSort),
) -> bool {
    frames.iter().enumerate().take(at).any(|(inner, frame)| {
        let pc = frame.pc.for_lookup();
        if machine.is_in(pc, &SCHEDULER) || taking(machine, pc).is_some() {
            return false;
        }
        let Some(code) = machine.function_code(pc) else { return true };
        let Some(end) = position(&code, frame) else { return true };
        let entry = code.at(code.entry()).into_iter().collect::<Vec<_>>();
        let rest = frames.get(inner..).unwrap_or_default();
        let gives = |(at, instruction): (usize, &Instruction)| match call_target(instruction) {
            Some(CallTarget::Direct(target)) if gives_back(machine, target, sort) => {
                !lock_at(machine, rest, (&code, at), target).differs(lock)
            }
            _ => false,
        };
        let entry_to_end: Vec<usize> = match code.at(code.entry()) {
            Some(entry) => between(&code, entry, end).into_iter().filter(|at| *at != end).collect(),
            None => return true,
        };
        if machine.is_outside(pc) && may_release(machine, (&code, &entry_to_end), sort) {
            return true;
        }
        let mut back = code.instructions().iter().enumerate().filter(|it| gives(*it));
        back.any(|(back, _)| {
            let any = BTreeMap::new();
            reaches(&code, entry.clone(), (back, &any), |_| true)
                && reaches(&code, code.successors(back), (end, &any), |_| true)
        })
    })
}

/// Whether control comes from one of the instructions to the end, by instructions that it may pass; it is known
/// of some branches where they went.
fn reaches(
    code: &Code,
    starts: Vec<usize>,
    (end, went): (usize, &BTreeMap<usize, usize>),
    may_pass: impl Fn(usize) -> bool,
) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending = starts;
    while let Some(at) = pending.pop() {
        if at == end {
            return true;
        }
        if may_pass(at) && seen.insert(at) {
            match went.get(&at) {
                Some(next) => pending.push(*next),
                None => pending.extend(code.successors(at)),
            }
        }
    }
    false
}

impl Taken {
    fn claim(&self, what: &str) -> Claim {
        let claim = Claim::new(Some(true)).text(format!("{} takes {what}", self.function));
        claim.at(self.line.as_ref())
    }
}

/// A call of a function on the stack that takes the lock which is waited for further in.
pub(super) struct Before {
    /// That it does.
    pub(super) claim: Claim,
    /// Whether it has it still for sure.
    pub(super) is_sure: bool,
    /// How it takes it.
    pub(super) sort: LockSort,
    /// The function.
    pub(super) function: String,
    /// The line of the call.
    pub(super) line: Option<SourceLine>,
    /// Position of its frame.
    pub(super) frame: usize,
}

/// Where a function on the stack takes the lock, too, by a call that is not the one it waits in.
pub(super) fn taken_before(machine: &dyn Scene, frames: &[Frame], lock: &Wanted) -> Option<Before> {
    let wanted = LockName::of(lock);
    let is_same = |taken: &&Taken| match taken.lock.address {
        Some(_) => taken.lock.is_like(&wanted),
        // By the same name, another call of the function may mean another lock.
        None => {
            taken.frame == 0
                && taken.lock.expression.is_some()
                && taken.lock.expression == wanted.expression
        }
    };
    let is_outside = |frame: &Frame| machine.is_outside(frame.pc.for_lookup());
    let all = taken(machine, frames.get(lock.caller..)?, lock.sort, &is_outside);
    let same: Vec<&Taken> = all.iter().filter(is_same).collect();
    let first = same.iter().find(|it| it.kept == Kept::Always).or_else(|| same.first())?;
    Some(Before {
        claim: first.claim("the same lock"),
        is_sure: first.kept == Kept::Always && first.lock.is_fixed && wanted.is_fixed,
        sort: first.sort,
        function: first.function.clone(),
        line: first.line.clone(),
        frame: lock.caller + first.frame,
    })
}

/// What a stack shows of a lock that it may have.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    /// Where a function takes the lock.
    pub(super) taken: Claim,
    /// Whether it is the lock by its address; else it is one at the same place of the same structure.
    pub(super) is_same: bool,
    /// Whether those addresses cannot have changed since.
    pub(super) is_fixed: bool,
    /// Whether it has it on each way to where it is.
    pub(super) is_kept: bool,
}

/// Where a function on a stack takes that lock and may have it still.
pub(super) fn holds(machine: &dyn Scene, frames: &[Frame], lock: &Wanted) -> Option<Hold> {
    let wanted = LockName::of(lock);
    let takes = |frame: &Frame| taking(machine, frame.pc.for_lookup()).is_some();
    let all = taken(machine, frames, lock.sort, &|frame| !takes(frame));
    // Of an array's elements, each has a lock at the same place.
    let is_element = wanted.class.as_ref().is_some_and(LockClass::is_of_element);
    let same = all.iter().filter(|taken| {
        taken.lock.is_like(&wanted) && (taken.lock.address.is_some() || !is_element)
    });
    let is_kept = |it: &Taken| it.kept == Kept::Always;
    let best = same.min_by_key(|it| (!is_kept(it), it.lock.address.is_none()))?;
    let taken = best.claim("the lock");
    let is_same = best.lock.address.is_some();
    let is_fixed = best.lock.is_fixed && wanted.is_fixed;
    Some(Hold { taken, is_same, is_fixed, is_kept: is_kept(best) })
}

/// Where a function on the stack takes a spinlock that it may have still; and the lock, if it has it on each way to
/// where it is.
pub(super) fn spinlock_before(
    machine: &dyn Scene,
    frames: &[Frame],
) -> Option<(Claim, Option<Expression>)> {
    let is_outside = |frame: &Frame| machine.is_outside(frame.pc.for_lookup());
    let all = taken(machine, frames, LockSort::Spin, &is_outside);
    let is_kept = |it: &&Taken| it.kept == Kept::Always;
    let kept = all.iter().find(is_kept);
    let first = kept.or_else(|| all.first())?;
    let expression = first.lock.expression.as_ref();
    let lock = expression.map_or_else(|| "a spinlock".to_owned(), |e| format!("`{e}`"));
    Some((first.claim(&lock), kept.and_then(|it| it.lock.expression.clone())))
}
