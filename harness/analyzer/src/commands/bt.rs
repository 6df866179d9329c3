// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bt`: the stacks of tasks, by the unwinder. Every frame that is not sure says how it was found.

use serde::Serialize;
use unwind::{Frame, Pc, Register, Registers, Stacks as _, StopReason};

use super::{Arguments, Command, CommandError, Flag, Reply, Session, Text, Words};
use crate::backtrace;
use crate::kernel::VirtualMemory as _;
use crate::kernel::tasks::Task;
use crate::machine::Machine;
use crate::printer::CodeNames as _;
use crate::report::Trust;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "bt",
    summary: "the stacks of tasks",
    usage: "[-a] [-l] [-f | -F] [-s] [-t] [PID|TASK]...",
    options: FLAGS,
    words: Words::Mixed,
    run,
};

pub(super) const FLAGS: &[Flag] = &[
    Flag::switch("a", "the task that runs on each CPU"),
    Flag::switch("l", "file and line of each frame, inlined functions included"),
    Flag::switch("f", "the words of the stack that belong to each frame"),
    Flag::switch("F", "the same, addresses of symbols as symbols"),
    Flag::switch("s", "with the offset within the function"),
    Flag::switch("t", "every word of the stack that is an address of code, stale ones too"),
];

/// Bytes of one frame that are shown at most.
const MAX_FRAME: u64 = 16 << 10;

#[derive(Debug, Serialize)]
pub(super) struct Backtraces {
    tasks: Vec<Backtrace>,
}

