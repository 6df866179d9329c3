// SPDX-License-Identifier: MIT OR Apache-2.0
//! What used up a stack that has no guard page, and wrote over other memory (kernels before 4.9).
//!
//! Situation: a module recurses too deeply on CentOS 7's 3.10. Nothing stops it at the end of its
//! stack; the task structures in the pages below are overwritten, and some other task crashes
//! later, say a kworker whose own code is right. The end of the overrun stack still tells.

use std::collections::BTreeMap;

use unwind::{Frame, Pc, Stack, Trust, Walk};

use crate::claim::Claim;
use crate::diagnosis::{Diagnosis, Grounds, What};
use crate::machine::Machine;
use crate::scene::Scene;
use crate::stacks::StackWords;
use crate::stacks::exhaustion::{Exhaustion, is_seen, largest, name, recursion};
use crate::stacks::frame_chain::largest_left;
use crate::stacks::stack_end::end;
use kernel::Kernel;
use kernel::stack_ends::Overrun;

/// How many times a return address has to be on a stack to be that of a recursion.
const ROUNDS: usize = 16;
/// Functions of a recursion that are named.
const FUNCTIONS: usize = 8;

/// The diagnosis of a crash on a machine on which a stack went past its end: the stack of the task
/// that crashed, else another one's.
pub(super) fn overrun(machine: &Machine<'_>, fault: &Walk) -> Option<Diagnosis> {
    let kernel = machine.kernel();
    let overruns = kernel.overruns();
    let crashed = kernel.crash().task.as_ref().map(|task| task.address);
    let is_own = |overrun: &&Overrun| Some(overrun.task.address) == crashed;
    if let Some(own) = overruns.iter().find(is_own) {
        return diagnosis(machine, own, Some(fault));
    }
    overruns.iter().find_map(|other| diagnosis(machine, other, None))
}

/// `fault` is the walk of the task that crashed, if it is the one.
fn diagnosis(machine: &Machine<'_>, overrun: &Overrun, fault: Option<&Walk>) -> Option<Diagnosis> {
    let stack = machine.kernel().task_stack(&overrun.task)?;
    let other = || machine.backtrace_of(&overrun.task).map(|found| found.walk).ok();
    let walk = fault.cloned().or_else(other);
    let frames = walk.as_ref().map_or(&[][..], |walk| walk.frames.as_slice());
    let sure = frames.iter().take_while(|frame| frame.trust < Trust::Call).cloned();
    let sure: Vec<Frame> = sure.collect();
    let on_stack = sure.iter().any(|frame| (stack.low..stack.high).contains(&frame.sp));
    let live = recursion(machine, &sure, stack.high - stack.low).filter(|_| on_stack);
    let live = live.or_else(|| largest(machine, &sure).filter(|_| is_filled(&stack, &sure)));
    let is_live = live.is_some();
    let (culprit, exhaustion) =
        live.or_else(|| left_behind(machine, &stack)).or_else(|| largest_left(machine, &stack))?;
    let words = if is_live {
        "unwinding by the tables leads from there to the functions that used the stack"
    } else if exhaustion.frames.is_some() {
        "the same return addresses lie on that stack over and over"
    } else {
        "frame pointers that functions left on that stack lead over most of it"
    };
    let mut evidence = vec![end(overrun, &stack), Claim::new(Some(true)).text(words)];
    if fault.is_none() {
        let words = "the task that crashed is another one: memory below that stack, which is not \
                     guarded, was overwritten";
        evidence.push(Claim::new(None).text(words));
    }
    let is_seen = walk.as_ref().is_some_and(|walk| is_seen(walk, &sure, stack.high, &exhaustion));
    let proven = is_live && is_seen && fault.is_some();
    Some(Diagnosis {
        pc: Some(culprit),
        grounds: if proven { Grounds::Shown } else { Grounds::Inferred },
        evidence,
        ..Diagnosis::new(What::Exhausted(exhaustion))
    })
}

/// Whether the frames of a walk that are on a stack use most of it.
fn is_filled(stack: &Stack, frames: &[Frame]) -> bool {
    let lowest =
        frames.iter().map(|frame| frame.sp).find(|sp| (stack.low..stack.high).contains(sp));
    lowest.is_some_and(|sp| sp - stack.low < (stack.high - stack.low) / 4)
}

/// A recursion that has returned, by the return addresses it left on the stack.
fn left_behind(machine: &Machine<'_>, stack: &Stack) -> Option<(Pc, Exhaustion)> {
    let counts = counted(machine.kernel(), stack, |address| machine.is_text(address));
    let most = counts.values().map(|(count, _)| *count).max().filter(|most| *most >= ROUNDS)?;
    let mut round: Vec<(usize, u64)> = counts
        .iter()
        .filter(|(_, (count, _))| *count * 2 > most)
        .map(|(address, (_, first))| (*first, *address))
        .collect();
    round.sort_unstable();
    let pc = Pc::Return(round.first()?.1);
    let names =
        round.iter().take(FUNCTIONS).map(|(_, address)| name(machine, Pc::Return(*address)));
    Some((pc, Exhaustion { functions: names.collect(), frames: Some(most * round.len()) }))
}

/// How often each address of code is on a stack, and at which word first.
fn counted(
    kernel: &Kernel<'_>,
    stack: &Stack,
    is_text: impl Fn(u64) -> bool,
) -> BTreeMap<u64, (usize, usize)> {
    let mut counts = BTreeMap::new();
    for (index, (_, address)) in StackWords::new(kernel, stack.low, stack.high).enumerate() {
        if address >> 63 == 1 && is_text(address.wrapping_sub(1)) {
            counts.entry(address).or_insert((0, index)).0 += 1;
        }
    }
    counts
}
