// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which function a frame called, and functions that left no frame.
//!
//! `return strcmp(a, b);` and `kobject_put(&x->kobj);` at the end of a function are compiled as jumps:
//! the stack has the function that was jumped to, and below it whoever called the one that jumped. The
//! call's own target tells which function that was, and its jumps which of them led on.

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{FlowControl, Instruction, Mnemonic, Register};
use unwind::{Frame, Pc, Register as Saved, Registers, Trust};

use crate::flow::{CallTarget, Code, Slicer, Start, Term, call_target, evaluate};
use crate::scene::Scene;
use crate::thunk::thunk_register;

/// Functions that jump to the next one, at most.
const MAX_JUMPS: usize = 4;
/// Functions whose jumps are looked at for one gap, at most.
const MAX_FUNCTIONS: usize = 64;
/// Registers that a function has given back when it jumps (System V AMD64 psABI, section 3.2.1).
const KEPT: [Saved; 6] = [Saved::Rbx, Saved::Rbp, Saved::R12, Saved::R13, Saved::R14, Saved::R15];

/// How a frame and the one that called it hang together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// The call went to the function, or the frame was interrupted.
    Called,
    /// The call went to another function, which went on with jumps: the addresses of the instructions,
    /// the first jump first; of several that lead to the same function, the first.
    Jumped(Vec<u64>),
    /// The call went to another function, and no jump of it is known to lead on.
    Broken,
    /// Where the call went is not known.
    Unknown,
}

/// The frames with those of functions that went on with a jump put in, up to where the kernel called
/// the innermost module from outside of its tree.
pub fn completed(scene: &dyn Scene, frames: &[Frame]) -> Vec<Frame> {
    let mut all = Vec::with_capacity(frames.len());
    let mut is_found = false;
    for (index, frame) in frames.iter().enumerate() {
        all.push(frame.clone());
        let is_sure = frame.trust != Trust::Scan;
        let is_outside = is_sure && scene.is_outside(frame.pc.for_lookup());
        let is_past = is_found && !is_outside;
        is_found |= is_outside;
        let Some(caller) = frames.get(index + 1).filter(|_| !is_past && is_sure) else { continue };
        if let Link::Jumped(jumps) = link(scene, frame, caller) {
            all.extend(jumps.iter().rev().map(|jump| left_behind(*jump, caller)));
            is_found |= jumps.iter().any(|jump| scene.is_outside(*jump));
        }
    }
    all
}

/// The frame that a function would have at its jump. What it had in registers is gone, but for what
/// it gave back to its caller.
fn left_behind(jump: u64, caller: &Frame) -> Frame {
    let sp = caller.sp.wrapping_sub(8);
    let mut registers = Registers::at(jump, sp);
    for register in KEPT {
        registers.set(register, caller.registers.get(register));
    }
    Frame {
        pc: Pc::Interrupted(jump),
        sp,
        cfa: Some(caller.sp),
        registers,
        trust: Trust::Jumped,
        stack: caller.stack,
        exception: None,
    }
}

/// How the frame hangs together with the one that called it.
pub fn link(scene: &dyn Scene, frame: &Frame, caller: &Frame) -> Link {
    if caller.exception.is_some() {
        return Link::Called;
    }
    if caller.trust == Trust::Scan {
        return Link::Unknown;
    }
    let pc = frame.pc.for_lookup();
    let Some(entry) = scene.function_entry(pc) else { return Link::Unknown };
    if near_call(scene, caller) == Some(entry) {
        return Link::Called;
    }
    let Some(target) = waits_in(scene, caller).and_then(|site| site.target(scene)) else {
        return Link::Unknown;
    };
    if target == entry || scene.function_entry(target) == Some(entry) {
        let is_one_of_several = || {
            let jumped = scene.function_entry(caller.pc.for_lookup());
            let ways = jumped.map(|jumped| Search::new(scene, entry).ways(jumped));
            !matches!(ways, Some(Ways::One { is_only: true, .. }))
        };
        return match caller.trust == Trust::Jumped && is_one_of_several() {
            true => Link::Unknown,
            false => Link::Called,
        };
    }
    match Search::new(scene, entry).ways(target) {
        // By a trampoline.
        Ways::One { jumps, .. } if jumps.is_empty() => Link::Called,
        Ways::One { jumps, .. } => Link::Jumped(jumps),
        Ways::None | Ways::Several => Link::Broken,
    }
}

