// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that are kept apart from others.

use rustix::io::Errno;
use rustix::process::chroot as change_root;
use rustix::thread::{UnshareFlags, set_no_new_privs, unshare_unsafe};

use crate::child::{Child, Needs, Refused, attempt_after};
use crate::elf::Code;
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::syscall::{self, CLONE_NEWPID, EXECVE, Instruction};
use crate::trouble::Step;

/// Instructions of seccomp filters (include/uapi/linux/{bpf_common,seccomp}.h): load the number of
/// the system call, compare, return.
const LOAD: u16 = 0x20;
const IS: u16 = 0x15;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const ERROR: u32 = 0x0005_0000;

pub(super) fn mounts(place: &Place<'_>) -> Step {
    after(place, || apart(UnshareFlags::NEWNS, "a mount namespace"))
}

pub(super) fn users(place: &Place<'_>) -> Step {
    after(place, || apart(UnshareFlags::NEWUSER, "a user namespace"))
}

pub(super) fn pids(place: &Place<'_>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    let exec = Exec::of(&path);
    Child::start(CLONE_NEWPID, Box::new(|_| Ok(exec.make())))?.end()?.told(1)
}

pub(super) fn chroot(place: &Place<'_>) -> Step {
    place.program("program", Code::Arguments)?;
    let before = || change_root(place.folder()).needs("chroot");
    attempt_after(&Exec::of(c"/program"), before)?.told(1)
}

pub(super) fn no_new_privs(place: &Place<'_>) -> Step {
    after(place, gain_nothing)
}

pub(super) fn filter(place: &Place<'_>) -> Step {
    after(place, || filtered(ALLOW))
}

pub(super) fn filter_refuses(place: &Place<'_>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    let refuse = ERROR | Errno::PERM.raw_os_error().cast_unsigned();
    attempt_after(&Exec::of(&path), || filtered(refuse))?.refused(Errno::PERM)
}

fn after(place: &Place<'_>, before: impl FnOnce() -> Result<(), Refused>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    attempt_after(&Exec::of(&path), before)?.told(1)
}

fn apart(flags: UnshareFlags, what: &'static str) -> Result<(), Refused> {
    // SAFETY: descriptors stay as they are, and this process has no other thread.
    unsafe { unshare_unsafe(flags) }.needs(what)
}

fn gain_nothing() -> Result<(), Refused> {
    set_no_new_privs(true).needs("no_new_privs")
}

/// Lets a filter answer to execve(2) in this way, and allow all else.
fn filtered(answer: u32) -> Result<(), Refused> {
    let step = |code, value| Instruction { code, if_true: 0, if_false: 0, value };
    let execve = u32::try_from(EXECVE).unwrap_or(u32::MAX);
    let filter = [
        step(LOAD, 0),
        Instruction { code: IS, if_true: 0, if_false: 1, value: execve },
        step(RETURN, answer),
        step(RETURN, ALLOW),
    ];
    gain_nothing()?;
    syscall::filter_calls(&filter).needs("seccomp")
}
