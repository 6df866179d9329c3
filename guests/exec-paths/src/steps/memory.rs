// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files in memory only, which have no path.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

use super::plain::by_proc;
use crate::child::attempt;
use crate::elf::{self, Code};
use crate::exec::Exec;
use crate::place::Place;
use crate::trouble::{Step, Trouble};

/// All that a file can be sealed against by a kernel of 3.17.
const SEALS: SealFlags =
    SealFlags::SEAL.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::WRITE);

pub(super) fn plain(_: &Place<'_>) -> Step {
    attempt(&Exec::descriptor(program(MemfdFlags::empty())?.as_fd()))?.told(1)
}

pub(super) fn cloexec(_: &Place<'_>) -> Step {
    attempt(&Exec::descriptor(program(MemfdFlags::CLOEXEC)?.as_fd()))?.told(1)
}

pub(super) fn sealed(_: &Place<'_>) -> Step {
    attempt(&Exec::descriptor(sealed_program(MemfdFlags::empty())?.as_fd()))?.told(1)
}

pub(super) fn sealed_cloexec(_: &Place<'_>) -> Step {
    attempt(&Exec::descriptor(sealed_program(MemfdFlags::CLOEXEC)?.as_fd()))?.told(1)
}

pub(super) fn by_proc_path(_: &Place<'_>) -> Step {
    attempt(&Exec::of(&by_proc(&program(MemfdFlags::empty())?)))?.told(1)
}

pub(super) fn script(place: &Place<'_>) -> Step {
    let file = script_file(place, MemfdFlags::empty())?;
    // Interpreter and the path by which it is to read the script.
    attempt(&Exec::descriptor(file.as_fd()))?.told(2)
}

pub(super) fn script_cloexec(place: &Place<'_>) -> Step {
    let file = script_file(place, MemfdFlags::CLOEXEC)?;
    attempt(&Exec::descriptor(file.as_fd()))?.refused(Errno::NOENT)
}

fn program(flags: MemfdFlags) -> Result<OwnedFd, Trouble> {
    file(&elf::program(Code::Arguments), flags)
}

fn sealed_program(flags: MemfdFlags) -> Result<OwnedFd, Trouble> {
    let file = program(flags | MemfdFlags::ALLOW_SEALING)?;
    fcntl_add_seals(&file, SEALS).map_err(|error| Trouble::refused("seals", error))?;
    Ok(file)
}

fn script_file(place: &Place<'_>, flags: MemfdFlags) -> Result<OwnedFd, Trouble> {
    let interpreter = place.program("interpreter", Code::Arguments)?;
    file(format!("#!{}\n", interpreter.display()).as_bytes(), flags)
}

fn file(content: &[u8], flags: MemfdFlags) -> Result<OwnedFd, Trouble> {
    let file = memfd_create("exec-paths", flags);
    let mut file = File::from(file.map_err(|error| Trouble::refused("memfd_create", error))?);
    file.write_all(content)?;
    Ok(file.into())
}
