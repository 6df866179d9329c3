// SPDX-License-Identifier: MIT OR Apache-2.0
//! The code of modules, gone through once for what it does with a member or an object.

use std::cell::Cell;
use std::collections::BTreeSet;

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register};
use unwind::Pc;

use super::act::{Act, act, follow};
use crate::blame::culprit;
use crate::diagnosis::Site;
use crate::express::{Part, Whole, Writer};
use crate::fault::named_in_code;
use crate::flow::{
    CallTarget, Code, Slicer, Start, Term, TermKind, call_target, copied, full, number, written,
};
use crate::initialiser::initialiser;
use crate::scene::Scene;

/// Bytes of code that are gone through: of larger modules nothing is said.
const MAX_BYTES: u64 = 1 << 20;
/// Functions that are gone through.
const MAX_FUNCTIONS: usize = 1 << 13;
/// Functions of lists that get a link as their first argument (`include/linux/list.h`, 3.10 to 6.12).
pub(super) const PUTTING_IN: [&str; 3] =
    ["__list_add_valid", "__list_add_valid_or_report", "__list_add"];
pub(super) const TAKING_OUT: [&str; 5] = [
    "__list_del_entry_valid",
    "__list_del_entry_valid_or_report",
    "__list_del_entry",
    "list_del",
    "rb_erase",
];
/// Instructions before a call that may put what it gets into the register of its first argument.
const NEAR: usize = 8;
/// The number of that register.
const RDI: u8 = 7;
/// Both.
const LISTS: [&str; 7] = [
    PUTTING_IN[0],
    PUTTING_IN[1],
    PUTTING_IN[2],
    TAKING_OUT[0],
    TAKING_OUT[1],
    TAKING_OUT[2],
    TAKING_OUT[3],
];
/// Places whose registers are followed back, for one question.
const MAX_SLICES: u32 = 160;

/// The code of modules.
pub(super) struct Search<'s> {
    scene: &'s dyn Scene,
    codes: Vec<Code>,
    slices: Cell<u32>,
}

/// A call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'c, T> {
    /// The function that calls.
    pub(super) code: &'c Code,
    /// Position of the call there.
    pub(super) at: usize,
    /// Address of the function that is called.
    pub(super) target: u64,
    /// What stands beside its name.
    pub(super) what: T,
}

/// What the code does with a part.
#[derive(Debug, Default)]
pub(super) struct Acts {
    /// Each, in the order of the code.
    pub(super) all: Vec<(Act, Site)>,
    /// Whether something was left out.
    pub(super) is_cut: bool,
    /// Whether it is not known of each call of a function of lists which link that gets.
    pub(super) lists_are_cut: bool,
}

impl<'s> Search<'s> {
    /// The code of those modules; `None` if there is too much of it, or none.
    pub(super) fn new(scene: &'s dyn Scene, modules: &[String]) -> Option<Self> {
        let mut codes = Vec::new();
        let mut bytes = 0;
        for module in modules {
            let entries = scene.functions_of(module);
            if entries.len() > MAX_FUNCTIONS {
                return None;
            }
            for entry in entries {
                // The cold part of a function has a name of its own.
                let code = scene.function_code(entry).filter(|code| code.entry() == entry);
                let Some(code) = code else { continue };
                let length = |it: &Instruction| u64::try_from(it.len()).unwrap_or(0);
                bytes += code.instructions().iter().map(length).sum::<u64>();
                if bytes > MAX_BYTES {
                    return None;
                }
                codes.push(code);
            }
        }
        (!codes.is_empty()).then_some(Self { scene, codes, slices: Cell::new(0) })
    }

    /// The instructions, each with its function's code and its position there.
    pub(super) fn instructions(&self) -> impl Iterator<Item = (&Code, usize)> {
        self.codes.iter().flat_map(|code| (0..code.instructions().len()).map(move |at| (code, at)))
    }

