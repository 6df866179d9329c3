// SPDX-License-Identifier: MIT OR Apache-2.0
//! One report of a log, as its lines say it.

use klog::{Body, CodeBytes, CpuLine, Frame, Line, Modules, Place, Registers, Symbol};

use crate::formats::{self, Beginning, PANIC, Sort};
use crate::kind::CrashKind;
use kernel::log::LogLine;

/// Lines of one report that are kept.
const MOST_LINES: usize = 1200;
/// Lines among which a checker names the task.
const TASK_WITHIN: usize = 8;
/// Sections of one report: stacks of CPUs, of who allocated, of locks.
const MOST_SECTIONS: usize = 128;

/// One report.
#[derive(Debug)]
pub(crate) struct LogReport {
    /// Number of its first line in the text, and of its last.
    pub(crate) number: usize,
    pub(crate) last: usize,
    /// Time since boot of its first line, in nanoseconds.
    pub(crate) nanoseconds: Option<u64>,
    /// What sort of report its first line begins.
    pub(crate) begins: Beginning,
    /// Its first line.
    pub(crate) headline: String,
    /// Its lines, with what stood above the first one.
    pub(crate) lines: Vec<LogLine>,
    /// What `panic()` was given that came of it.
    pub(crate) panic: Option<String>,
    /// Error code and number, of an oops.
    pub(crate) die: Option<(u64, u32)>,
    /// Its stacks, in its order; the first is that of who reports.
    pub(crate) sections: Vec<Section>,
    /// Loaded modules.
    pub(crate) modules: Option<Modules>,
    /// The first lines are missing.
    pub(crate) is_headless: bool,
    /// Release and taint, where a line has them alone.
    state: Option<CpuLine>,
    is_ended: bool,
    /// Lines of it are left out, since they are too many.
    pub(crate) is_cut: bool,
}

/// One stack of a report, with the registers that it begins with.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// What it is the stack of.
    pub(crate) of: Of,
    /// Who ran.
    pub(crate) cpu: Option<CpuLine>,
    /// Where it ran.
    pub(crate) rip: Option<Place>,
    /// Registers there.
    pub(crate) registers: Registers,
    /// Code around it.
    pub(crate) code: Option<CodeBytes>,
    /// Words of the stack, from the stack pointer on.
    pub(crate) words: Vec<u64>,
    /// Where in user space the stack ends.
    pub(crate) user: Option<u64>,
    /// The trace.
    pub(crate) items: Vec<Item>,
    /// A line said that a trace follows.
    has_trace: bool,
    /// A line said that no code can be read.
    has_no_code: bool,
}

/// What a section is the stack of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Of {
    /// Of what is reported.
    #[default]
    Report,
    /// Of `panic()`.
    Panic,
    /// Of a CPU that was asked for it.
    Cpu(u32),
    /// Of what is told besides: who allocated and freed, which lock was taken where.
    Other,
}

/// A line of a trace.
#[derive(Debug)]
pub(crate) enum Item {
    /// A frame.
    Frame(Frame),
    /// What comes next was interrupted.
    Interrupted,
    /// What was interrupted, and its registers.
    Rip(Place, Box<Registers>),
}

impl LogReport {
    pub(crate) fn new(begins: Beginning, above: Vec<Line>, first: Line) -> Self {
        let above = above.iter().skip_while(|line| !is_of_report(&line.text));
        let mut report = Self {
            number: first.number,
            last: first.number,
            nanoseconds: first.nanoseconds,
            begins,
            headline: first.text.trim().to_owned(),
            lines: above.map(log_line).collect(),
            panic: None,
            die: None,
            sections: vec![Section::default()],
            modules: None,
            is_headless: false,
            state: None,
            is_ended: false,
            is_cut: false,
        };
        if first.text.starts_with(PANIC) {
            report.panics(&first);
        }
        let body = Body::parse(&first.text);
        report.take(first, body);
        report
    }

    /// Whether it has more than first lines.
    pub(crate) fn has_body(&self) -> bool {
        let is_empty = |section: &Section| {
            section.items.is_empty() && section.rip.is_none() && section.cpu.is_none()
        };
        self.die.is_some() || self.modules.is_some() || !self.sections.iter().all(is_empty)
    }

    /// Whether the line with the number of an oops is still to come (`Oops: 0002 [#1]`).
    pub(crate) fn waits_for_die(&self) -> bool {
        let has_stack = self.sections.iter().any(|section| !section.items.is_empty());
        // Up to 5.x, who is asked for a crash writes through NULL.
        let faults = matches!(self.begins.sort, Sort::Fault | Sort::Asked);
        faults && self.die.is_none() && !has_stack
    }

