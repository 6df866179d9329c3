// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions that went on with a jump and so left no frame.
//!
//! `return device->ops->reset(device);` at the end of a function is compiled as a jump through the
//! pointer. If that is bad, the stack says that the function's caller called the bad address, which
//! it did not. The caller's call tells which function it called, and of that one the jump is
//! looked for. Where the caller went through a pointer that is gone (`rcu_do_batch()` forgets a
//! callback before it calls it), the functions of modules from outside of the kernel's tree are
//! asked: if one of them alone has a jump that fits, it was likely that.

use std::collections::BTreeSet;

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register};
use unwind::{Frame, Pc, Trust};

use super::prototype::takes;
use crate::flow::{CallTarget, Code, Slicer, Start, call_target, evaluate, held, is_call, number};
use crate::link::by_number;
use crate::link::through_thunk;
use crate::scene::Scene;

/// Functions that jump to the next one, at most.
const MAX_JUMPS: usize = 4;
/// Functions whose jumps are looked at, at most; modules have some thousands.
const MAX_FUNCTIONS: usize = 1 << 14;

/// The frame that the function would have which jumped to the bad address. `frames[0]` is at that
/// address, `frames[1]` made the call.
/// `refuted` tells whether the dump contradicts that the caller called that address.
pub(super) fn jumper(
    scene: &dyn Scene,
    frames: &[Frame],
    refuted: &dyn Fn() -> bool,
) -> Option<Jumper> {
    let [bad, caller, ..] = frames else { return None };
    if caller.trust == Trust::Scan {
        return None;
    }
    let (target, registers) = (bad.pc.address(), by_number(&bad.registers));
    let jumps = Jumps { scene, target, registers, is_outside: false };
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let called = jumps.called(caller);
    let called = match called {
        Called::BadAddress if refuted() => {
            jumps.by_memory(caller).map_or(Called::Unknown, Called::Likely)
        }
        called => called,
    };
    match called {
        Called::Function(entry) | Called::Likely(entry) => {
            jumps.collect(entry, 0, &mut seen, &mut found);
        }
        Called::Unknown => scene
            .outside_functions()
            .into_iter()
            // A jump to another function of theirs is found there.
            .for_each(|entry| jumps.collect(entry, MAX_JUMPS, &mut seen, &mut found)),
        Called::BadAddress => {}
    }
    // What the jump would load may be gone. Where it is not, it has to be the bad address.
    let count = found.len();
    if count > 1 {
        found.retain(|jump| jump.evaluated);
    }
    let [jump] = found.as_slice() else { return None };
    // One of which that cannot be told may have been it.
    let is_only = count == found.len();
    let pc = Pc::Interrupted(jump.address);
    let frame = Frame { pc, trust: Trust::Jumped, exception: None, ..bad.clone() };
    let how = match called {
        Called::Function(_) if is_only => How::Called,
        Called::Likely(_) => How::Memory,
        _ => How::Alone,
    };
    Some(Jumper { frame, how })
}

/// Names of functions of modules from outside of the kernel's tree that may have been called instead of the bad address,
/// and have gone on there with a jump: they have the parameters that are passed, and nothing tells that the jump went
/// elsewhere. Where it `is_known` what the pointer is in memory, they may have changed that before.
///
/// Example: `hook->once(hook)` of a function that clears `hook->once` and ends with `return hook->next(hook);`.
pub(super) fn rivals(scene: &dyn Scene, frames: &[Frame], is_known: bool) -> Vec<String> {
    let [bad, caller, ..] = frames else { return Vec::new() };
    let (target, registers) = (bad.pc.address(), by_number(&bad.registers));
    let jumps = Jumps { scene, target, registers, is_outside: true };
    let is_rival = |entry: &u64| {
        let mut found = Vec::new();
        jumps.collect(*entry, 0, &mut BTreeSet::new(), &mut found);
        found.iter().any(|jump| !is_known || jumps.changes(jump.address))
            && takes(scene, *entry, caller)
    };
    let entries = scene.outside_functions().into_iter().take(MAX_FUNCTIONS).filter(is_rival);
    entries.filter_map(|entry| scene.code_name(entry)).map(|name| name.symbol).collect()
}

/// A function that jumped to the bad address.
pub(super) struct Jumper {
    /// The frame that it would have.
    pub(super) frame: Frame,
    /// What tells that it was called.
    pub(super) how: How,
}

/// What tells that a function was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The call.
    Called,
    /// The pointer that the call went through, as the dump's memory has it.
    Memory,
    /// That no other function has such a jump.
    Alone,
}

/// What a frame called.
#[derive(Clone, Copy)]
enum Called {
    /// The function at this address.
    Function(u64),
    /// That one, if the pointer was then what it is in the dump.
    Likely(u64),
    /// The bad address itself, or nothing is known.
    BadAddress,
    /// Something else than the bad address, through a pointer that is gone.
    Unknown,
}

/// The register that a call or jump goes through, itself or by a thunk.
pub(super) fn through_register(scene: &dyn Scene, instruction: &Instruction) -> Option<Register> {
    match call_target(instruction)? {
        CallTarget::Register(register) => Some(register),
        CallTarget::Direct(to) => through_thunk(scene, to),
        CallTarget::Memory => None,
    }
}

struct Jumps<'s> {
    scene: &'s dyn Scene,
    target: u64,
    /// As they were when the bad address was reached: no instruction ran since.
    registers: [Option<u64>; 16],
    /// Whether functions of the kernel's own that were jumped to are no matter.
    is_outside: bool,
}

