// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a function of the kernel was given that complained of it.

use iced_x86::{Mnemonic, Register};
use unwind::Frame;

use crate::diagnosis::{Given, GivenObject};
use crate::express::{Expression, NamedPart, Writer};
use crate::fault::{argument_in, given_in, named, named_in_code};
use crate::flow::{ARGUMENTS, CallTarget, Term, TermKind, call_target};
use crate::initialiser::initialiser;
use crate::link::waits_in;
use crate::scene::Scene;
use crate::symbol_name::source_name;

/// The objects that the first frame handed to the function that it called, of those that the code has names for.
/// `inner` is that function, where it is on the stack.
pub(super) fn given(scene: &dyn Scene, inner: Option<&Frame>, frames: &[Frame]) -> Option<Given> {
    let site = waits_in(scene, frames.first()?)?;
    let Some(CallTarget::Direct(target)) = call_target(site.instruction()) else { return None };
    let (name, offset) = scene.symbol_at(target)?;
    let function = (offset == 0).then(|| source_name(&name).to_owned())?;
    let callee = Writer::new(scene, target);
    let all = ARGUMENTS.iter().enumerate();
    let objects: Vec<GivenObject> = all
        .filter_map(|(number, register)| {
            let tag = callee.pointee_of_parameter(number)?;
            let value = inner.and_then(|frame| given_in(scene, frame, *register));
            object(scene, frames, (*register, value), &tag)
        })
        .collect();
    let mut objects = objects;
    // What needs to be initialised tells most.
    objects.sort_by_key(|it| {
        let ty = it.part.as_ref().map(|part| part.part.ty.as_str());
        ty.and_then(initialiser).is_none()
    });
    (!objects.is_empty()).then_some(Given { function, objects })
}

/// What an address is of that an instruction made, by the variable that it was made of there.
fn placed(scene: &dyn Scene, pc: u64, term: &Term) -> Option<NamedPart> {
    let code = scene.function_code(pc)?;
    let instruction = code.instruction(code.at(term.site)?);
    let (base, offset) = match instruction.mnemonic() {
        Mnemonic::Lea if instruction.memory_index() == Register::None => {
            (instruction.memory_base(), instruction.memory_displacement64())
        }
        Mnemonic::Add => (instruction.op0_register(), instruction.try_immediate(1).ok()?),
        _ => return None,
    };
    let writer = Writer::new(scene, term.site);
    base.is_gpr64().then(|| writer.part_by(base, offset.cast_signed(), 8)).flatten()
}

fn object(
    scene: &dyn Scene,
    frames: &[Frame],
    (register, value): (Register, Option<u64>),
    tag: &str,
) -> Option<GivenObject> {
    let (pc, term) = argument_in(scene, frames, register)?;
    let term = term.observed(value);
    let term = named(scene, frames, pc, &term);
    let writer = Writer::new(scene, pc);
    let placed = || placed(scene, pc, &term).filter(|part| part.part.ty == tag);
    let expression = writer.referent(&term, Some(tag)).filter(|c| !c.has_distance());
    // What a member is of may have a name where the value was put into a variable.
    let in_code = || match &term.kind {
        TermKind::Sum { base, index: None, offset } => {
            let base = named_in_code(scene, pc, base);
            writer.part_at(&base.plus(*offset), 8).filter(|part| part.part.ty == tag)
        }
        _ => None,
    };
    let placed = || placed().or_else(in_code);
    let expression = expression.or_else(|| Some(placed()?.expression));
    // What else a pointer leads to is somebody else's.
    let is_pointers = matches!(expression, Some(Expression::Target(_)));
    let expression = match value {
        // The function is on the stack, and it complains of that.
        Some(_) if is_pointers || expression.is_none() => writer.variable(&term),
        _ => expression.filter(|_| !is_pointers),
    }?;
    if expression.has_distance() || expression.is_number() || expression.is_result() {
        return None;
    }
    let part = writer.part_at(&term, 8).or_else(placed);
    let part = part.filter(|part| part.expression == expression);
    Some(GivenObject { expression, part })
}