    /// What the code does with the part.
    pub(super) fn acts(&self, part: &Part) -> Acts {
        self.slices.set(0);
        let mut acts = Acts::default();
        // What stores to a link moves it from list to list, which says nothing.
        let is_list = part.ty == "list_head";
        let mut given = BTreeSet::new();
        for (code, at) in self.instructions() {
            let Some(operand) = operand(code.instruction(at), part) else { continue };
            // What only reads needs no name.
            let done = match operand {
                Operand::Memory { .. } => act(code, at),
                Operand::Made { .. } => {
                    follow(self.scene, code, at, |at| operand_of_store(code.instruction(at), part))
                }
            };
            let is_asked = |act: &Act| !(is_list && matches!(act, Act::Set | Act::Cleared));
            let is_it = |act: &Act| is_asked(act) && self.is_meant((code, at), operand, part);
            let Some(found) = done.filter(is_it) else { continue };
            if let Act::Given { function, .. } = &found {
                given.insert((code.entry(), function.clone()));
            }
            if let Some(site) = self.site(code.instruction(at).ip()) {
                acts.all.push((found, site));
            }
        }
        if is_list && matches!(part.whole, Whole::Structure(_)) {
            self.acts_of_lists(part, &given, &mut acts);
        }
        acts.is_cut |= self.slices.get() > MAX_SLICES;
        acts
    }

    /// What functions of lists do with the link: no instruction makes its address where the structure begins with it,
    /// or where it was read from another link. What is `given` to functions is known already, by the entries of those
    /// that give it.
    fn acts_of_lists(&self, part: &Part, given: &BTreeSet<(u64, String)>, acts: &mut Acts) {
        for (code, at) in self.instructions() {
            let instruction = code.instruction(at);
            let Some(CallTarget::Direct(target)) = call_target(instruction) else { continue };
            let name = LISTS.iter().find(|name| self.scene.is_in(target, &[name]));
            let Some(name) = name else { continue };
            if given.contains(&(code.entry(), (*name).to_owned())) {
                continue;
            }
            let Some((tag, start)) = self.link((code, at), &part.ty) else {
                // It may be that one.
                acts.lists_are_cut = true;
                continue;
            };
            let writer = Writer::new(self.scene, instruction.ip());
            let is_of =
                part.structure() == Some(&tag) || writer.begins_with(&tag, part.structure());
            if start == part.start && is_of {
                let act = Act::Given { function: (*name).to_owned(), argument: 0 };
                acts.all.extend(self.site(instruction.ip()).map(|site| (act, site)));
            }
        }
    }

