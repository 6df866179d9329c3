// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a check of the kernel looked at: an argument of the function that checks, followed out to the
//! code that is to blame.

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register};
use unwind::Frame;

use super::fresh::{Fresh, fresh};
use super::taken::position;
use crate::diagnosis::About;
use crate::express::{Expression, Kept, PointerVariable, Structure, Writer};
use crate::fault::{named, with_callers};
use crate::flow::{Term, TermKind, copied, evaluate, full, written};
use crate::scene::Scene;

/// Functions that check what they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checker {
    /// Of a list, before an entry is put in.
    ListAdd,
    /// Of a list, before an entry is taken out.
    ListDel,
    /// Of a reference counter.
    Refcount,
    /// That gives an object back to the slab allocator.
    Free,
}

/// The functions, and the register of the argument that is checked (`lib/list_debug.c`,
/// `lib/refcount.c`, `mm/slub.c`, `mm/slab_common.c`, 3.10 to 6.12).
const CHECKERS: [(&str, Checker, Register); 11] = [
    ("__list_add_valid", Checker::ListAdd, Register::RDI),
    ("__list_add_valid_or_report", Checker::ListAdd, Register::RDI),
    ("__list_add", Checker::ListAdd, Register::RDI),
    ("__list_del_entry_valid", Checker::ListDel, Register::RDI),
    ("__list_del_entry_valid_or_report", Checker::ListDel, Register::RDI),
    ("__list_del_entry", Checker::ListDel, Register::RDI),
    ("refcount_warn_saturate", Checker::Refcount, Register::RDI),
    ("__kmem_cache_free", Checker::Free, Register::RSI),
    ("kmem_cache_free", Checker::Free, Register::RSI),
    ("kfree", Checker::Free, Register::RDI),
    ("kvfree", Checker::Free, Register::RDI),
];

/// The position of the innermost function that checks, up to `frames[guilty]`.
fn checking(
    machine: &dyn Scene,
    frames: &[Frame],
    guilty: usize,
) -> Option<(usize, (&'static str, Checker, Register))> {
    let checks = |(at, frame): (usize, &Frame)| {
        let pc = frame.pc.for_lookup();
        let found = CHECKERS.iter().find(|(name, ..)| machine.is_in(pc, &[name]))?;
        Some((at, *found))
    };
    frames.iter().enumerate().take(guilty).find_map(checks)
}

/// What was checked.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Who checked.
    pub(super) checker: Checker,
    /// The pointer as C, where the code to blame has a name for it.
    pub(super) expression: Option<Expression>,
    /// The object that the pointer leads to, as C.
    pub(super) object: Option<Expression>,
    /// The pointer's value.
    pub(super) value: Option<u64>,
    /// Where it was read from, if it was.
    pub(super) read: Option<ReadFrom>,
    /// The call that it is new memory of, if it is.
    pub(super) fresh: Option<Fresh>,
    /// What the code can be searched for.
    pub(super) about: About,
    /// Whether the code to blame is known to have passed it on.
    pub(super) flows: bool,
}

/// Where a pointer was read from: the address, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReadFrom(pub(super) Option<u64>);

impl ReadFrom {
    fn of(machine: &dyn Scene, term: &Term) -> Option<Self> {
        let TermKind::Load { address, .. } = &term.bare().kind else { return None };
        Some(Self(evaluate(address, machine).or(address.observed)))
    }
}

/// The variable that the frame's call hands on as its first argument, by what the debug information has there.
///
/// Example: `args` of `kfree(args)`, which another function set through `&args`.
fn local(machine: &dyn Scene, frame: &Frame) -> Option<(Expression, Option<Structure>)> {
    /// Instructions before the call that may put it into the argument's register.
    const NEAR: usize = 8;
    let code = machine.function_code(frame.pc.for_lookup())?;
    let call = position(&code, frame)?;
    let mut factory = InstructionInfoFactory::new();
    let mut at = call;
    for _ in 0..NEAR {
        let &[before] = code.predecessors(at) else { break };
        at = before;
        let instruction = code.instruction(at);
        if !written(&mut factory, instruction).contains(RDI) {
            continue;
        }
        let writer = Writer::new(machine, instruction.ip());
        return match copied(instruction) {
            Some((RDI, from)) => in_register(writer, full(from)),
            _ => on_stack(writer, instruction, frame),
        };
    }
    let writer = Writer::new(machine, code.instruction(call).ip());
    in_register(writer, Register::RDI)
}