/// Where the call before the frame's return address goes, if it is one that names its target: most are,
/// and a function of the kernel may be long to decode.
fn near_call(scene: &dyn Scene, frame: &Frame) -> Option<u64> {
    /// `call rel32`, and its length.
    const CALL: u8 = 0xe8;
    const LENGTH: u64 = 5;
    let Pc::Return(address) = frame.pc else { return None };
    let bytes = scene.code_bytes(address.wrapping_sub(LENGTH));
    let (&CALL, distance) = bytes.split_first()? else { return None };
    let distance = i32::from_le_bytes(distance.first_chunk().copied()?);
    Some(address.wrapping_add_signed(distance.into()))
}

/// The call that a frame waits in, or the jump that it went on with.
#[derive(Debug, Clone)]
pub struct Site {
    /// The frame's function.
    pub code: Code,
    /// Position of the instruction in it.
    pub position: usize,
    registers: Registers,
}

/// Where the frame went on from; `None` if it was interrupted, or its code is not in the dump.
pub fn waits_in(scene: &dyn Scene, frame: &Frame) -> Option<Site> {
    let code = scene.function_code(frame.pc.for_lookup())?;
    let position = match frame.pc {
        Pc::Return(address) => code.before(address)?,
        Pc::Interrupted(address) if frame.trust == Trust::Jumped => code.at(address)?,
        Pc::Interrupted(_) => return None,
    };
    Some(Site { code, position, registers: frame.registers.clone() })
}

impl Site {
    /// The instruction.
    pub fn instruction(&self) -> &Instruction {
        self.code.instruction(self.position)
    }

    /// The general registers there, by the decoder's numbers.
    pub fn start(&self) -> Start {
        Start { position: self.position, registers: by_number(&self.registers) }
    }

    /// The pointer that it went through; `None` if the instruction names the function.
    pub fn pointer(&self, scene: &dyn Scene) -> Option<Term> {
        let keeps = |target| scene.keeps_registers(target);
        let slicer = Slicer::new(&self.code, scene, &keeps, self.start());
        match call_target(self.instruction())? {
            CallTarget::Direct(target) => {
                through_thunk(scene, target).map(|register| slicer.register(register))
            }
            CallTarget::Register(register) => Some(slicer.register(register)),
            CallTarget::Memory => Some(slicer.memory_operand(8)),
        }
    }

    /// The address that it went to; of a pointer, what the dump says that it was.
    pub fn target(&self, scene: &dyn Scene) -> Option<u64> {
        if let Some(pointer) = self.pointer(scene) {
            return evaluate(&pointer, scene);
        }
        match call_target(self.instruction())? {
            CallTarget::Direct(target) => Some(target),
            CallTarget::Register(_) | CallTarget::Memory => None,
        }
    }
}

/// The register that a call of a thunk goes through; `None` if the target is no thunk.
pub fn through_thunk(scene: &dyn Scene, target: u64) -> Option<Register> {
    let (name, offset) = scene.symbol_at(target)?;
    thunk_register(&name, offset)
}

/// The registers of a frame by the decoder's numbers.
pub fn by_number(registers: &Registers) -> [Option<u64>; 16] {
    Saved::BY_NUMBER.map(|register| registers.get(register))
}

/// The search for jumps that lead to a function.
struct Search<'s> {
    scene: &'s dyn Scene,
    /// Entry of the function.
    wanted: u64,
    /// Functions that jump to the one that is looked at.
    path: Vec<u64>,
    /// What was found for functions that were looked at.
    known: BTreeMap<u64, Ways>,
}

/// How the jumps of a function lead to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ways {
    /// Not at all.
    None,
    /// By these jumps, the first one first.
    One {
        jumps: Vec<u64>,
        /// Whether no other line of the functions leads there.
        is_only: bool,
    },
    /// By several functions.
    Several,
}

impl<'s> Search<'s> {
    fn new(scene: &'s dyn Scene, wanted: u64) -> Self {
        Self { scene, wanted, path: Vec::new(), known: BTreeMap::new() }
    }

