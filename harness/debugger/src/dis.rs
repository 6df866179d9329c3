// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dis`: code as it stands in the dump, in AT&T form as crash(8) prints it.

use iced_x86::{Decoder, DecoderOptions, Formatter as _, GasFormatter, Instruction, OpKind};
use serde::Serialize;

use super::instruction::Instruction as Shown;
use super::resolve::count;
use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use analyzer::express::Names as _;
use analyzer::flow::Words as _;
use analyzer::machine::Machine;
use analyzer::printer::CodeNames as _;
use analyzer::scene::Scene as _;
use kernel::VirtualMemory as _;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "dis",
    summary: "code as it stands in the dump",
    usage: "[-l | -s] [-r | -f | -b COUNT] [-u] [-x | -d] ADDRESS|SYMBOL [COUNT]",
    options: &[
        Flag::switch("l", "with file and line; of a return address also that of the call"),
        Flag::switch("s", "the same (there are no sources to show)"),
        Flag::switch("r", "from the start of the function to the address"),
        Flag::switch("f", "from the address to the end of the function"),
        Flag::with("b", "COUNT", "so many instructions before the address, and the one there"),
        Flag::switch("u", "the address is one of the current task's user space"),
        Flag::switch("x", "offsets in hexadecimal"),
        Flag::switch("d", "offsets in decimal (default)"),
    ],
    rules: &[
        Rule::OneOf(&["r", "f", "b"]),
        Rule::OneOf(&["x", "d"]),
        Rule::Apart(&["u"], &["r", "f", "b"]),
        Rule::Words(2),
        Rule::WordsWith(1, &["b"]),
    ],
    words: Words::Mixed,
    run,
};

/// Longest instruction of x86-64, in bytes.
const LONGEST: usize = 15;
/// Instructions that are shown at most.
const MAX_COUNT: u64 = 100_000;

#[derive(Debug, Serialize)]
struct Listing {
    instructions: Vec<Line>,
    /// What one should know of the address.
    note: Option<String>,
    #[serde(skip)]
    hexadecimal: bool,
}

#[derive(Debug, Serialize)]
struct Line {
    address: String,
    symbol: Option<String>,
    offset: u64,
    text: String,
    /// What the operand refers to.
    target: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    /// Function inlined here.
    inlined: Option<String>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let [typed, words @ ..] = arguments.words.as_slice() else {
        return Err(CommandError::usage("which address?"));
    };
    let address = session.address(typed)?;
    let wanted = words.first().map(|word| count(word)).transpose()?;
    let machine = session.machine();
    let lines = arguments.has("l") || arguments.has("s");
    let at = address.value;
    let user = at >> 63 == 0;
    let of_kernel = arguments.has("u") && !user;
    let mut note =
        of_kernel.then(|| format!("{at:x} is an address of the kernel: -u is not needed"));
    let is_data = !user && !machine.kernel().is_text(at);
    if is_data {
        note = Some(format!("{at:x} is data, not code: `rd` or `p` shows it"));
    }
    let of_function = ["r", "f", "b"].into_iter().find(|option| arguments.has(option));
    if let Some(option) = of_function.filter(|_| user) {
        let words = format!("-{option}: where a function of a user program begins is not known");
        return Err(CommandError::nothing(words));
    }
    // Only if so many instructions are asked for, it may be code that the kernel does not list.
    let instructions = if is_data && wanted.is_none() {
        machine.kernel().read(at, &mut [0])?;
        Vec::new()
    } else if user {
        from_user(session, at, wanted.unwrap_or(1))?
    } else if let Some(text) = arguments.value("b") {
        let (start, _) = function(machine, at)?;
        let mut before = between(machine, start, at, None)?;
        let kept = usize::try_from(count(text)?).unwrap_or(usize::MAX).saturating_add(1);
        before.drain(..before.len().saturating_sub(kept));
        before
    } else if arguments.has("r") || arguments.has("f") {
        let (start, end) = function(machine, at)?;
        match arguments.has("r") {
            true => between(machine, start, at, wanted)?,
            false => between(machine, at, end.wrapping_sub(1), wanted)?,
        }
    } else if address.is_symbol && wanted.is_none() && machine.kernel().is_text(at) {
        let (start, end) = function(machine, at)?;
        between(machine, start, end.wrapping_sub(1), None)?
    } else {
        between(machine, at, u64::MAX, Some(wanted.unwrap_or(1)))?
    };
    if !is_data && lines && instructions.len() == 1 {
        note = call_before(machine, at).or(note);
    }
    let line = |instruction: &Instruction| line(machine, instruction, lines);
    let instructions = instructions.iter().map(line).collect();
    Ok(Reply::new(Listing { instructions, note, hexadecimal: arguments.has("x") }))
}

