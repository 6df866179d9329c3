// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program by path or descriptor.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::symlink as link;

use rustix::process::chdir;

use crate::EXECUTED;
use crate::child::{Needs, attempt, attempt_after};
use crate::elf::Code;
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::trouble::Step;

pub(super) fn execve(place: &Place<'_>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    attempt(&Exec::of(&path).arguments(&[&path, c"a", c"b"]))?.told(3)
}

pub(super) fn relative(place: &Place<'_>) -> Step {
    place.program("program", Code::Arguments)?;
    attempt_after(&Exec::of(c"program"), || chdir(place.folder()).needs("chdir"))?.told(1)
}

pub(super) fn symlink(place: &Place<'_>) -> Step {
    let program = place.program("program", Code::Arguments)?;
    link(program, place.path("link"))?;
    attempt(&Exec::of(&text(place.path("link"))))?.told(1)
}

pub(super) fn execveat_folder(place: &Place<'_>) -> Step {
    place.program("program", Code::Arguments)?;
    let folder = File::open(place.folder())?;
    attempt(&Exec::at(folder.as_fd(), c"program", 0))?.told(1)
}

pub(super) fn execveat_empty_path(place: &Place<'_>) -> Step {
    let program = File::open(place.program("program", Code::Arguments)?)?;
    attempt(&Exec::descriptor(program.as_fd()))?.told(1)
}

pub(super) fn proc_self_fd(place: &Place<'_>) -> Step {
    let program = File::open(place.program("program", Code::Arguments)?)?;
    attempt(&Exec::of(&by_proc(&program)))?.told(1)
}

pub(super) fn proc_self_exe(_: &Place<'_>) -> Step {
    let (path, executed) = (c"/proc/self/exe", text(EXECUTED));
    attempt(&Exec::of(path).arguments(&[path, &executed]))?.told(2)
}

/// The path by which a process names a file that it has open.
pub(super) fn by_proc(file: &impl AsRawFd) -> std::ffi::CString {
    text(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
