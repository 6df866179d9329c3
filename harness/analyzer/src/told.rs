// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel's log says of the crash besides its headline.
//!
//! A fatal warning and a `BUG()` name only the place that noticed something; what it noticed
//! stands in the lines above.

use crate::formats;
use crate::kind::CrashKind;
use kernel::log::LogLine;
use kernel::oops::Oops;

/// Lines above the headline in which its report may have begun.
const REPORT: usize = 80;
/// Nanoseconds in which the watchdog for hung tasks tells of all that it found at one time.
const ONE_LOOK: u64 = 1_000_000_000;
/// Lines above the beginning of a report that belong to it.
const ABOVE: usize = 4;

/// What the log says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The first line of the crash.
    pub headline: Option<String>,
    /// The kind that the lines tell; `None` for faults on memory, which the code tells better.
    pub kind: Option<CrashKind>,
    /// The line that says more than the headline.
    pub detail: Option<String>,
    /// The address of the access that the headline names.
    pub address: Option<u64>,
    /// The task that the watchdog for hung tasks complained of.
    pub hung: Option<i32>,
    /// Its command's name.
    pub hung_comm: Option<String>,
    /// The tasks that it complained of at that time.
    pub all_hung: Vec<i32>,
    /// The CPU that a watchdog complained of.
    pub stuck: Option<u32>,
    /// Whether that is the one that complains, without a number.
    pub is_own: bool,
}

impl Told {
    /// Reads what the log says of the last crash.
    pub fn read(log: &[LogLine], oops: Option<&Oops>) -> Self {
        use CrashKind as K;
        let Some(oops) = oops else { return Self::default() };
        let kind = formats::headline(&oops.headline);
        let mut told = Self { headline: Some(oops.headline.clone()), kind, ..Self::default() };
        let above = log.get(..oops.index).unwrap_or(log);
        if matches!(kind, Some(K::Bug | K::InvalidOpcode | K::Warn)) {
            told.report(log, oops.index);
        }
        told.address = formats::accessed(&oops.headline);
        let newest = || above.iter().rev();
        let hung = newest().find_map(|line| formats::hung_task(&line.text));
        (told.hung_comm, told.hung) = hung.map(|(name, pid)| (name.to_owned(), pid)).unzip();
        let newest_hung = newest().find(|line| formats::hung_task(&line.text).is_some());
        let since = newest_hung.map_or(u64::MAX, |it| it.nanoseconds.saturating_sub(ONE_LOOK));
        let of_that_look = newest().take_while(|line| line.nanoseconds >= since);
        told.all_hung =
            of_that_look.filter_map(|line| Some(formats::hung_task(&line.text)?.1)).collect();
        told.stuck = newest().take(REPORT).find_map(|line| formats::stuck_cpu(&line.text));
        told.is_own = newest().take(REPORT).any(|line| formats::is_own_stall(&line.text));
        told
    }

    /// What a report says that ended no kernel; `kind` is that of its first line.
    pub fn of_report(headline: &str, kind: Option<CrashKind>, log: &[LogLine]) -> Self {
        let mut told = Self { headline: Some(headline.to_owned()), kind, ..Self::default() };
        if matches!(kind, Some(CrashKind::Warn | CrashKind::Bug)) {
            let detail =
                log.iter().find_map(|line| Some((formats::detail(&line.text)?, &line.text)));
            if let Some((kind, text)) = detail {
                (told.kind, told.detail) = (Some(kind), Some(text.clone()));
            }
        }
        if formats::detail(headline).is_some() {
            told.detail = Some(headline.to_owned());
        }
        let hung = log.iter().find_map(|line| formats::hung_task(&line.text));
        (told.hung_comm, told.hung) = hung.map(|(name, pid)| (name.to_owned(), pid)).unzip();
        told.stuck = log.iter().find_map(|line| formats::stuck_cpu(&line.text));
        told.is_own = log.iter().any(|line| formats::is_own_stall(&line.text));
        told.address = formats::accessed(headline);
        told
    }

