// SPDX-License-Identifier: MIT OR Apache-2.0
//! `irq`: interrupts, who handles them and how often they came.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use analyzer::values::parse_cpus;
use kernel::irqs::Irq;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "irq",
    summary: "interrupts, who handles them and how often they came",
    usage: "[-u] [-b | -d | -s [-c CPU[,CPU...]]] [IRQ...]",
    options: &[
        Flag::switch("u", "only those that have a handler"),
        Flag::switch("b", "what the soft interrupts call"),
        Flag::switch("d", "the interrupt descriptor table"),
        Flag::switch("s", "how often each came, on each CPU"),
        Flag::with("c", "CPUS", "with -s: only these CPUs"),
    ],
    rules: &[
        Rule::OneOf(&["b", "d", "s"]),
        Rule::Apart(&["u"], &["b", "d"]),
        Rule::WordsWith(0, &["b", "d"]),
        Rule::Needs(&["c"], &["s"]),
    ],
    words: Words::Mixed,
    run,
};

/// Names of the soft interrupts (`include/linux/interrupt.h`, the same since 2.6.31).
const SOFT: [&str; 10] =
    ["HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"];

#[derive(Debug, Serialize)]
struct Interrupts {
    interrupts: Vec<Row>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    irq: u32,
    descriptor: String,
    chip: Option<String>,
    flow: Option<String>,
    /// How often it is disabled.
    disabled: u64,
    actions: Vec<Handler>,
    counts: Vec<(u32, u64)>,
}

#[derive(Debug, Serialize)]
struct Handler {
    address: String,
    handler: String,
    thread: Option<String>,
    device: String,
    name: Option<String>,
}

#[derive(Debug, Serialize)]
struct Counts {
    cpus: Vec<u32>,
    interrupts: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Calls {
    calls: Vec<Call>,
    #[serde(skip)]
    head: &'static str,
}

#[derive(Debug, Serialize)]
struct Call {
    number: usize,
    name: Option<&'static str>,
    function: String,
    stack: u8,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    if arguments.has("b") {
        let calls = kernel.soft_irqs()?.into_iter().enumerate();
        let call = |(number, function): (usize, u64)| Call {
            number,
            name: SOFT.get(number).copied(),
            function: session.code(function),
            stack: 0,
        };
        return Ok(Reply::new(Calls { calls: calls.map(call).collect(), head: "SOFTIRQ_VEC" }));
    }
    if arguments.has("d") {
        let call = |gate: kernel::irqs::Gate| Call {
            number: usize::try_from(gate.vector).unwrap_or(usize::MAX),
            name: None,
            function: session.code(gate.handler),
            stack: gate.stack,
        };
        let calls = kernel.gates()?.into_iter().map(call).collect();
        return Ok(Reply::new(Calls { calls, head: "VECTOR" }));
    }
    let found = kernel.irqs()?;
    let wanted = arguments.words.iter().map(|word| super::resolve::count(word));
    let wanted = wanted.collect::<Result<Vec<u64>, _>>()?;
    let used = arguments.has("u");
    let kept = |irq: &&Irq| {
        (wanted.is_empty() || wanted.contains(&irq.number.into()))
            && !(used && irq.actions.is_empty())
    };
    let interrupts: Vec<Row> =
        found.items.iter().filter(kept).map(|irq| row(session, irq)).collect();
    if arguments.has("s") {
        let all = kernel.up_cpus()?;
        let cpus = match arguments.value("c") {
            Some(text) => parse_cpus(text, &all)
                .ok_or_else(|| CommandError::usage(format!("no CPUs: `{text}`")))?,
            None => all,
        };
        let interrupts =
            interrupts.into_iter().filter(|row| used || !row.actions.is_empty()).collect();
        return Ok(Reply::new(Counts { cpus, interrupts }));
    }
    let damage = found.damage.iter().map(ToString::to_string).collect();
    Ok(Reply::new(Interrupts { interrupts, damage }))
}

fn row(session: &Session<'_, '_>, irq: &Irq) -> Row {
    let handler = |action: &kernel::irqs::Action| Handler {
        address: format!("{:x}", action.address),
        handler: session.code(action.handler),
        thread: (action.thread_function != 0).then(|| session.code(action.thread_function)),
        device: format!("{:x}", action.device),
        name: action.name.clone(),
    };
    Row {
        irq: irq.number,
        descriptor: format!("{:x}", irq.descriptor),
        chip: irq.chip.clone(),
        flow: irq.flow.clone(),
        disabled: irq.depth,
        actions: irq.actions.iter().map(handler).collect(),
        counts: irq.counts.clone(),
    }
}

impl Text for Interrupts {
    fn text(&self) -> String {
        let mut out = format!(
            " IRQ  {:^16}  {:^16}  {:<20} HANDLER\n",
            "IRQ_DESC/_DATA", "IRQACTION", "NAME"
        );
        for row in &self.interrupts {
            if row.actions.is_empty() {
                out.push_str(&format!("{:>4}  {:>16}      (unused)\n", row.irq, row.descriptor));
            }
            for (index, action) in row.actions.iter().enumerate() {
                let (number, descriptor) = match index {
                    0 => (row.irq.to_string(), row.descriptor.as_str()),
                    _ => (String::new(), ""),
                };
                let name = action.name.as_deref().unwrap_or("?");
                let thread = action.thread.as_ref().map(|thread| format!(", thread {thread}"));
                out.push_str(&format!(
                    "{number:>4}  {descriptor:>16}  {:>16}  {:<20} {}{}\n",
                    action.address,
                    format!("\"{name}\""),
                    action.handler,
                    thread.unwrap_or_default()
                ));
            }
        }
        for damage in &self.damage {
            out.push_str(&format!("(the list is not whole: {damage})\n"));
        }
        out
    }
}

impl Text for Counts {
    fn text(&self) -> String {
        let mut out = String::from("    ");
        for cpu in &self.cpus {
            out.push_str(&format!(" {:>10}", format!("CPU{cpu}")));
        }
        out.push('\n');
        for row in &self.interrupts {
            out.push_str(&format!("{:>3}:", row.irq));
            for cpu in &self.cpus {
                let count = row.counts.iter().find(|(of, _)| of == cpu).map(|(_, count)| *count);
                let count = count.map_or_else(|| "?".to_owned(), |count| count.to_string());
                out.push_str(&format!(" {count:>10}"));
            }
            let names: Vec<&str> =
                row.actions.iter().filter_map(|action| action.name.as_deref()).collect();
            out.push_str(&format!(
                " {:>14}-{:<8} {}\n",
                row.chip.as_deref().unwrap_or("?"),
                row.flow.as_deref().unwrap_or("?"),
                names.join(",")
            ));
        }
        out
    }
}

impl Text for Calls {
    fn text(&self) -> String {
        let mut out = format!("{}  {:<10} ACTION\n", self.head, "");
        for call in &self.calls {
            let name = call.name.unwrap_or_default();
            let stack = match call.stack {
                0 => String::new(),
                number => format!("  (IST {number})"),
            };
            let number = format!("[{}]", call.number);
            out.push_str(&format!("{number:>11}  {name:<10} {}{stack}\n", call.function));
        }
        out
    }
}
