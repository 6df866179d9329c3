// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tasks that wait for another one to finish: a worker with a work item, a thread that is to stop.
//!
//! Who flushes work puts a barrier into the worker's list, or itself into the queue's; both lie on its own
//! stack (`struct wq_barrier`, `struct wq_flusher`, `kernel/workqueue.c`).

use unwind::Frame;

use super::everybody::{Everybody, called};
use crate::claim::Claim;
use crate::diagnosis::Event;
use crate::fault::{argument_of_call, given};
use crate::flow::evaluate;
use crate::printer::CodeNames as _;
use crate::scene::Scene as _;
use kernel::tasks::Task;
use kernel::workqueues::{Pool, Running, Work};

/// Functions that wait until the thread has exited that they are given (`kernel/kthread.c`).
const STOPPING: [&str; 2] = ["kthread_stop", "kthread_stop_put"];

/// A task that another one waits for.
#[derive(Debug, Clone)]
pub(super) struct Awaited {
    /// The task.
    pub(super) task: Task,
    /// What it is to do.
    pub(super) event: Event,
    /// Whether it is sure that it is this one.
    pub(super) is_sure: bool,
    /// Why, behind the name of who waits.
    pub(super) why: Claim,
}

/// Whom the task waits for that is to finish something; `None` if for nobody that is known.
pub(super) fn awaited(all: &Everybody<'_, '_>, task: &Task, frames: &[Frame]) -> Option<Awaited> {
    stopping(all, frames).or_else(|| flushing(all, task)).or_else(|| behind(all, task, frames))
}

/// The thread that is to stop.
fn stopping(all: &Everybody<'_, '_>, frames: &[Frame]) -> Option<Awaited> {
    let is_stop = |frame: &Frame| all.machine.is_in(frame.pc.for_lookup(), &STOPPING);
    let at = frames.iter().position(is_stop)?;
    let (_, term) = argument_of_call(all.machine, frames.get(at + 1..)?)?;
    let given = given(all.machine, frames.get(at)?).or(term.observed);
    let thread = given.or_else(|| evaluate(&term, all.machine))?;
    let task = all.at(thread)?.clone();
    let why = Claim::new(Some(true)).text(format!("waits for thread `{}` to stop", called(&task)));
    let is_sure = given.is_some() || term.is_fixed();
    Some(Awaited { task, event: Event::Stop, is_sure, why })
}

/// The worker whose work is waited for: by a barrier in its list, or it does work of a queue that is waited
/// for.
fn flushing(all: &Everybody<'_, '_>, task: &Task) -> Option<Awaited> {
    let kernel = all.machine.kernel();
    let stack = kernel.task_stack(task)?;
    let is_own = |address: &u64| (stack.low..stack.high).contains(address);
    let queues = all.queues()?;
    let running = || queues.pools.iter().flat_map(|pool| &pool.running);
    // Behind other work in the list, the barrier may be for that.
    let by_barrier = || {
        let found = running().find(|it| it.scheduled.iter().any(is_own))?;
        Some((found, found.scheduled.first().is_some_and(is_own)))
    };
    let by_queue = || {
        let queue = queues.queues.iter().find(|queue| queue.flushers.iter().any(is_own))?;
        let is_of_queue = |it: &&Running| {
            let pair = it.work.pair;
            pair.is_some_and(|pair| queue.pairs.iter().any(|(own, _)| *own == pair))
        };
        let mut all = running().filter(is_of_queue);
        let first = all.next()?;
        // Of several, those that began after the wait have no part in it.
        Some((first, all.next().is_none() && first.task == task.address))
    };
    if let Some((found, is_sure)) = by_barrier().or_else(by_queue) {
        let task = all.at(found.task)?.clone();
        let why = Claim::new(Some(true)).text("waits for work that is done by ");
        let why = why.code(found.work.function);
        return Some(Awaited { task, event: Event::Work, is_sure, why });
    }
    // Work that has not begun: the CPU's workers run one at a time, unless they sleep.
    let is_waited_for = |pool: &&Pool| pool.pending.iter().any(|work| is_own(&work.address));
    let pool = queues.pools.iter().filter(|pool| pool.cpu.is_some()).find(is_waited_for)?;
    let mut on_cpu = pool.running.iter().filter_map(|it| Some((it, all.at(it.task)?)));
    let (found, task) = on_cpu.find(|(_, task)| all.is_running(task))?;
    let why = Claim::new(Some(true)).text("waits for work that has not begun on a CPU that runs ");
    let why = why.code(found.work.function);
    // Some work counts as none that keeps others away, and much short work as much as some that is long.
    Some(Awaited { task: task.clone(), event: Event::Work, is_sure: false, why })
}

/// The worker whose work that of the same module waits behind, in a queue that does so much at a time and no
/// more. Whether the task waits for that, its module alone knows.
///
/// Example: a scan is queued on an ordered work queue, and waited for by a completion; the work before it never
/// ends.
fn behind(all: &Everybody<'_, '_>, waiter: &Task, frames: &[Frame]) -> Option<Awaited> {
    let module = |address: u64| all.machine.code_name(address)?.module;
    let guilty = frames.iter().find(|frame| all.is_outside(frame))?;
    let own = module(guilty.pc.for_lookup())?;
    let queues = all.queues()?;
    let is_of_module = |work: &Work| module(work.function).as_ref() == Some(&own);
    let queue = queues.queues.iter().find(|queue| queue.inactive.iter().any(is_of_module))?;
    let waits = queue.inactive.iter().find(|work| is_of_module(work))?;
    let running = queues.pools.iter().flat_map(|pool| &pool.running);
    let is_of_queue = |it: &&Running| {
        it.work.pair.is_some_and(|pair| queue.pairs.iter().any(|(own, _)| *own == pair))
    };
    let mut running = running.filter(is_of_queue).filter(|it| it.task != waiter.address);
    let first = running.next().filter(|_| running.next().is_none())?;
    let task = all.at(first.task)?.clone();
    let why = Claim::new(Some(true)).text("may wait for ").code(waits.function);
    let why = why.text(format!(", which is queued on `{}` and waits there for ", queue.name));
    let why = why.code(first.work.function);
    Some(Awaited { task, event: Event::Work, is_sure: false, why })
}