    /// Looks for what the report above the headline was about.
    fn report(&mut self, log: &[LogLine], index: usize) {
        let first = index.saturating_sub(REPORT);
        let starts = |line: &LogLine| {
            line.text.contains("[ cut here ]") || formats::begins_long_report(&line.text)
        };
        let start = (first..index).rev().find(|&at| log.get(at).is_some_and(starts));
        let start = start.unwrap_or(index).saturating_sub(ABOVE);
        let end = index.saturating_add(1).min(log.len());
        for line in log.get(start..end).unwrap_or_default() {
            if let Some(kind) = formats::detail(&line.text) {
                self.kind = Some(kind);
                self.detail = Some(line.text.clone());
                return;
            }
        }
        let warning = |line: &&LogLine| line.text.starts_with("WARNING: ");
        self.detail = log
            .get(start..end)
            .and_then(|lines| lines.iter().rev().find(warning))
            .map(|line| line.text.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Told {
        let line =
            |text: &str| LogLine { nanoseconds: 0, level: 1, caller: None, text: text.to_owned() };
        let log: Vec<LogLine> = text.lines().map(line).collect();
        Told::read(&log, Oops::last(&log).as_ref())
    }

    #[test]
    fn a_fatal_warning_is_about_what_it_warned_of() {
        let told = told(
            "\
------------[ cut here ]------------
refcount_t: underflow; use-after-free.
WARNING: CPU: 1 PID: 311 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110
Modules linked in: sessions(OE)
Call Trace:
Kernel panic - not syncing: panic_on_warn set ...",
        );
        assert_eq!(told.kind, Some(CrashKind::Refcount));
        assert_eq!(told.detail.as_deref(), Some("refcount_t: underflow; use-after-free."));
    }

    /// Such a report has no line that says where to cut, and a stack that is longer than what is looked at
    /// above others.
    #[test]
    fn a_long_report_is_found_by_its_beginning() {
        let report = [
            "==================================================================",
            "BUG: KFENCE: use-after-free read in session_rate+0x10/0x20 [sessions]",
            "",
            "Use-after-free read at 0x00000000c1f2a8d1 (in kfence-#40):",
            " session_rate+0x10/0x20 [sessions]",
            " proc_reg_read+0x56/0xa0",
            " vfs_read+0xa4/0x330",
            " ksys_read+0x6f/0xf0",
            "==================================================================",
            "Kernel panic - not syncing: KFENCE: panic_on_warn set ...",
        ];
        let told = told(&report.join("\n"));
        assert_eq!(told.kind, Some(CrashKind::UseAfterFree));
    }

    #[test]
    fn the_watchdog_names_several_tasks_at_one_time() {
        let told = told(
            "\
INFO: task sh:89 blocked for more than 4 seconds.
INFO: task leaker:90 blocked for more than 4 seconds.
Kernel panic - not syncing: hung_task: blocked tasks",
        );
        assert_eq!(told.hung, Some(90));
        assert_eq!(told.all_hung, [90, 89]);
    }

    #[test]
    fn a_bug_of_the_list_checks_is_a_corrupted_list() {
        let told = told(
            "\
list_del corruption. prev->next should be ffff8a, but was dead000000000100
------------[ cut here ]------------
kernel BUG at lib/list_debug.c:53!
invalid opcode: 0000 [#1] PREEMPT SMP",
        );
        assert_eq!(told.kind, Some(CrashKind::ListCorruption));
        assert!(told.detail.unwrap().starts_with("list_del corruption"));
    }

    #[test]
    fn a_bug_of_a_module_is_a_bug() {
        let told = told(
            "\
refcount_t: saturated; leaking memory.
something else
else
else
else
------------[ cut here ]------------
kernel BUG at /src/ring.c:80!
invalid opcode: 0000 [#1] PREEMPT SMP",
        );
        assert_eq!((told.kind, told.detail), (Some(CrashKind::Bug), None));
    }

    #[test]
    fn the_watchdogs_name_a_task_and_a_cpu() {
        let hung = told(
            "\
INFO: task a:b:77 blocked for more than 10 seconds.
Kernel panic - not syncing: hung_task: blocked tasks",
        );
        assert_eq!((hung.kind, hung.hung), (Some(CrashKind::HungTask), Some(77)));
        let soft = told(
            "\
watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [sh:311]
Kernel panic - not syncing: softlockup: hung tasks",
        );
        assert_eq!((soft.kind, soft.stuck), (Some(CrashKind::SoftLockup), Some(1)));
        let stall = told(
            "\
rcu: INFO: rcu_preempt self-detected stall on CPU
rcu: \t3-....: (5250 ticks this GP) idle=2d4c/1/0x4000000000000000
Kernel panic - not syncing: RCU Stall",
        );
        assert_eq!((stall.kind, stall.stuck), (Some(CrashKind::RcuStall), Some(3)));
    }
}