struct Jump {
    address: u64,
    /// Whether the dump says that it goes to the bad address.
    evaluated: bool,
}

impl Jumps<'_> {
    fn called(&self, caller: &Frame) -> Called {
        self.function_called(caller).unwrap_or(Called::BadAddress)
    }

    fn function_called(&self, caller: &Frame) -> Option<Called> {
        let Pc::Return(address) = caller.pc else { return None };
        let code = self.scene.function_code(caller.pc.for_lookup())?;
        let position = code.before(address)?;
        let call = code.instructions().get(position)?;
        if let Some(register) = through_register(self.scene, call) {
            return self.register(register).map(|value| self.went_to(value));
        }
        match call_target(call)? {
            CallTarget::Direct(to) => Some(Called::Function(to)),
            CallTarget::Register(_) => None,
            CallTarget::Memory => {
                let keeps = |target| self.scene.keeps_registers(target);
                let start = Start { position, registers: by_number(&caller.registers) };
                let slicer = Slicer::new(&code, self.scene, &keeps, start);
                evaluate(&slicer.memory_operand(8), self.scene).map(|value| self.went_to(value))
            }
        }
    }

    /// The function that the pointer leads to which the caller called through, as the dump's memory has it: the
    /// register went on to the bad address with the function's own jump.
    fn by_memory(&self, caller: &Frame) -> Option<u64> {
        let Pc::Return(address) = caller.pc else { return None };
        let code = self.scene.function_code(caller.pc.for_lookup())?;
        let position = code.before(address)?;
        let register = through_register(self.scene, code.instructions().get(position)?)?;
        let keeps = |target| self.scene.keeps_registers(target);
        let start = Start { position, registers: by_number(&caller.registers) };
        let term = Slicer::new(&code, self.scene, &keeps, start).register(register);
        match self.went_to(evaluate(&term, self.scene)?) {
            Called::Function(entry) => Some(entry),
            Called::Likely(_) | Called::BadAddress | Called::Unknown => None,
        }
    }

    /// What was called through a pointer that has this value now.
    fn went_to(&self, value: u64) -> Called {
        let is_entry = |code: Code| code.entry() == value;
        if value == self.target {
            Called::BadAddress
        } else if self.scene.is_text(value) && self.scene.function_code(value).is_some_and(is_entry)
        {
            Called::Function(value)
        } else {
            Called::Unknown
        }
    }

    /// Whether the function that has the jump may have changed memory of others before.
    fn changes(&self, jump: u64) -> bool {
        let Some(code) = self.scene.function_code(jump) else { return true };
        let is_own = |it: &Instruction| matches!(it.memory_base(), Register::RSP | Register::RBP);
        let stores = |it: &Instruction| {
            it.op0_kind() == OpKind::Memory
                && !matches!(it.mnemonic(), Mnemonic::Cmp | Mnemonic::Test)
                && it.flow_control() == FlowControl::Next
                && !is_own(it)
        };
        let calls = |it: &Instruction| {
            let keeps = matches!(call_target(it), Some(CallTarget::Direct(to)) if self.scene.keeps_registers(to));
            is_call(it) && !keeps
        };
        code.instructions().iter().any(|it| stores(it) || calls(it))
    }

    fn register(&self, register: Register) -> Option<u64> {
        held(&self.registers, number(register)?)
    }

    /// Adds the jumps of the function at `entry`, and of those that it jumps to, which may have gone
    /// to the bad address.
    fn collect(&self, entry: u64, depth: usize, seen: &mut BTreeSet<u64>, found: &mut Vec<Jump>) {
        if seen.len() >= MAX_FUNCTIONS || !seen.insert(entry) {
            return;
        }
        let code = self.scene.function_code(entry).filter(|_| self.scene.is_text(entry));
        let Some(code) = code.filter(|code| code.entry() == entry) else { return };
        for (position, instruction) in code.instructions().iter().enumerate() {
            let flow = instruction.flow_control();
            if !matches!(flow, FlowControl::UnconditionalBranch | FlowControl::IndirectBranch) {
                continue;
            }
            match (through_register(self.scene, instruction), call_target(instruction)) {
                (Some(register), _) => found.extend(self.jump(&code, position, Some(register))),
                (None, Some(CallTarget::Memory)) => found.extend(self.jump(&code, position, None)),
                (None, Some(CallTarget::Direct(to)))
                    if code.at(to).is_none()
                        && depth < MAX_JUMPS
                        && (!self.is_outside || self.scene.is_outside(to)) =>
                {
                    self.collect(to, depth + 1, seen, found);
                }
                _ => {}
            }
        }
    }

    /// The jump, unless it went elsewhere.
    fn jump(&self, code: &Code, position: usize, register: Option<Register>) -> Option<Jump> {
        let keeps = |target| self.scene.keeps_registers(target);
        let start = Start { position, registers: self.registers };
        let slicer = Slicer::new(code, self.scene, &keeps, start);
        let term = match register {
            // It still holds what was jumped to.
            Some(register) if self.register(register) != Some(self.target) => return None,
            Some(register) => slicer.register(register),
            None => slicer.memory_operand(8),
        };
        let value = evaluate(&term, self.scene);
        if value.is_some_and(|value| value != self.target)
            || (register.is_none() && value.is_none())
        {
            return None;
        }
        let address = code.instructions().get(position)?.ip();
        Some(Jump { address, evaluated: value.is_some() })
    }
}
