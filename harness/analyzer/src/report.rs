// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report: plain data, the contract that people, tests and CI read.
//!
//! Rules of the form: `schema_version` first; every address is a `"0x…"` string (a JSON number
//! would lose bits above 2^53); any field may be null; enums are kebab-case; no host path and no
//! time of the analysis, so that the same dump gives the same bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::kind::CrashKind;
use crate::report_facts::Facts;
use crate::source_line::SourceLine;
pub use crate::text::LogEntry;

/// Version of the form; raised whenever a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// Version of what the stable form says: raised whenever the stable report of the same dump changes
/// because the program changed, be it by one word. Reviewed reports have it beside them, so that
/// such a change can be told from a crash that changed.
///
/// [`SCHEMA_VERSION`] is about the shape that programs read: who raises it raises this one too,
/// and not the other way round.
pub const STABLE_FORM: u32 = 5;

/// The form of a text, where a dump's is.
pub(crate) const TEXT: &str = "text";

/// Everything the analysis found out about one crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this form.
    pub schema_version: u32,
    /// The kernel that crashed.
    pub kernel: Kernel,
    /// The file the report was made from.
    pub dump: Dump,
    /// What the kernel itself said.
    pub panic: Panic,
    /// The task that crashed; where tasks hang, the one to blame.
    pub task: Option<Task>,
    /// Why it crashed.
    pub verdict: Verdict,
    /// Hash of what identifies the crash across builds and boots: of what the kernel's own text has.
    pub signature: Option<String>,
    /// Hash of what is to be mended, where that is known: what two crashes of one defect share.
    #[serde(default)]
    pub root_signature: Option<String>,
    /// The stacks of the crashing CPU.
    pub backtraces: Backtraces,
    /// Loaded modules, in the kernel's order (youngest first).
    pub modules: Vec<Module>,
    /// What is missing, doubtful or worth knowing.
    pub findings: Vec<Finding>,
    /// What the kernel complained of before it crashed, in the order of a dump's log; the first eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierReport>,
    /// Every report of a text, in its order; of a dump, none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<LogEntry>,
}

impl Report {
    /// Whether it was made from a text, without a dump.
    #[must_use]
    pub fn is_of_text(&self) -> bool {
        self.dump.format.as_deref() == Some(TEXT)
    }
}

/// The kernel that crashed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// `uname -r`.
    pub release: Option<String>,
    /// `uname -v`.
    pub version: Option<String>,
    /// `uname -m`.
    pub machine: Option<String>,
    /// GNU build-id, in hex.
    pub build_id: Option<String>,
    /// Run-time minus link-time address of the kernel's text.
    pub kaslr_offset: Option<String>,
    /// Taint letters as the kernel prints them, without blanks (`OE`); empty if it is not tainted.
    pub taint: Option<String>,
    /// CPUs online at the crash.
    pub cpus: Option<u32>,
    /// RAM the kernel manages, in bytes.
    pub memory_bytes: Option<u64>,
    /// Seconds since boot.
    pub uptime_seconds: Option<u64>,
    /// `uname -n`.
    pub nodename: Option<String>,
}

/// The file the report was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dump {
    /// `kdump-compressed`, `elf`.
    pub format: Option<String>,
    /// Compression of the pages read: `zlib`, `lzo`, `none`.
    pub compression: Option<String>,
    /// makedumpfile's dump level (bits of page kinds left out).
    pub level: Option<u32>,
    /// Whether all that should be in the file is in it.
    pub complete: Option<bool>,
}

/// What the kernel itself said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Panic {
    /// First line of the last oops in the kernel log.
    pub message: Option<String>,
}

/// A task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// Process id (the kernel's pid, that is, the thread's).
    pub pid: Option<i32>,
    /// Command name, at most fifteen bytes.
    pub comm: Option<String>,
    /// CPU it ran on.
    pub cpu: Option<u32>,
    /// Address of its `task_struct`.
    pub address: Option<String>,
}

/// Why the kernel crashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// What happened, from a closed list.
    pub kind: CrashKind,
    /// One line that names the crash to people and tools.
    pub title: String,
    /// The sentence an engineer would say.
    pub summary: String,
    /// How far the evidence carries.
    pub confidence: Confidence,
    /// What keeps it from being proven, in words, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// The code at fault.
    pub culprit: Option<Culprit>,
    /// The C expression that held the bad value.
    pub expression: Option<String>,
    /// What the sentence is made of.
    #[serde(default)]
    pub facts: Facts,
    /// The steps from the fault to the expression, each checked on the dump.
    pub evidence: Vec<Evidence>,
    /// What to look at next.
    #[serde(default)]
    pub next: Vec<String>,
}

/// How far the evidence carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The expression, evaluated again on the dump, gives the bad value.
    Proven,
    /// The code says so, but the dump does not hold all that is needed to check it.
    Likely,
    /// Not known.
    Unknown,
}

/// The code at fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Culprit {
    /// Function as written in the source (the innermost inlined one); the variable, where a table of a module lacks
    /// what the kernel's own code called.
    pub function: Option<String>,
    /// Functions it was inlined into, innermost first; the last one has the code.
    pub inlined_into: Vec<String>,
    /// Module, or null for the kernel itself.
    pub module: Option<String>,
    /// Source file, relative to the build folder where that can be told.
    pub file: Option<String>,
    /// Line in that file; in the stable form only where `source` is not known.
    pub line: Option<u32>,
    /// The text of that line, where the sources were at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Culprit {
    /// The line, where it is known.
    pub(crate) fn source_line(&self) -> Option<SourceLine> {
        let (file, line) = (self.file.clone()?, self.line?);
        Some(SourceLine { file, line, text: self.source.clone() })
    }
}

