// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rest of a stack whose memory is not in the dump, by the trace that the kernel printed of it.
//!
//! Situation: the file was cut, or the pages of the stack were lost. The registers of the fault are in the CPU's
//! note, the log is at hand, and between them they tell who called. A dump never shows what such frames say,
//! so that nothing that rests on them is proven.

use klog::Place;
use unwind::{Frame, StopReason, Trust, Walk};

use crate::earlier::address;
use crate::machine::Machine;
use crate::text::in_dump::{printed, reports};
use kernel::VirtualMemory as _;
use kernel::log::LogLine;
use kernel::oops::Oops;

/// The stack's memory that is lost.
#[derive(Debug)]
pub(crate) struct Lost {
    /// The address that could not be read.
    pub(crate) at: u64,
    /// Whether frames of the log stand for it.
    pub(crate) is_told: bool,
    /// The function that the log has behind the last frame, where the dump does not have its module any more.
    pub(crate) next: Option<String>,
}

/// Goes on with a walk that came to memory that is not in the dump, if the log has the trace of that very stack:
/// it begins at the same address and has the last frame that was found.
pub(crate) fn go_on(
    machine: &Machine<'_>,
    walk: &mut Walk,
    log: &[LogLine],
    oops: Option<&Oops>,
) -> Option<Lost> {
    let StopReason::NoMemory { address: lost } = walk.stop else { return None };
    // Where nothing was mapped the walk went astray, and the dump has all that there was.
    if machine.kernel().read_u64(lost).err()?.is_mapped() == Some(false) {
        return None;
    }
    let end = oops?.index + 1;
    let all = reports(log);
    let report = all.iter().rfind(|report| report.number <= end)?;
    let (told, next) = printed(report, &|place| address(machine, place));
    let sure = walk.frames.iter().rposition(|frame| frame.trust < Trust::Scan)?;
    let (first, last) = (walk.frames.first()?, walk.frames.get(sure)?);
    if told.frames.first()?.pc.address() != first.pc.address() {
        return None;
    }
    let last = last.pc.address();
    // A function that calls itself is there more than once.
    let is_it = |frame: &&Frame| frame.pc.address() == last;
    let times = walk.frames.get(..=sure)?.iter().filter(is_it).count();
    let mut places = told.frames.iter().enumerate().filter(|(_, frame)| is_it(frame));
    let (at, _) = places.nth(times.checked_sub(1)?)?;
    let rest = told.frames.get(at + 1..).filter(|rest| !rest.is_empty() || next.is_some())?;
    let is_told = !rest.is_empty();
    walk.frames.truncate(sure + 1);
    walk.frames.extend(rest.iter().cloned());
    if next.is_none() {
        walk.stop = told.stop;
    }
    let next = next.and_then(|place| named(&place));
    Some(Lost { at: lost, is_told, next })
}

/// A function as the log has it.
fn named(place: &Place) -> Option<String> {
    let name = &place.symbol.as_ref()?.name;
    let module = place.module.as_ref().map(|module| format!(" [{module}]")).unwrap_or_default();
    Some(format!("`{name}{module}`"))
}
