// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rd`: memory as numbers, characters or symbols.

use serde::Serialize;

use super::embedding::slab_cache;
use super::resolve::count;
use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use analyzer::printer::CodeNames as _;
use kernel::VirtualMemory as _;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "rd",
    summary: "memory as numbers, characters or symbols",
    usage: "[-8 | -16 | -32 | -64 | -a] [-s | -d | -D] [-x] [-N] [-R] [-u | -p] [-o OFFSET] [-e END] ADDRESS|SYMBOL|$REGISTER [COUNT]",
    options: &[
        Flag::switch("8", "numbers of 8 bits"),
        Flag::switch("16", "numbers of 16 bits"),
        Flag::switch("32", "numbers of 32 bits"),
        Flag::switch("64", "numbers of 64 bits (default)"),
        Flag::switch("a", "characters; without a count up to the first that is not printable"),
        Flag::switch("s", "addresses of symbols as symbols"),
        Flag::switch("S", "the same, and addresses of slab objects as [CACHE]"),
        Flag::switch("SS", "the same, as [ADDRESS:CACHE]"),
        Flag::switch("d", "numbers are printed as decimal, with a sign"),
        Flag::switch("D", "numbers are printed as decimal, without a sign"),
        Flag::switch("x", "without the characters"),
        Flag::switch("N", "numbers in network order"),
        Flag::switch("R", "backwards from the address"),
        Flag::with("o", "OFFSET", "added to the address"),
        Flag::with("e", "END", "up to this address"),
        Flag::switch("p", "the address is a physical one"),
        Flag::switch("u", "the address is one of the current task's user space"),
    ],
    rules: &[
        Rule::OneOf(&["8", "16", "32", "64", "a"]),
        Rule::OneOf(&["s", "S", "SS"]),
        Rule::OneOf(&["d", "D"]),
        Rule::OneOf(&["u", "p"]),
        Rule::OneOf(&["R", "e"]),
        Rule::Apart(&["s", "S", "SS"], &["8", "16", "32", "a"]),
        Rule::Apart(&["d", "D", "x", "N", "R", "e"], &["a"]),
        Rule::Words(2),
        Rule::WordsWith(1, &["e"]),
    ],
    words: Words::Mixed,
    run,
};

/// Bytes that are read at most.
const MAX_BYTES: u64 = 16 << 20;
/// Bytes of a line.
const LINE: usize = 16;
/// Characters of a string without a count, at most.
const MAX_STRING: usize = 4096;

#[derive(Debug, Serialize)]
struct Dump {
    /// Bits of a number.
    size: usize,
    lines: Vec<Line>,
    /// Why there is no more.
    ended: Option<String>,
}

#[derive(Debug, Serialize)]
struct Line {
    address: String,
    values: Vec<String>,
    ascii: Option<String>,
}

#[derive(Debug, Serialize)]
struct Characters {
    address: String,
    text: String,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let [address, words @ ..] = arguments.words.as_slice() else {
        return Err(CommandError::usage("which address?"));
    };
    let mut address = session.address(address)?.value;
    if let Some(offset) = arguments.value("o") {
        address = address.wrapping_add(count(offset)?);
    }
    let mut wanted = words.first().map(|word| count(word)).transpose()?;
    let memory = Reader::new(session, arguments)?;
    if arguments.has("a") {
        return characters(&memory, address, wanted).map(Reply::new);
    }
    let size = [("8", 1), ("16", 2), ("32", 4)].into_iter().find(|(name, _)| arguments.has(name));
    let size = size.map_or(8, |(_, size)| size);
    if let Some(end) = arguments.value("e") {
        let bytes = session.address(end)?.value.checked_sub(address);
        let bytes = bytes.ok_or_else(|| CommandError::usage("the end is before the address"))?;
        wanted = Some(bytes.div_ceil(size));
    }
    let bytes = wanted.unwrap_or(1).checked_mul(size).filter(|bytes| *bytes <= MAX_BYTES);
    let bytes = bytes.ok_or_else(|| CommandError::usage("more than 16 MiB at once"))?;
    let symbols = ["s", "S", "SS"].iter().any(|name| arguments.has(name)) && size == 8;
    let slabs = match (arguments.has("SS"), arguments.has("S")) {
        (true, _) => Slabs::WithAddress,
        (false, true) => Slabs::Named,
        (false, false) => Slabs::No,
    };
    let form = Form {
        symbols,
        slabs,
        radix: match (arguments.has("d"), arguments.has("D")) {
            (true, _) => Radix::Signed,
            (false, true) => Radix::Unsigned,
            (false, false) => Radix::Hexadecimal,
        },
        network: arguments.has("N"),
        characters: !symbols && ["x", "d", "D"].iter().all(|name| !arguments.has(name)),
    };
    if arguments.has("R") {
        address = address.wrapping_sub(bytes.saturating_sub(size));
    }
    let mut dump =
        Dump { size: usize::try_from(size * 8).unwrap_or(64), lines: vec![], ended: None };
    let mut at = address;
    let mut left = bytes;
    while left > 0 {
        let now = left.min(LINE as u64);
        match memory.line(at, now, size, form) {
            Ok(line) => dump.lines.push(line),
            Err(why) if dump.lines.is_empty() => return Err(why),
            Err(why) => {
                dump.ended = Some(why.to_string());
                break;
            }
        }
        at = at.wrapping_add(now);
        left -= now;
    }
    Ok(Reply::new(dump))
}

