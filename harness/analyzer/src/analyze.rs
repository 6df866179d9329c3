// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a dump to its report.

use debuginfo::Files;
use vmcore::Vmcore;

use crate::backtrace::{Line, culprit, frames, lines, with_arguments};
use crate::claim::Addresses;
use crate::context::{Walks, crashing, walks};
use crate::facts;
use crate::fault::{Diagnosis, examine};
use crate::findings::Findings;
use crate::kernel::{Kernel, OpenError};
use crate::machine::{Machine, ModuleFiles};
use crate::message;
use crate::printer::{Raw, Stable};
use crate::report::{Backtraces, CrashKind, Panic, Report, SCHEMA_VERSION};
use crate::signature::signature;
use crate::stacks::exhaustion::exhausted;
use crate::stacks::overrun::overrun;
use crate::verdict::verdict;

/// What an analysis is made from.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The dump.
    pub vmcore: &'a Vmcore<'a>,
    /// The kernel's `vmlinux` with debug information, if there is one.
    pub vmlinux: Option<Files<'a>>,
    /// Files of modules.
    pub modules: &'a dyn ModuleFiles,
}

impl std::fmt::Debug for Inputs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inputs").field("vmcore", self.vmcore).finish_non_exhaustive()
    }
}

/// The report in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// With addresses, times and versions as they are.
    pub report: Report,
    /// With all that differs between boots and kernel updates left out or numbered.
    pub stable: Report,
}

/// Why a dump gives no report at all. Everything less is a finding of the report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel cannot be found in the dump.
    #[error("the kernel cannot be found in the vmcore")]
    Kernel(#[from] OpenError),
}

/// Analyzes a dump.
///
/// # Errors
/// If the kernel cannot be found in the dump.
pub fn analyze(inputs: &Inputs<'_>) -> Result<Analysis, Error> {
    let kernel = Kernel::open(inputs.vmcore, inputs.vmlinux)?;
    let machine = Machine::new(&kernel);
    machine.open_modules(inputs.modules);
    let found = Found::new(&machine);
    let report = found.report(&machine, &mut Raw(&machine));
    let stable = found.report(&machine, &mut Stable::new(&machine));
    Ok(Analysis { report, stable })
}

/// What was found out, before its addresses are printed.
struct Found {
    diagnosis: Diagnosis,
    fault: Vec<Line>,
    panic: Vec<Line>,
    headline: Option<String>,
    findings: Findings,
}

impl Found {
    fn new(machine: &Machine<'_>) -> Self {
        let kernel = machine.kernel();
        let mut findings = Findings::default();
        findings.inputs(machine);
        let headline = kernel.crash().oops.as_ref().map(|oops| oops.headline.clone());
        let walks = crashing(kernel).map(|crashing| walks(machine, &crashing));
        let (fault, panic, diagnosis) = match &walks {
            Some(walks) => {
                findings.walks(machine, walks);
                let diagnosis = diagnose(machine, walks, headline.as_deref());
                let lines = |walk| {
                    let mut lines = lines(machine, walk);
                    with_arguments(machine, walk, &mut lines);
                    lines
                };
                (lines(&walks.fault), lines(&walks.panic), diagnosis)
            }
            None => {
                findings.no_registers();
                let kind = headline.as_deref().and_then(message::kind);
                let diagnosis = Diagnosis::new(kind.unwrap_or(CrashKind::Unknown));
                (Vec::new(), Vec::new(), diagnosis)
            }
        };
        Self { diagnosis, fault, panic, headline, findings }
    }

    fn report(&self, machine: &Machine<'_>, addresses: &mut dyn Addresses) -> Report {
        let at_fault = self.diagnosis.pc.and_then(|pc| culprit(machine, pc));
        let message = self.headline.as_ref().map(|headline| message::printed(headline, addresses));
        let verdict = verdict(&self.diagnosis, at_fault, message.as_deref(), addresses);
        let fault = frames(&self.fault, addresses);
        let signature = Some(signature(&verdict, &fault));
        Report {
            schema_version: SCHEMA_VERSION,
            kernel: facts::kernel(machine, addresses),
            dump: facts::dump(machine, addresses),
            panic: Panic { message },
            task: facts::task(machine, addresses),
            verdict,
            signature,
            backtraces: Backtraces { fault, panic: frames(&self.panic, addresses) },
            modules: facts::modules(machine, addresses),
            findings: self.findings.list(addresses),
        }
    }
}

/// The diagnosis of the fault, or what the kernel's message alone tells.
fn diagnose(machine: &Machine<'_>, walks: &Walks, headline: Option<&str>) -> Diagnosis {
    let told = headline.and_then(message::kind);
    let first = walks.fault.frames.first().map(|frame| frame.pc);
    let of_kind = |kind| Diagnosis { pc: first, ..Diagnosis::new(kind) };
    if told.is_none_or(message::may_be_a_consequence)
        && let Some(diagnosis) = overrun(machine, &walks.fault)
    {
        return diagnosis;
    }
    if !walks.is_fault {
        return of_kind(told.unwrap_or(CrashKind::Panic));
    }
    if told == Some(CrashKind::DoubleFault)
        && let Some(diagnosis) = exhausted(machine, &walks.fault)
    {
        return diagnosis;
    }
    let memory = matches!(
        told,
        None | Some(
            CrashKind::GeneralProtection | CrashKind::Panic | CrashKind::ExecOfNonExecutable
        )
    );
    let address = headline.and_then(message::address);
    let examined = memory.then(|| examine(machine, &walks.fault.frames, address)).flatten();
    examined.unwrap_or_else(|| of_kind(told.unwrap_or(CrashKind::Unknown)))
}
