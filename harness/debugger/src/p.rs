// SPDX-License-Identifier: MIT OR Apache-2.0
//! `p`: the value of a C expression.

use serde::Serialize;

use super::show::{DECIMAL, HEXADECIMAL, Shown, style};
use super::{Arguments, Command, CommandError, Reply, Rule, Session, Text, Words};
use analyzer::values::{Evaluator, Limits, Tree, World, parse_cpus};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "p",
    summary: "the value of a C expression",
    usage: "[-x | -d] EXPRESSION (with $REGISTER of the fault or of frame #0) | VARIABLE:CPU[,CPU...] | VARIABLE:a",
    options: &[HEXADECIMAL, DECIMAL],
    rules: &[Rule::OneOf(&["x", "d"])],
    words: Words::Expression,
    run,
};

/// Copies of a per-CPU variable.
#[derive(Debug, Serialize)]
struct Copies {
    list: Vec<Copy>,
}

#[derive(Debug, Serialize)]
struct Copy {
    cpu: u32,
    address: String,
    value: Shown,
}

/// Where a per-CPU variable is.
#[derive(Debug, Serialize)]
struct Addresses {
    declaration: String,
    addresses: Vec<(u32, String)>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let world: &dyn World = session.machine();
    let evaluator = Evaluator::new(world);
    let text = arguments.rest.trim();
    if text.is_empty() {
        return Err(CommandError::usage("which expression?"));
    }
    let style = style(arguments);
    if let Some((ty, start)) = evaluator.per_cpu(text) {
        let address = |cpu: u32| {
            let offset = world.per_cpu_offset(cpu);
            let address = offset.map(|offset| format!("{:016x}", start.wrapping_add(offset)));
            (cpu, address.unwrap_or_else(|why| why))
        };
        let addresses = world.cpus().into_iter().map(address).collect();
        return Ok(Reply::new(Addresses { declaration: ty.spell(text), addresses }));
    }
    if let Some((name, cpus)) = text.rsplit_once(':')
        && evaluator.per_cpu(name.trim()).is_some()
        && let Some(cpus) = parse_cpus(cpus, &world.cpus())
    {
        let copy = |cpu: u32| {
            let value = evaluator.evaluate(&format!("{}:{cpu}", name.trim()))?;
            let address = value.address().map(|address| format!("{address:016x}"));
            let tree = Tree::read(world, &value, Limits::default());
            let value = Shown { head: String::new(), tree, style, alone: true };
            Ok(Copy { cpu, address: address.unwrap_or_default(), value })
        };
        let list = cpus.into_iter().map(copy).collect::<Result<_, CommandError>>()?;
        return Ok(Reply::new(Copies { list }));
    }
    let value = evaluator.evaluate(&session.with_registers(text)?)?;
    let tree = Tree::read(world, &value, Limits::default());
    Ok(Reply::new(Shown { head: format!("{text} = "), tree, style, alone: true }))
}

impl Text for Addresses {
    fn text(&self) -> String {
        let mut out = format!("PER-CPU DATA TYPE:\n  {};\nPER-CPU ADDRESSES:\n", self.declaration);
        for (cpu, address) in &self.addresses {
            out.push_str(&format!("  [{cpu}]: {address}\n"));
        }
        out
    }
}

impl Text for Copies {
    fn text(&self) -> String {
        let copy =
            |copy: &Copy| format!("per_cpu({}) {} = {}", copy.cpu, copy.address, copy.value.text());
        self.list.iter().map(copy).collect()
    }
}