/// The code around the instruction that an address is in: so many before and behind it, of the same
/// function. None where no function is known.
pub(super) fn around(machine: &Machine<'_>, at: u64, before: usize, behind: u64) -> Vec<Shown> {
    let listed = || {
        let (start, end) = function(machine, at)?;
        let mut found = between(machine, start, at, None)?;
        let kept = before.saturating_add(1);
        found.drain(..found.len().saturating_sub(kept));
        let next = found.last().map_or(at, Instruction::next_ip);
        if next < end {
            found.extend(between(machine, next, end.wrapping_sub(1), Some(behind))?);
        }
        Ok::<_, CommandError>(found)
    };
    let shown = |instruction: &Instruction| {
        let Line { address, symbol, offset, text, target, .. } = line(machine, instruction, false);
        let target = target.map(|target| format!(" {target}")).unwrap_or_default();
        let at_fault = (instruction.ip()..instruction.next_ip()).contains(&at);
        let place = symbol.map(|symbol| format!("{symbol}+{offset}"));
        Shown { address, place, text: text + &target, at_fault }
    };
    listed().unwrap_or_default().iter().map(shown).collect()
}

/// Where the function at the address begins and ends.
fn function(machine: &Machine<'_>, address: u64) -> Result<(u64, u64), CommandError> {
    let none = || CommandError::nothing(format!("no function at {address:x}"));
    let name = machine.code_name(address).ok_or_else(none)?;
    let start = address.wrapping_sub(name.offset);
    // Padding belongs to no function, though the kernel counts it.
    let end = machine.function_code(address).and_then(|code| {
        let inside = |at: &u64| *at >= start && *at <= start.saturating_add(name.size);
        code.instructions().iter().map(Instruction::next_ip).filter(inside).max()
    });
    Ok((start, end.unwrap_or_else(|| start.saturating_add(name.size))))
}

/// Instructions that begin at `from` or later and not after `last`.
fn between(
    machine: &Machine<'_>,
    from: u64,
    last: u64,
    wanted: Option<u64>,
) -> Result<Vec<Instruction>, CommandError> {
    let read = |at: u64, bytes: &mut [u8]| machine.kernel().read(at, bytes).map_err(Into::into);
    decode(&read, from, last, wanted)
}

fn from_user(
    session: &Session<'_, '_>,
    from: u64,
    wanted: u64,
) -> Result<Vec<Instruction>, CommandError> {
    let kernel = session.kernel();
    let root = kernel.user_tables(session.context()?)?;
    let read =
        |at: u64, bytes: &mut [u8]| kernel.space().read_at(root, at, bytes).map_err(Into::into);
    decode(&read, from, u64::MAX, Some(wanted))
}

type Read<'r> = dyn Fn(u64, &mut [u8]) -> Result<(), CommandError> + 'r;

fn decode(
    read: &Read<'_>,
    from: u64,
    last: u64,
    wanted: Option<u64>,
) -> Result<Vec<Instruction>, CommandError> {
    let mut found: Vec<Instruction> = Vec::new();
    let limit = wanted.unwrap_or(MAX_COUNT).min(MAX_COUNT);
    let mut at = from;
    while at <= last && (found.len() as u64) < limit {
        let mut bytes = vec![0; LONGEST];
        // An instruction may be the last one of a page behind which there is nothing.
        while let Err(why) = read(at, &mut bytes) {
            bytes.pop();
            if bytes.is_empty() {
                return if found.is_empty() { Err(why) } else { Ok(found) };
            }
        }
        let instruction = Decoder::with_ip(64, &bytes, at, DecoderOptions::NONE).decode();
        at = at.wrapping_add(if instruction.is_invalid() { 1 } else { instruction.len() as u64 });
        found.push(instruction);
        if at < from {
            break;
        }
    }
    Ok(found)
}

fn line(machine: &Machine<'_>, instruction: &Instruction, lines: bool) -> Line {
    let at = instruction.ip();
    let name = machine.code_name(at);
    let source = lines.then(|| machine.image_at(at)?.source(at).found()).flatten();
    let source = source.unwrap_or_default().into_iter().next();
    Line {
        address: format!("{at:#x}"),
        symbol: name.as_ref().map(|name| name.symbol.clone()),
        offset: name.map_or(0, |name| name.offset),
        text: text(instruction),
        target: target(machine, instruction),
        file: source.as_ref().and_then(|source| source.file.clone()),
        line: source.as_ref().and_then(|source| source.line),
        inlined: source.filter(|source| source.inlined).and_then(|source| source.function),
    }
}

