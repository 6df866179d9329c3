// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a dump to its report.

use debuginfo::Files;
use unwind::StackKind;
use vmcore::Vmcore;

use crate::backtrace::{Line, frames, lines, with_arguments};
use crate::blame::culprit;
use crate::cause::{diagnose, running};
use crate::claim::Addresses;
use crate::context::{Begins, Walks, crashing, walks};
use crate::diagnosis::Diagnosis;
use crate::earlier::{Earlier, Past};
use crate::facts;
use crate::findings::Findings;
use crate::from_log;
use crate::leads;
use crate::link::completed;
use crate::machine::Machine;
use crate::message;
use crate::module_files::ModuleFiles;
use crate::party::{MOST_PARTIES, Party, told_first};
use crate::printer::{Raw, Stable};
use crate::report::{Backtraces, CrashKind, Frame, Panic, Report, SCHEMA_VERSION, Task, TaskStack};
use crate::signature::{self, root_signature, signature};
use crate::told::Told;
use crate::verdict::verdict;
use kernel::log::LogLine;
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
    /// Lines that the signature is the hash of.
    pub signature_input: String,
}

/// Why a dump gives no report at all. Everything less is a finding of the report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel cannot be found in the dump.
    #[error("the kernel cannot be found in the vmcore")]
    Kernel(#[from] OpenError),
}

impl Error {
    /// What can be done about it.
    #[must_use]
    pub const fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Kernel(OpenError::NoKernel(_)) => Some(
                "compare the file's size with that on the crashed machine and copy it again; a dump \
                 with a makedumpfile `-d` of at most 31 has the kernel's own memory in it",
            ),
            Self::Kernel(OpenError::InAnotherFile) => {
                Some("name all files of the set at once, in any order")
            }
            Self::Kernel(OpenError::NoVmcoreInfo) => None,
        }
    }
}

/// Analyzes a dump.
///
/// # Errors
/// If the kernel cannot be found in the dump.
pub fn analyze(inputs: &Inputs<'_>) -> Result<Analysis, Error> {
    analyze_and(inputs, |_, _| ()).map(|(analysis, ())| analysis)
}