    /// The tag of the structure that the first argument of a call is a link of, and where in it.
    fn link(&self, (code, call): (&Code, usize), ty: &str) -> Option<(String, u64)> {
        let outer = |writer: Writer<'_>, register| {
            let all = writer.pointees_in(register).into_iter();
            all.map(|structure| structure.tag).find(|tag| tag != ty)
        };
        let by_variable = || {
            let mut at = call;
            let mut factory = InstructionInfoFactory::new();
            for _ in 0..NEAR {
                let writer = Writer::new(self.scene, code.instruction(at).ip());
                if let Some(tag) = outer(writer, Register::RDI) {
                    return Some(tag);
                }
                let &[before] = code.predecessors(at) else { return None };
                let instruction = code.instruction(before);
                at = before;
                if written(&mut factory, instruction).contains(RDI) {
                    let (_, from) = copied(instruction).filter(|(to, _)| *to == RDI)?;
                    let writer = Writer::new(self.scene, instruction.ip());
                    return outer(writer, full(from));
                }
            }
            None
        };
        if let Some(tag) = by_variable() {
            return Some((tag, 0));
        }
        let term = self.value((code, call), Register::RDI)?;
        let part = Writer::new(self.scene, code.instruction(call).ip()).part_at(&term, 8)?.part;
        let tag = part.structure().filter(|tag| *tag != ty)?.to_owned();
        Some((tag, part.start))
    }

    /// Where the instruction at the address stands in the source.
    pub(super) fn site(&self, address: u64) -> Option<Site> {
        site(self.scene, Pc::Interrupted(address))
    }

    /// The value of a register before an instruction, with the names that the code has for it.
    pub(super) fn value(&self, (code, at): (&Code, usize), register: Register) -> Option<Term> {
        if self.slices.get() > MAX_SLICES {
            return None;
        }
        self.slices.set(self.slices.get() + 1);
        let keeps = |target| self.scene.keeps_registers(target);
        let start = Start { position: at, registers: [None; 16] };
        let term = Slicer::new(code, self.scene, &keeps, start).register(register);
        Some(named_in_code(self.scene, code.instruction(at).ip(), &term))
    }

    /// Whether the operand is that part.
    fn is_meant(&self, place: (&Code, usize), operand: Operand, part: &Part) -> bool {
        let (code, at) = place;
        let (Operand::Memory { base, offset, size } | Operand::Made { base, offset, size }) =
            operand;
        // What is stored to a variable's member is known by its address, whatever else has a name there.
        if let (Operand::Memory { base: None, .. }, Whole::Variable { address }) =
            (operand, &part.whole)
            && offset.cast_unsigned() == address.wrapping_add(part.start)
        {
            return true;
        }
        let writer = Writer::new(self.scene, code.instruction(at).ip());
        let found = match base {
            None => {
                let address = Term::new(TermKind::Constant(offset.cast_unsigned()), 0);
                writer.part_at(&address, size)
            }
            Some(base) => writer.part_by(base, offset, size).or_else(|| {
                let pointer = self.value(place, base)?;
                // What was just allocated has the type of what it is kept in.
                let is_new = matches!(pointer.bare().kind, TermKind::Returned { .. });
                let found = writer.part_at(&pointer.plus(offset), size);
                // Of pointers, locks and lists it is asked where they are set; of counters, where they change.
                let is_set = part.size == 8 || initialiser(&part.ty).is_some();
                let kept = || if is_new && is_set { kept(place, base) } else { None };
                found.or_else(|| writer.part_at(&kept()?.plus(offset), size))
            }),
        };
        found.is_some_and(|found| found.part.is_like(part))
    }

    /// Where one of the functions is given an object that begins with the part, whose address no instruction makes; `None`
    /// if it is not known of each call what that gets.
    pub(super) fn given_whole(&self, functions: &[&'static str], part: &Part) -> Option<Vec<Site>> {
        let functions: Vec<(&str, ())> = functions.iter().map(|name| (*name, ())).collect();
        let mut found = Vec::new();
        for Call { code, at, .. } in self.calls(&functions) {
            let ip = code.instruction(at).ip();
            let writer = Writer::new(self.scene, ip);
            let named = named_in_code(self.scene, ip, &self.value((code, at), Register::RDI)?);
            match writer.pointee(&named) {
                Some(whole) if part.structure() == Some(&whole.tag) => {
                    found.extend(self.site(ip));
                }
                Some(_) => {}
                None => {
                    writer.part_at(&named, 8)?;
                }
            }
        }
        Some(found)
    }

    /// The calls of one of the functions, each with what stands beside its name.
    pub(super) fn calls<T: Copy>(&self, functions: &[(&str, T)]) -> Vec<Call<'_, T>> {
        self.slices.set(0);
        let all = self.instructions();
        all.filter_map(|(code, at)| {
            let Some(CallTarget::Direct(target)) = call_target(code.instruction(at)) else {
                return None;
            };
            let what = functions.iter().find(|(name, _)| self.scene.is_in(target, &[name]))?.1;
            Some(Call { code, at, target, what })
        })
        .collect()
    }
}

/// Where the code is in the source of its module.
pub(super) fn site(scene: &dyn Scene, pc: Pc) -> Option<Site> {
    let culprit = culprit(scene, pc)?;
    Some(Site { line: culprit.source_line()?, function: culprit.function? })
}

/// The static variable that the register is stored to near an instruction, as what is read there.
///
/// Example: `current = kmalloc(...); spin_lock_init(&current->lock);`, where only the variable tells what it is.
fn kept((code, at): (&Code, usize), register: Register) -> Option<Term> {
    let wanted = number(register)?;
    let mut factory = InstructionInfoFactory::new();
    let mut is_written = |at: usize| written(&mut factory, code.instruction(at)).contains(wanted);
    let mut before = at;
    for _ in 0..NEAR {
        let &[one] = code.predecessors(before) else { break };
        before = one;
        if let Some(found) = stored(code.instruction(before), register) {
            return Some(found);
        }
        if is_written(before) {
            break;
        }
    }
    let mut after = at;
    for _ in 0..NEAR {
        if let Some(found) = stored(code.instruction(after), register) {
            return Some(found);
        }
        let &[one] = code.successors(after).as_slice() else { break };
        if is_written(after) {
            break;
        }
        after = one;
    }
    None
}