    /// Whether it is of a fault or trap of the processor, and tells where.
    pub(crate) fn is_fault(&self) -> bool {
        let is_one = self.die.is_some() || self.begins.sort == Sort::Fault;
        is_one && self.section().is_some_and(|section| section.rip.is_some())
    }

    /// Whether the processor would fetch no instruction: bit 4 of a page fault's error code.
    pub(crate) fn is_fetch(&self) -> bool {
        self.die.is_some_and(|(error_code, _)| error_code & (1 << 4) != 0)
    }

    /// Whether lines of several CPUs belong to it.
    pub(crate) fn is_of_all_cpus(&self) -> bool {
        self.begins.sort == Sort::Hang
    }

    /// Whether nothing of it comes any more.
    pub(crate) fn is_over(&self) -> bool {
        self.is_ended
    }

    /// Whether its end is missing: a fault or a check without a stack.
    pub(crate) fn is_torn(&self) -> bool {
        let has_stack = self.sections.iter().any(|section| !section.items.is_empty());
        self.is_headless
            || matches!(self.begins.sort, Sort::Fault | Sort::Check | Sort::Hang) && !has_stack
    }

    /// The stack that it is about.
    pub(crate) fn section(&self) -> Option<&Section> {
        let has_stack = |section: &&Section| section.rip.is_some() || !section.items.is_empty();
        let of_stuck = || {
            let cpu = self.lines.iter().find_map(|line| formats::stuck_cpu(&line.text))?;
            let is_its = |section: &&Section| {
                section.of == Of::Cpu(cpu)
                    || section.cpu.as_ref().is_some_and(|line| line.cpu == Some(cpu))
            };
            self.sections.iter().filter(has_stack).find(is_its)
        };
        let stuck = Some(()).filter(|()| self.is_of_all_cpus()).and_then(|()| of_stuck());
        let all = || self.sections.iter().filter(has_stack);
        let own = || all().filter(|it| it.of == Of::Report);
        let has_rip = |it: &&Section| self.begins.sort != Sort::Fault || it.rip.is_some();
        // Another task may print between the lines of the one that is reported.
        let place = self.place().and_then(|place| place.symbol);
        let of_place = || own().find(|section| place.is_some() && section.has(place.as_ref()));
        let task = self.task();
        let of_task = || {
            let pid = |section: &Section| section.cpu.as_ref()?.pid;
            own().find(|section| task.is_some() && pid(section) == task)
        };
        let told =
            || of_place().or_else(of_task).or_else(|| own().find(has_rip)).or_else(|| own().next());
        // khungtaskd's own stack says nothing of the task that hangs.
        let is_hung = self.kind() == Some(CrashKind::HungTask);
        let any =
            || self.sections.iter().filter(has_stack).find(|it| !is_hung || it.of != Of::Panic);
        stuck.or_else(told).or_else(any)
    }

    /// The task that a checker says did it: `… by task sh/123`.
    fn task(&self) -> Option<i32> {
        let by = |line: &LogLine| Some(line.text.split_once(" by task ")?.1.to_owned());
        let warned =
            self.headline.strip_prefix("WARNING: CPU: ").and_then(|it| it.split_once("PID: "));
        let task = || self.lines.iter().take(TASK_WITHIN).find_map(by);
        let pid = match warned {
            Some((_, rest)) => rest.to_owned(),
            None => task()?.rsplit_once('/')?.1.to_owned(),
        };
        pid.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    }

    /// The stack of the `panic()` that ended the kernel.
    pub(crate) fn of_panic(&self) -> Option<&Section> {
        let is_its = |section: &&Section| section.of == Of::Panic && !section.items.is_empty();
        self.sections.iter().find(is_its)
    }

    /// Who ran, as the first line that tells says.
    pub(crate) fn cpu(&self) -> Option<&CpuLine> {
        let own = self.section().and_then(|section| section.cpu.as_ref());
        own.or_else(|| self.sections.iter().find_map(|section| section.cpu.as_ref()))
            .or(self.state.as_ref())
    }

    /// Notes that `panic()` was called.
    pub(crate) fn panics(&mut self, line: &Line) {
        self.is_ended = false;
        self.panic.get_or_insert_with(|| formats::panic_words(&line.text));
        self.section_of(Of::Panic);
    }

