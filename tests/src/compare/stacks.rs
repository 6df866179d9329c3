// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stack of every task of a dump beside drgn's: return addresses, functions, inlined ones too,
//! and lines.
//!
//! Two things are no deviations, but a matter of what is shown. On the CPU that crashed we begin
//! where the capture kernel was entered and pass the fault; drgn begins at the fault. And drgn goes
//! one frame further than us: the program in user space that called the kernel.

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::Count;
use crate::deviations::{Deviation, Evidence, Known, Parted};
use crate::dump::Dump;
use crate::peers::drgn::{self, Frame as Theirs, Stack};
use crate::symbols::Symbols;

/// What came of it.
#[derive(Debug, Default)]
pub struct Compared {
    /// Tasks.
    pub tasks: usize,
    /// Return addresses that are the same.
    pub addresses: Count,
    /// Functions and lines that are the same.
    pub places: Count,
    /// Where we part, each explained by the table of known deviations.
    pub deviations: Vec<Deviation>,
}

/// Our stack of a task.
#[derive(Debug, Deserialize)]
struct Ours {
    pid: i32,
    task: String,
    frames: Vec<Line>,
    user: Option<Vec<(String, String)>>,
}

/// One of our frames: code that was called or interrupted.
#[derive(Debug, Deserialize)]
struct Line {
    address: String,
    source: Vec<Source>,
}

#[derive(Debug, Deserialize)]
struct Source {
    function: String,
    place: String,
    inlined: bool,
}

/// Compares the stacks of all tasks.
///
/// # Errors
/// They differ in a way that the table does not know, or drgn cannot be had.
pub fn all(dump: &Dump, evidence: Evidence<'_>) -> Result<Compared> {
    let files = dump.debug_files(evidence.report);
    let files: Vec<_> = files.iter().map(AsRef::as_ref).collect();
    let theirs = drgn::stacks(&dump.vmcore, &files)?;
    let answer = dump.command("foreach bt -l")?;
    let ours: Vec<Ours> = serde_json::from_value(answer["tasks"].clone())?;
    let (kernel, known) = (Symbols::read(&dump.vmlinux)?, Known::load()?);
    let mut compared = Compared::default();
    ensure!(ours.len() == theirs.len(), "{} tasks, drgn has {}", ours.len(), theirs.len());
    for theirs in &theirs {
        let mine = ours.iter().find(|mine| hex(&mine.task) == Some(theirs.task));
        let mine = mine.with_context(|| format!("no task {:#x}", theirs.task))?;
        ensure!(mine.pid == theirs.pid, "{theirs:?} is pid {}", mine.pid);
        compared.tasks += 1;
        if let Err(error) = one(mine, theirs, &kernel, &mut compared) {
            let error = error.context(format!("pid {} ({})", theirs.pid, theirs.comm));
            let parted = Parted { ours: mine.frames.len(), theirs };
            compared.deviations.push(known.explain(evidence, parted, error)?);
        }
    }
    Ok(compared)
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

fn one(ours: &Ours, theirs: &Stack, kernel: &Symbols, compared: &mut Compared) -> Result<()> {
    let mut calls = calls(&theirs.frames);
    let user = ours.user.iter().flatten().find(|(name, _)| name == "RIP");
    let user = user.and_then(|(_, value)| hex(value));
    if user.is_some() && calls.last().is_some_and(|call| pc(call) == user) {
        calls.pop();
    }
    let frames = from_fault(&ours.frames, calls.first().and_then(|call| pc(call)));
    let addresses = |line: &Line| hex(&line.address);
    let mine: Vec<_> = frames.iter().map(addresses).collect();
    let yours: Vec<_> = calls.iter().map(|call| pc(call)).collect();
    let first = mine.iter().zip(&yours).take_while(|(mine, yours)| mine == yours).count();
    ensure!(
        mine == yours,
        "the first {first} frames are the same, then ours are {:x?}, drgn's {:x?}",
        &mine[first..],
        &yours[first..]
    );
    for (frame, call) in frames.iter().zip(&calls) {
        compared.addresses.same("address", &addresses(frame), &pc(call))?;
        places(frame, call, kernel, &mut compared.places)
            .with_context(|| format!("at {}", frame.address))?;
    }
    Ok(())
}

/// Groups of frames that are one piece of code: functions inlined there, then the function.
fn calls(frames: &[Theirs]) -> Vec<&[Theirs]> {
    frames.split_inclusive(|frame| !frame.inlined).collect()
}

fn pc(call: &[Theirs]) -> Option<u64> {
    call.last()?.pc
}

/// Our frames from the one on where drgn begins.
fn from_fault(frames: &[Line], first: Option<u64>) -> &[Line] {
    let begins = frames.iter().position(|line| hex(&line.address) == first);
    &frames[begins.unwrap_or_default()..]
}

/// Compares the functions at an address and their lines, where there is debug information.
fn places(ours: &Line, theirs: &[Theirs], kernel: &Symbols, compared: &mut Count) -> Result<()> {
    let theirs: Vec<_> = theirs.iter().filter(|frame| frame.file.is_some()).collect();
    compared.same("inlined functions", &ours.source.len(), &theirs.len())?;
    for (ours, theirs) in ours.source.iter().zip(theirs) {
        compared.same("inlined", &ours.inlined, &theirs.inlined)?;
        let file = theirs.file.as_deref().unwrap_or_default();
        let place = format!("{file}: {}", theirs.line.unwrap_or_default());
        compared.same("line", &ours.place, &place)?;
        if ours.function == theirs.name {
            compared.same("function", &ours.function, &theirs.name)?;
        } else {
            label(&ours.function, theirs, kernel, compared)?;
        }
    }
    Ok(())
}

/// Assembly has labels within its functions; ours is the nearest below the address, drgn's the one
/// whose size covers it. Ours then lies within theirs and is the same code.
fn label(ours: &str, theirs: &Theirs, kernel: &Symbols, compared: &mut Count) -> Result<()> {
    let (inner, outer) = (kernel.only(ours)?, kernel.only(&theirs.name)?);
    let offset = theirs.offset.context("drgn has no offset")?;
    let place = outer.address.wrapping_add(offset);
    ensure!(
        inner.section == outer.section && (outer.address..=place).contains(&inner.address),
        "{ours} is no label of {} before its byte {offset:#x}",
        theirs.name
    );
    compared.same("symbol", &theirs.symbol.as_deref(), &Some(&*theirs.name))
}
