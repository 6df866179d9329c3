// SPDX-License-Identifier: MIT OR Apache-2.0
//! Threads of which one executes something, which ends the others (`de_thread()`).

use std::cell::UnsafeCell;
use std::ffi::c_void;

use rustix::io::Errno;

use crate::child::{Child, Needs, Refused, Teller};
use crate::elf::Code;
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::syscall::{
    self, CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_THREAD, CLONE_VM, wait_forever,
};
use crate::trouble::Step;

/// Threads that wait, and threads that execute at once.
const WAITING: usize = 15;
const RACING: usize = 8;
/// A thread makes one system call: 16 KiB, aligned as the processor wants it.
const STACK_WORDS: usize = 1 << 10;

/// The stack of a task.
pub(super) struct Stack(Box<UnsafeCell<[u128; STACK_WORDS]>>);

impl Stack {
    pub(super) fn new() -> Self {
        Self(Box::new(UnsafeCell::new([0; STACK_WORDS])))
    }

    /// Where it begins to grow downwards.
    pub(super) fn end(&self) -> *mut u8 {
        self.0.get().wrapping_add(1).cast()
    }
}

pub(super) fn one(place: &Place<'_>) -> Step {
    threads(place, WAITING, 1)
}

pub(super) fn race(place: &Place<'_>) -> Step {
    threads(place, 0, RACING)
}

/// What a thread that executes something needs.
struct Task<'a> {
    exec: Exec<'a>,
    teller: &'a Teller,
}

fn threads(place: &Place<'_>, waiting: usize, executing: usize) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    let stacks: Vec<Stack> = (0..waiting + executing).map(|_| Stack::new()).collect();
    let work = |teller: &Teller| {
        let task = Task { exec: Exec::of(&path), teller };
        let (waiting, executing) = stacks.split_at(waiting);
        waiting.iter().try_for_each(|stack| start(stack, waits, &task))?;
        let mut executing = executing.iter().map(|stack| start(stack, executes, &task));
        executing.next().transpose()?;
        // Once one has executed something, no further one can start.
        let _ = executing.try_for_each(|started| started);
        // The first thread is one of those that end.
        wait_forever()
    };
    Child::start(0, Box::new(work))?.end()?.told(1)
}

fn start(
    stack: &Stack,
    work: extern "C" fn(*const c_void) -> !,
    task: &Task<'_>,
) -> Result<(), Refused> {
    let flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    // SAFETY: stacks and task live in the first thread, which waits until the process is another.
    let started =
        unsafe { syscall::clone_into(flags, stack.end(), work, std::ptr::from_ref(task).cast()) };
    started.map(drop).needs("clone of a thread")
}

extern "C" fn waits(_: *const c_void) -> ! {
    wait_forever()
}

extern "C" fn executes(argument: *const c_void) -> ! {
    // SAFETY: it is a `Task` that the first thread holds.
    let task: &Task<'_> = unsafe { &*argument.cast() };
    match task.exec.make() {
        // Another one was faster, and this thread is about to end.
        Errno::INTR | Errno::AGAIN => wait_forever(),
        error => task.teller.end(error),
    }
}
