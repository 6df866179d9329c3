// SPDX-License-Identifier: MIT OR Apache-2.0
//! `log`: the kernel's log.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use kernel::log::{Caller, LogLine, not_whole, stamp, written};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "log",
    summary: "the kernel's log",
    usage: "[-t | -T] [-m] [-c] [-a]",
    options: &[
        Flag::switch("t", "without the time"),
        Flag::switch("T", "with the time of day (UTC)"),
        Flag::switch("m", "with the level (<0> is the most severe)"),
        Flag::switch("a", "only what the audit subsystem printed"),
        Flag::switch("c", "with the task (T) or CPU (C) that printed the line"),
    ],
    rules: &[Rule::OneOf(&["t", "T"]), Rule::Words(0)],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Log {
    lines: Vec<Line>,
    damage: Vec<String>,
    #[serde(skip)]
    time: Time,
    #[serde(skip)]
    level: bool,
    #[serde(skip)]
    caller: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    SinceBoot,
    None,
    /// With the second, since 1970, at which the kernel started.
    OfDay(i64),
}

#[derive(Debug, Serialize)]
struct Line {
    nanoseconds: u64,
    level: u8,
    caller: Option<String>,
    text: String,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let log = kernel.log()?;
    let time = if arguments.has("t") {
        Time::None
    } else if arguments.has("T") {
        Time::OfDay(kernel.boot_seconds()?)
    } else {
        Time::SinceBoot
    };
    let audit = arguments.has("a");
    Ok(Reply::new(Log {
        lines: log.items.iter().filter(|line| !audit || is_audit(line)).map(line).collect(),
        damage: log.damage.iter().map(ToString::to_string).collect(),
        time,
        level: arguments.has("m"),
        caller: arguments.has("c"),
    }))
}

/// The audit subsystem prints here while nobody in user space listens.
fn is_audit(line: &LogLine) -> bool {
    line.text.starts_with("audit: ") || line.text.starts_with("type=")
}

fn line(line: &LogLine) -> Line {
    let caller = line.caller.map(|caller| match caller {
        Caller::Task(pid) => format!("T{pid}"),
        Caller::Cpu(cpu) => format!("C{cpu}"),
    });
    let LogLine { nanoseconds, level, text, .. } = line;
    Line { nanoseconds: *nanoseconds, level: *level, caller, text: text.clone() }
}

impl Text for Log {
    fn text(&self) -> String {
        let records = self.lines.iter().map(|line| written(&self.prefix(line), &line.text));
        records.chain(self.damage.iter().map(|damage| not_whole(damage))).collect()
    }
}

impl Log {
    fn prefix(&self, line: &Line) -> String {
        let mut prefix = match self.time {
            Time::None => String::new(),
            Time::SinceBoot => stamp(line.nanoseconds),
            Time::OfDay(boot) => {
                let since = i64::try_from(line.nanoseconds / 1_000_000_000).unwrap_or(i64::MAX);
                format!("[{}] ", super::date::text(boot.saturating_add(since)))
            }
        };
        if self.level {
            prefix.push_str(&format!("<{}>", line.level));
        }
        if let Some(caller) = line.caller.as_ref().filter(|_| self.caller) {
            prefix.push_str(&format!("[{caller:>6}] "));
        }
        prefix
    }
}
