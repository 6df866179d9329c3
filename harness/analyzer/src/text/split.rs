// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reports of a log, in its order.

use std::collections::{BTreeMap, VecDeque};

use klog::{Body, Caller, Line, Machine};

use super::log_report::LogReport;
use crate::formats::{self, Beginning, PANIC, Sort};

/// Reports that are kept; a log may have the same one thousands of times.
const MOST: usize = 256;
/// More that are kept of those that end a kernel: what came before them must not hide them.
const MOST_FATAL: usize = MOST + 32;
/// Lines above a first line that may belong to it: a cut, a line that says what was noticed.
const ABOVE: usize = 6;
/// Lines that say nothing of a report and end it.
const IDLE: usize = 40;
/// Reports of one log that go on at the same time, by who prints them.
const AT_ONCE: usize = 16;

/// What a log has.
#[derive(Debug, Default)]
pub(super) struct Split {
    /// Its reports, in its order.
    pub(super) reports: Vec<LogReport>,
    /// How many more there are.
    pub(super) left_out: usize,
    /// Lines of registers, by the machine that prints such.
    pub(super) machines: BTreeMap<Machine, usize>,
    /// How many lines of a kernel were read.
    pub(super) lines: usize,
    /// Release and version of the kernel, where the log begins with the boot.
    pub(super) banner: Option<String>,
    /// What KASLR added to the addresses of the kernel's text.
    pub(super) kernel_offset: Option<u64>,
}

/// A report that goes on.
struct Open {
    caller: Option<Caller>,
    report: LogReport,
    idle: usize,
    /// Its first line has no time, no caller and no level.
    is_bare: bool,
}

/// Whether nothing stood before the line.
const fn is_bare(line: &Line) -> bool {
    line.nanoseconds.is_none() && line.level.is_none() && line.caller.is_none()
}

/// Splits a log as its lines come.
#[derive(Default)]
pub(super) struct Splitter {
    found: Split,
    open: Vec<Open>,
    above: VecDeque<Line>,
    /// Number of the last first line of a report that is only counted.
    counted: usize,
    /// The last first line was one of those.
    is_counting: bool,
}

impl Splitter {
    /// Takes the next line.
    pub(super) fn take(&mut self, line: Line) {
        self.found.lines += 1;
        if let Some(machine) = klog::machine(&line.text) {
            *self.found.machines.entry(machine).or_default() += 1;
        }
        if let Some(banner) = line.text.strip_prefix("Linux version ") {
            self.found.banner.get_or_insert_with(|| banner.to_owned());
        }
        let begins = formats::begins(&line.text);
        self.is_counting = match begins {
            Some(begins) => !self.has_room(begins.sort),
            None => self.is_counting,
        };
        if self.is_counting {
            return self.count(begins.is_some(), &line);
        }
        let at = self.going_on(line.caller);
        if begins.is_none() && at.is_some_and(|at| self.is_of_others(at, &line)) {
            return;
        }
        match (begins, at) {
            (Some(begins), Some(at)) if !self.belongs(at, begins, &line) => {
                self.close(at);
                self.start(begins, line);
            }
            (Some(begins), None) if !self.is_of_last(begins, &line) => self.start(begins, line),
            (Some(_), None) => self.go_on_with_last(line),
            (_, Some(at)) => self.add(at, line),
            (None, None) => self.between(line),
        }
    }

    /// Counts reports that are not kept any more: of first lines near each other, one.
    fn count(&mut self, begins: bool, line: &Line) {
        let is_new = begins && line.number > self.counted + IDLE;
        self.found.left_out += usize::from(is_new);
        if begins {
            self.counted = line.number;
        }
        if line.text.starts_with("Kernel Offset: ")
            && let Body::KernelOffset(offset) = Body::parse(&line.text)
        {
            self.found.kernel_offset.get_or_insert(offset);
        }
    }

    /// Whether one more report is kept.
    fn has_room(&self, sort: Sort) -> bool {
        let count = self.found.reports.len() + self.open.len();
        let is_fatal = matches!(sort, Sort::Fault | Sort::Panic);
        count < if is_fatal { MOST_FATAL } else { MOST }
    }

    /// The reports.
    pub(super) fn finish(mut self) -> Split {
        while !self.open.is_empty() {
            self.close(0);
        }
        self.found.reports.sort_by_key(|report| report.number);
        self.found
    }

    /// The report that a line of that caller may belong to: its own, or where one of the two does not
    /// tell, the youngest.
    fn going_on(&self, caller: Option<Caller>) -> Option<usize> {
        let own = self.open.iter().rposition(|open| open.caller == caller);
        let any = || {
            let may = |open: &Open| {
                open.caller.is_none() || caller.is_none() || open.report.is_of_all_cpus()
            };
            self.open.iter().rposition(may)
        };
        own.or_else(any)
    }

