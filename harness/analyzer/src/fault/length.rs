// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sizes that no object has.
//!
//! `header->length - sizeof(*header)` of a header that says 2 is -2, which `memcpy()` takes for
//! almost all of the address space. Where it faults, somewhere behind the last page it could
//! have, says nothing: the pointers were fine.

use iced_x86::Register;
use unwind::Frame;

use super::called;
use super::caller::argument_in;
use super::chain::origin;
use crate::claim::Claim;
use crate::diagnosis::{BadSize, Diagnosis, Grounds, What};
use crate::express::Writer;
use crate::flow::{evaluate, held, number};
use crate::link::by_number;
use crate::scene::Scene;

/// Position of the bits that no size of anything has.
const LARGE: u32 = 40;
/// Functions of the C library whose third argument is a size in bytes.
const SIZED: [&str; 6] = ["memcpy", "memmove", "memset", "memcmp", "memchr", "memscan"];

/// Whether the call in `frames[0]` gave such a function a size that is negative, taken as a signed
/// number; the diagnosis says so then.
///
/// `inner` is the frame that faulted: where its registers have no such size left, the one in memory may
/// have been changed since.
pub(super) fn oversized(
    scene: &dyn Scene,
    frames: &[Frame],
    inner: &Frame,
    diagnosis: &mut Diagnosis,
) -> bool {
    let found = frames.first().and_then(|frame| {
        let name = called(scene, frame)?;
        // `__memcpy` is where the call of `memcpy()` leads in some kernels.
        let name = SIZED.into_iter().find(|sized| *sized == name.trim_start_matches('_'))?;
        let (pc, term) = argument_in(scene, frames, Register::RDX)?;
        let size = evaluate(&term, scene).or(term.observed)?;
        (size.cast_signed() < 0).then_some((name, pc, term, size))
    });
    let Some((name, pc, term, size)) = found else { return false };
    let origin = origin(scene, Writer::new(scene, pc), frames, &term, size);
    let registers = by_number(&inner.registers);
    let left = [Register::RDX, Register::RCX].map(|register| held(&registers, number(register)?));
    let is_left = left.into_iter().flatten().any(|left| left >> LARGE != 0);
    let weakest = if is_left { Grounds::Shown } else { Grounds::Inferred };
    diagnosis.grounds = origin.grounds.max(weakest);
    diagnosis.evidence.extend(origin.steps);
    let claim = Claim::new(Some(true)).text(format!("`{name}` is called with the size "));
    let claim = claim.data(size).text(", more than any object has");
    diagnosis.evidence.push(claim);
    let expression = origin.expression.ok();
    let size = size.cast_signed();
    diagnosis.what = What::Size(BadSize { function: name, size, expression });
    // The sentence names it.
    diagnosis.helper = None;
    true
}