    /// How the function at `entry` leads to the one wanted.
    fn ways(&mut self, entry: u64) -> Ways {
        if let Some(known) = self.known.get(&entry) {
            return known.clone();
        }
        let is_far = self.path.len() >= MAX_JUMPS || self.known.len() >= MAX_FUNCTIONS;
        if is_far || self.path.contains(&entry) {
            return Ways::None;
        }
        self.path.push(entry);
        let found = self.of(entry).unwrap_or(Ways::None);
        self.path.pop();
        self.known.insert(entry, found.clone());
        found
    }

    fn of(&mut self, entry: u64) -> Option<Ways> {
        let code = self.scene.function_code(entry).filter(|_| self.scene.is_text(entry))?;
        let out = jumps_out(self.scene, &code);
        let targets: BTreeSet<u64> = out.iter().map(|(_, to)| *to).collect();
        let mut found = Vec::new();
        for target in targets {
            let ways = match target == self.wanted {
                true => Ways::One { jumps: Vec::new(), is_only: true },
                false => self.ways(target),
            };
            if ways != Ways::None {
                found.push((target, ways));
            }
        }
        // Where one jumps there itself, that is the shortest way, and not the only one.
        let is_alone = found.len() == 1;
        let direct = found.iter().position(|(target, _)| *target == self.wanted);
        let (target, ways) = match (direct, is_alone) {
            (Some(at), _) => found.swap_remove(at),
            (None, true) => found.pop()?,
            (None, false) if found.is_empty() => return None,
            (None, false) => return Some(Ways::Several),
        };
        let Ways::One { jumps, is_only } = ways else { return Some(ways) };
        if self.is_trampoline(&code) {
            return Some(Ways::One { jumps, is_only });
        }
        let leading = || out.iter().filter(|(_, to)| *to == target).map(|(at, _)| *at);
        let is_only = is_only
            && is_alone
            && self.lines(leading()) == 1
            && !(self.scene.is_outside(entry) && jumps_through_a_pointer(self.scene, &code));
        Some(Ways::One { jumps: leading().take(1).chain(jumps).collect(), is_only })
    }

    /// How many lines the jumps are of: the compiler may have made several of one statement.
    fn lines(&self, jumps: impl Iterator<Item = u64>) -> usize {
        let line = |at: u64| {
            self.scene
                .source_line(at)
                .map(|line| line.numbered())
                .unwrap_or_else(|| format!("{at:#x}"))
        };
        jumps.map(line).collect::<BTreeSet<String>>().len()
    }

    /// Whether the function is nothing but a jump that no source has: `memcpy` that the kernel patched
    /// at boot, the trampoline of a static call.
    fn is_trampoline(&self, code: &Code) -> bool {
        let first = code.instructions().iter().find(|it| it.mnemonic() != Mnemonic::Endbr64);
        let is_jump = first.is_some_and(|it| it.flow_control() == FlowControl::UnconditionalBranch);
        is_jump && !self.scene.has_source(code.entry())
    }
}

/// Whether the function may go on with a jump through a pointer.
fn jumps_through_a_pointer(scene: &dyn Scene, code: &Code) -> bool {
    code.instructions().iter().any(|instruction| match instruction.flow_control() {
        FlowControl::IndirectBranch => true,
        FlowControl::UnconditionalBranch => {
            through_thunk(scene, instruction.near_branch_target()).is_some()
        }
        _ => false,
    })
}

/// Direct jumps that leave the function: their addresses, and the entries they go to.
fn jumps_out(scene: &dyn Scene, code: &Code) -> Vec<(u64, u64)> {
    let is_jump = |instruction: &&Instruction| {
        let flow = instruction.flow_control();
        matches!(flow, FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch)
    };
    let leaves = |instruction: &Instruction| {
        let target = instruction.near_branch_target();
        let is_out = code.at(target).is_none() && through_thunk(scene, target).is_none();
        is_out.then(|| (instruction.ip(), scene.function_entry(target).unwrap_or(target)))
    };
    code.instructions().iter().filter(is_jump).filter_map(leaves).collect()
}
