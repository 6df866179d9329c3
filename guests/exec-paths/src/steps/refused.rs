// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel does not execute, each with its own error.

use std::fs::OpenOptions;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::child::attempt;
use crate::elf::{self, Code};
use crate::exec::{AT_SYMLINK_NOFOLLOW, Exec, text};
use crate::place::Place;
use crate::trouble::Step;

/// One more than a name may have (`NAME_MAX`).
const NAME_TOO_LONG: usize = 256;
/// Within the header of an ELF file.
const CUT: usize = 40;
/// A flag that execveat(2) does not have.
const NO_FLAG: usize = 0x4000_0000;
/// A descriptor that nobody has open, and addresses that nobody has mapped.
const NOT_OPEN: i32 = 1 << 20;
const NOT_MAPPED: usize = 8;

pub(super) fn missing(place: &Place<'_>) -> Step {
    is_refused(place.path("missing"), Errno::NOENT)
}

pub(super) fn empty_path(_: &Place<'_>) -> Step {
    is_refused(PathBuf::new(), Errno::NOENT)
}

pub(super) fn not_executable(place: &Place<'_>) -> Step {
    is_refused(place.file("program", &elf::program(Code::Arguments), 0o644)?, Errno::ACCESS)
}

pub(super) fn folder(place: &Place<'_>) -> Step {
    is_refused(place.inner("folder")?, Errno::ACCESS)
}

pub(super) fn device(_: &Place<'_>) -> Step {
    is_refused("/dev/null".into(), Errno::ACCESS)
}

pub(super) fn unknown_format(place: &Place<'_>) -> Step {
    is_refused(place.file("text", b"neither a program nor a script\n", 0o755)?, Errno::NOEXEC)
}

pub(super) fn empty_file(place: &Place<'_>) -> Step {
    is_refused(place.file("empty", b"", 0o755)?, Errno::NOEXEC)
}

pub(super) fn elf_cut(place: &Place<'_>) -> Step {
    let program = elf::program(Code::Arguments);
    is_refused(place.file("cut", program.get(..CUT).unwrap_or_default(), 0o755)?, Errno::NOEXEC)
}

pub(super) fn elf_other_machine(place: &Place<'_>) -> Step {
    is_refused(place.file("foreign", &elf::foreign(), 0o755)?, Errno::NOEXEC)
}

pub(super) fn file_as_folder(place: &Place<'_>) -> Step {
    is_refused(place.program("program", Code::Arguments)?.join("program"), Errno::NOTDIR)
}

pub(super) fn symlink_circle(place: &Place<'_>) -> Step {
    symlink("circle", place.path("circle"))?;
    is_refused(place.path("circle"), Errno::LOOP)
}

pub(super) fn symlink_not_followed(place: &Place<'_>) -> Step {
    symlink(place.program("program", Code::Arguments)?, place.path("link"))?;
    let folder = std::fs::File::open(place.folder())?;
    attempt(&Exec::at(folder.as_fd(), c"link", AT_SYMLINK_NOFOLLOW))?.refused(Errno::LOOP)
}

pub(super) fn name_too_long(place: &Place<'_>) -> Step {
    is_refused(place.path(&"a".repeat(NAME_TOO_LONG)), Errno::NAMETOOLONG)
}

pub(super) fn busy_file(place: &Place<'_>) -> Step {
    let path = place.program("program", Code::Arguments)?;
    let _writer = OpenOptions::new().append(true).open(&path)?;
    is_refused(path, Errno::TXTBSY)
}

pub(super) fn bad_flags(place: &Place<'_>) -> Step {
    place.program("program", Code::Arguments)?;
    let folder = std::fs::File::open(place.folder())?;
    attempt(&Exec::at(folder.as_fd(), c"program", NO_FLAG))?.refused(Errno::INVAL)
}

pub(super) fn bad_descriptor(_: &Place<'_>) -> Step {
    // SAFETY: nothing is done with it but this call, which refuses it.
    let descriptor = unsafe { BorrowedFd::borrow_raw(NOT_OPEN) };
    attempt(&Exec::at(descriptor, c"program", 0))?.refused(Errno::BADF)
}

pub(super) fn bad_path_pointer(_: &Place<'_>) -> Step {
    attempt(&Exec::of(c"").path_at(NOT_MAPPED))?.refused(Errno::FAULT)
}

pub(super) fn bad_argument_pointer(place: &Place<'_>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    attempt(&Exec::of(&path).arguments_at(NOT_MAPPED))?.refused(Errno::FAULT)
}

fn is_refused(path: PathBuf, error: Errno) -> Step {
    attempt(&Exec::of(&text(path)))?.refused(error)
}