fn in_register(writer: Writer<'_>, register: Register) -> Option<(Expression, Option<Structure>)> {
    Some((Expression::name(writer.local_in(register)?), writer.pointee_in(register)))
}

/// The variable that the instruction loads from the frame's part of the stack.
fn on_stack(
    writer: Writer<'_>,
    instruction: &Instruction,
    frame: &Frame,
) -> Option<(Expression, Option<Structure>)> {
    let is_load = instruction.mnemonic() == Mnemonic::Mov
        && instruction.op1_kind() == OpKind::Memory
        && instruction.memory_base() == Register::RSP
        && instruction.memory_index() == Register::None;
    let at = is_load.then(|| frame.sp.wrapping_add(instruction.memory_displacement64()))?;
    let cfa = frame.cfa?;
    let is_it = |variable: &PointerVariable| match variable.kept {
        Kept::Frame(offset) => cfa.wrapping_add_signed(offset) == at,
        _ => false,
    };
    let variable = writer.pointers().into_iter().find(is_it)?;
    Some((Expression::name(variable.name), None))
}

/// Structures by which others are linked.
const LINKS: [&str; 5] = ["list_head", "hlist_node", "hlist_nulls_node", "llist_node", "rb_node"];

/// The number of the first argument's register.
const RDI: u8 = 7;

impl Subject {
    /// Of the innermost function that checks, up to `frames[guilty]`.
    pub(super) fn of(machine: &dyn Scene, frames: &[Frame], guilty: usize) -> Option<Self> {
        let (at, (_, checker, register)) = checking(machine, frames, guilty)?;
        Self::at(machine, frames, (at, guilty), (checker, register))
    }

    /// The entries of the list that something is put between, where that is what was checked.
    pub(super) fn neighbours(machine: &dyn Scene, frames: &[Frame], guilty: usize) -> Vec<Self> {
        let Some((at, (_, checker, _))) = checking(machine, frames, guilty) else {
            return Vec::new();
        };
        // `__list_add_valid(new, prev, next)`
        let registers = [Register::RSI, Register::RDX].into_iter();
        let registers = registers.filter(|_| checker == Checker::ListAdd);
        let of = |register| Self::at(machine, frames, (at, guilty), (checker, register));
        registers.filter_map(of).collect()
    }

    /// The first argument that the code to blame gave to the function that it called.
    pub(super) fn given(
        machine: &dyn Scene,
        frames: &[Frame],
        guilty: usize,
        checker: Checker,
    ) -> Option<Self> {
        let at = guilty.checked_sub(1)?;
        Self::at(machine, frames, (at, guilty), (checker, Register::RDI))
    }

    fn at(
        machine: &dyn Scene,
        frames: &[Frame],
        (at, guilty): (usize, usize),
        (checker, register): (Checker, Register),
    ) -> Option<Self> {
        let inner = frames.get(at..)?;
        let entry = Term::new(TermKind::Entry(register), 0);
        let term = with_callers(machine, inner, guilty - at, entry);
        let blamed = frames.get(guilty)?.pc.for_lookup();
        let writer = Writer::new(machine, inner.first()?.pc.for_lookup()).from(blamed);
        let term = named(machine, inner, writer.pc(), &term);
        let tag = Writer::number_of(register).and_then(|it| writer.pointee_of_parameter(it));
        let expression = writer.expression(&term).ok();
        let pointee = writer.pointee(&term);
        // What is freed is what a link is a member of.
        let is_link = pointee.as_ref().is_some_and(|it| LINKS.contains(&it.tag.as_str()));
        let is_named = !is_link && expression.as_ref().is_some_and(|c| !c.is_result());
        let is_free = checker == Checker::Free && !is_named;
        let own = || frames.get(guilty).and_then(|frame| local(machine, frame));
        let variable = || writer.variable(&term).map(|c| (c, None));
        let own = is_free.then(|| variable().or_else(own)).flatten();
        let (expression, own) = own.map_or((expression, None), |(c, it)| (Some(c), it));
        let structure = if is_link { own.or(pointee) } else { pointee.or(own) };
        let about = About { part: writer.part_at(&term, 4), structure, ..About::default() };
        let is_added = checker == Checker::ListAdd;
        Some(Self {
            checker,
            read: ReadFrom::of(machine, &term),
            fresh: frames.get(guilty).filter(|_| is_added).and_then(|it| fresh(machine, it, &term)),
            about,
            expression,
            object: writer.referent(&term, tag.as_deref()).filter(|c| !c.has_distance()),
            value: evaluate(&term, machine).or(term.observed),
            flows: term.leads_from(blamed),
        })
    }
}
