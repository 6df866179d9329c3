// SPDX-License-Identifier: MIT OR Apache-2.0
//! A call or jump to an address that is no code.
//!
//! The word at the stack pointer is the return address of the call, and the instruction before it
//! is the call itself: through a register, through memory, or through one of the kernel's
//! retpoline thunks, which stand for a call through the register in their name.

use iced_x86::{Instruction, Register};
use unwind::{Frame, Pc, Trust};

use super::caller::with_callers;
use super::chain::origin;
use super::jumper::{jumper, through_register};
use super::nature::{Bad, Use, refine};
use super::thunk::thunk_register;
use super::{Diagnosis, NULL_PAGE, by_number, lower};
use crate::blame::blamed;
use crate::claim::Claim;
use crate::express::Writer;
use crate::flow::{CallTarget, Code, Slicer, Start, Term, call_target, held, number};
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene;

/// The call into `frame`, which is at the bad address.
fn bad(frame: &Frame) -> Bad {
    let target = frame.pc.address();
    let registers = by_number(&frame.registers);
    Bad { pointer: target, address: target, how: Use::Call, sp: frame.sp, registers }
}

/// Diagnoses a bad call: `frames[0]` is at the bad address, `frames[1]` made the call.
pub fn bad_call(scene: &dyn Scene, frames: &[Frame]) -> Diagnosis {
    let [first, callers @ ..] = frames else { return Diagnosis::new(CrashKind::BadCall) };
    let target = first.pc.address();
    let kind = if target < NULL_PAGE { CrashKind::NullCall } else { CrashKind::BadCall };
    let mut diagnosis =
        Diagnosis { address: Some(target), how: Some(Use::Call), ..Diagnosis::new(kind) };
    let bad = bad(first);
    diagnosis.object = scene.gone_text(target);
    let what = match &diagnosis.object {
        _ if target < NULL_PAGE => "which is never mapped",
        Some(gone) => gone,
        None => "where no code is",
    };
    let claim = Claim::new(Some(true)).text("the CPU was to run code at ").data(target);
    diagnosis.evidence.push(claim.text(format!(", {what}")));
    let Some(caller) = callers.first() else {
        diagnosis.unknown = Some("the stack does not tell who made the call".to_owned());
        let writer = Writer::new(scene, target);
        refine(scene, writer, None, bad, &mut diagnosis);
        return diagnosis;
    };
    // Such a frame may be stale: it accuses nobody.
    if caller.trust == Trust::Scan {
        diagnosis.unknown = Some("the frame of the caller could not be found for sure".to_owned());
        let writer = Writer::new(scene, target);
        refine(scene, writer, None, bad, &mut diagnosis);
        return diagnosis;
    }
    let mut frames = frames.to_vec();
    let mut is_guess = false;
    // The dump may contradict that the caller called the bad address.
    let refuted = || {
        let mut trial = diagnosis.clone();
        let _unknown = call(scene, &frames, caller, target, &mut trial);
        trial.evidence.iter().any(|claim| claim.confirmed == Some(false))
    };
    if let Some(jumper) = jumper(scene, &frames, &refuted) {
        let sure = Some(true).filter(|_| jumper.is_called);
        let claim = Claim::new(sure).code(caller.pc.for_lookup());
        let claim = claim.text(" called a function that went on with a jump at ");
        diagnosis.evidence.push(claim.code(jumper.frame.pc.address()));
        is_guess = !jumper.is_called;
        frames.insert(1, jumper.frame);
    }
    let frames = frames.as_slice();
    let caller = frames.get(1).unwrap_or(caller);
    let guilty = blamed(scene, frames, 1);
    diagnosis.pc = Some(frames.get(guilty).map_or(caller.pc, |frame| frame.pc));
    match call(scene, frames, caller, target, &mut diagnosis) {
        Ok(()) => {}
        Err(why) => {
            // Where the pointer came from is not known; that the code went away is.
            if diagnosis.object.is_some() {
                diagnosis.confidence = Confidence::Likely;
            }
            diagnosis.unknown = Some(why);
        }
    }
    if is_guess {
        diagnosis.confidence = Confidence::Likely;
        let only =
            "no other module from outside has a jump that fits; the call of it left no trace";
        diagnosis.unknown.get_or_insert_with(|| only.to_owned());
    }
    if matches!(diagnosis.kind, CrashKind::NullCall | CrashKind::BadCall) {
        let writer = Writer::new(scene, caller.pc.for_lookup());
        refine(scene, writer, None, bad, &mut diagnosis);
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
    let code = scene
        .function_code(caller.pc.for_lookup())
        .ok_or("the code of the caller is not in the dump")?;
    let (position, verb) = match caller.pc {
        Pc::Return(address) => (code.before(address), "calls"),
        Pc::Interrupted(_) if caller.trust != Trust::Call => {
            return Err("the frame below the bad address was interrupted, it made no call".into());
        }
        Pc::Interrupted(address) => (code.at(address), "jumps to"),
    };
    let position = position.ok_or("no instruction ends at the return address on the stack")?;
    let instruction = *code.instruction(position);
    let Operand { through, words } = operand(scene, &instruction)?;
    if let Some(register) = through_register(scene, &instruction) {
        let held = number(register)
            .and_then(|n| frames.first().and_then(|bad| held(&by_number(&bad.registers), n)));
        if held.is_some_and(|held| held != target) {
            let held = Claim::new(Some(true)).text(format!("{} does not hold ", lower(register)));
            diagnosis.evidence.push(held.data(target).text(": something else was called"));
            return Err("not in sight: what was called went on with a jump".to_owned());
        }
    }
    let claim = Claim::new(Some(true)).code(instruction.ip());
    diagnosis.evidence.push(claim.text(format!(" {verb} {words}")));
    let term = value(scene, &code, position, frames, through);
    let guilty = blamed(scene, frames, 1);
    let term = with_callers(scene, frames.get(1..).unwrap_or_default(), guilty - 1, term);
    let writer = Writer::new(scene, caller.pc.for_lookup());
    let registers = by_number(&caller.registers);
    let origin = origin(scene, writer, &registers, &term, target);
    diagnosis.evidence.extend(origin.steps);
    diagnosis.confidence = origin.confidence;
    let term = origin.term.unwrap_or(term);
    if let Some(first) = frames.first() {
        refine(scene, writer, Some(&term), bad(first), diagnosis);
    }
    match origin.expression {
        Ok(expression) => {
            diagnosis.expression = Some(expression);
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
            let (name, offset) =
                scene.symbol_at(to).ok_or("of a call to a place without a name")?;
            let register = thunk_register(&name, offset).ok_or_else(|| {
                format!("not in sight: `{name}` was called, which went on with a jump")
            })?;
            let words = format!("the address in {0} (by the thunk for {0})", lower(register));
            Ok(Operand { through: Through::Register(register), words })
        }
        None => Err("not called: the instruction before the return address is no call".to_owned()),
    }
}

fn value(
    scene: &dyn Scene,
    code: &Code,
    position: usize,
    frames: &[Frame],
    through: Through,
) -> Term {
    // A call changed nothing but rsp, which it moved by the return address; a jump nothing.
    let mut registers = frames.first().map_or([None; 16], |bad| by_number(&bad.registers));
    if frames.get(1).is_some_and(|caller| matches!(caller.pc, Pc::Return(_))) {
        registers[4] = registers[4].map(|rsp| rsp.wrapping_add(8));
    }
    let keeps = |target| scene.keeps_registers(target);
    let slicer = Slicer::new(code, scene, &keeps, Start { position, registers });
    match through {
        Through::Register(register) => slicer.register(register),
        Through::Memory => slicer.memory_operand(8),
    }
}
