// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bt`: the stacks of tasks, by the unwinder. Every frame that is not sure says how it was found.

use unwind::{Frame, Pc, Registers, StopReason, Walk};

use super::bt_form::{Backtrace, Backtraces, Line, Row, Source, empty, named};
use super::embedding::slab_cache;
use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Words, bt_scan};
use analyzer::backtrace;
use analyzer::machine::Machine;
use analyzer::printer::{CodeNames as _, Raw};
use analyzer::stacks::Origin;
use kernel::VirtualMemory as _;
use kernel::tasks::Task;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "bt",
    summary: "the stacks of tasks",
    usage: "[-a | -c CPUS | -p] [-l] [-f | -F | -FF] [-s | -x] [-A] [-t | -T | -e | -r] [-R SYMBOL] [-S SP -I IP] [PID|TASK]...",
    options: FLAGS,
    rules: &[
        Rule::OneOf(&["a", "c", "p"]),
        Rule::WordsWith(0, &["a", "c", "p"]),
        Rule::OneOf(&["t", "T", "e", "r"]),
        Rule::OneOf(&["f", "F", "FF"]),
        Rule::Apart(&["l", "f", "F", "FF", "s", "x", "A", "S", "I"], &["t", "T", "e", "r"]),
        Rule::Apart(&["R"], &["e", "r"]),
        Rule::Needs(&["S"], &["I"]),
        Rule::Needs(&["I"], &["S"]),
    ],
    words: Words::Mixed,
    run,
};

pub(super) const FLAGS: &[Flag] = &[
    Flag::switch("a", "the task that runs on each CPU"),
    Flag::switch("l", "file and line of each frame, inlined functions included"),
    Flag::switch("f", "the words of the stack that belong to each frame"),
    Flag::switch("F", "the same, addresses of symbols as symbols, of slab objects as [CACHE]"),
    Flag::switch("FF", "the same, of slab objects as [ADDRESS:CACHE]"),
    Flag::switch("s", "with the offset within the function"),
    Flag::switch("x", "the same, the offset in hexadecimal"),
    Flag::switch("A", "what each function was given"),
    Flag::switch("t", "every word of the stack that is an address of code, stale ones too"),
    Flag::switch("T", "the same, from the very end of the stack on"),
    Flag::switch(
        "e",
        "registers of exceptions and interrupts anywhere on the stack, stale ones too",
    ),
    Flag::switch("r", "the stack as it is, words of symbols as symbols"),
    Flag::switch("p", "the task that crashed"),
    Flag::with("c", "CPUS", "the tasks that run on these CPUs (0,2-3)"),
    Flag::with("R", "SYMBOL", "only stacks that have this function"),
    Flag::with("S", "SP", "start with this stack pointer"),
    Flag::with("I", "IP", "start with this program counter"),
];

/// Bytes of one frame that are shown at most.
const MAX_FRAME: u64 = 16 << 10;

/// What is to be shown.
#[derive(Debug, Clone, Copy)]
struct Form {
    lines: bool,
    words: bool,
    symbols: bool,
    /// Whether slab objects are shown with their addresses.
    addresses: bool,
    offsets: bool,
    hexadecimal: bool,
    arguments: bool,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let tasks = if arguments.has("p") {
        let none = || CommandError::nothing("it is not known which task crashed");
        vec![kernel.crash().task.clone().ok_or_else(none)?]
    } else if arguments.has("a") || arguments.has("c") {
        let mut cpus = kernel.up_cpus()?;
        // Of one that was offline, it is said that it was.
        let offline = kernel.offline_cpus().unwrap_or_default();
        cpus.extend(offline.into_iter().filter(|cpu| kernel.current_task(*cpu).is_ok()));
        cpus.sort_unstable();
        if let Some(text) = arguments.value("c") {
            let chosen = analyzer::values::parse_cpus(text, &cpus);
            cpus = chosen.ok_or_else(|| CommandError::usage(format!("no CPUs: `{text}`")))?;
        }
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
        words: ["f", "F", "FF"].iter().any(|name| arguments.has(name)),
        symbols: arguments.has("F") || arguments.has("FF"),
        addresses: arguments.has("FF"),
        offsets: arguments.has("s") || arguments.has("x"),
        hexadecimal: arguments.has("x"),
        arguments: arguments.has("A"),
    };
    let machine = session.machine();
    let start = start(session, arguments)?;
    let one = |task: &Task| {
        if arguments.has("t") || arguments.has("T") {
            bt_scan::returns(machine, task, arguments.has("T"))
        } else if arguments.has("e") {
            bt_scan::exceptions(machine, task)
        } else if arguments.has("r") {
            bt_scan::raw(machine, task)
        } else {
            backtrace(machine, task, form, start.clone())
        }
    };
    let mut tasks: Vec<Backtrace> = tasks.iter().map(one).collect();
    if let Some(name) = arguments.value("R") {
        tasks.retain(|task| task.frames.iter().any(|frame| frame.symbol == name));
    }
    Ok(Reply::new(Backtraces { tasks }))
}

