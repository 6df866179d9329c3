// SPDX-License-Identifier: MIT OR Apache-2.0
//! The variable that a value was put into where it was computed.
//!
//! `struct job *job = context;` leaves no instruction, and by the time of the fault the debug information
//! may have forgotten where `job` was. Where the value came into a register it has not.

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register};

use crate::express::{Kept, PointerVariable, Writer};
use crate::flow::{Code, RegisterSet, Term, TermKind, copied, is_call, number, written};
use crate::scene::Scene;

/// Instructions that are followed.
const NEAR: usize = 16;
/// Distances above are negative ones, or those to a variable.
const FAR: u64 = 1 << 31;
/// The number of the register with what a function returned.
const RAX: u8 = 0;

/// A variable's name, and where it means that variable.
pub(super) struct Scoped {
    /// The name.
    pub(super) name: String,
    /// How deep its function is inlined there.
    pub(super) depth: u32,
    /// An address in its scope.
    pub(super) pc: u64,
}

/// The variable that the value of the term was put into in the writer's function;
/// `None` if it was put into none that points to something of a known type. `by_call`: what an inlined function returns
/// is put into the variable on the line of its call.
pub(super) fn assigned(
    scene: &dyn Scene,
    writer: Writer<'_>,
    term: &Term,
    by_call: bool,
) -> Option<Scoped> {
    let found = by_register(scene, writer, term).or_else(|| in_memory(scene, writer, term));
    found.or_else(|| {
        let is_value = matches!(term.kind, TermKind::Load { .. } | TermKind::Returned { .. });
        let at = writer.at(term.site);
        let lines = if is_value && term.site != 0 { at.lines(by_call) } else { Vec::new() };
        lines.into_iter().find_map(|line| {
            let (name, depth, size) = at.declared_on((&line.0, line.1))?;
            let is_through = is_read_through(scene, (at, &line), term, size);
            (!is_through).then(|| Scoped { name, depth, pc: at.pc() })
        })
    })
}

