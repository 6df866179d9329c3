// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a dump to its report.

use debuginfo::Files;
use vmcore::Vmcore;

use crate::backtrace::{Line, frames, lines, with_arguments};
use crate::blame::culprit;
use crate::cause::diagnose;
use crate::claim::Addresses;
use crate::context::{crashing, walks};
use crate::diagnosis::Diagnosis;
use crate::facts;
use crate::findings::Findings;
use crate::link::completed;
use crate::machine::{Machine, ModuleFiles};
use crate::message;
use crate::printer::{Raw, Stable};
use crate::report::{Backtraces, CrashKind, Panic, Report, SCHEMA_VERSION};
use crate::signature::{root_signature, signature};
use crate::told::Told;
use crate::verdict::verdict;
use kernel::{Kernel, OpenError};

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
        let log = kernel.log().map(|log| log.items.as_slice()).unwrap_or_default();
        let told = Told::read(log, kernel.crash().oops.as_ref());
        let headline = told.headline.clone();
        let walks = crashing(kernel).map(|crashing| {
            let mut walks = walks(machine, &crashing);
            walks.fault.frames = completed(machine, &walks.fault.frames);
            walks
        });
        let (fault, panic, diagnosis) = match &walks {
            Some(walks) => {
                findings.walks(machine, walks);
                let diagnosis = diagnose(machine, Some(machine), walks, &told);
                let lines = |walk| {
                    let mut lines = lines(machine, walk);
                    with_arguments(machine, walk, &mut lines);
                    lines
                };
                (lines(&walks.fault), lines(&walks.panic), diagnosis)
            }
            None => {
                findings.no_registers();
                let diagnosis = Diagnosis::of_kind(told.kind.unwrap_or(CrashKind::Unknown));
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
        let info = machine.kernel().vmcore().info();
        let mut report = Report {
            schema_version: SCHEMA_VERSION,
            kernel: facts::kernel(machine, addresses),
            dump: if addresses.is_stable() { facts::stable_dump(info) } else { facts::dump(info) },
            panic: Panic { message },
            task: facts::task(machine, addresses),
            verdict,
            signature: None,
            root_signature: None,
            backtraces: Backtraces { fault, panic: frames(&self.panic, addresses) },
            modules: facts::modules(machine, addresses),
            findings: self.findings.list(addresses),
            reports: Vec::new(),
        };
        report.signature = Some(signature(&report));
        report.root_signature = root_signature(&report);
        report
    }
}
