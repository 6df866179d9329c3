// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stacks that `bt` shows, as data and as text.

use serde::Serialize;
use unwind::{Register, Registers};

use super::Text;
use analyzer::report::Trust;
use kernel::tasks::Task;

#[derive(Debug, Serialize)]
pub(super) struct Backtraces {
    pub(super) tasks: Vec<Backtrace>,
}

#[derive(Debug, Serialize)]
pub(super) struct Backtrace {
    pub(super) pid: i32,
    pub(super) task: String,
    pub(super) cpu: Option<u32>,
    pub(super) command: String,
    pub(super) frames: Vec<Line>,
    /// Registers of user mode, if the kernel was entered from there.
    pub(super) user: Option<Vec<(String, String)>>,
    /// Why there are no more frames, where that is worth knowing.
    pub(super) note: Option<String>,
    /// Words of the stack as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) words: Vec<Row>,
    /// What looks like saved registers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) exceptions: Vec<Saved>,
}

/// What looks like registers that an exception or interrupt saved.
#[derive(Debug, Serialize)]
pub(super) struct Saved {
    /// Where they are.
    pub(super) address: String,
    /// `KERNEL-MODE` or `USER-MODE`.
    pub(super) mode: &'static str,
    /// Where it happened.
    pub(super) place: String,
    pub(super) registers: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) index: usize,
    pub(super) stack: String,
    pub(super) address: String,
    pub(super) function: String,
    /// The function's symbol alone.
    #[serde(skip)]
    pub(super) symbol: String,
    /// What the function was given, as `name=value`.
    pub(super) arguments: Vec<String>,
    pub(super) module: Option<String>,
    pub(super) trust: Trust,
    /// Functions inlined here, innermost first, and the function itself: name, file, line.
    pub(super) source: Vec<Source>,
    /// Registers of the exception that was taken here, or of the interrupt (NMI) that stopped the CPU here.
    pub(super) exception: Option<Vec<(String, String)>>,
    pub(super) words: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub(super) struct Source {
    pub(super) function: String,
    pub(super) place: String,
    pub(super) inlined: bool,
    /// What an inlined function was given, as `name=value`.
    pub(super) arguments: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) address: String,
    pub(super) values: Vec<String>,
}

/// The stack of a task of which nothing is known yet.
pub(super) fn empty(task: &Task) -> Backtrace {
    Backtrace {
        pid: task.pid,
        task: format!("{:x}", task.address),
        cpu: task.cpu,
        command: task.comm.clone(),
        frames: Vec::new(),
        user: None,
        note: None,
        words: Vec::new(),
        exceptions: Vec::new(),
    }
}

/// Registers with their names, in the order in which crash(8) prints them.
pub(super) fn named(registers: &Registers) -> Vec<(String, String)> {
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
    named.push(("SS".to_owned(), shown(registers.ss, 4)));
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
        for row in &self.words {
            out.push_str(&format!("{}: {}\n", row.address, row.values.join(" ")));
        }
        for saved in &self.exceptions {
            let Saved { address, mode, place, .. } = saved;
            out.push_str(&format!("\n{mode} EXCEPTION FRAME AT: {address}\n"));
            if !place.is_empty() {
                out.push_str(&format!("    [exception RIP: {place}]\n"));
            }
            registers(&saved.registers, &mut out);
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
        if self.source.is_empty() {
            given(&self.arguments, out);
        }
        for source in &self.source {
            let Source { function, place, .. } = source;
            match source.inlined {
                true => out.push_str(&format!("    {function} (inlined) {place}\n")),
                false => out.push_str(&format!("    {place}\n")),
            }
            given(if source.inlined { &source.arguments } else { &self.arguments }, out);
        }
        for row in &self.words {
            out.push_str(&format!("    {}: {}\n", row.address, row.values.join(" ")));
        }
    }
}

/// What a function was given.
fn given(arguments: &[String], out: &mut String) {
    if !arguments.is_empty() {
        out.push_str(&format!("    ({})\n", arguments.join(", ")));
    }
}

/// Registers in rows of three.
fn registers(named: &[(String, String)], out: &mut String) {
    for row in named.chunks(3) {
        let row = row.iter().map(|(name, value)| format!("{name:>3}: {value}"));
        out.push_str(&format!("    {}\n", row.collect::<Vec<_>>().join("  ")));
    }
}