/// The static variable that the instruction stores the register to.
fn stored(instruction: &Instruction, register: Register) -> Option<Term> {
    let is_it = instruction.mnemonic() == Mnemonic::Mov
        && instruction.op0_kind() == OpKind::Memory
        && matches!(instruction.memory_base(), Register::None | Register::RIP)
        && instruction.memory_index() == Register::None
        && instruction.segment_prefix() == Register::None
        && instruction.op1_kind() == OpKind::Register
        && instruction.op1_register() == register;
    let at = instruction.memory_displacement64();
    let address = Box::new(Term::new(TermKind::Constant(at), instruction.ip()));
    is_it.then(|| Term::new(TermKind::Load { address, size: 8, signed: false }, instruction.ip()))
}

/// How an instruction names a part.
#[derive(Debug, Clone, Copy)]
enum Operand {
    /// As memory: at a distance from a register, or at an address.
    Memory { base: Option<Register>, offset: i64, size: u8 },
    /// By making its address.
    Made { base: Option<Register>, offset: i64, size: u8 },
}

/// How the instruction may name the part, as far as its numbers tell.
fn operand(instruction: &Instruction, part: &Part) -> Option<Operand> {
    let (first, size) = match &part.whole {
        Whole::Structure(_) => (part.start, part.size),
        Whole::Variable { address } => (address.wrapping_add(part.start), part.size),
    };
    let is_inside = |offset: u64| offset.wrapping_sub(first) < size;
    let is_static = matches!(part.whole, Whole::Variable { .. });
    let has_memory =
        (0..instruction.op_count()).any(|it| instruction.op_kind(it) == OpKind::Memory);
    if has_memory {
        let base = instruction.memory_base();
        let is_absolute = matches!(base, Register::None | Register::RIP);
        let is_stack = matches!(base, Register::RSP);
        let offset = instruction.memory_displacement64();
        if is_stack || instruction.segment_prefix() != Register::None || !is_inside(offset) {
            return None;
        }
        // The address of a member of a variable of the module's own structure is known by its number, too.
        if !is_absolute && !base.is_gpr64() {
            return None;
        }
        // Behind a variable's own address, a register has a number.
        let base = (!is_absolute && !is_static).then_some(base);
        let bytes = u8::try_from(instruction.memory_size().size()).ok();
        let bytes = bytes.filter(|it| matches!(it, 1 | 2 | 4 | 8)).unwrap_or(8);
        let offset = offset.cast_signed();
        return Some(match instruction.mnemonic() {
            Mnemonic::Lea => Operand::Made { base, offset, size: least(part) },
            _ => Operand::Memory { base, offset, size: bytes },
        });
    }
    let makes = |kind: Mnemonic| {
        instruction.mnemonic() == kind && instruction.op0_kind() == OpKind::Register
    };
    let immediate = instruction.try_immediate(1).ok().filter(|it| is_inside(*it))?;
    let offset = immediate.cast_signed();
    if is_static {
        return (makes(Mnemonic::Mov) || makes(Mnemonic::Add)).then_some(Operand::Made {
            base: None,
            offset,
            size: least(part),
        });
    }
    let register = instruction.op0_register();
    (makes(Mnemonic::Add) && register.is_gpr64() && immediate == first && immediate > 0)
        .then(|| Operand::Made { base: Some(register), offset, size: least(part) })
}

/// Bytes at its start that a part surely has.
fn least(part: &Part) -> u8 {
    match part.size {
        8.. => 8,
        4..8 => 4,
        2..4 => 2,
        _ => 1,
    }
}

/// Whether the instruction stores to what may be the part.
fn operand_of_store(instruction: &Instruction, part: &Part) -> bool {
    matches!(operand(instruction, part), Some(Operand::Memory { .. }))
        && instruction.op0_kind() == OpKind::Memory
}