    /// Takes its next line.
    pub(crate) fn take(&mut self, line: Line, body: Body) {
        self.last = line.number;
        if self.lines.len() >= MOST_LINES {
            self.is_cut = true;
            self.is_ended |= body == Body::End && self.panic.is_none();
            return;
        }
        self.lines.push(log_line(&line));
        self.heading(&line.text);
        match body {
            Body::End => self.is_ended = self.has_body() && self.panic.is_none(),
            Body::Die { error_code, count } => {
                self.die.get_or_insert((error_code, count));
            }
            Body::Modules(modules) => {
                self.modules.get_or_insert(modules);
            }
            Body::Other if self.is_framed_end(&line.text) => self.is_ended = true,
            Body::Kernel(line) => {
                self.state.get_or_insert(line);
            }
            Body::KernelOffset(_) | Body::Other => {}
            body => self.stack(body),
        }
    }

    /// Whether the line ends a report that is set between two lines of `=`.
    fn is_framed_end(&self, text: &str) -> bool {
        let is_set = self.begins.sort == Sort::Check && formats::begins_long_report(&self.headline);
        is_set && self.has_body() && text.len() > 20 && text.bytes().all(|byte| byte == b'=')
    }

    /// Begins another stack where the line is the heading of one.
    fn heading(&mut self, text: &str) {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("NMI backtrace for cpu ") {
            if let Ok(cpu) = rest.split(' ').next().unwrap_or_default().parse() {
                self.section_of(Of::Cpu(cpu));
            }
        } else if is_aside(text) {
            self.section_of(Of::Other);
        } else if text == "stack backtrace:" {
            self.section_of(Of::Report);
        }
    }

    fn section_of(&mut self, of: Of) {
        if self.sections.len() < MOST_SECTIONS {
            self.sections.push(Section { of, ..Section::default() });
        }
    }

    /// A line of a stack.
    fn stack(&mut self, body: Body) {
        let is_new = self.sections.last().is_some_and(|section| section.is_before(&body));
        if is_new {
            let of = match self.sections.last().map(|section| section.of) {
                Some(Of::Other)
                    if self
                        .sections
                        .iter()
                        .any(|section| section.of == Of::Report && !section.items.is_empty()) =>
                {
                    Of::Other
                }
                Some(Of::Panic) => Of::Other,
                _ => Of::Report,
            };
            self.section_of(of);
        }
        if let Some(section) = self.sections.last_mut() {
            section.take(body);
        }
    }

    /// Leaves out every second line where a log has each of them twice.
    pub(crate) fn undouble(&mut self) {
        for section in &mut self.sections {
            let same = |pair: &[Item]| match pair {
                [Item::Frame(one), Item::Frame(two)] => one == two,
                _ => false,
            };
            let count = section.items.len();
            if count >= 8 && count.is_multiple_of(2) && section.items.chunks(2).all(same) {
                let mut at = 0;
                section.items.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
            }
        }
    }

    /// The place that the report names in words: its first line (`BUG: KASAN: … in f+0x1/0x2`), or of
    /// locks, where the one was to be taken that is complained of (`… at: f+0x1/0x2`).
    pub(crate) fn place(&self) -> Option<Place> {
        // Of an object that is watched, the line names the function that it was to call.
        let headline = Some(&self.headline).filter(|line| !line.starts_with("ODEBUG: "));
        headline
            .and_then(|line| Place::in_words(line))
            .or_else(|| self.place_of_lock().filter(|_| self.is_of_rule()))
    }

    /// Where the lock was to be taken or given back that is complained of; those that are held are listed
    /// behind it.
    fn place_of_lock(&self) -> Option<Place> {
        let is_of_held = |text: &str| {
            text.contains("already holding")
                || text.contains(" held by ")
                || text.starts_with("Call Trace")
        };
        let mut is_behind = false;
        for line in self.lines.iter().take_while(|line| !is_of_held(&line.text)) {
            let text = line.text.as_str();
            if is_behind
                || text.contains(" at: ")
                || text.starts_with("caller is ")
                || text.starts_with("last function: ")
            {
                return Place::in_words(text).or_else(|| named(text));
            }
            is_behind = text.ends_with(" at:");
        }
        // Who still holds one is complained of by what it holds.
        let is_held = self.headline.contains("held");
        let held = self.lines.iter().find(|line| is_held && line.text.contains(" at: "));
        Place::in_words(&held?.text)
    }

    /// The modules that have functions on its stacks.
    pub(crate) fn modules_on_stack(&self) -> impl Iterator<Item = &str> {
        let places = self.sections.iter().flat_map(|section| {
            let items = section.items.iter().filter_map(|item| match item {
                Item::Frame(frame) => Some(&frame.place),
                Item::Rip(place, _) => Some(place),
                Item::Interrupted => None,
            });
            section.rip.iter().chain(items)
        });
        places.filter_map(|place| place.module.as_deref())
    }

