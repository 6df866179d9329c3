// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are deleted or replaced.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;

use super::plain::by_proc;
use crate::child::{Child, Needs, attempt};
use crate::elf::Code;
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::trouble::{Step, Trouble};

pub(super) fn deleted(place: &Place<'_>) -> Step {
    attempt(&Exec::of(&by_proc(&deleted_file(place)?)))?.told(1)
}

pub(super) fn deleted_execveat(place: &Place<'_>) -> Step {
    attempt(&Exec::descriptor(deleted_file(place)?.as_fd()))?.told(1)
}

fn deleted_file(place: &Place<'_>) -> Result<File, Trouble> {
    let path = place.program("program", Code::Arguments)?;
    let file = File::open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

pub(super) fn replaced(place: &Place<'_>) -> Step {
    let program = place.program("program", Code::Wait)?;
    let path = text(&program);
    let exec = Exec::of(&path);
    let (input, go_on) = io::pipe()?;
    let work = |_: &_| {
        rustix::stdio::dup2_stdin(&input).needs("dup2")?;
        Ok(exec.make())
    };
    let mut old = Child::start(0, Box::new(work))?;
    let runs = old.executed()?;
    fs::rename(place.program("new", Code::Group)?, &program)?;
    let new = attempt(&exec);
    // The end of its input lets the old one go on.
    drop(go_on);
    let old = old.end();
    runs?;
    old?.told(1)?;
    let group = rustix::process::getegid().as_raw() & 0xff;
    new?.told(i32::try_from(group).unwrap_or_default())
}
