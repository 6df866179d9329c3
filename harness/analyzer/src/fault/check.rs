// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that a check or a division looked at.

use iced_x86::{FlowControl, InstructionInfoFactory, Mnemonic, OpKind};
use unwind::Frame;

use super::caller::with_callers;
use super::chain::origin;
use super::quotient::overflows;
use super::ties::tie;
use crate::blame::{blamed, tied};
use crate::claim::Claim;
use crate::diagnosis::{Diagnosis, Division, Grounds, What};
use crate::express::{Expression, Writer};
use crate::flow::{Code, Slicer, Start, evaluate, written};
use crate::link::by_number;
use crate::scene::Scene;

/// Instructions between a comparison and the jump that it decides.
const NEAR: usize = 4;

/// Diagnoses the division that the innermost frame was interrupted at: the divisor and where it
/// came from. `None` if the instruction is no division.
pub fn divisor(scene: &dyn Scene, frames: &[Frame]) -> Option<Diagnosis> {
    let frame = frames.first()?;
    let pc = frame.pc.for_lookup();
    let code = scene.function_code(pc)?;
    let position = code.at(pc)?;
    let instruction = *code.instruction(position);
    if !matches!(instruction.mnemonic(), Mnemonic::Div | Mnemonic::Idiv) {
        return None;
    }
    let keeps = |target| scene.keeps_registers(target);
    let held = by_number(&frame.registers);
    let slicer = Slicer::new(&code, scene, &keeps, Start { position, registers: held });
    let size = match instruction.op0_kind() {
        OpKind::Register => instruction.op0_register().size(),
        _ => instruction.memory_size().size(),
    };
    let guilty = blamed(scene, frames, 0);
    let term = with_callers(scene, frames, guilty, slicer.operand(0)?);
    let unused = 64_u32.saturating_sub(u32::try_from(size).unwrap_or(8) * 8);
    let value = term.observed.or_else(|| evaluate(&term, scene)).map(|v| v << unused >> unused);
    let what = |expression| What::Division(Division { divisor: value, expression });
    let place = frames.get(guilty).map(|frame| frame.pc);
    let blame = tied(scene, frames, 0, guilty);
    let mut diagnosis = Diagnosis { pc: place, blame, ..Diagnosis::new(what(None)) };
    let blamed = frames.get(guilty).map(|frame| frame.pc.for_lookup());
    let claim = Claim::new(Some(true)).code(pc).text(" divides");
    diagnosis.evidence.push(match value {
        Some(value) => claim.text(" by ").data(value),
        None => claim,
    });
    let writer = Writer::new(scene, pc).from(blamed.unwrap_or(pc));
    let origin = origin(scene, writer, frames, &term, value.unwrap_or(0));
    diagnosis.evidence.extend(origin.steps);
    let giver = blamed.filter(|_| guilty > 0);
    let named = origin.term.as_ref().unwrap_or(&term);
    tie(scene, frames, (writer, named), giver, &mut diagnosis.blame);
    match origin.expression {
        Ok(expression) => {
            diagnosis.what = what(Some(expression));
            diagnosis.grounds = match value {
                Some(_) => origin.grounds,
                None => Grounds::Inferred,
            };
        }
        Err(_) if origin.grounds != Grounds::None => diagnosis.grounds = origin.grounds,
        Err(why) => diagnosis.unknown = Some(format!("the divisor is {why}")),
    }
    let divided = value.and_then(|value| overflows(&instruction, &held, (value, size)));
    if let Some(claim) = divided {
        diagnosis.evidence.push(claim);
        // The registers show it, wherever they have it from.
        if diagnosis.grounds == Grounds::None {
            diagnosis.grounds = Grounds::Shown;
            diagnosis.unknown = None;
        }
    }
    Some(diagnosis)
}

/// The values that the check before a trap compared, as claims, and the first of them as C:
/// `BUG_ON(ring->count > 16)` jumps to the trap, and nothing runs in between.
pub fn condition(scene: &dyn Scene, frames: &[Frame]) -> (Vec<Claim>, Option<Expression>) {
    let (mut claims, mut expression) = (Vec::new(), None);
    compared(scene, frames, &mut claims, &mut expression);
    (claims, expression)
}

fn compared(
    scene: &dyn Scene,
    frames: &[Frame],
    claims: &mut Vec<Claim>,
    expression: &mut Option<Expression>,
) {
    let Some(frame) = frames.first() else { return };
    let pc = frame.pc.for_lookup();
    let Some((code, trap)) =
        scene.function_code(pc).and_then(|code| code.at(pc).map(|at| (code, at)))
    else {
        return;
    };
    // What fills the gap between a return and the trap leads to it only on paper.
    let reached = reachable(&code);
    let is_reached = |at: &usize| reached.get(*at).copied().unwrap_or_default();
    let mut ways = code.predecessors(trap).iter().copied().filter(is_reached);
    let (Some(jump), None) = (ways.next(), ways.next()) else { return };
    if code.instruction(jump).flow_control() != FlowControl::ConditionalBranch {
        return;
    }
    let mut factory = InstructionInfoFactory::new();
    let mut position = jump;
    let mut registers = by_number(&frame.registers);
    for _ in 0..NEAR {
        let &[before] = code.predecessors(position) else { return };
        position = before;
        let instruction = code.instruction(position);
        let compares = matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test);
        if compares {
            break;
        }
        if instruction.rflags_modified() != 0 || !factory.info(instruction).used_memory().is_empty()
        {
            return;
        }
        // What it held when it was compared is gone.
        let lost = written(&mut factory, instruction);
        for (held, number) in registers.iter_mut().zip(0..) {
            *held = held.filter(|_| !lost.contains(number));
        }
    }
    let compare = code.instruction(position);
    if !matches!(compare.mnemonic(), Mnemonic::Cmp | Mnemonic::Test) {
        return;
    }
    let keeps = |target| scene.keeps_registers(target);
    let start = Start { position, registers };
    let slicer = Slicer::new(&code, scene, &keeps, start);
    let writer = Writer::new(scene, pc);
    for operand in 0..compare.op_count().min(2) {
        let Some(term) = slicer.operand(operand) else { continue };
        let term = with_callers(scene, frames, 0, term);
        let Ok(text) = writer.expression(&term) else { continue };
        let value = term.observed.or_else(|| evaluate(&term, scene));
        if text.is_number() {
            continue;
        }
        if let Some(value) = value {
            let claim =
                Claim::new(Some(true)).text(format!("the check looked at `{text}`, which is "));
            claims.push(claim.data(value));
            expression.get_or_insert(text);
        }
    }
}

/// Which instructions control comes to from the function's entry.
pub(super) fn reachable(code: &Code) -> Vec<bool> {
    let mut reached = vec![false; code.instructions().len()];
    let mut pending: Vec<usize> = code.at(code.entry()).into_iter().collect();
    while let Some(at) = pending.pop() {
        if let Some(seen) = reached.get_mut(at).filter(|seen| !**seen) {
            *seen = true;
            pending.extend(code.successors(at));
        }
    }
    reached
}