/// Where `-S` and `-I` say that the stack begins.
fn start(
    session: &Session<'_, '_>,
    arguments: &Arguments,
) -> Result<Option<unwind::Start>, CommandError> {
    match (arguments.value("S"), arguments.value("I")) {
        (None, None) => Ok(None),
        (Some(sp), Some(pc)) => {
            let (sp, pc) = (session.address(sp)?.value, session.address(pc)?.value);
            let registers = Registers::at(pc, sp);
            Ok(Some(unwind::Start { pc: Pc::Interrupted(pc), registers }))
        }
        _ => Err(CommandError::usage("-S and -I are given together")),
    }
}

fn backtrace(
    machine: &Machine<'_>,
    task: &Task,
    form: Form,
    start: Option<unwind::Start>,
) -> Backtrace {
    let mut found = empty(task);
    let walked = match start {
        Some(start) => Ok((false, machine.walk_task(start, task))),
        None => machine
            .backtrace_of(task)
            .map(|walked| (matches!(walked.origin, Origin::Running { .. }), walked.walk)),
    };
    let (was_stopped, walk) = match walked {
        Ok(walked) => walked,
        Err(why) => {
            found.note = Some(why.to_string());
            return found;
        }
    };
    for (index, frame) in walk.frames.iter().enumerate() {
        let next = walk.frames.get(index + 1);
        let mut line = line(machine, index, frame, next, form);
        if was_stopped && index == 0 {
            line.exception = Some(named(&frame.registers));
        }
        if form.arguments {
            add_arguments(machine, &walk, index, &mut line);
        }
        found.frames.push(line);
    }
    match &walk.stop {
        StopReason::User(registers) => found.user = Some(named(registers)),
        StopReason::Root => {}
        other => found.note = Some(other.to_string()),
    }
    found
}

/// Adds what the functions of a frame were given.
fn add_arguments(machine: &Machine<'_>, walk: &Walk, index: usize, line: &mut Line) {
    let mut raw = Raw(machine);
    let arguments = machine.arguments(walk, index);
    let mut of = |depth: usize| -> Vec<String> {
        let here = arguments.iter().filter(|one| usize::try_from(one.depth) == Ok(depth));
        here.map(|argument| argument.text(&mut raw)).collect()
    };
    line.arguments = of(0);
    let count = line.source.len();
    for (place, source) in line.source.iter_mut().enumerate().filter(|(_, one)| one.inlined) {
        source.arguments = of(count.saturating_sub(place + 1));
    }
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
            match form.hexadecimal {
                true => format!("{}+{offset:#x}", code.symbol),
                false => format!("{}+{offset}", code.symbol),
            }
        }
        Some(code) => code.symbol.clone(),
        None => "(no code)".to_owned(),
    };
    let mut words = Vec::new();
    if form.words
        && let Some(next) = next
    {
        words = rows(machine, slot, next, form);
    }
    Line {
        index,
        stack: format!("{slot:016x}"),
        address: format!("{address:016x}"),
        function,
        symbol: code.as_ref().map(|code| code.symbol.clone()).unwrap_or_default(),
        arguments: Vec::new(),
        module: code.and_then(|code| code.module),
        trust: backtrace::trust(frame.trust),
        source: if form.lines { sources(machine, frame.pc) } else { Vec::new() },
        exception: frame.exception.is_some().then(|| named(&frame.registers)),
        words,
    }
}

fn sources(machine: &Machine<'_>, pc: Pc) -> Vec<Source> {
    use analyzer::express::Names as _;
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
        arguments: Vec::new(),
    };
    chain.unwrap_or_default().into_iter().map(source).collect()
}

/// The words of the stack from `from` up to where the next frame's begin.
fn rows(machine: &Machine<'_>, from: u64, next: &Frame, form: Form) -> Vec<Row> {
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
            let name = machine.code_name(value).filter(|_| form.symbols && value >> 63 == 1);
            if let Some(name) = name {
                return format!("{}+{}", name.symbol, name.offset);
            }
            let cache = form.symbols.then(|| slab_cache(machine, value)).flatten();
            match cache {
                Some(cache) if form.addresses => format!("[{value:x}:{cache}]"),
                Some(cache) => format!("[{cache}]"),
                None => format!("{value:016x}"),
            }
        };
        let values = values.map(shown).collect();
        rows.push(Row { address: format!("{at:016x}"), values });
        at = at.saturating_add(16);
    }
    rows
}
