// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a crash has to do with what the kernel complained of before.

use super::scene::Before;
use super::{Earlier, Past};
use crate::cause::held_at;
use crate::claim::Claim;
use crate::diagnosis::{
    Advice, Aftermath, Complained, Diagnosis, Event, Grounds, Hang, Held, LockupKind, OtherCpus,
    What,
};
use crate::formats;
use crate::kind::CrashKind;
use crate::machine::Machine;
use crate::message;
use crate::printer::CodeNames as _;
use crate::scene::Scene as _;
use crate::source_line::SourceLine;

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// Why what a report says of a machine that was stopped after it is not proven.
const RAN_ON: &str = "it is told by the log, and the machine ran on until it was stopped";

impl Earlier {
    /// The diagnosis of the crash with what came before it, and the position of the report that it is of, if
    /// it is of an earlier one. `is_nmi` is whether the kernel crashed in what handles an NMI.
    pub(crate) fn weigh(
        &self,
        machine: &Machine<'_>,
        mut diagnosis: Diagnosis,
        is_nmi: bool,
    ) -> (Diagnosis, Option<usize>) {
        if let Some((at, aftermath, taken)) = self.orphaned(machine, &diagnosis)
            && let Some(past) = self.reports.get(at)
        {
            return (past.with(aftermath, Some(taken), diagnosis), Some(at));
        }
        if let Some((at, aftermath)) = self.unfinished(machine, &diagnosis)
            && let Some(past) = self.reports.get(at)
        {
            return (past.with(aftermath, None, diagnosis), Some(at));
        }
        if let Some((at, past)) = self.now(machine, &diagnosis) {
            let mut diagnosis = past.with(Aftermath::Stopped, None, Diagnosis::new(diagnosis.what));
            diagnosis.unknown = diagnosis.unknown.map(|_| RAN_ON.to_owned());
            diagnosis.advice = None;
            return (diagnosis, Some(at));
        }
        self.noticed(machine, &mut diagnosis);
        if let What::Running { oopsed } = &mut diagnosis.what {
            *oopsed = self.reports.iter().any(|past| past.died);
        }
        let cause = self.cause().and_then(|at| Some((at, self.reports.get(at)?)));
        let Some((at, cause)) = cause else { return (diagnosis, None) };
        let wild = || wild(&diagnosis).filter(|_| cause.is_wild(machine));
        if let Some(aftermath) = says_nothing(&diagnosis, is_nmi).or_else(wild)
            && cause.is_grave()
        {
            return (cause.with(aftermath, None, diagnosis), Some(at));
        }
        diagnosis.evidence.push(cause.claim(machine));
        diagnosis.complained = cause
            .line(machine)
            .map(|line| Complained { line, given: cause.diagnosis.given.clone() });
        diagnosis.advice = cause.advice();
        (diagnosis, None)
    }

    /// Says of a CPU that an NMI found running without end what the watchdog had said of the same task: who sent the
    /// NMI came later.
    fn noticed(&self, machine: &Machine<'_>, diagnosis: &mut Diagnosis) {
        let What::Lockup(lockup) = &mut diagnosis.what else { return };
        let Some(involved) = diagnosis.involved.first() else { return };
        if !matches!(lockup.kind, LockupKind::Nmi { .. }) {
            return;
        }
        let task = machine.kernel().task_at(involved.task).ok();
        let is_its = |past: &&Past| {
            let pid = past.task.as_ref().and_then(|(_, pid)| *pid);
            let is_same = pid.is_some() && pid == task.as_ref().map(|task| task.pid);
            is_same && past.diagnosis.kind() == CrashKind::SoftLockup
        };
        if let Some(past) = self.reports.iter().find(is_its) {
            lockup.kind = LockupKind::Soft;
            diagnosis.evidence.push(past.said());
        }
    }

    /// The first report of the last moments before a machine that runs was stopped: it was stopped for that, and
    /// what the report speaks of is as it was.
    fn now(&self, machine: &Machine<'_>, diagnosis: &Diagnosis) -> Option<(usize, &Past)> {
        /// Seconds; the clock of the log and that of the timer may differ by one.
        const MOMENT: u64 = 3;
        if !matches!(diagnosis.what, What::Running { .. }) {
            return None;
        }
        let now = machine.kernel().uptime_seconds().ok()?;
        let is_new = |past: &Past| past.nanoseconds / 1_000_000_000 + MOMENT >= now;
        let mut all = self.reports.iter().enumerate();
        all.find(|(_, past)| past.is_of_module() && past.is_cause() && is_new(past))
    }

    /// Position of the report of a task that died in the module in which another one waits for what nobody is
    /// seen to do: it may have been that one's to do.
    ///
    /// Example: a work item that loads a firmware image dies at a NULL pointer, and the task that queued it waits
    /// for its `complete()`.
    fn unfinished(
        &self,
        machine: &Machine<'_>,
        diagnosis: &Diagnosis,
    ) -> Option<(usize, Aftermath)> {
        let What::Waiting(it) = &diagnosis.what else { return None };
        if !it.circle.is_empty() || it.lock.is_some() || it.event != Event::Unknown {
            return None;
        }
        let module = |diagnosis: &Diagnosis| {
            machine.code_name(diagnosis.pc?.for_lookup()).and_then(|code| code.module)
        };
        let own = module(diagnosis)?;
        let waiter = machine.kernel().task_at(diagnosis.involved.first()?.task).ok()?;
        let waited = machine.kernel().waits_for(&waiter).ok()?;
        let now = machine.kernel().uptime_seconds().ok()?.saturating_add(1);
        let began = now.saturating_mul(SECOND).saturating_sub(waited).saturating_sub(2 * SECOND);
        let is_cause = |past: &Past| {
            past.died && past.nanoseconds >= began && module(&past.diagnosis).as_ref() == Some(&own)
        };
        let at = self.reports.iter().position(is_cause)?;
        Some((at, Aftermath::Work { waiter: it.comm.clone() }))
    }