    /// Whether it is of locks.
    pub(crate) fn is_of_rule(&self) -> bool {
        self.begins.sort == Sort::Rule
    }

    /// The kind that the lines tell alone; `None` for faults on memory.
    pub(crate) fn kind(&self) -> Option<CrashKind> {
        self.begins.kind
    }
}

impl Section {
    /// Whether the function is on it.
    fn has(&self, symbol: Option<&Symbol>) -> bool {
        let of = |place: &Place| place.symbol.as_ref() == symbol;
        let is_there = |item: &Item| match item {
            Item::Frame(frame) => of(&frame.place),
            Item::Rip(place, _) => of(place),
            Item::Interrupted => false,
        };
        self.rip.as_ref().is_some_and(of) || self.items.iter().any(is_there)
    }

    /// Whether the line begins another stack.
    fn is_before(&self, body: &Body) -> bool {
        match body {
            Body::Cpu(_) => self.cpu.is_some() || !self.items.is_empty(),
            Body::Trace => self.has_trace && !self.items.is_empty(),
            _ => false,
        }
    }

    fn take(&mut self, body: Body) {
        match body {
            Body::Cpu(line) => self.cpu = Some(line),
            Body::Rip { place, user: true } => self.user = self.user.or(place.address),
            Body::Rip { place, user: false } => self.runs(place),
            // Up to 4.9 it stands below the trace; behind what was interrupted it is that one's.
            Body::NoCode => self.has_no_code |= self.items.is_empty(),
            Body::Code(code) if !self.has_no_code && !self.has_interrupted() => {
                self.code.get_or_insert(code);
            }
            Body::Registers(line) if self.items.is_empty() && self.user.is_none() => {
                self.registers.take(&line);
            }
            Body::Registers(line) if self.user.is_none() => {
                if let Some(Item::Rip(_, registers)) = self.items.last_mut() {
                    registers.take(&line);
                }
            }
            Body::Trace => self.has_trace = true,
            Body::Frame(frame) => self.items.push(Item::Frame(frame)),
            Body::Interrupted(frame) => {
                if !self.items.is_empty() {
                    self.items.push(Item::Interrupted);
                }
                self.items.extend(frame.map(Item::Frame));
            }
            Body::Words(words) if self.items.is_empty() => self.words.extend(words),
            _ => {}
        }
    }

    /// Whether the trace goes on with registers of what was interrupted.
    fn has_interrupted(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Rip(..)))
    }

    /// The kernel tells where it ran twice (`IP:`, `RIP:`), and again below the trace up to 4.9.
    fn runs(&mut self, place: Place) {
        let is_known = self.rip.as_ref().is_some_and(|known| known.symbol == place.symbol);
        if self.items.is_empty() || self.rip.is_none() && !self.has_trace {
            self.rip = Some(place);
        } else if !is_known {
            self.items.push(Item::Rip(place, Box::default()));
        }
    }
}

/// The function in `last function: addrconf_dad_work`.
fn named(text: &str) -> Option<Place> {
    let name = text.strip_prefix("last function: ")?.trim();
    let symbol = Some(Symbol { name: name.to_owned(), extent: None });
    (!name.contains(' ')).then(|| Place { symbol, ..Place::default() })
}

/// Whether a stack below that line is none of what is reported: who allocated and freed an object (KASAN,
/// KFENCE, KMSAN, SLUB, kmemleak), which lock was taken where before (lockdep).
fn is_aside(text: &str) -> bool {
    const HEADINGS: [&str; 20] = [
        "hardirqs last ",
        "Preemption disabled at:",
        "Allocated by task",
        "Freed by task",
        "allocated by task",
        "freed by task",
        "Allocated in ",
        "Freed in ",
        "INFO: Allocated in ",
        "INFO: Freed in ",
        "Last potentially related work creation",
        "Second to last potentially related work creation",
        "Last call_rcu()",
        "Uninit was ",
        "Local variable ",
        "-> #",
        "the existing dependency chain",
        "page last allocated via order",
        "page last free ",
        "the dependencies between",
    ];
    HEADINGS.iter().any(|start| text.starts_with(start))
        || text.contains(" allocated by task ")
        || text.contains(" freed by task ")
        || text.contains(" which became ")
        || text.ends_with("state was registered at:")
}

/// Whether a line above a first line may belong to it.
fn is_of_report(text: &str) -> bool {
    text.contains("[ cut here ]") || formats::detail(text).is_some()
}

fn log_line(line: &Line) -> LogLine {
    LogLine {
        nanoseconds: line.nanoseconds.unwrap_or(0),
        level: line.level.unwrap_or(0),
        caller: None,
        text: line.text.trim_start().to_owned(),
    }
}
