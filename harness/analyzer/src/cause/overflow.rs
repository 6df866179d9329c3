// SPDX-License-Identifier: MIT OR Apache-2.0
//! The buffer that a function of the C library was about to run over (`CONFIG_FORTIFY_SOURCE`).

use std::collections::BTreeSet;

use iced_x86::Register;
use unwind::Frame;

use super::room::HAS;
use super::taken::{position, registers_at};
use crate::claim::Claim;
use crate::diagnosis::{About, Overflow};
use crate::express::{Expression, Kept, NamedPart, Writer};
use crate::fault::{named, with_callers};
use crate::flow::{CallTarget, Code, Slicer, Start, call_target, evaluate, full};
use crate::kernel_header::is_kernel_header;
use crate::scene::Scene;

/// Functions that measure a string; the check is of what they return (`include/linux/fortify-string.h`).
const MEASURING: [&str; 4] = ["strlen", "strnlen", "__real_strlen", "__real_strnlen"];
/// Instructions between the measure and the check.
const NEAR: usize = 64;

/// Functions that copy a string and measure it before, which is right of any string; what is wrong is where it is to
/// go: `strcpy(z->name, s)` with `char name[8]`.
const COPYING: [&str; 6] =
    ["strcpy", "strlcpy", "strscpy", "sized_strscpy", "strscpy_pad", "__real_strscpy"];
/// The parameter of those that says where to.
const DESTINATION: &str = "p";
/// Strings that are longer are not looked through.
const LONGEST: u64 = 1 << 16;

/// What runs over which buffer, as far as that shows; `function` is that of the C library that found it.
pub(super) fn overflow(
    scene: &dyn Scene,
    frames: &[Frame],
    function: Option<&str>,
) -> Option<(Overflow, Expression, About, Option<Claim>)> {
    let string = measured_string(scene, frames)?;
    let is_copied = function.is_some_and(|it| COPYING.contains(&it));
    let is_measured = function.is_some_and(|it| MEASURING.contains(&it));
    let length = if is_measured { None } else { length(scene, &string) };
    if let (Some(function), Some(length), true) = (function, length, is_copied) {
        return too_long(scene, frames, (function, &string, length));
    }
    let is_open = is_measured || function.is_none() && length.is_none();
    let about = About { part: string.part, ..About::default() };
    is_open.then_some((Overflow::Unterminated, string.expression, about, None))
}

/// The function of the kernel's headers that is inlined at an address, innermost.
pub(super) fn checking(scene: &dyn Scene, pc: u64) -> Option<String> {
    let chain = scene.image_at(pc)?.source(pc).found()?;
    let inner = chain.first().filter(|it| it.inlined)?;
    let is_headers = inner.file.as_deref().is_some_and(is_kernel_header);
    let name = inner.function.as_deref().filter(|_| is_headers)?;
    Some(name.strip_prefix("__fortify_").unwrap_or(name).to_owned())
}

/// A string that was measured.
struct Measured {
    /// The array that it is in, as C.
    expression: Expression,
    /// The same, for who searches the code.
    part: Option<NamedPart>,
    /// Where it begins.
    address: Option<u64>,
}

/// The string that is copied where too little room is.
fn too_long(
    scene: &dyn Scene,
    frames: &[Frame],
    (function, string, length): (&str, &Measured, u64),
) -> Option<(Overflow, Expression, About, Option<Claim>)> {
    let buffer = destination(scene, frames)?;
    let (has, needs) = (buffer.part.size, length + 1);
    if needs <= has {
        return None;
    }
    let from = &string.expression;
    let claim = Claim::new(Some(true)).text(format!("the string in `{from}`, at "));
    let claim = claim.data(string.address?).text(format!(", takes {needs} bytes with its end"));
    let function = function.to_owned();
    let overflow = Overflow::TooLong { function, string: from.clone(), needs, has };
    Some((overflow, buffer.expression, About::default(), Some(claim)))
}

/// The array that the string is to be copied to, by the check's own parameter, where the compiler knew its size.
fn destination(scene: &dyn Scene, frames: &[Frame]) -> Option<NamedPart> {
    let frame = frames.first()?;
    let pc = frame.pc.for_lookup();
    let code = scene.function_code(pc)?;
    let position = position(&code, frame)?;
    let writer = Writer::new(scene, pc);
    let size = writer.inlined_constant(HAS);
    let (register, offset) = match writer.inlined_parameter(DESTINATION)? {
        Kept::Register(register) => (register, 0),
        Kept::RegisterPlus(register, offset) => (register, offset),
        Kept::AtRegister(..) | Kept::Frame(_) => return None,
    };
    let keeps = |target| scene.keeps_registers(target);
    let registers = registers_at(scene, frames, &code, position);
    let slicer = Slicer::new(&code, scene, &keeps, Start { position, registers });
    let term = slicer.register(full(register)).plus(offset);
    let term = named(scene, frames, pc, &with_callers(scene, frames, 0, term));
    let part = writer.part_at(&term, 1)?;
    size.is_none_or(|size| size == part.part.size).then_some(part)
}

/// How many characters the string has that ends in its array; `None` if it does not, or the dump does not have it.
fn length(scene: &dyn Scene, string: &Measured) -> Option<u64> {
    let (address, part) = (string.address?, string.part.as_ref()?);
    (0..part.part.size.min(LONGEST))
        .map_while(|at| Some((at, scene.word(address.checked_add(at)?, 1)?)))
        .find_map(|(at, character)| (character == 0).then_some(at))
}

/// The string that was measured before the check of the first frame.
fn measured_string(scene: &dyn Scene, frames: &[Frame]) -> Option<Measured> {
    let frame = frames.first()?;
    let code = scene.function_code(frame.pc.for_lookup())?;
    let measure = measured(scene, &code, position(&code, frame)?)?;
    let keeps = |target| scene.keeps_registers(target);
    let registers = registers_at(scene, frames, &code, measure);
    let slicer = Slicer::new(&code, scene, &keeps, Start { position: measure, registers });
    let term = with_callers(scene, frames, 0, slicer.register(Register::RDI));
    let term = named(scene, frames, frame.pc.for_lookup(), &term);
    let writer = Writer::new(scene, frame.pc.for_lookup());
    let string = writer.referent(&term, None).filter(|c| !c.has_distance() && !c.is_number())?;
    // The first character stands for the array that it is in.
    let part = writer.part_at(&term, 1);
    let expression = part.as_ref().map_or(string, |part| part.expression.clone());
    let address = term.observed.or_else(|| evaluate(&term, scene));
    Some(Measured { expression, part, address })
}

/// The call that measures, of all ways to the end the only one.
fn measured(scene: &dyn Scene, code: &Code, end: usize) -> Option<usize> {
    let mut seen = BTreeSet::from([end]);
    let mut pending = vec![end];
    let mut found = BTreeSet::new();
    while let Some(at) = pending.pop() {
        let is_call = at != end
            && matches!(call_target(code.instruction(at)), Some(CallTarget::Direct(target))
                if code.at(target).is_none());
        if is_call {
            found.insert(at);
            continue;
        }
        if seen.len() > NEAR {
            return None;
        }
        pending.extend(code.predecessors(at).iter().copied().filter(|it| seen.insert(*it)));
    }
    let [only] = found.into_iter().collect::<Vec<_>>()[..] else { return None };
    let Some(CallTarget::Direct(target)) = call_target(code.instruction(only)) else { return None };
    scene.is_in(target, &MEASURING).then_some(only)
}
