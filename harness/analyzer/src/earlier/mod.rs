// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel complained of before it crashed: oopses that it survived, failed checks, hangs.
//!
//! The machine that crashed may have been ill long before. Each report of the log before the last is
//! diagnosed with the dump's code and names, and by the registers that the log has.

mod scene;
mod weigh;

use klog::Place;
use unwind::{Frame, Walk};

use crate::blame::culprit;
use crate::claim::Addresses;
use crate::diagnosis::Diagnosis;
use crate::formats::{self, Sort};
use crate::kind::CrashKind;
use crate::machine::Machine;
use crate::printer::CodeNames as _;
use crate::report::{EarlierReport, Task};
use crate::scene::Scene as _;
use crate::text::in_dump::{diagnosed, reports};
use crate::text::log_report::LogReport;
use kernel::log::LogLine;
use kernel::oops::Oops;

use scene::Before;

/// Reports that are diagnosed; the first ones tell most.
const MOST: usize = 8;
/// Lines behind a report in which the kernel says how its task ended.
const BEHIND: usize = 12;

/// The reports before the crash.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// The first ones.
    pub(crate) reports: Vec<Past>,
    /// How many came after those.
    pub(crate) more: usize,
}

/// A report before the crash.
#[derive(Debug)]
pub(crate) struct Past {
    /// When, in nanoseconds since boot.
    pub(crate) nanoseconds: u64,
    /// Its first line.
    pub(crate) headline: String,
    /// What sort of report it is.
    sort: Sort,
    /// The command's name and id of the task that it is of.
    pub(crate) task: Option<(String, Option<i32>)>,
    /// What it came down to.
    pub(crate) diagnosis: Diagnosis,
    /// Its stack.
    pub(crate) walk: Walk,
    /// The task died by it.
    died: bool,
    /// The task had disabled preemption so often when it died: for each spinlock once.
    preempt_count: Option<u32>,
}

impl Earlier {
    /// Reads the log; `oops` is what the kernel crashed by, `is_shown` whether the dump shows that itself.
    pub(crate) fn read(
        machine: &Machine<'_>,
        log: &[LogLine],
        oops: Option<&Oops>,
        is_shown: bool,
    ) -> Self {
        let all = reports(log);
        let last = oops.and_then(|oops| all.iter().rposition(|it| it.number <= oops.index + 1));
        let end = last.and_then(|last| all.get(last));
        let is_same_hang = |report: &LogReport| {
            let is_hang = report.begins.sort == Sort::Hang;
            is_hang && end.is_some_and(|end| end.begins.kind == report.begins.kind)
        };
        let count = match (last, end) {
            (Some(last), Some(end)) if end.is_fault() && !is_shown => last + 1,
            (Some(last), _) => last,
            (None, _) => all.len(),
        };
        let is_told = |report: &&LogReport| {
            !report.is_headless && report.begins.sort != Sort::Asked && !is_same_hang(report)
        };
        let told: Vec<&LogReport> = all.iter().take(count).filter(is_told).collect();
        let past = told.iter().take(MOST).map(|report| Past::of(machine, report, log));
        Self { reports: past.collect(), more: told.len().saturating_sub(MOST) }
    }

    /// Position of the first report that can be the cause: a fault or failed check that a module from outside of the
    /// kernel's tree has a part in.
    fn cause(&self) -> Option<usize> {
        self.reports.iter().position(|past| past.is_of_module() && past.is_cause())
    }
}

impl Earlier {
    /// The reports as those of a report; `main` is the one that the verdict is of.
    pub(crate) fn entries(
        &self,
        machine: &Machine<'_>,
        main: Option<usize>,
        addresses: &mut dyn Addresses,
    ) -> Vec<EarlierReport> {
        let entry = |(at, past): (usize, &Past)| past.entry(machine, main == Some(at), addresses);
        self.reports.iter().enumerate().map(entry).collect()
    }
}

