// SPDX-License-Identifier: MIT OR Apache-2.0
//! `timer`: what is to be called, and when.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use analyzer::printer::CodeNames as _;
use analyzer::values::parse_cpus;
use kernel::timers::{Timer, TimerBase};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "timer",
    summary: "what is to be called, and when",
    usage: "[-r] [-C CPU[,CPU...]]",
    options: &[
        Flag::switch("r", "high-resolution timers"),
        Flag::with("C", "CPUS", "only these CPUs (0,2-3)"),
    ],
    rules: &[Rule::Words(0)],
    words: Words::Mixed,
    run,
};

/// What a work item with a delay hides behind: its timer calls this.
const DELAYED_WORK: &str = "delayed_work_timer_fn";

#[derive(Debug, Serialize)]
struct Timers {
    /// The kernel's count of ticks; none for high-resolution timers.
    jiffies: Option<u64>,
    bases: Vec<Base>,
}

#[derive(Debug, Serialize)]
struct Base {
    cpu: u32,
    address: String,
    name: Option<String>,
    timers: Vec<Row>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    address: String,
    expires: u64,
    soft_expires: Option<u64>,
    function: String,
    symbol: Option<String>,
    module: Option<String>,
    /// What it is inside of, as far as that is known.
    inside: Option<String>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let online = kernel.up_cpus()?;
    let cpus = match arguments.value("C") {
        Some(text) => parse_cpus(text, &online)
            .ok_or_else(|| CommandError::usage(format!("no CPUs: `{text}`")))?,
        None => online,
    };
    let high = arguments.has("r");
    let mut bases = Vec::new();
    for cpu in cpus {
        let found = if high { kernel.hrtimer_bases(cpu)? } else { kernel.timer_bases(cpu)? };
        bases.extend(found.into_iter().map(|found| base(session, found)));
    }
    let jiffies = if high { None } else { Some(kernel.jiffies()?) };
    Ok(Reply::new(Timers { jiffies, bases }))
}

fn base(session: &Session<'_, '_>, found: TimerBase) -> Base {
    Base {
        cpu: found.cpu,
        address: format!("{:x}", found.address),
        name: found.name,
        timers: found.timers.items.iter().map(|timer| row(session, timer)).collect(),
        damage: found.timers.damage.iter().map(ToString::to_string).collect(),
    }
}

fn row(session: &Session<'_, '_>, timer: &Timer) -> Row {
    let kind = if timer.soft_expires.is_some() { "hrtimer" } else { "timer_list" };
    let name = session.machine().code_name(timer.function);
    let delayed = name.as_ref().is_some_and(|name| name.symbol == DELAYED_WORK);
    let inside = if delayed { delayed_work(session, timer.address) } else { None };
    Row {
        address: format!("{:x}", timer.address),
        expires: timer.expires,
        soft_expires: timer.soft_expires,
        function: format!("{:x}", timer.function),
        inside: inside
            .or_else(|| session.embedding(timer.address))
            .or_else(|| session.container(timer.function, timer.address, kind)),
        module: name.as_ref().and_then(|name| name.module.clone()),
        symbol: name.map(|name| name.symbol),
    }
}

/// The work that a timer is to queue.
fn delayed_work(session: &Session<'_, '_>, timer: u64) -> Option<String> {
    let kernel = session.kernel();
    let start = timer.wrapping_sub(kernel.field("delayed_work", "timer").ok()?.offset);
    let function = kernel.object("delayed_work", start).number("work.func").ok()?;
    let words = format!("struct delayed_work at {start:x}, work {}", session.code(function));
    Some(words)
}

impl Text for Timers {
    fn text(&self) -> String {
        let mut out = String::new();
        if let Some(jiffies) = self.jiffies {
            out.push_str(&format!("JIFFIES\n{jiffies}\n"));
        }
        for base in &self.bases {
            let name = base.name.as_ref().map(|name| format!("[{name}]")).unwrap_or_default();
            let Base { cpu, address, .. } = base;
            out.push_str(&match self.jiffies {
                Some(_) => format!("\nTIMER_BASES[{cpu}]{name}: {address}\n"),
                None => format!("\nCPU: {cpu}  HRTIMER_CLOCK_BASE: {address}  {name}\n"),
            });
            base.text(self.jiffies, &mut out);
            for damage in &base.damage {
                out.push_str(&format!("  (the list is not whole: {damage})\n"));
            }
        }
        out
    }
}

impl Base {
    fn text(&self, jiffies: Option<u64>, out: &mut String) {
        if self.timers.is_empty() {
            out.push_str("  (empty)\n");
            return;
        }
        let (second, third) = match jiffies {
            Some(_) => ("TTE", "TIMER_LIST"),
            None => ("SOFTEXPIRES", "HRTIMER"),
        };
        out.push_str(&format!("  {:>18}  {second:>18}  {third:^16}  FUNCTION\n", "EXPIRES"));
        for row in &self.timers {
            // One that is overdue has waited since then.
            let second = match jiffies {
                Some(now) => row.expires.wrapping_sub(now).cast_signed().to_string(),
                None => row.soft_expires.map(|time| time.to_string()).unwrap_or_default(),
            };
            let symbol = row.symbol.as_ref().map(|name| format!("  <{name}>")).unwrap_or_default();
            let module = row.module.as_ref().map(|name| format!(" [{name}]")).unwrap_or_default();
            let inside = row.inside.as_ref().map(|words| format!("  ({words})"));
            out.push_str(&format!(
                "  {:>18}  {second:>18}  {:>16}  {}{symbol}{module}{}\n",
                row.expires,
                row.address,
                row.function,
                inside.unwrap_or_default()
            ));
        }
    }
}
