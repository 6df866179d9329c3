// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report beside drgn's word.

use analyzer::report::{Frame, Report};
use anyhow::{Context as _, Result, bail, ensure};

use super::{Count, number};
use crate::dump::Dump;
use crate::peers::drgn::{self, Drgn, Frame as Theirs};
use crate::symbols::Symbols;

/// Compares a report with all that drgn says of its dump.
///
/// # Errors
/// They differ, or drgn cannot be had.
pub fn all(dump: &Dump, report: &Report, compared: &mut Count) -> Result<()> {
    let modules = dump.module_files(report);
    let mut debug_info = vec![dump.vmlinux.as_path()];
    debug_info.extend(modules.iter().map(|(_, file)| file.as_path()));
    let theirs = drgn::ask(&dump.vmcore, &debug_info)?;
    let kernel = Symbols::read(&dump.vmlinux)?;
    stack(view(report, &theirs.frames)?, &theirs.frames, &kernel, compared)?;
    system(report, &theirs, &kernel, compared)
}

/// The view that begins where drgn's stack does: with the registers that the dump has of the CPU.
/// Those are a fault's, or, where the kernel called `panic()` itself, those of the panic path, of
/// which the fault view is the outer part.
fn view<'r>(report: &'r Report, theirs: &[Theirs]) -> Result<&'r [Frame]> {
    let (fault, panic) = (&report.backtraces.fault, &report.backtraces.panic);
    let first = |frames: &[Frame]| frames.first()?.address.as_deref().and_then(number);
    if first(fault) == theirs.first().and_then(|frame| frame.pc) {
        return Ok(fault);
    }
    let place = |frame: &Frame| (frame.address.clone(), frame.function.clone());
    let outer = panic.iter().rev().map(place).take(fault.len());
    ensure!(outer.eq(fault.iter().rev().map(place)), "the fault view is no part of the panic path");
    Ok(panic)
}

/// Compares the fault view with drgn's stack, frame for frame: from the fault to the entry from
/// user space, or to the end.
fn stack(ours: &[Frame], theirs: &[Theirs], kernel: &Symbols, compared: &mut Count) -> Result<()> {
    ensure!(!ours.is_empty(), "no frames");
    for (ours, theirs) in ours.iter().zip(theirs) {
        frame(ours, theirs, kernel, compared)
            .with_context(|| format!("ours: {ours:?}\ntheirs: {theirs:?}"))?;
    }
    let end = ours.last().and_then(|frame| frame.boundary.as_deref());
    let user = end.and_then(|end| end.strip_prefix("user mode, rip "));
    match (user, theirs.get(ours.len()..)) {
        // drgn goes one frame further than us: the interrupted program is no kernel code.
        (Some(rip), Some([program])) => {
            compared.same("program counter in user space", &number(rip), &program.pc)
        }
        (None, Some([])) => compared.same("frames", &ours.len(), &theirs.len()),
        (_, rest) => bail!("after our last frame, which ends at {end:?}, drgn has {rest:?}"),
    }
}

fn frame(ours: &Frame, theirs: &Theirs, kernel: &Symbols, compared: &mut Count) -> Result<()> {
    let address = ours.address.as_deref().and_then(number);
    compared.same("address", &address, &theirs.pc)?;
    compared.same("inlined", &ours.inlined, &theirs.inlined)?;
    compared.same("file", &ours.file, &theirs.file)?;
    compared.same("line", &ours.line, &theirs.line)?;
    arguments(ours, theirs, compared)?;
    match ours.function.as_deref() {
        None => compared.same("name of an address", &address, &number(&theirs.name)),
        Some(name) if name == theirs.name => compared.same("function", &name, &&*theirs.name),
        Some(name) => labels(name, ours, theirs, kernel, compared),
    }
}

/// Compares the arguments that both know. Of those that drgn lost we may know more: what the caller
/// passed.
fn arguments(ours: &Frame, theirs: &Theirs, compared: &mut Count) -> Result<()> {
    for argument in &ours.arguments {
        let Some((name, value)) = argument.split_once('=') else { continue };
        let first = value.split([' ', '<']).next().unwrap_or_default();
        let value = match first {
            "NULL" | "false" => Some(0),
            "true" => Some(1),
            text => number(text).or_else(|| {
                let signed = text.parse::<i64>().ok();
                signed.map(i64::cast_unsigned)
            }),
        };
        if let (Some(value), Some(their)) = (value, theirs.values.get(name)) {
            compared.same(&format!("argument {name}"), &value, their)?;
        }
    }
    Ok(())
}

/// Assembly has labels within its functions, and each of us has a rule for which of them names the
/// code: of `entry_SYSCALL_64` + 0xa6, which is `entry_SYSCALL_64_after_hwframe` + 0x6e, drgn takes
/// the one whose size covers the address, we the nearest below it, as the kernel's own trace does.
/// Both have to be the same place.
fn labels(
    name: &str,
    ours: &Frame,
    theirs: &Theirs,
    kernel: &Symbols,
    compared: &mut Count,
) -> Result<()> {
    compared.same("symbol", &ours.symbol.as_deref(), &Some(name))?;
    compared.same("symbol", &theirs.symbol.as_deref(), &Some(&*theirs.name))?;
    let offset = ours.offset.as_deref().and_then(number).context("no offset")?;
    let their_offset = theirs.offset.context("no offset")?;
    let place = kernel.only(name)?.address.wrapping_add(offset);
    let their_place = kernel.only(&theirs.name)?.address.wrapping_add(their_offset);
    compared.same("place of a label", &place, &their_place)
}

/// Compares what is known of the system.
fn system(report: &Report, theirs: &Drgn, kernel: &Symbols, compared: &mut Count) -> Result<()> {
    let task = report.task.as_ref().context("no task")?;
    compared.same("pid", &task.pid, &Some(theirs.pid))?;
    compared.same("comm", &task.comm, &Some(theirs.comm.clone()))?;
    compared.same("task", &task.address.as_deref().and_then(number), &Some(theirs.task))?;
    let ours = &report.kernel;
    let fields = [
        ("nodename", &ours.nodename),
        ("release", &ours.release),
        ("version", &ours.version),
        ("machine", &ours.machine),
    ];
    for (name, value) in fields {
        compared.same(name, &value.as_ref(), &theirs.uts.get(name))?;
    }
    compared.same("cpus", &ours.cpus, &Some(theirs.cpus))?;
    let slide = theirs.stext.wrapping_sub(kernel.only("_stext")?.address);
    compared.same("kaslr", &ours.kaslr_offset.as_deref().and_then(number), &Some(slide))?;
    compared.same("build-id", &ours.build_id, &kernel.build_id)?;
    let modules: Vec<_> = report.modules.iter().map(|module| module.name.clone()).collect();
    compared.same("modules", &modules, &theirs.modules)
}
