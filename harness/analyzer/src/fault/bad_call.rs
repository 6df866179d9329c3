// SPDX-License-Identifier: MIT OR Apache-2.0
//! A call or jump to an address that is no code.
//!
//! The word at the stack pointer is the return address of the call, and the instruction before it
//! is the call itself: through a register, through memory, or through one of the kernel's
//! retpoline thunks, which stand for a call through the register in their name.

use iced_x86::{Instruction, Register};
use unwind::{Frame, Pc};

use super::chain::origin;
use super::{Diagnosis, NULL_PAGE, by_number, lower};
use crate::claim::Claim;
use crate::express::Writer;
use crate::flow::{CallTarget, Code, Slicer, Start, Term, call_target, full};
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene;

/// Names of the kernel's thunks up to the register's name (`arch/x86/lib/retpoline.S`).
const THUNKS: [&str; 3] =
    ["__x86_indirect_thunk_", "__x86_indirect_call_thunk_", "__x86_indirect_jump_thunk_"];

/// Diagnoses a bad call: `frames[0]` is at the bad address, `frames[1]` made the call.
pub fn bad_call(scene: &dyn Scene, frames: &[Frame]) -> Diagnosis {
    let target = frames[0].pc.address();
    let kind = if target < NULL_PAGE { CrashKind::NullCall } else { CrashKind::BadCall };
    let mut diagnosis = Diagnosis { address: Some(target), ..Diagnosis::new(kind) };
    diagnosis.evidence.push(
        Claim::new(Some(true)).text("the CPU was to run code at ").data(target).text(
            if target < NULL_PAGE { ", which is never mapped" } else { ", where no code is" },
        ),
    );
    let Some(caller) = frames.get(1) else {
        diagnosis.unknown = Some("the stack does not tell who made the call".to_owned());
        return diagnosis;
    };
    diagnosis.pc = Some(caller.pc);
    match call(scene, frames, caller, target, &mut diagnosis) {
        Ok(()) => {}
        Err(why) => diagnosis.unknown = Some(why),
    }
    diagnosis
}

fn call(
    scene: &dyn Scene,
    frames: &[Frame],
    caller: &Frame,
    target: u64,
    diagnosis: &mut Diagnosis,
) -> Result<(), String> {
    let Pc::Return(address) = caller.pc else {
        return Err("the frame below the bad address was interrupted, it made no call".to_owned());
    };
    let code = scene
        .function_code(caller.pc.for_lookup())
        .ok_or("the code of the caller is not in the dump")?;
    let position =
        code.before(address).ok_or("no instruction ends at the return address on the stack")?;
    let instruction = code.instructions()[position];
    let Operand { through, words } = operand(scene, &instruction)?;
    let claim = Claim::new(Some(true)).code(instruction.ip());
    diagnosis.evidence.push(claim.text(format!(" calls {words}")));
    let term = value(scene, &code, position, frames, through);
    let writer = Writer::new(scene, caller.pc.for_lookup());
    let origin = origin(scene, writer, &term, target);
    diagnosis.evidence.extend(origin.steps);
    match origin.expression {
        Ok(expression) => {
            diagnosis.expression = Some(expression);
            diagnosis.confidence = origin.confidence;
            Ok(())
        }
        Err(why) => {
            diagnosis.confidence = Confidence::Unknown;
            Err(format!("the pointer called is {why}"))
        }
    }
}

/// What a call goes through.
#[derive(Debug, Clone, Copy)]
enum Through {
    Register(Register),
    Memory,
}

struct Operand {
    through: Through,
    words: String,
}

fn operand(scene: &dyn Scene, call: &Instruction) -> Result<Operand, String> {
    match call_target(call) {
        Some(CallTarget::Register(register)) => Ok(Operand {
            through: Through::Register(register),
            words: format!("the address in {}", lower(register)),
        }),
        Some(CallTarget::Memory) => {
            Ok(Operand { through: Through::Memory, words: "an address in memory".to_owned() })
        }
        Some(CallTarget::Direct(to)) => {
            let name = match scene.symbol_at(to) {
                Some((name, 0)) => name,
                _ => return Err("of a call to a place without a name".to_owned()),
            };
            let register = thunk_register(&name).ok_or_else(|| {
                format!("not in sight: `{name}` was called, which went on with a jump")
            })?;
            let words = format!("the address in {} (by `{name}`)", lower(register));
            Ok(Operand { through: Through::Register(register), words })
        }
        None => Err("not called: the instruction before the return address is no call".to_owned()),
    }
}

/// The register that a thunk of that name calls through.
fn thunk_register(symbol: &str) -> Option<Register> {
    let name = THUNKS.iter().find_map(|prefix| symbol.strip_prefix(prefix))?;
    // The array is the same code as its first entry, the one of rax.
    (0..16)
        .map(full)
        .find(|&register| lower(register) == name)
        .or_else(|| (name == "array").then(|| full(0)))
}

fn value(
    scene: &dyn Scene,
    code: &Code,
    position: usize,
    frames: &[Frame],
    through: Through,
) -> Term {
    // The call changed nothing but rsp, which it moved by the return address.
    let mut registers = by_number(&frames[0].registers);
    registers[4] = registers[4].map(|rsp| rsp.wrapping_add(8));
    let keeps = |target| scene.keeps_registers(target);
    let slicer = Slicer::new(code, scene, &keeps, Start { position, registers });
    match through {
        Through::Register(register) => slicer.register(register),
        Through::Memory => slicer.memory_operand(8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thunk_names_its_register() {
        assert_eq!(thunk_register("__x86_indirect_thunk_r11"), Some(Register::R11));
        assert_eq!(thunk_register("__x86_indirect_thunk_array"), Some(Register::RAX));
        assert_eq!(thunk_register("__x86_return_thunk"), None);
        assert_eq!(thunk_register("__x86_indirect_thunk_r99"), None);
    }
}