fn text(instruction: &Instruction) -> String {
    if instruction.is_invalid() {
        return "(bad)".to_owned();
    }
    let mut formatter = GasFormatter::new();
    let options = formatter.options_mut();
    options.set_uppercase_hex(false);
    options.set_hex_prefix("0x");
    options.set_small_hex_numbers_in_decimal(false);
    options.set_branch_leading_zeros(false);
    options.set_rip_relative_addresses(true);
    let mut out = String::new();
    formatter.format(instruction, &mut out);
    match out.split_once(' ') {
        Some((mnemonic, operands)) => format!("{mnemonic:<6} {}", operands.trim_start()),
        None => out,
    }
}

/// What a branch goes to, or what an operand relative to the program counter refers to, with the
/// function that a pointer there points to.
fn target(machine: &Machine<'_>, instruction: &Instruction) -> Option<String> {
    let near = matches!(instruction.op0_kind(), OpKind::NearBranch64);
    if instruction.op_count() > 0 && near {
        return Some(format!("<{}>", named(machine, instruction.near_branch_target())?));
    }
    if !instruction.is_ip_rel_memory_operand() {
        return None;
    }
    let address = instruction.ip_rel_memory_address();
    let name = named(machine, address).map(|name| format!(" <{name}>")).unwrap_or_default();
    let value = machine.word(address, 8).filter(|value| machine.kernel().is_text(*value));
    let points = value.and_then(|value| named(machine, value)).map(|name| format!(" -> <{name}>"));
    Some(format!("# {address:#x}{name}{}", points.unwrap_or_default()))
}

fn named(machine: &Machine<'_>, address: u64) -> Option<String> {
    let name = machine.code_name(address)?;
    Some(match name.offset {
        0 => name.symbol,
        offset => format!("{}+{offset}", name.symbol),
    })
}

/// Of an address behind a call, where that call is: a return address has the line of what comes
/// next, which is not what the function was doing.
fn call_before(machine: &Machine<'_>, address: u64) -> Option<String> {
    let code = machine.function_code(address)?;
    let call = code.instructions().get(code.before(address)?)?;
    let is_call = call.is_call_near() || call.is_call_near_indirect();
    if !is_call {
        return None;
    }
    let chain = machine.image_at(call.ip())?.source(call.ip()).found()?;
    let first = chain.first()?;
    let function = first.function.as_deref().filter(|_| first.inlined);
    let function = function.map(|name| format!(" in {name} (inlined)")).unwrap_or_default();
    let (file, line) = (first.file.as_deref()?, first.line?);
    Some(format!("the call that returns here is at {:#x}, {file}: {line}{function}", call.ip()))
}

impl Text for Listing {
    fn text(&self) -> String {
        let mut out = String::new();
        if let Some(note) = &self.note {
            out.push_str(&format!("({note})\n"));
        }
        let mut last = None;
        for line in &self.instructions {
            let place = (&line.file, line.line, &line.inlined);
            if let (Some(file), Some(number)) = (&line.file, line.line)
                && last != Some(place)
            {
                let inlined = line.inlined.as_ref().map(|name| format!(" ({name}, inlined)"));
                out.push_str(&format!("{file}: {number}{}\n", inlined.unwrap_or_default()));
                last = Some(place);
            }
            let symbol = match (&line.symbol, line.offset, self.hexadecimal) {
                (None, _, _) => String::new(),
                (Some(name), 0, _) => format!(" <{name}>"),
                (Some(name), offset, false) => format!(" <{name}+{offset}>"),
                (Some(name), offset, true) => format!(" <{name}+{offset:#x}>"),
            };
            let target = line.target.as_ref().map(|target| format!(" {target}"));
            let row =
                format!("{}{symbol}:\t{}{}", line.address, line.text, target.unwrap_or_default());
            out.push_str(row.trim_end());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As objdump(1) prints the same bytes, but for the scale of 1 that it adds to `nopl`.
    #[test]
    fn instructions_are_in_att_form() {
        let shown = |bytes: &[u8]| {
            text(&Decoder::with_ip(64, bytes, 0x1000, DecoderOptions::NONE).decode())
        };
        assert_eq!(shown(&[0x8b, 0x43, 0x18]), "mov    0x18(%rbx),%eax");
        assert_eq!(shown(&[0xe8, 0xfb, 0x0f, 0, 0]), "call   0x2000");
        assert_eq!(shown(&[0x48, 0x8b, 0x05, 0x39, 0x22, 0, 0]), "mov    0x2239(%rip),%rax");
        assert_eq!(shown(&[0x06]), "(bad)");
    }
}