/// Whether the line that the value came from goes on with it: in
/// `struct rule *rule = ((struct owner *)file->private_data)->rule;` the variable is put what is read
/// last, not `private_data`, and in `struct clk *parent = clk_get_parent(file->private_data);` what the
/// function returns.
///
/// The compiler may give what is read last another line, that of its use. Then what is read lies
/// behind the `size` bytes that the variable points to, if it is to be noticed:
/// `struct owner *owner = call->watch->owner;` reads 8 bytes behind `watch`, and an owner has 8.
fn is_read_through(
    scene: &dyn Scene,
    (at, line): (Writer<'_>, &(String, u32)),
    term: &Term,
    size: u64,
) -> bool {
    let read = || {
        let code = scene.function_code(term.site)?;
        let (mut position, register) = start(&code, term)?;

        let mut factory = InstructionInfoFactory::new();
        let mut registers = RegisterSet::default();
        registers.insert(register);
        for _ in 0..NEAR {
            let instruction = code.instruction(position);
            let leads = |register| number(register).is_some_and(|it| registers.contains(it));
            let is_read = leads(instruction.memory_base()) || leads(instruction.memory_index());
            let is_same = at.at(instruction.ip()).is_on(line);
            if (is_read || is_call(instruction)) && is_same {
                return Some(true);
            }
            let end = instruction.memory_displacement64().saturating_add(bytes(instruction));
            if is_read && instruction.memory_displacement64() < FAR && end > size {
                return Some(true);
            }
            if is_call(instruction) {
                return Some(false);
            }
            let is_copy = copied(instruction).filter(|(_, from)| registers.contains(*from));
            registers.remove_all(written(&mut factory, instruction));
            if let Some((to, _)) = is_copy {
                registers.insert(to);
            }
            let &[next] = code.successors(position).as_slice() else { return Some(is_same) };
            position = next;
        }
        Some(false)
    };
    read().unwrap_or(true)
}

/// Bytes of the instruction's operand in memory.
fn bytes(instruction: &Instruction) -> u64 {
    u64::try_from(instruction.memory_size().size()).unwrap_or(0)
}

/// The variable that is nowhere but in the memory that the value was loaded from.
///
/// Example: `const struct condition *info = par->matchinfo;` at the start of a function is `*(rdi + 16)`, as the
/// debug information has it, and whoever reads `info->rule` reads that first.
fn in_memory(scene: &dyn Scene, writer: Writer<'_>, term: &Term) -> Option<Scoped> {
    let TermKind::Load { address, size: 8, .. } = &term.kind else { return None };
    let code = scene.function_code(writer.pc())?;
    let named = |pc: u64, register: u8, offset: i64| {
        let holds = |variable: &PointerVariable| matches!(variable.kept, Kept::AtRegister(own, at) if (own, at) == (register, offset));
        let at = writer.at(pc);
        at.pointers().into_iter().rfind(holds).map(|variable| scoped(variable, pc))
    };
    // Where the register has what the function was given.
    let at_entry = || {
        let (base, offset) = match &address.kind {
            TermKind::Sum { base, index: None, offset } => (base.as_ref(), *offset),
            _ => (address.as_ref(), 0),
        };
        let TermKind::Entry(register) = base.bare().kind else { return None };
        named(code.entry(), number(register)?, offset)
    };
    // Where it is loaded.
    let at_site = || {
        let instruction = code.instruction(code.at(term.site)?);
        let is_plain = instruction.memory_index() == Register::None;
        let base = number(instruction.memory_base()).filter(|_| is_plain)?;
        named(term.site, base, instruction.memory_displacement64().cast_signed())
    };
    at_entry().or_else(at_site)
}

fn by_register(scene: &dyn Scene, writer: Writer<'_>, term: &Term) -> Option<Scoped> {
    let code = scene.function_code(writer.pc())?;
    let (mut position, first) = start(&code, term)?;
    let mut registers = RegisterSet::default();
    registers.insert(first);
    let mut factory = InstructionInfoFactory::new();
    for _ in 0..NEAR {
        let instruction = code.instruction(position);
        let at = writer.at(instruction.ip());
        let holds = |variable: &PointerVariable| match variable.kept {
            Kept::Register(register) => registers.contains(register),
            Kept::RegisterPlus(..) | Kept::AtRegister(..) | Kept::Frame(_) => false,
        };
        // The variable of the function furthest out: one that is inlined there names it as it names
        // what any other caller hands to it.
        if let Some(found) = at.pointers().into_iter().rfind(holds) {
            return Some(scoped(found, at.pc()));
        }
        let is_copy = copied(instruction).filter(|(_, from)| registers.contains(*from));
        let lost = written(&mut factory, instruction);
        registers.remove_all(lost);
        if let Some((to, _)) = is_copy {
            registers.insert(to);
        }
        let &[next] = code.successors(position).as_slice() else { return None };
        if is_call(instruction) || next != position + 1 {
            return None;
        }
        position = next;
    }
    None
}

fn scoped(PointerVariable { name, depth, .. }: PointerVariable, pc: u64) -> Scoped {
    Scoped { name, depth, pc }
}

/// Where the value came into a register, and into which.
fn start(code: &Code, term: &Term) -> Option<(usize, u8)> {
    if let TermKind::Entry(register) = term.kind {
        return Some((code.at(code.entry())?, number(register)?));
    }
    let position = code.at(term.site).filter(|_| term.site != 0)?;
    let instruction = code.instruction(position);
    let &[next] = code.successors(position).as_slice() else { return None };
    if let TermKind::Returned { .. } = term.kind {
        return is_call(instruction).then_some((next, RAX));
    }
    let is_of = |kind: OpKind| instruction.op_count() > 1 && instruction.op1_kind() == kind;
    let is_its = match term.kind {
        TermKind::Load { .. } | TermKind::PerCpu { .. } => is_of(OpKind::Memory),
        // The address of a load's operand was never in a register.
        TermKind::Sum { .. } => {
            matches!(instruction.mnemonic(), Mnemonic::Lea | Mnemonic::Add | Mnemonic::Sub)
        }
        _ => false,
    };
    let is_register = instruction.op0_kind() == OpKind::Register;
    let register = number(instruction.op0_register()).filter(|_| is_its && is_register)?;
    Some((next, register))
}