/// How numbers are printed.
#[derive(Debug, Clone, Copy)]
struct Form {
    symbols: bool,
    slabs: Slabs,
    radix: Radix,
    network: bool,
    characters: bool,
}

/// How addresses of slab objects are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slabs {
    No,
    Named,
    WithAddress,
}

#[derive(Debug, Clone, Copy)]
enum Radix {
    Hexadecimal,
    Signed,
    Unsigned,
}

/// Memory of the kernel or of a process, or physical memory.
struct Reader<'s, 'm, 'a> {
    session: &'s Session<'m, 'a>,
    root: Option<vmcore::PhysAddr>,
    physical: bool,
}

impl<'s, 'm, 'a> Reader<'s, 'm, 'a> {
    fn new(session: &'s Session<'m, 'a>, arguments: &Arguments) -> Result<Self, CommandError> {
        let root = match arguments.has("u") {
            true => Some(session.kernel().user_tables(session.context()?)?),
            false => None,
        };
        Ok(Self { session, root, physical: arguments.has("p") })
    }

    fn read(&self, address: u64, bytes: &mut [u8]) -> Result<(), CommandError> {
        let kernel = self.session.kernel();
        match self.root {
            _ if self.physical => {
                let failed = |why: vmcore::Absent| CommandError::nothing(why.to_string());
                let place = vmcore::PhysAddr(address);
                kernel.vmcore().read_physical(place, bytes).map_err(failed)?;
            }
            Some(root) => kernel.space().read_at(root, address, bytes)?,
            None => kernel.read(address, bytes)?,
        }
        Ok(())
    }

    fn line(&self, at: u64, bytes: u64, size: u64, form: Form) -> Result<Line, CommandError> {
        let mut buffer = vec![0; usize::try_from(bytes).unwrap_or(LINE)];
        self.read(at, &mut buffer)?;
        let size = usize::try_from(size).unwrap_or(8);
        let values = buffer.chunks(size).map(|chunk| {
            let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
            let value = match form.network {
                true => chunk.iter().fold(0, add),
                false => chunk.iter().rev().fold(0, add),
            };
            let unused = 64_usize.saturating_sub(size * 8);
            let signed = value.cast_signed() << unused >> unused;
            let name = form.symbols.then(|| self.name(value, form.slabs)).flatten();
            name.unwrap_or_else(|| match form.radix {
                Radix::Hexadecimal => format!("{value:0width$x}", width = size * 2),
                Radix::Signed => format!("{signed:>width$}", width = size * 2),
                Radix::Unsigned => format!("{value:>width$}", width = size * 2),
            })
        });
        let values = values.collect();
        let ascii = form.characters.then(|| buffer.iter().map(|byte| printable(*byte)).collect());
        Ok(Line { address: format!("{at:016x}"), values, ascii })
    }

    fn name(&self, value: u64, slabs: Slabs) -> Option<String> {
        if value >> 63 == 0 {
            return None;
        }
        let machine = self.session.machine();
        if let Some(name) = machine.code_name(value) {
            return Some(match name.offset {
                0 => name.symbol,
                offset => format!("{}+{offset}", name.symbol),
            });
        }
        let cache = (slabs != Slabs::No).then(|| slab_cache(machine, value)).flatten()?;
        Some(match slabs {
            Slabs::WithAddress => format!("[{value:x}:{cache}]"),
            _ => format!("[{cache}]"),
        })
    }
}

fn printable(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '.' }
}

fn characters(
    memory: &Reader<'_, '_, '_>,
    address: u64,
    wanted: Option<u64>,
) -> Result<Characters, CommandError> {
    let limit = wanted.and_then(|wanted| usize::try_from(wanted).ok()).unwrap_or(MAX_STRING);
    let mut text = String::new();
    let mut at = address;
    let mut byte = [0];
    while text.len() < limit.min(MAX_STRING) {
        match memory.read(at, &mut byte) {
            Err(why) if text.is_empty() => return Err(why),
            Err(_) => break,
            Ok(()) => {}
        }
        let shown = printable(byte[0]);
        if wanted.is_none() && shown == '.' && byte[0] != b'.' {
            break;
        }
        text.push(shown);
        at = at.wrapping_add(1);
    }
    Ok(Characters { address: format!("{address:016x}"), text })
}

impl Text for Characters {
    fn text(&self) -> String {
        format!("{}:  {}\n", self.address, self.text)
    }
}

impl Text for Dump {
    fn text(&self) -> String {
        let mut out = String::new();
        let whole = LINE * 8 / self.size * (self.size / 4 + 1);
        for line in &self.lines {
            let mut values = String::new();
            for value in &line.values {
                values.push_str(&format!("{value:<width$} ", width = self.size / 4));
            }
            let row = match &line.ascii {
                Some(ascii) => format!("{}:  {values:<whole$}  {ascii}", line.address),
                None => format!("{}:  {values}", line.address),
            };
            out.push_str(row.trim_end_matches(' '));
            out.push('\n');
        }
        if let Some(why) = &self.ended {
            out.push_str(&format!("rd: {why}\n"));
        }
        out
    }
}
