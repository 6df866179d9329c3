// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report beside the kernel's own account of its crash.

use analyzer::context::{crashing, walks};
use analyzer::machine::Machine;
use analyzer::report::{Frame, Report};
use anyhow::{Context as _, Result};
use harness::map::Map;
use harness::run::outcome::RunResult;
use kernel::Kernel;
use unwind::Register;
use vmcore::Vmcore;

use super::{Count, number};
use crate::dump::Dump;
use crate::oops::{Code, Loaded, Oops};

/// Compares message, task, kernel, modules and the fault view.
///
/// # Errors
/// They differ.
pub fn report(report: &Report, theirs: &Oops, compared: &mut Count) -> Result<()> {
    let message = report.panic.message.as_deref();
    compared.same("message", &message, &Some(&*theirs.headline))?;
    let task = report.task.as_ref().context("no task")?;
    compared.same("pid", &task.pid, &theirs.pid)?;
    compared.same("comm", &task.comm, &theirs.comm)?;
    compared.same("cpu", &task.cpu, &theirs.cpu)?;
    compared.same("release", &report.kernel.release, &theirs.release)?;
    compared.same("taint", &report.kernel.taint, &theirs.taint)?;
    let loaded = report.modules.iter().map(|module| Loaded {
        name: module.name.clone(),
        taint: module.taint.clone().filter(|taint| !taint.is_empty()),
    });
    compared.same("modules", &loaded.collect::<Vec<_>>(), &theirs.modules)?;
    let frames = report.backtraces.fault.iter().filter(|frame| !frame.inlined);
    let ours = frames.map(code).collect::<Option<Vec<_>>>().context("a frame without a place")?;
    compared.same("trace", &ours, &theirs.trace)?;
    let end = report.backtraces.fault.last().and_then(|frame| frame.boundary.as_deref());
    let user = end.and_then(|end| number(end.strip_prefix("user mode, rip ")?));
    compared.same("program counter in user space", &user, &theirs.user)
}

fn code(frame: &Frame) -> Option<Code> {
    let field = |value: &Option<String>| number(value.as_deref()?);
    Some(match &frame.symbol {
        None => Code::Address(field(&frame.address)?),
        Some(symbol) => Code::Symbol {
            symbol: symbol.clone(),
            offset: field(&frame.offset)?,
            size: field(&frame.size)?,
            module: frame.module.clone(),
        },
    })
}

/// Compares the size of memory with what the kernel counted at boot:
/// `Memory: 260916K/1048032K available`.
///
/// # Errors
/// They differ.
pub fn memory(report: &Report, log: &str, compared: &mut Count) -> Result<()> {
    let line = log.lines().find_map(|line| line.split_once("Memory: ").map(|(_, rest)| rest));
    let total = line.and_then(|rest| rest.split(['/', 'K']).nth(2)?.parse::<u64>().ok());
    let total = total.context("the kernel does not say how much memory there is")?;
    let ours = report.kernel.memory_bytes.map(|bytes| bytes / 1024);
    compared.same("memory in KiB", &ours, &Some(total))
}

/// Compares the registers of the fault, from the dump itself, with those the kernel printed.
///
/// # Errors
/// They differ.
pub fn registers(dump: &Dump, theirs: &Oops, compared: &mut Count) -> Result<()> {
    let map = Map::open(&dump.vmcore)?;
    let vmlinux = Map::open(&dump.vmlinux)?;
    let bytes = &map[..];
    let vmcore = Vmcore::open(&bytes)?;
    let kernel = Kernel::open(&vmcore, Some((&vmlinux[..]).into()))?;
    let machine = Machine::new(&kernel);
    let crashing = crashing(&kernel).context("no registers of the crashing CPU")?;
    let walks = walks(&machine, &crashing);
    let fault = &walks.fault.frames.first().context("no frame")?.registers;
    for register in Register::ALL {
        let name = register_name(register);
        compared.same(name, &fault.get(register), &theirs.registers.get(name).copied())?;
    }
    compared.same("EFLAGS", &fault.flags, &theirs.registers.get("EFLAGS").copied())
}

/// Compares the registers that a run tells with those the kernel printed, and looks for the code at
/// fault.
///
/// # Errors
/// They differ, or the code is not there.
pub fn told(run: &RunResult, theirs: &Oops, compared: &mut Count) -> Result<()> {
    let fault = run.fault.as_ref().context("the run has no registers")?;
    let told = |name: &str| fault.registers.iter().find(|register| register.name == name);
    for register in Register::ALL {
        let name = register_name(register);
        let ours = told(&name.replace("R0", "R"));
        let ours = ours.and_then(|register| u64::from_str_radix(&register.value, 16).ok());
        compared.same(name, &ours, &theirs.registers.get(name).copied())?;
    }
    let at_fault = fault.code.iter().filter(|instruction| instruction.at_fault).count();
    compared.same("instructions at fault", &at_fault, &1)
}

fn register_name(register: Register) -> &'static str {
    match register {
        Register::Rax => "RAX",
        Register::Rdx => "RDX",
        Register::Rcx => "RCX",
        Register::Rbx => "RBX",
        Register::Rsi => "RSI",
        Register::Rdi => "RDI",
        Register::Rbp => "RBP",
        Register::Rsp => "RSP",
        Register::R8 => "R08",
        Register::R9 => "R09",
        Register::R10 => "R10",
        Register::R11 => "R11",
        Register::R12 => "R12",
        Register::R13 => "R13",
        Register::R14 => "R14",
        Register::R15 => "R15",
    }
}
