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
use super::jumper::{How, jumper, rivals, through_register};
use super::nature::{Bad, refine};
use super::ties::tie;
use crate::blame::{blamed, tied};
use crate::claim::Claim;
use crate::diagnosis::{BadPointer, Diagnosis, Grounds, Role, Symptom, Use, What};
use crate::express::{Pointee, Writer};
use crate::flow::{
    CallTarget, Code, Slicer, Start, Term, call_target, evaluate_unobserved, held, number,
};
use crate::gone::TakenFor;
use crate::identify::NULL_PAGE;
use crate::kind::CrashKind;
use crate::link::by_number;
use crate::scene::Scene;
use crate::thunk::lower;
use crate::thunk::thunk_register;

/// The call into `frame`, which is at the bad address.
fn bad(frame: &Frame) -> Bad {
    let target = frame.pc.address();
    let registers = by_number(&frame.registers);
    Bad { pointer: target, address: target, how: Use::Call, sp: frame.sp, registers }
}

/// Diagnoses a bad call: `frames[0]` is at the bad address, `frames[1]` made the call.
pub fn bad_call(scene: &dyn Scene, frames: &[Frame]) -> Diagnosis {
    let [first, callers @ ..] = frames else { return Diagnosis::of_kind(CrashKind::BadCall) };
    let target = first.pc.address();
    let symptom = if target < NULL_PAGE { Symptom::Null } else { Symptom::Bad };
    let mut diagnosis = Diagnosis::new(What::Pointer(BadPointer {
        how: Use::Call,
        address: target,
        symptom,
        role: Role::Pointer,
        nature: None,
        expression: None,
        past: None,
        unset: None,
        unlinked: None,
        mistaken: None,
        overrun: false,
        below: false,
        tested: None,
        object: None,
    }));
    let bad = bad(first);
    let gone = scene.gone(target).map(|gone| gone.taken_for(TakenFor::Code).to_string());
    let is_gone = gone.is_some();
    let what = match gone {
        _ if target < NULL_PAGE => "which is never mapped".to_owned(),
        Some(gone) => gone,
        None if scene.is_mapped(target) == Some(true) => "which is not executable".to_owned(),
        None => "where no code is".to_owned(),
    };
    let claim = Claim::new(Some(true)).text("the CPU was to run code at ").data(target);
    diagnosis.evidence.push(claim.text(format!(", {what}")));
    let Some(caller) = callers.first() else {
        diagnosis.unknown = Some(match scene.word(first.sp, 8) {
            Some(_) => "the stack does not tell who made the call".to_owned(),
            None => {
                format!("the stack is not in the {}, which tells who made the call", scene.medium())
            }
        });
        let writer = Writer::new(scene, target);
        refine(scene, frames, writer, None, bad, &mut diagnosis);
        return diagnosis;
    };
    // Such a frame may be stale: it accuses nobody.
    if caller.trust == Trust::Scan {
        diagnosis.unknown = Some("the frame of the caller could not be found for sure".to_owned());
        let writer = Writer::new(scene, target);
        refine(scene, frames, writer, None, bad, &mut diagnosis);
        return diagnosis;
    }
    let mut frames = frames.to_vec();
    let mut how = How::Called;
    // The dump may contradict that the caller called the bad address.
    let refuted = || {
        let mut trial = diagnosis.clone();
        let _unknown = call(scene, &frames, caller, target, &mut trial);
        trial.evidence.iter().any(|claim| claim.confirmed == Some(false))
    };
    if let Some(jumper) = jumper(scene, &frames, &refuted) {
        let sure = Some(true).filter(|_| jumper.how == How::Called);
        let claim = Claim::new(sure).code(caller.pc.for_lookup());
        let claim = claim.text(" called a function that went on with a jump at ");
        diagnosis.evidence.push(claim.code(jumper.frame.pc.address()));
        how = jumper.how;
        frames.insert(1, jumper.frame);
    }
    let frames = frames.as_slice();
    let caller = frames.get(1).unwrap_or(caller);
    let guilty = blamed(scene, frames, 1);
    diagnosis.pc = Some(frames.get(guilty).map_or(caller.pc, |frame| frame.pc));
    diagnosis.blame = tied(scene, frames, 1, guilty);
    match call(scene, frames, caller, target, &mut diagnosis) {
        Ok(()) => {}
        Err(why) => {
            // Where the pointer came from is not known; that the code went away is.
            if is_gone {
                diagnosis.grounds = Grounds::Inferred;
            }
            diagnosis.unknown = Some(why);
        }
    }
    let why = match how {
        How::Called => None,
        How::Memory => Some("the pointer that was called through may have been another one then"),
        How::Alone => {
            Some("no other module from outside has a jump that fits; the call of it left no trace")
        }
    };
    if let Some(why) = why {
        diagnosis.grounds = Grounds::Inferred;
        diagnosis.unknown.get_or_insert_with(|| why.to_owned());
    }
    if diagnosis.pointer().is_some_and(|pointer| pointer.nature.is_none()) {
        let writer = Writer::new(scene, caller.pc.for_lookup());
        refine(scene, frames, writer, None, bad, &mut diagnosis);
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
    let code =
        scene.function_code(caller.pc.for_lookup()).ok_or("the code of the caller is not known")?;
    let (position, verb) = match caller.pc {
        Pc::Return(address) => (code.before(address), "calls"),
        Pc::Interrupted(_) if caller.trust != Trust::Jumped => {
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
    let blamed = frames.get(guilty).map(|frame| frame.pc.for_lookup());
    let pc = caller.pc.for_lookup();
    let writer = Writer::new(scene, pc).used_as(Pointee::Code).from(blamed.unwrap_or(pc));
    let origin = origin(scene, writer, frames, &term, target);
    let mut steps = origin.steps;
    diagnosis.grounds = origin.grounds;
    diagnosis.unknown = origin.left_out;
    let term = origin.term.unwrap_or(term);
    if matches!(caller.pc, Pc::Return(_)) {
        instead(scene, frames, (&term, &mut steps), diagnosis);
    }
    diagnosis.evidence.extend(steps);
    let giver = blamed.filter(|_| guilty > 1);
    tie(scene, frames, (writer, &term), giver, &mut diagnosis.blame);
    if let Some(first) = frames.first() {
        refine(scene, frames, writer, Some(&term), bad(first), diagnosis);
    }
    match origin.expression {
        Ok(expression) => {
            if let Some(pointer) = diagnosis.pointer_mut() {
                pointer.expression = Some(expression);
            }
            Ok(())
        }
        // It is known, and has no name outside of the kernel.
        Err(_) if diagnosis.grounds != Grounds::None => Ok(()),
        Err(why) => Err(format!("the pointer called is {why}")),
    }
}

/// Says in the diagnosis which function may have been called instead, and have gone on to the bad address with a jump.
/// The last of the steps that lead to the pointer is not known then, if only the register tells it.
fn instead(
    scene: &dyn Scene,
    frames: &[Frame],
    (term, steps): (&Term, &mut [Claim]),
    diagnosis: &mut Diagnosis,
) {
    let is_known = evaluate_unobserved(term, scene).is_some();
    let rivals = rivals(scene, frames, is_known);
    let Some((rival, others)) = rivals.split_first() else { return };
    let more = if others.is_empty() { "" } else { " or another one" };
    let words = format!(
        "either that was called, or what the pointer led to, `{rival}`{more}, which went on there with a jump"
    );
    if let Some(last) = steps.last_mut().filter(|_| !is_known) {
        last.confirmed = None;
    }
    diagnosis.leave_open(&words);
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
