// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which function a frame called, and functions that left no frame.
//!
//! `return strcmp(a, b);` and `kobject_put(&x->kobj);` at the end of a function are compiled as jumps:
//! the stack has the function that was jumped to, and below it whoever called the one that jumped. The
//! call's own target tells which function that was, and its jumps which of them led on.

use std::collections::BTreeSet;

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
        let is_one_of_several = caller.trust == Trust::Jumped && ways(scene, caller, entry) > 1;
        return if is_one_of_several { Link::Unknown } else { Link::Called };
    }
    let mut search = Search { scene, wanted: entry, seen: BTreeSet::new() };
    match search.chain(target, 0) {
        // By a trampoline.
        Some(jumps) if jumps.is_empty() => Link::Called,
        Some(jumps) => Link::Jumped(jumps),
        None => Link::Broken,
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

/// How many lines of a frame's function jump to a function.
fn ways(scene: &dyn Scene, frame: &Frame, entry: u64) -> usize {
    let code = scene.function_code(frame.pc.for_lookup());
    let jumps = code.map(|code| jumps_out(scene, &code)).unwrap_or_default();
    let leading = jumps.iter().filter(|(_, to)| *to == entry);
    // The compiler may have made several of one statement.
    let lines: BTreeSet<String> = leading
        .map(|(at, _)| scene.source_line(*at).unwrap_or_else(|| format!("{at:#x}")))
        .collect();
    lines.len()
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
    use unwind::Register as R;
    const ORDER: [R; 16] = [
        R::Rax,
        R::Rcx,
        R::Rdx,
        R::Rbx,
        R::Rsp,
        R::Rbp,
        R::Rsi,
        R::Rdi,
        R::R8,
        R::R9,
        R::R10,
        R::R11,
        R::R12,
        R::R13,
        R::R14,
        R::R15,
    ];
    ORDER.map(|register| registers.get(register))
}

/// The search for jumps that lead to a function.
struct Search<'s> {
    scene: &'s dyn Scene,
    /// Entry of the function.
    wanted: u64,
    seen: BTreeSet<u64>,
}

impl Search<'_> {
    /// The jumps that lead from the function at `entry` to the one wanted; `None` if there are none,
    /// or several ways.
    fn chain(&mut self, entry: u64, depth: usize) -> Option<Vec<u64>> {
        if depth >= MAX_JUMPS || self.seen.len() >= MAX_FUNCTIONS || !self.seen.insert(entry) {
            return None;
        }
        let code = self.scene.function_code(entry).filter(|_| self.scene.is_text(entry))?;
        let out = jumps_out(self.scene, &code);
        let to = |wanted| out.iter().find(|(_, to)| *to == wanted).map(|(at, _)| *at);
        let is_frame = !self.is_trampoline(&code);
        if let Some(jump) = to(self.wanted) {
            return Some(if is_frame { vec![jump] } else { Vec::new() });
        }
        let targets: BTreeSet<u64> = out.iter().map(|(_, to)| *to).collect();
        let mut found: Vec<(u64, Vec<u64>)> = Vec::new();
        for target in targets {
            found.extend(self.chain(target, depth + 1).map(|chain| (target, chain)));
        }
        let [(target, _)] = found.as_slice() else { return None };
        let jump = to(*target)?;
        let (_, rest) = found.pop()?;
        let own = is_frame.then_some(jump);
        Some(own.into_iter().chain(rest).collect())
    }

    /// Whether the function is nothing but a jump that no source has: `memcpy` that the kernel patched
    /// at boot, the trampoline of a static call.
    fn is_trampoline(&self, code: &Code) -> bool {
        let first = code.instructions().iter().find(|it| it.mnemonic() != Mnemonic::Endbr64);
        let is_jump = first.is_some_and(|it| it.flow_control() == FlowControl::UnconditionalBranch);
        is_jump && !self.scene.has_source(code.entry())
    }
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