#[derive(Debug, Serialize)]
struct Backtrace {
    pid: i32,
    task: String,
    cpu: Option<u32>,
    command: String,
    frames: Vec<Line>,
    /// Registers of user mode, if the kernel was entered from there.
    user: Option<Vec<(String, String)>>,
    /// Why there are no more frames, where that is worth knowing.
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Line {
    index: usize,
    stack: String,
    address: String,
    function: String,
    module: Option<String>,
    trust: Trust,
    /// Functions inlined here, innermost first, and the function itself: name, file, line.
    source: Vec<Source>,
    /// Registers of the exception that was taken here.
    exception: Option<Vec<(String, String)>>,
    words: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Source {
    function: String,
    place: String,
    inlined: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    address: String,
    values: Vec<String>,
}

/// What is to be shown.
#[derive(Debug, Clone, Copy)]
struct Form {
    lines: bool,
    words: bool,
    symbols: bool,
    offsets: bool,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let tasks = if arguments.has("a") {
        let cpus = kernel.online_cpus()?;
        cpus.iter().map(|cpu| kernel.current_task(*cpu)).collect::<Result<_, _>>()?
    } else if arguments.words.is_empty() {
        vec![session.context()?.clone()]
    } else {
        session.tasks(&arguments.words)?
    };
    of_tasks(session, arguments, &tasks)
}

/// The stacks of several tasks.
pub(super) fn of_tasks(
    session: &Session<'_, '_>,
    arguments: &Arguments,
    tasks: &[Task],
) -> Result<Reply, CommandError> {
    let form = Form {
        lines: arguments.has("l"),
        words: arguments.has("f") || arguments.has("F"),
        symbols: arguments.has("F"),
        offsets: arguments.has("s"),
    };
    let machine = session.machine();
    let one = |task: &Task| match arguments.has("t") {
        true => scan(machine, task),
        false => backtrace(machine, task, form),
    };
    Ok(Reply::new(Backtraces { tasks: tasks.iter().map(one).collect() }))
}

fn empty(task: &Task) -> Backtrace {
    Backtrace {
        pid: task.pid,
        task: format!("{:x}", task.address),
        cpu: task.cpu,
        command: task.comm.clone(),
        frames: Vec::new(),
        user: None,
        note: None,
    }
}

fn backtrace(machine: &Machine<'_>, task: &Task, form: Form) -> Backtrace {
    let mut found = empty(task);
    let walk = match machine.backtrace_of(task) {
        Ok(walked) => walked.walk,
        Err(why) => {
            found.note = Some(why.to_string());
            return found;
        }
    };
    for (index, frame) in walk.frames.iter().enumerate() {
        let next = walk.frames.get(index + 1);
        found.frames.push(line(machine, index, frame, next, form));
    }
    match &walk.stop {
        StopReason::User(registers) => found.user = Some(named(registers)),
        StopReason::Root => {}
        other => found.note = Some(other.to_string()),
    }
    found
}

fn line(
    machine: &Machine<'_>,
    index: usize,
    frame: &Frame,
    next: Option<&Frame>,
    form: Form,
) -> Line {
    // Where the return address lies: what crash(8) shows in brackets.
    let slot = match frame.pc {
        Pc::Interrupted(_) => frame.sp,
        Pc::Return(_) => frame.sp.wrapping_sub(8),
    };
    let code = machine.code_name(frame.pc.for_lookup());
    let address = frame.pc.address();
    let function = match &code {
        Some(code) if form.offsets => {
            let offset = code.offset + address.wrapping_sub(frame.pc.for_lookup());
            format!("{}+{offset}", code.symbol)
        }
        Some(code) => code.symbol.clone(),
        None => "(no code)".to_owned(),
    };
    let mut words = Vec::new();
    if form.words
        && let Some(next) = next
    {
        words = rows(machine, slot, next, form.symbols);
    }
    Line {
        index,
        stack: format!("{slot:016x}"),
        address: format!("{address:016x}"),
        function,
        module: code.and_then(|code| code.module),
        trust: backtrace::trust(frame.trust),
        source: if form.lines { sources(machine, frame.pc) } else { Vec::new() },
        exception: frame.exception.is_some().then(|| named(&frame.registers)),
        words,
    }
}

fn sources(machine: &Machine<'_>, pc: Pc) -> Vec<Source> {
    use crate::express::Names as _;
    let lookup = pc.for_lookup();
    let chain = machine.image_at(lookup).and_then(|image| image.source(lookup).found());
    let source = |source: debuginfo::SourceFrame| Source {
        function: source.function.unwrap_or_else(|| "?".to_owned()),
        place: match (source.file, source.line) {
            (Some(file), Some(line)) => format!("{file}: {line}"),
            (Some(file), None) => file,
            _ => "?".to_owned(),
        },
        inlined: source.inlined,
    };
    chain.unwrap_or_default().into_iter().map(source).collect()
}

/// The words of the stack from `from` up to where the next frame's begin.
fn rows(machine: &Machine<'_>, from: u64, next: &Frame, symbols: bool) -> Vec<Row> {
    let to = match next.pc {
        Pc::Interrupted(_) => next.sp,
        Pc::Return(_) => next.sp.wrapping_sub(8),
    };
    // The next frame is on another stack: how much of this one was used is not told.
    let Some(length) = to.checked_sub(from).filter(|length| *length <= MAX_FRAME) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    let mut at = from;
    while at < from.saturating_add(length) {
        let end = to.min(at.saturating_add(16));
        let values = (at..end).step_by(8).filter_map(|slot| machine.kernel().read_u64(slot).ok());
        let shown = |value: u64| {
            let name = machine.code_name(value).filter(|_| symbols && value >> 63 == 1);
            name.map_or_else(
                || format!("{value:016x}"),
                |name| format!("{}+{}", name.symbol, name.offset),
            )
        };
        let values = values.map(shown).collect();
        rows.push(Row { address: format!("{at:016x}"), values });
        at = at.saturating_add(16);
    }
    rows
}

/// Every word of a task's stack that could be a return address.
fn scan(machine: &Machine<'_>, task: &Task) -> Backtrace {
    let mut found = empty(task);
    let kernel = machine.kernel();
    let Some(stack) = kernel.task_stack(task).filter(|stack| stack.low != 0) else {
        found.note = Some("its stack is freed".to_owned());
        return found;
    };
    let walk = machine.backtrace_of(task).ok();
    let top = walk.and_then(|walked| walked.walk.frames.first().map(|frame| frame.sp));
    let inside = |sp: &u64| kernel.stack_of(*sp).is_some_and(|at| at.low == stack.low);
    let from = top.filter(inside).unwrap_or(stack.low) & !7;
    for slot in (from..stack.high).step_by(8) {
        let Ok(value) = kernel.read_u64(slot) else { continue };
        if !kernel.is_text(value) {
            continue;
        }
        let Some(code) = machine.code_name(value.wrapping_sub(1)) else { continue };
        found.frames.push(Line {
            index: found.frames.len(),
            stack: format!("{slot:016x}"),
            address: format!("{value:016x}"),
            function: format!("{}+{}", code.symbol, code.offset + 1),
            module: code.module,
            trust: Trust::Scan,
            source: Vec::new(),
            exception: None,
            words: Vec::new(),
        });
    }
    found.note = Some("words of the stack, in its order: many of them are stale".to_owned());
    found
}

/// Registers with their names, in the order in which crash(8) prints them.
fn named(registers: &Registers) -> Vec<(String, String)> {
    use Register::{R8, R9, R10, R11, R12, R13, R14, R15, Rax, Rbp, Rbx, Rcx, Rdi, Rdx, Rsi, Rsp};
    const ORDER: [(&str, Register); 15] = [
        ("RAX", Rax),
        ("RBX", Rbx),
        ("RCX", Rcx),
        ("RDX", Rdx),
        ("RSI", Rsi),
        ("RDI", Rdi),
        ("RBP", Rbp),
        ("R8", R8),
        ("R9", R9),
        ("R10", R10),
        ("R11", R11),
        ("R12", R12),
        ("R13", R13),
        ("R14", R14),
        ("R15", R15),
    ];
    let shown = |value: Option<u64>, width: usize| match value {
        Some(value) => format!("{value:0width$x}"),
        None => "(unknown)".to_owned(),
    };
    let mut named = vec![
        ("RIP".to_owned(), format!("{:016x}", registers.rip)),
        ("RSP".to_owned(), shown(registers.get(Rsp), 16)),
        ("RFLAGS".to_owned(), shown(registers.flags, 8)),
    ];
    for (name, register) in ORDER {
        named.push((name.to_owned(), shown(registers.get(register), 16)));
    }
    named.push(("ORIG_RAX".to_owned(), shown(registers.orig_rax, 16)));
    named.push(("CS".to_owned(), shown(registers.cs, 4)));
    named
}

impl Text for Backtraces {
    fn text(&self) -> String {
        self.tasks.iter().map(Backtrace::text).collect::<Vec<_>>().join("\n")
    }
}

impl Backtrace {
    fn text(&self) -> String {
        let cpu = self.cpu.map_or("?".to_owned(), |cpu| cpu.to_string());
        let mut out = format!(
            "PID: {:<7}  TASK: {}  CPU: {cpu:<3}  COMMAND: \"{}\"\n",
            self.pid, self.task, self.command
        );
        for line in &self.frames {
            line.text(&mut out);
        }
        if let Some(user) = &self.user {
            registers(user, &mut out);
        }
        if let Some(note) = &self.note {
            out.push_str(&format!("    ({note})\n"));
        }
        out
    }
}

impl Line {
    fn text(&self, out: &mut String) {
        if let Some(exception) = &self.exception {
            out.push_str(&format!("    [exception RIP: {}]\n", self.function));
            registers(exception, out);
        }
        let number = format!("#{}", self.index);
        let module = self.module.as_ref().map(|module| format!(" [{module}]")).unwrap_or_default();
        let trust = match self.trust {
            Trust::Scan => "  (scan: may be stale)",
            _ => "",
        };
        let Self { stack, address, function, .. } = self;
        out.push_str(&format!("{number:>3} [{stack}] {function} at {address}{module}{trust}\n"));
        for source in &self.source {
            let Source { function, place, .. } = source;
            match source.inlined {
                true => out.push_str(&format!("    {function} (inlined) {place}\n")),
                false => out.push_str(&format!("    {place}\n")),
            }
        }
        for row in &self.words {
            out.push_str(&format!("    {}: {}\n", row.address, row.values.join(" ")));
        }
    }
}

/// Registers in rows of three.
fn registers(named: &[(String, String)], out: &mut String) {
    for row in named.chunks(3) {
        let row = row.iter().map(|(name, value)| format!("{name:>3}: {value}"));
        out.push_str(&format!("    {}\n", row.collect::<Vec<_>>().join("  ")));
    }
}
