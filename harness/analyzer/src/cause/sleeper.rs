// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a task sleeps.

use unwind::Frame;

use crate::blame::blamed;
use crate::machine::Machine;
use crate::scene::Scene;

/// Functions that sleep for a time and are not marked as the scheduler's (`kernel/time/timer.c`).
const PAUSES: [&str; 2] = ["msleep", "msleep_interruptible"];

/// Functions that sleep for a time that they are given (`kernel/time/sleep_timeout.c`, `kernel/time/timer.c`).
const TIMED: [&str; 14] = [
    "msleep",
    "msleep_interruptible",
    "usleep_range",
    "usleep_range_state",
    "fsleep",
    "schedule_timeout_interruptible",
    "schedule_timeout_killable",
    "schedule_timeout_uninterruptible",
    "schedule_timeout_idle",
    "io_schedule_timeout",
    "wait_for_completion_timeout",
    "wait_for_completion_io_timeout",
    "wait_for_completion_interruptible_timeout",
    "wait_for_completion_killable_timeout",
];

/// Whether the frames sleep for a time, and no longer.
pub(super) fn is_pause(machine: &dyn Scene, frames: &[Frame]) -> bool {
    let is_in = |frame: &Frame, functions: &[&str]| machine.is_in(frame.pc.for_lookup(), functions);
    // A module's own call of it has a limit; the kernel's functions that wait for ever call it, too.
    let is_own = frames.last().is_some_and(|last| is_in(last, &["schedule_timeout"]));
    is_own || frames.iter().any(|frame| is_in(frame, &TIMED))
}

/// The frame to blame for a sleep; without a module, the innermost function that is none of the
/// scheduler's own, as in the kernel's `wchan`.
pub(super) fn sleeper(machine: &dyn Scene, dump: Option<&Machine<'_>>, frames: &[Frame]) -> usize {
    let guilty = blamed(machine, frames, 0);
    let is_outside = |frame: &Frame| machine.is_outside(frame.pc.for_lookup());
    if frames.get(guilty).is_some_and(is_outside) {
        return guilty;
    }
    let symbol = |name| dump?.kernel().symbol(name).ok();
    let range = symbol("__sched_text_start").zip(symbol("__sched_text_end"));
    let is_scheduler = |frame: &Frame| {
        let pc = frame.pc.for_lookup();
        range.is_some_and(|(start, end)| (start..end).contains(&pc)) || machine.is_in(pc, &PAUSES)
    };
    frames.iter().position(|frame| !is_scheduler(frame)).unwrap_or(guilty)
}
