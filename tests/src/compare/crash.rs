// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report beside `crash`'s word.

use std::path::Path;

use analyzer::report::{Confidence, CrashKind, Frame, Report, Trust, Verdict};
use anyhow::{Context as _, Result, anyhow, ensure};
use harness::map::Map;
use kernel::Kernel;
use vmcore::Vmcore;

use super::{Count, number};
use crate::dump::Dump;
use crate::oops::without_time;
use crate::peers::crash::{self, Backtrace, Crash, Module};
use crate::symbols::Symbols;

/// Compares a report with all that `crash` says of its dump, and the dump's log also with what
/// `makedumpfile` wrote in the capture kernel.
///
/// # Errors
/// They differ, or `crash` cannot be had.
pub fn all(dump: &Dump, report: &Report, dmesg: &str, compared: &mut Count) -> Result<()> {
    let files = dump.module_files(report);
    let modules: Vec<_> =
        files.iter().map(|(name, file)| (name.as_str(), file.as_path())).collect();
    let expression = report.verdict.expression.as_deref();
    let expression = expression.filter(|expression| is_global(expression, dump, &modules));
    let theirs = crash::ask(&dump.vmcore, &dump.vmlinux, &modules, expression)?;
    stack(report, &theirs.bt, compared)?;
    system(report, &theirs, compared)?;
    log(dump, &[("crash", &theirs.log), ("makedumpfile", dmesg)], compared)?;
    value(&report.verdict, theirs.value, compared)
}

/// Whether an expression begins with a global variable: `crash` knows no variables of functions.
fn is_global(expression: &str, dump: &Dump, modules: &[(&str, &Path)]) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let name = expression.split(|c| !is_part(c)).next().unwrap_or_default();
    let files = modules.iter().map(|&(_, file)| file).chain([dump.vmlinux.as_path()]);
    let mut symbols = files.filter_map(|file| Symbols::read(file).ok());
    !name.is_empty() && symbols.any(|symbols| symbols.only(name).is_ok())
}

/// Compares the fault view with `bt`: its return addresses are there in the same order. `crash`
/// has more, since it also shows stale words of the stack.
fn stack(report: &Report, bt: &Backtrace, compared: &mut Count) -> Result<()> {
    // Interrupted code has no return address; `crash` shows it in a line of another form.
    let is_call = |frame: &&Frame| !frame.inlined && frame.trust != Trust::Exact;
    let frames = report.backtraces.fault.iter().filter(is_call);
    let mut theirs = bt.addresses.iter();
    let fault = report.backtraces.fault.first().and_then(|frame| frame.address.as_deref());
    if let Some(&rip) = bt.exception.get("RIP") {
        compared.same("RIP of the exception", &fault.and_then(number), &Some(rip))?;
    }
    for frame in frames {
        let address = frame.address.as_deref().and_then(number).context("no address")?;
        let mut rest = theirs.clone();
        let found = rest.any(|&theirs| theirs == address);
        // Where an interrupt came in, `crash` goes from the interrupt's stack to the interrupted
        // code and may leave out the stub between them (`asm_sysvec_apic_timer_interrupt`), which
        // drgn and the kernel's own trace show.
        if !found && frame.boundary.as_deref().is_some_and(|end| !end.starts_with("user mode")) {
            continue;
        }
        theirs = rest;
        ensure!(found, "frame {frame:?} is not in {:x?}", bt.addresses);
        compared.same("return address", &found, &true)?;
    }
    Ok(())
}

/// Compares `sys`, `mod` and the head of `bt`.
fn system(report: &Report, theirs: &Crash, compared: &mut Count) -> Result<()> {
    let task = report.task.as_ref().context("no task")?;
    compared.same("pid", &task.pid, &Some(theirs.bt.pid))?;
    compared.same("comm", &task.comm.as_ref(), &Some(&theirs.bt.command))?;
    compared.same("cpu", &task.cpu, &Some(theirs.bt.cpu))?;
    compared.same("task", &task.address.as_deref().and_then(number), &Some(theirs.bt.task))?;
    let kernel = &report.kernel;
    let sys = |label: &str| theirs.sys.get(label).cloned();
    compared.same("CPUS", &kernel.cpus.map(|cpus| cpus.to_string()), &sys("CPUS"))?;
    compared.same("NODENAME", &kernel.nodename, &sys("NODENAME"))?;
    compared.same("RELEASE", &kernel.release, &sys("RELEASE"))?;
    compared.same("VERSION", &kernel.version, &sys("VERSION"))?;
    let machine = sys("MACHINE").and_then(|text| Some(text.split_whitespace().next()?.to_owned()));
    compared.same("MACHINE", &kernel.machine, &machine)?;
    compared.same("UPTIME", &kernel.uptime_seconds, &sys("UPTIME").as_deref().and_then(seconds))?;
    let mut ours = report.modules.iter().map(module).collect::<Option<Vec<_>>>();
    if let Some(ours) = &mut ours {
        ours.sort();
    }
    let mut modules = theirs.modules.clone();
    modules.sort();
    compared.same("mod", &ours, &Some(modules))
}

fn module(ours: &analyzer::report::Module) -> Option<Module> {
    let base = number(ours.base.as_deref()?)?;
    Some(Module { name: ours.name.clone(), base, size: ours.size? })
}

/// `00:00:03`, `2 days, 00:00:03`.
fn seconds(text: &str) -> Option<u64> {
    let (days, time) = match text.split_once(" days, ") {
        Some((days, time)) => (days.parse().ok()?, time),
        None => (0, text),
    };
    let parts = time.split(':').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    Some(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
}

/// Compares the kernel's log, line for line, with logs that others read: who, and what.
fn log(dump: &Dump, logs: &[(&str, &str)], compared: &mut Count) -> Result<()> {
    let map = Map::open(&dump.vmcore)?;
    let vmlinux = Map::open(&dump.vmlinux)?;
    let bytes = &map[..];
    let vmcore = Vmcore::open(&bytes)?;
    let kernel = Kernel::open(&vmcore, Some((&vmlinux[..]).into()))?;
    let listing = kernel.log().map_err(|missing| anyhow!("our log: {missing:?}"))?;
    let ours: Vec<&str> = listing.items.iter().flat_map(|line| line.text.lines()).collect();
    for (who, log) in logs {
        let theirs: Vec<&str> = log.lines().map(without_time).collect();
        for (line, (ours, theirs)) in (1..).zip(ours.iter().zip(&theirs)) {
            // Both indent the further lines of a record below its time.
            let what = format!("line {line} of the log, beside {who}");
            compared.same(&what, &ours.trim(), &theirs.trim())?;
        }
        compared.same("lines of the log", &ours.len(), &theirs.len())?;
    }
    Ok(())
}

/// Compares the value of the verdict's expression, evaluated by gdb.
fn value(verdict: &Verdict, theirs: Option<u64>, compared: &mut Count) -> Result<()> {
    let is_null =
        matches!(verdict.kind, CrashKind::NullCall | CrashKind::NullRead | CrashKind::NullWrite);
    match theirs {
        Some(theirs) if verdict.confidence == Confidence::Proven && is_null => {
            compared.same("value of the expression", &0, &theirs)
        }
        _ => Ok(()),
    }
}
