// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the registers of a fault to the expression that was bad.

mod access;
mod assigned;
mod bad_call;
mod caller;
mod chain;
mod check;
mod cursor;
mod empty_list;
mod first_owner;
mod foot;
mod found;
mod freed;
mod jumper;
mod left_out;
mod length;
mod memory;
mod mistaken;
mod naming;
mod nature;
mod noted;
mod outside;
mod own_cpu;
mod passed_on;
mod placed;
mod pointer;
mod prototype;
mod quotient;
mod reads;
mod ring;
mod ring_exit;
mod spin;
mod system_call;
mod tested;
mod ties;
mod unallocated;
mod written_text;

use unwind::Frame;

use crate::diagnosis::Diagnosis;
use crate::flow::{CallTarget, call_target};
use crate::link::waits_in;
use crate::scene::Scene;
use crate::symbol_name::source_name;
use crate::thunk::thunk_register;

pub use bad_call::bad_call;
pub(crate) use caller::{argument_in, argument_of_call, given, given_in, with_callers};
pub use check::{condition, divisor};
pub(crate) use first_owner::is_first_owners;
pub use memory::bad_access;
pub(crate) use naming::{named, named_in_code};
pub(crate) use nature::of_value;
pub(crate) use noted::noted;
pub(crate) use ring::ring;
pub(crate) use ring_exit::Exit;
pub(crate) use spin::busy_wait;
pub(crate) use unallocated::FREEING;

/// Says what the fault in the innermost frame came down to. `address` is the address of the
/// faulting access, where the kernel's message or `cr2` told it.
pub fn examine(scene: &dyn Scene, frames: &[Frame], address: Option<u64>) -> Option<Diagnosis> {
    let first = frames.first()?;
    if scene.is_text(first.pc.for_lookup()) {
        bad_access(scene, frames, address)
    } else {
        Some(bad_call(scene, frames))
    }
}

/// Name of the function that the frame called, as its call says: the callee may have gone on with a
/// jump to another one.
pub(crate) fn called(scene: &dyn Scene, frame: &Frame) -> Option<String> {
    let site = waits_in(scene, frame)?;
    let Some(CallTarget::Direct(target)) = call_target(site.instruction()) else { return None };
    let (name, offset) = scene.symbol_at(target)?;
    (offset == 0 && thunk_register(&name, 0).is_none()).then(|| source_name(&name).to_owned())
}
