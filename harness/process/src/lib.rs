// SPDX-License-Identifier: MIT OR Apache-2.0
//! Child processes that never outlive this one.

#![deny(unsafe_code)]

pub mod helper;

use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::FdFlags;
use rustix::process::{Pid, Resource, Rlimit, Signal};

/// Makes the kernel send `signal` to the child when the thread that starts it ends, whatever
/// ends it, SIGKILL included.
///
/// The tie is to the starting *thread* (`PR_SET_PDEATHSIG`, prctl(2)): start children from a
/// thread that lives at least as long as they should.
pub fn tie_to_parent(command: &mut Command, signal: Signal) -> &mut Command {
    prepare_child(command, signal, Vec::new())
}

/// Like [`tie_to_parent`], and leaves the given descriptors open in the child, under the numbers
/// they have here. The caller keeps them open until the child is started.
pub fn prepare_child(command: &mut Command, signal: Signal, keep_open: Vec<RawFd>) -> &mut Command {
    let parent = rustix::process::getpid();
    let setup = move || child_setup(parent, signal, &keep_open);
    // SAFETY: the closure runs between fork and exec. It only makes system calls (prctl, getppid,
    // fcntl) through rustix, which neither allocates nor locks, and touches memory that it owns.
    #[expect(unsafe_code, reason = "pre_exec is the only hook between fork and exec")]
    unsafe {
        command.pre_exec(setup)
    }
}

fn child_setup(parent: Pid, signal: Signal, keep_open: &[RawFd]) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(signal))?;
    // The parent may have died before the call above; then nothing would ever end this child.
    if rustix::process::getppid() != Some(parent) {
        return Err(io::ErrorKind::NotConnected.into());
    }
    // A program that aborts (QEMU does when KVM fails it) leaves no core file of its whole guest.
    let no_core = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, no_core)?;
    for fd in keep_open {
        // SAFETY: the caller keeps the descriptor open until the child is started, and the child
        // has a copy of it.
        #[expect(unsafe_code, reason = "a number has to become a descriptor")]
        let fd = unsafe { rustix::fd::BorrowedFd::borrow_raw(*fd) };
        rustix::io::fcntl_setfd(fd, FdFlags::empty())?;
    }
    Ok(())
}