    /// Position of the report of a task that died with the lock held that is waited for, and where it took it.
    fn orphaned(
        &self,
        machine: &Machine<'_>,
        diagnosis: &Diagnosis,
    ) -> Option<(usize, Aftermath, Claim)> {
        let is_open = match &diagnosis.what {
            What::Lockup(lockup) => matches!(
                lockup.hang,
                Hang::Own(_) | Hang::Lock(OtherCpus::Idle | OtherCpus::Unknown)
            ),
            What::Waiting(it) => {
                // A lock that names another task was not that one's.
                let is_anothers =
                    matches!(it.held, Held::For { .. } | Held::Named { is_waiter: false, .. });
                it.circle.is_empty() && it.lock.is_some() && !is_anothers
            }
            _ => false,
        };
        if !is_open {
            return None;
        }
        let waiter = machine.kernel().task_at(diagnosis.involved.first()?.task).ok()?;
        let mut dead = self.reports.iter().enumerate().filter(|(_, past)| past.died);
        dead.find_map(|(at, past)| {
            let before = Before { machine, error_code: None };
            let (lock, taken) = held_at(machine, (&before, past.frames()), &waiter)?;
            Some((at, Aftermath::Lock { lock, waiter: waiter.comm.clone() }, taken))
        })
    }
}

/// Whether a crash says nothing of a cause of its own.
fn says_nothing(diagnosis: &Diagnosis, is_nmi: bool) -> Option<Aftermath> {
    if diagnosis.blame.outside && diagnosis.grounds != Grounds::None {
        return None;
    }
    match diagnosis.kind() {
        CrashKind::Sysrq | CrashKind::Nmi => Some(Aftermath::Asked),
        CrashKind::Running => Some(Aftermath::Went),
        CrashKind::Panic | CrashKind::Unknown => Some(Aftermath::Panic),
        // It was sent to a machine that was ill already.
        _ if is_nmi => Some(Aftermath::Nmi),
        _ => None,
    }
}

/// Whether the CPU was at a place of which nothing is known.
fn wild(diagnosis: &Diagnosis) -> Option<Aftermath> {
    let is_call = matches!(diagnosis.kind(), CrashKind::NullCall | CrashKind::BadCall);
    let is_wild = is_call && diagnosis.grounds == Grounds::None && diagnosis.pc.is_none();
    is_wild.then_some(Aftermath::Wild)
}

impl Past {
    /// Whether it made the CPU run wild moments later: a task that slept in a softirq goes on upon a stack that others
    /// have used since.
    fn is_wild(&self, machine: &Machine<'_>) -> bool {
        /// Seconds.
        const MOMENTS: u64 = 10;
        let now = machine.kernel().uptime_seconds().ok();
        self.diagnosis.kind() == CrashKind::SleepingInAtomic
            && now.is_some_and(|now| self.nanoseconds / SECOND + MOMENTS >= now)
    }

    /// The diagnosis of this report, with what came of it.
    fn with(&self, aftermath: Aftermath, taken: Option<Claim>, crash: Diagnosis) -> Diagnosis {
        let mut diagnosis = self.diagnosis.clone();
        let chain = std::mem::take(&mut diagnosis.evidence);
        let kept = self.preempt_count.map(|_| {
            let words = "it died with preemption disabled, as who has a spinlock";
            Claim::new(Some(true)).text(words)
        });
        let first = std::iter::once(self.said()).chain(taken).chain(kept);
        diagnosis.evidence = first.chain(crash.evidence).chain(chain).collect();
        diagnosis.say_once();
        diagnosis.involved = crash.involved;
        diagnosis.aftermath = Some(aftermath);
        diagnosis.advice = self.advice();
        diagnosis
    }

    /// What would have ended the kernel at once.
    fn advice(&self) -> Option<Advice> {
        let complained = || formats::advice(&self.headline);
        if self.died { Some(Advice::PanicOnOops) } else { complained() }
    }

    /// What the kernel said.
    fn said(&self) -> Claim {
        let (seconds, rest) = (self.nanoseconds / 1_000_000_000, self.nanoseconds % 1_000_000_000);
        let claim = Claim::new(Some(true)).text("before");
        let claim = claim.volatile(format!(", {seconds}.{:06} s after boot", rest / 1000));
        message::quoted(claim.text(", the kernel said: "), &self.headline)
    }

    /// The same, with the module's line.
    fn claim(&self, machine: &Machine<'_>) -> Claim {
        match self.line(machine) {
            Some(line) => self.said().text("; its module's line is `").line(&line).text("`"),
            None => self.said(),
        }
    }

    fn line(&self, machine: &Machine<'_>) -> Option<SourceLine> {
        machine.source_line(self.diagnosis.pc?.for_lookup())
    }
}
