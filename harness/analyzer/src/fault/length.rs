// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sizes that no object has.
//!
//! `header->length - sizeof(*header)` of a header that says 2 is -2, which `memcpy()` takes for
//! almost all of the address space. Where it faults, somewhere behind the last page it could
//! have, says nothing: the pointers were fine.

use iced_x86::Register;
use unwind::Frame;

use super::caller::argument_in;
use super::chain::origin;
use super::{Diagnosis, Says, by_number, called};
use crate::claim::Claim;
use crate::express::Writer;
use crate::flow::evaluate;
use crate::report::CrashKind;
use crate::scene::Scene;

/// Functions of the C library whose third argument is a size in bytes.
const SIZED: [&str; 6] = ["memcpy", "memmove", "memset", "memcmp", "memchr", "memscan"];

/// Below this a negative size is no difference of small numbers.
const SMALL: i64 = -(1 << 20);

/// Whether the call in `frames[0]` gave such a function a size that is negative, taken as a signed
/// number; the diagnosis says so then.
pub(super) fn oversized(scene: &dyn Scene, frames: &[Frame], diagnosis: &mut Diagnosis) -> bool {
    let found = frames.first().and_then(|frame| {
        let name = called(scene, frame)?;
        // `__memcpy` is where the call of `memcpy()` leads in some kernels.
        let name = SIZED.into_iter().find(|sized| *sized == name.trim_start_matches('_'))?;
        let (pc, term) = argument_in(scene, frames, Register::RDX)?;
        let size = evaluate(&term, scene).or(term.observed)?;
        (size.cast_signed() < 0).then_some((frame, name, pc, term, size))
    });
    let Some((frame, name, pc, term, size)) = found else { return false };
    let origin = origin(scene, Writer::new(scene, pc), &by_number(&frame.registers), &term, size);
    diagnosis.kind = CrashKind::OutOfBounds;
    diagnosis.confidence = origin.confidence;
    diagnosis.evidence.extend(origin.steps);
    let claim = Claim::new(Some(true)).text(format!("`{name}` is called with the size "));
    let claim = claim.data(size).text(", more than any object has");
    diagnosis.evidence.push(claim);
    // A difference of pointers would be another number after the next boot.
    let number = match size.cast_signed() {
        number @ SMALL.. => number.to_string(),
        _ => "negative".to_owned(),
    };
    let expression = origin.expression.ok();
    let which = expression.as_ref().map_or_else(|| "the size".to_owned(), |e| format!("`{e}`"));
    diagnosis.says = Some(Says::new(
        format!("negative size given to {name}"),
        format!("access out of bounds: {which} is {number} and given as a size to `{name}`"),
    ));
    diagnosis.next = Some(format!("where {which} is computed, and its check against 0"));
    diagnosis.expression = expression;
    // The sentence names it.
    diagnosis.helper = None;
    true
}