/// One step from the fault to the expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What is claimed, in words.
    pub claim: String,
    /// Whether the dump confirms it; null where it cannot be checked.
    pub confirmed: Option<bool>,
}

/// What the kernel complained of before it crashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EarlierReport {
    /// Seconds since boot.
    pub time: Option<String>,
    /// Its first line; in the stable form, what of it no boot changes.
    pub headline: String,
    /// What it is of.
    pub kind: CrashKind,
    /// The code at fault.
    pub culprit: Option<Culprit>,
    /// The task.
    pub task: Option<Task>,
    /// The verdict is about this one.
    pub main: bool,
}

/// The stacks that tell why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Backtraces {
    /// From the registers of the fault; where tasks hang, that of the one to blame.
    pub fault: Vec<Frame>,
    /// What the task of `fault` does, where that is not the one that crashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub does: Option<Does>,
    /// The stacks of others that have a part in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<TaskStack>,
    /// From where the capture kernel was entered.
    pub panic: Vec<Frame>,
}

/// The stack of a task that has a part in a hang.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskStack {
    /// The task.
    pub task: Task,
    /// What it does.
    pub does: Does,
    /// Its stack.
    pub frames: Vec<Frame>,
}

/// What a task does that has a part in a hang.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// It waits.
    Waits,
    /// It has what others wait for.
    Holds,
    /// Its CPU runs without end.
    Runs,
    /// It was on a CPU of a machine that goes on.
    OnCpu,
}

impl Does {
    /// In words, behind "a task that".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Holds => "has what others wait for",
            Self::Runs => "runs without end",
            Self::OnCpu => "was on a CPU",
        }
    }
}

/// One stack frame; inlined functions are frames of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    /// Number, from 0 at the innermost.
    pub index: u32,
    /// Program counter: the interrupted instruction or the return address.
    pub address: Option<String>,
    /// Function name as in the source, or the symbol's where no debug information tells.
    pub function: Option<String>,
    /// Symbol of the code as the kernel shows it (`do_execveat_common.isra.0`); null for inlined
    /// functions.
    pub symbol: Option<String>,
    /// Distance of `address` from the start of the symbol.
    pub offset: Option<String>,
    /// Size of the symbol.
    pub size: Option<String>,
    /// Module, or null for the kernel itself.
    pub module: Option<String>,
    /// Source file; one of the kernel's headers as its tree has it.
    pub file: Option<String>,
    /// Line in that file; in the stable form only where `source` is not known.
    pub line: Option<u32>,
    /// The text of that line, where the sources of the module were at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether this function was inlined into the next frame's.
    pub inlined: bool,
    /// How the frame was found.
    pub trust: Trust,
    /// Arguments that could be recovered, as `name=value`.
    pub arguments: Vec<String>,
    /// What lies between this frame and the next: an exception, a change of stack, user space.
    pub boundary: Option<String>,
    /// Bytes of stack from this function's stack pointer to its caller's, where the rules of unwinding
    /// tell; not in the stable form, which another compiler's kernel shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_bytes: Option<u64>,
    /// Recursion that was folded: what this frame ends comes again, and is not listed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
}

/// Frames that come again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repeats {
    /// How many of the functions on the stack (frames that are not inlined), this one the last,
    /// are one round.
    pub frames: u32,
    /// How many more rounds follow; 0 in the stable form, which does not tell.
    pub times: u32,
}

/// How a frame was found, surest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Saved registers: the fault's, an exception frame's, a CPU note's.
    Exact,
    /// Rules of DWARF call frame information.
    Cfi,
    /// Rules of the kernel's ORC tables.
    Orc,
    /// The chain of saved frame pointers.
    FramePointer,
    /// A function that its caller called and that went on with a jump: it left nothing on the stack,
    /// its code tells of it.
    Jumped,
    /// The kernel's own trace in its log has it.
    Told,
    /// The return address of a call that went to a bad address.
    Call,
    /// A word on the stack that looks like a return address; it may be stale.
    #[default]
    Scan,
}

impl Trust {
    /// The stable form ([`STABLE_FORM`]) that had it first: a report of an earlier form cannot have
    /// such a frame, so that one more of them says nothing about the crash.
    #[must_use]
    pub const fn since(self) -> u32 {
        match self {
            Self::Exact | Self::Cfi | Self::Orc | Self::FramePointer | Self::Call | Self::Scan => 1,
            Self::Jumped => 2,
            // No dump has such.
            Self::Told => 2,
        }
    }
}

/// A loaded module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Module {
    /// Name as `lsmod` prints it.
    pub name: String,
    /// First address of its text.
    pub base: Option<String>,
    /// Bytes it occupies.
    pub size: Option<u64>,
    /// Taint letters (`OE`).
    pub taint: Option<String>,
    /// `live`, `coming`, `going`.
    pub state: Option<String>,
    /// `srcversion` of its `modinfo`.
    pub srcversion: Option<String>,
    /// GNU build-id, in hex.
    pub build_id: Option<String>,
    /// Whether a matching file with debug information was given.
    pub debug_info: bool,
}

/// Something missing, doubtful or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable code, listed in `docs/findings.md` (`A001`).
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// The finding in words.
    pub message: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The report is right, and this is worth knowing.
    Info,
    /// Something could not be told because of this.
    Warning,
    /// The input contradicts itself or the files given.
    Error,
}
