// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kinds of ELF files.

use rustix::io::Errno;

use crate::child::{End, attempt};
use crate::elf::{self, Code};
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::trouble::{Step, Trouble};

pub(super) fn elf_32(place: &Place<'_>) -> Step {
    match run(place, &elf::program_32())? {
        End::Refused(Errno::NOEXEC) => {
            Err(Trouble::Skipped("this kernel runs no 32-bit programs".to_owned()))
        }
        end => end.told(1),
    }
}

pub(super) fn interpreter(place: &Place<'_>) -> Step {
    let path = place.file("interpreter", &elf::movable(Code::Arguments), 0o755)?;
    run(place, &elf::interpreted(text(path).as_bytes()))?.told(1)
}

pub(super) fn no_interpreter(place: &Place<'_>) -> Step {
    run(place, &elf::interpreted(text(place.path("missing")).as_bytes()))?.refused(Errno::NOENT)
}

pub(super) fn movable(place: &Place<'_>) -> Step {
    run(place, &elf::movable(Code::Arguments))?.told(1)
}

fn run(place: &Place<'_>, program: &[u8]) -> Result<End, Trouble> {
    attempt(&Exec::of(&text(place.file("program", program, 0o755)?)))
}