/// Analyzes a dump, and looks for more in the machine while it is open.
///
/// # Errors
/// If the kernel cannot be found in the dump.
pub fn analyze_and<T>(
    inputs: &Inputs<'_>,
    look: impl FnOnce(&Machine<'_>, &Report) -> T,
) -> Result<(Analysis, T), Error> {
    let kernel = Kernel::open(inputs.vmcore, inputs.vmlinux)?;
    kernel.presence()?;
    let machine = Machine::new(&kernel);
    machine.open_modules(inputs.modules);
    let found = Found::new(&machine);
    let report = found.report(&machine, &mut Raw(&machine));
    let stable = found.report(&machine, &mut Stable::new(&machine));
    let stack = frames(&found.signed, &mut Raw(&machine));
    let signature_input = signature::input(&report, &stack);
    let looked = look(&machine, &report);
    Ok((Analysis { report, stable, signature_input }, looked))
}

/// What was found out, before its addresses are printed.
struct Found {
    diagnosis: Diagnosis,
    fault: Vec<Line>,
    panic: Vec<Line>,
    /// The stack that the signature is made of.
    signed: Vec<Line>,
    /// The tasks that tell why, and their stacks; the first one's is the fault view.
    parties: Vec<Party>,
    /// What the kernel complained of before.
    earlier: Earlier,
    /// The one of those that the verdict is of.
    past: Option<usize>,
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
        let is_running = kernel.is_running();
        let oops = kernel.crash().oops.as_ref();
        let mut lost = None;
        let walks = crashing(kernel).filter(|_| !is_running).map(|crashing| {
            let mut walks = walks(machine, &crashing);
            lost = from_log::go_on(machine, &mut walks.fault, log, oops);
            walks.fault.frames = completed(machine, &walks.fault.frames);
            walks
        });
        let is_shown = walks.as_ref().is_some_and(|walks| walks.begins == Begins::Fault);
        let earlier = Earlier::read(machine, log, oops, is_shown);
        findings.earlier(earlier.more);
        let (fault, panic, diagnosis) = match &walks {
            Some(walks) => {
                findings.walks(machine, walks);
                let mut diagnosis = diagnose(machine, Some(machine), walks, &told);
                if let Some(lost) = lost {
                    findings.told_frames(&lost);
                    match &lost.next {
                        Some(next) if !lost.is_told => diagnosis.is_called_by(next),
                        _ => diagnosis.rests_on_log(),
                    }
                }
                let lines = |walk| {
                    let mut lines = lines(machine, walk);
                    with_arguments(machine, walk, &mut lines);
                    lines
                };
                (lines(&walks.fault), lines(&walks.panic), diagnosis)
            }
            None if is_running => (Vec::new(), Vec::new(), running(machine)),
            None => {
                findings.no_registers();
                let diagnosis = Diagnosis::of_kind(told.kind.unwrap_or(CrashKind::Unknown));
                (Vec::new(), Vec::new(), diagnosis)
            }
        };
        let first = walks.as_ref().and_then(|walks| walks.fault.frames.first());
        let is_nmi = first.is_some_and(|first| first.stack == Some(StackKind::Nmi));
        let (mut diagnosis, past) = earlier.weigh(machine, diagnosis, is_nmi);
        leads::find(machine, &mut diagnosis);
        findings.read_around(kernel);
        let mut found = Self {
            earlier,
            past,
            diagnosis,
            signed: fault.clone(),
            fault,
            panic,
            parties: Vec::new(),
            headline,
            findings,
        };
        found.hang(machine, walks.as_ref(), log);
        found
    }

    /// Of a hang, the stacks that tell are those of the tasks that have a part in it.
    fn hang(&mut self, machine: &Machine<'_>, walks: Option<&Walks>, log: &[LogLine]) {
        if let Some(told) = told_first(machine, self.headline.as_deref(), log) {
            // Without it, the stack of who complained stands for it.
            if let Some(stack) = Party::stack(machine, &told).filter(|stack| !stack.is_empty()) {
                self.signed = stack;
            }
        }
        let crashed = machine.kernel().crash().task.as_ref().map(|task| task.address);
        let involved = self.diagnosis.involved.iter().take(MOST_PARTIES);
        let mut parties: Vec<Party> = involved.filter_map(|it| Party::of(machine, it)).collect();
        // Of who crashed, the way to the capture kernel is shown apart.
        for party in parties.iter_mut().filter(|it| Some(it.task.address) == crashed) {
            party.lines.clone_from(&self.fault);
        }
        if let Some(past) = self.past() {
            // The task is dead; its stack is what the log has of it.
            self.fault = lines(machine, &past.walk);
            self.signed.clone_from(&self.fault);
            self.panic =
                walks.map(|walks| lines(machine, &walks.clone().joined())).unwrap_or_default();
            self.parties = parties;
            return;
        }
        let Some(first) = parties.first().filter(|it| Some(it.task.address) != crashed) else {
            self.parties = parties;
            return;
        };
        self.fault.clone_from(&first.lines);
        self.panic = walks.map(|walks| lines(machine, &walks.clone().joined())).unwrap_or_default();
        self.parties = parties;
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
            task: self.task(machine, addresses),
            verdict,
            signature: None,
            root_signature: None,
            backtraces: self.backtraces(fault, addresses),
            modules: facts::modules(machine, addresses),
            findings: self.findings.list(addresses),
            earlier: self.earlier.entries(machine, self.past, addresses),
            reports: Vec::new(),
        };
        let signed = frames(&self.signed, addresses);
        report.signature = Some(signature(&signature::input(&report, &signed)));
        report.root_signature = root_signature(&report);
        report
    }

    /// The earlier report that the verdict is of.
    fn past(&self) -> Option<&Past> {
        self.earlier.reports.get(self.past?)
    }

    /// The task that the fault view is of.
    fn task(&self, machine: &Machine<'_>, addresses: &mut dyn Addresses) -> Option<Task> {
        let crashed = facts::task(machine, addresses);
        if let Some(past) = self.past() {
            return past.told_task(addresses);
        }
        match self.parties.first() {
            Some(party) => Some(facts::of_task(&party.task, addresses)),
            None => crashed,
        }
    }

    fn backtraces(&self, fault: Vec<Frame>, addresses: &mut dyn Addresses) -> Backtraces {
        let own = usize::from(self.past.is_none());
        let others = self.parties.iter().skip(own).map(|party| TaskStack {
            task: facts::of_task(&party.task, addresses),
            does: party.does,
            frames: frames(&party.lines, addresses),
        });
        let others = others.collect();
        let first = self.parties.first().filter(|_| self.past.is_none());
        let does = first.map(|party| party.does);
        Backtraces { fault, does, others, panic: frames(&self.panic, addresses) }
    }
}