impl Past {
    fn entry(
        &self,
        machine: &Machine<'_>,
        main: bool,
        addresses: &mut dyn Addresses,
    ) -> EarlierReport {
        let (seconds, rest) = (self.nanoseconds / 1_000_000_000, self.nanoseconds % 1_000_000_000);
        let time = (!addresses.is_stable()).then(|| format!("{seconds}.{:06}", rest / 1000));
        let headline = match addresses.is_stable() {
            true => formats::class(&self.headline),
            false => self.headline.clone(),
        };
        let culprit = self.diagnosis.pc.and_then(|pc| culprit(machine, pc));
        let culprit = culprit.map(|culprit| addresses.culprit(culprit));
        let task = self.told_task(addresses);
        EarlierReport { time, headline, kind: self.diagnosis.kind(), culprit, task, main }
    }

    /// The task that the log names.
    pub(crate) fn told_task(&self, addresses: &mut dyn Addresses) -> Option<Task> {
        let (comm, pid) = self.task.as_ref()?;
        let pid = pid.filter(|_| !addresses.is_stable());
        Some(Task { comm: Some(comm.clone()), pid, ..Task::default() })
    }

    fn of(machine: &Machine<'_>, report: &LogReport, log: &[LogLine]) -> Self {
        let before = Before { machine, error_code: report.die.map(|(code, _)| code) };
        let (_, mut diagnosis, walk) = diagnosed(&before, report, &|place| address(machine, place));
        diagnosis.unknown = Some("it is told by the log, and memory may have changed since".into());
        let is_own = diagnosis.pc.is_some_and(|pc| machine.is_outside(pc.for_lookup()));
        diagnosis.blame.outside = is_own;
        let behind = log.get(report.last..).unwrap_or_default();
        let lines = report.lines.iter().chain(behind.iter().take(BEHIND));
        let cpu = report.cpu();
        Self {
            nanoseconds: report.nanoseconds.unwrap_or(0),
            headline: report.headline.clone(),
            sort: report.begins.sort,
            task: cpu.and_then(|line| Some((line.comm.clone()?, line.pid))),
            diagnosis,
            walk,
            died: report.die.is_some(),
            preempt_count: lines
                .filter_map(|line| formats::kept_atomic(&line.text))
                .find(|(pid, _)| cpu.and_then(|line| line.pid) == Some(*pid))
                .map(|(_, count)| count),
        }
    }

    fn frames(&self) -> &[Frame] {
        &self.walk.frames
    }

    /// Whether a module from outside of the kernel's tree is to blame.
    const fn is_of_module(&self) -> bool {
        self.diagnosis.blame.outside
    }

    /// Whether it can have ended the kernel much later: a task died, or memory is not what it should be. A
    /// warning alone says little of what happens days after it.
    fn is_grave(&self) -> bool {
        use CrashKind as K;
        let kind = self.diagnosis.kind();
        let is_memory = matches!(
            kind,
            K::Refcount
                | K::DoubleFree
                | K::UseAfterFree
                | K::HeapOverflow
                | K::OutOfBounds
                | K::ListCorruption
                | K::SleepingInAtomic
        );
        self.died || is_memory
    }

    const fn is_cause(&self) -> bool {
        matches!(self.sort, Sort::Fault | Sort::Check)
    }
}

/// The address of a place that the log names: the log's own, as it has them up to 4.9, or by the name.
pub(crate) fn address(machine: &Machine<'_>, place: &Place) -> Option<u64> {
    let Some(symbol) = &place.symbol else { return place.address };
    let (offset, size) = symbol.extent?;
    let is_it = |address: &u64| {
        let found = machine.code_name(*address);
        found.is_some_and(|found| found.symbol == symbol.name && found.offset == offset)
    };
    if let Some(address) = place.address.filter(is_it) {
        return Some(address);
    }
    let kernel = machine.kernel();
    let start = match &place.module {
        Some(module) => {
            let (module, _) = machine.modules().find(|(loaded, _)| loaded.name == *module)?;
            let symbols = kernel.module_symbols(module).ok()?;
            let named = symbols.iter().filter(|it| it.name == symbol.name);
            let mut named = named.filter(|it| it.extent == size || it.size == size);
            named.next().map(|it| it.address)?
        }
        None => {
            // Several functions may have the name.
            let start = kernel.symbol(&symbol.name).ok()?;
            let named = machine.code_name(start);
            named.filter(|it| it.size == size || it.size == 0).map(|_| start)?
        }
    };
    Some(start.wrapping_add(offset))
}
