// SPDX-License-Identifier: MIT OR Apache-2.0
//! The code of modules, gone through once for what it does with a member or an object.

use std::cell::Cell;

use iced_x86::{Instruction, Mnemonic, OpKind, Register};
use unwind::Pc;

use super::act::{Act, act, follow};
use crate::blame::culprit;
use crate::diagnosis::Site;
use crate::express::{Part, Whole, Writer};
use crate::fault::named_in_code;
use crate::flow::{CallTarget, Code, Slicer, Start, Term, TermKind, call_target, full};
use crate::scene::Scene;

/// Bytes of code that are gone through: of larger modules nothing is said.
const MAX_BYTES: u64 = 1 << 20;
/// Functions that are gone through.
const MAX_FUNCTIONS: usize = 1 << 13;
/// Places whose registers are followed back, for one question.
const MAX_SLICES: u32 = 160;

/// The code of modules.
pub(super) struct Search<'s> {
    scene: &'s dyn Scene,
    codes: Vec<Code>,
    slices: Cell<u32>,
}

/// What the code does with a part.
#[derive(Debug, Default)]
pub(super) struct Acts {
    /// Each, in the order of the code.
    pub(super) all: Vec<(Act, Site)>,
    /// Whether something was left out.
    pub(super) is_cut: bool,
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
        for (code, at) in self.instructions() {
            let Some(operand) = operand(code.instruction(at), part) else { continue };
            if !self.is_meant((code, at), operand, part) {
                continue;
            }
            let found = match operand {
                Operand::Memory { .. } => act(code, at),
                Operand::Made { .. } => {
                    follow(self.scene, code, at, |at| operand_of_store(code.instruction(at), part))
                }
            };
            let Some(found) = found else { continue };
            if let Some(site) = self.site(code.instruction(at).ip()) {
                acts.all.push((found, site));
            }
        }
        acts.is_cut = self.slices.get() > MAX_SLICES;
        acts
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
        let writer = Writer::new(self.scene, code.instruction(at).ip());
        let found = match base {
            None => {
                let address = Term::new(TermKind::Constant(offset.cast_unsigned()), 0);
                writer.part_at(&address, size)
            }
            Some(base) => writer.part_by(base, offset, size).or_else(|| {
                let pointer = self.value(place, base)?;
                writer.part_at(&pointer.plus(offset), size)
            }),
        };
        found.is_some_and(|found| found.part.is_like(part))
    }

    /// The calls of one of the functions, each with its target.
    pub(super) fn calls(&self, functions: &[&str]) -> Vec<(&Code, usize, u64)> {
        let is_of = |(code, at): (&'_ Code, usize)| {
            let Some(CallTarget::Direct(target)) = call_target(code.instruction(at)) else {
                return None;
            };
            self.scene.is_in(target, functions).then_some(target)
        };
        self.slices.set(0);
        let all = self.instructions();
        all.filter_map(|(code, at)| Some((code, at, is_of((code, at))?))).collect()
    }
}

/// Where the code is in the source of its module.
pub(super) fn site(scene: &dyn Scene, pc: Pc) -> Option<Site> {
    let culprit = culprit(scene, pc)?;
    let (file, line) = (culprit.file?, culprit.line?);
    let line = format!("{}:{line}", file.rsplit('/').next().unwrap_or(&file));
    Some(Site { function: culprit.function?, line })
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

/// The registers of arguments, the first one first (System V AMD64 psABI, section 3.2.3).
pub(super) fn argument(number: u8) -> Register {
    const NUMBERS: [u8; 6] = [7, 6, 2, 1, 8, 9];
    NUMBERS.get(usize::from(number)).map_or(Register::None, |it| full(*it))
}