    /// Whether a line is of another program: the report's lines have times, callers or levels, and this
    /// one has none and says nothing that a report says.
    fn is_of_others(&self, at: usize, line: &Line) -> bool {
        // Further lines of one record have no time, and are set in.
        let is_record = line.text.starts_with(' ');
        let is_open = self.open.get(at).is_some_and(|open| !open.is_bare);
        is_open && is_bare(line) && !is_record && Body::parse(&line.text) == Body::Other
    }

    /// Whether a first line of a report says more of the one that goes on.
    fn belongs(&self, at: usize, begins: Beginning, line: &Line) -> bool {
        let Some(open) = self.open.get(at) else { return false };
        // Some logs have each line twice.
        if line.number == open.report.last + 1 && open.report.headline == line.text.trim() {
            return true;
        }
        if begins.sort == Sort::Panic {
            let words = formats::panic_words(&line.text);
            return formats::is_consequence(&words) || !open.report.has_body();
        }
        if klog::die_line(&line.text).is_some() && open.report.waits_for_die() {
            return true;
        }
        if open.report.is_headless {
            return false;
        }
        // What is noticed is told before the trap of the check; nothing else begins with another report.
        let may_begin = matches!(open.report.begins.sort, Sort::Check | Sort::Fault | Sort::Asked);
        if !may_begin && begins.sort != open.report.begins.sort {
            return false;
        }
        let is_same = open.report.begins.sort == begins.sort && open.report.headline == line.text;
        !open.report.has_body() && (!is_same || open.report.lines.len() < 3)
    }

    /// Whether a first line says what came of the report before it.
    fn is_of_last(&self, begins: Beginning, line: &Line) -> bool {
        let words = formats::panic_words(&line.text);
        let last = self.found.reports.last().filter(|_| begins.sort == Sort::Panic);
        last.is_some_and(|last| last.panic.is_none()) && formats::is_consequence(&words)
    }

    fn go_on_with_last(&mut self, line: Line) {
        let Some(report) = self.found.reports.pop() else { return };
        self.open.push(Open { caller: line.caller, report, idle: 0, is_bare: is_bare(&line) });
        self.add(self.open.len() - 1, line);
    }

    fn start(&mut self, begins: Beginning, line: Line) {
        if self.open.len() == AT_ONCE {
            self.close(0);
        }
        let same = |other: &Line| other.caller == line.caller;
        let above: Vec<Line> = self.above.drain(..).filter(same).collect();
        let (caller, is_bare) = (line.caller, is_bare(&line));
        let report = LogReport::new(begins, above, line);
        self.open.push(Open { caller, report, idle: 0, is_bare });
    }

    fn add(&mut self, at: usize, line: Line) {
        let Some(open) = self.open.get_mut(at) else { return };
        if line.text.starts_with(PANIC) {
            open.report.panics(&line);
        }
        let body = Body::parse(&line.text);
        if let Body::KernelOffset(offset) = body {
            self.found.kernel_offset.get_or_insert(offset);
        }
        let says_nothing = body == Body::Other;
        open.idle = if says_nothing { open.idle + 1 } else { 0 };
        open.report.take(line, body);
        if open.report.is_over() || open.idle >= IDLE {
            self.close(at);
        }
    }

    /// A line outside of reports. One that only reports have begins one whose first lines are missing.
    fn between(&mut self, line: Line) {
        // Most lines of a log are of no report: to look at each in full takes ten times as long.
        let start = line.text.trim_start();
        let may_tell = ["RIP", "IP: ", "Kernel Offset: "].iter().any(|it| start.starts_with(it));
        match if may_tell { Body::parse(start) } else { Body::Other } {
            Body::KernelOffset(offset) => {
                self.found.kernel_offset.get_or_insert(offset);
            }
            Body::Rip { user: false, .. } if self.is_far_from_last(&line) => {
                let begins = Beginning { sort: Sort::Fault, kind: None };
                self.start(begins, line);
                if let Some(open) = self.open.last_mut() {
                    open.report.is_headless = true;
                }
            }
            _ => {
                if self.above.len() == ABOVE {
                    self.above.pop_front();
                }
                self.above.push_back(line);
            }
        }
    }

    /// Whether the line is too far from the last report to be of it.
    fn is_far_from_last(&self, line: &Line) -> bool {
        let last = self.found.reports.last().map(|report| report.last);
        last.is_none_or(|last| line.number > last + IDLE)
    }

    fn close(&mut self, at: usize) {
        let mut open = self.open.remove(at);
        open.report.undouble();
        self.found.reports.push(open.report);
    }
}
