// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rd`: memory as numbers, characters or symbols.

use serde::Serialize;

use super::resolve::count;
use super::{Arguments, Command, CommandError, Flag, Reply, Session, Text, Words};
use crate::kernel::VirtualMemory as _;
use crate::printer::CodeNames as _;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "rd",
    summary: "memory as numbers, characters or symbols",
    usage: "[-8 | -16 | -32 | -64 | -a] [-s] [-u] ADDRESS|SYMBOL [COUNT]",
    options: &[
        Flag::switch("8", "numbers of 8 bits"),
        Flag::switch("16", "numbers of 16 bits"),
        Flag::switch("32", "numbers of 32 bits"),
        Flag::switch("64", "numbers of 64 bits (default)"),
        Flag::switch("a", "characters; without a count up to the first that is not printable"),
        Flag::switch("s", "addresses of symbols as symbols"),
        Flag::switch("S", "the same"),
        Flag::switch("u", "the address is one of the current task's user space"),
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
    let address = session.address(address)?.value;
    let wanted = words.first().map(|word| count(word)).transpose()?;
    let memory = Reader::new(session, arguments.has("u"))?;
    if arguments.has("a") {
        return characters(&memory, address, wanted).map(Reply::new);
    }
    let size = [("8", 1), ("16", 2), ("32", 4)].into_iter().find(|(name, _)| arguments.has(name));
    let size = size.map_or(8, |(_, size)| size);
    let bytes = wanted.unwrap_or(1).checked_mul(size).filter(|bytes| *bytes <= MAX_BYTES);
    let bytes = bytes.ok_or_else(|| CommandError::usage("more than 16 MiB at once"))?;
    let symbols = (arguments.has("s") || arguments.has("S")) && size == 8;
    let mut dump =
        Dump { size: usize::try_from(size * 8).unwrap_or(64), lines: vec![], ended: None };
    let mut at = address;
    let mut left = bytes;
    while left > 0 {
        let now = left.min(LINE as u64);
        match memory.line(at, now, size, symbols) {
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

/// Memory of the kernel or of a process.
struct Reader<'s, 'm, 'a> {
    session: &'s Session<'m, 'a>,
    root: Option<vmcore::PhysAddr>,
}

impl<'s, 'm, 'a> Reader<'s, 'm, 'a> {
    fn new(session: &'s Session<'m, 'a>, user: bool) -> Result<Self, CommandError> {
        let root = match user {
            true => Some(session.kernel().user_tables(session.context()?)?),
            false => None,
        };
        Ok(Self { session, root })
    }

    fn read(&self, address: u64, bytes: &mut [u8]) -> Result<(), CommandError> {
        let kernel = self.session.kernel();
        match self.root {
            Some(root) => kernel.space().read_at(root, address, bytes)?,
            None => kernel.read(address, bytes)?,
        }
        Ok(())
    }

    fn line(&self, at: u64, bytes: u64, size: u64, symbols: bool) -> Result<Line, CommandError> {
        let mut buffer = vec![0; usize::try_from(bytes).unwrap_or(LINE)];
        self.read(at, &mut buffer)?;
        let size = usize::try_from(size).unwrap_or(8);
        let values = buffer.chunks(size).map(|chunk| {
            let value = chunk.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            let name = symbols.then(|| self.name(value)).flatten();
            name.unwrap_or_else(|| format!("{value:0width$x}", width = size * 2))
        });
        let values = values.collect();
        let ascii = (!symbols).then(|| buffer.iter().map(|byte| printable(*byte)).collect());
        Ok(Line { address: format!("{at:016x}"), values, ascii })
    }

    fn name(&self, value: u64) -> Option<String> {
        if value >> 63 == 0 {
            return None;
        }
        let name = self.session.machine().code_name(value)?;
        Some(match name.offset {
            0 => name.symbol,
            offset => format!("{}+{offset}", name.symbol),
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
