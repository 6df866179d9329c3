// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ascii`: the bytes of a number as characters, in the order in which memory has them.

use serde::Serialize;

use super::resolve::hexadecimal;
use super::{Arguments, Command, CommandError, Reply, Session, Text, Words};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "ascii",
    summary: "the bytes of a number as characters, the lowest first",
    usage: "NUMBER...",
    options: &[],
    rules: &[],
    words: Words::Mixed,
    run,
};

/// Names of the characters below the blank (ANSI X3.4).
const CONTROLS: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR",
    "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC",
    "FS", "GS", "RS", "US",
];

#[derive(Debug, Serialize)]
struct Numbers {
    numbers: Vec<Number>,
}

#[derive(Debug, Serialize)]
struct Number {
    number: String,
    characters: String,
}

fn run(_: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    if arguments.words.is_empty() {
        return Err(CommandError::usage("which number?"));
    }
    let number = |word: &String| {
        let unknown = || CommandError::usage(format!("`{word}` is no hexadecimal number"));
        let value = hexadecimal(word).ok_or_else(unknown)?;
        let characters = value.to_le_bytes().into_iter().map(character).collect();
        Ok(Number { number: format!("{value:016x}"), characters })
    };
    let numbers = arguments.words.iter().map(number).collect::<Result<_, CommandError>>()?;
    Ok(Reply::new(Numbers { numbers }))
}

/// A character; of one that cannot be printed, its name or its number.
fn character(byte: u8) -> String {
    match (byte, CONTROLS.get(usize::from(byte))) {
        (_, Some(name)) => format!("<{name}>"),
        (0x20..=0x7e, _) => char::from(byte).to_string(),
        (0x7f, _) => "<DEL>".to_owned(),
        _ => format!("<{byte:02x}>"),
    }
}

impl Text for Numbers {
    fn text(&self) -> String {
        let line = |it: &Number| format!("{}: {}\n", it.number, it.characters);
        self.numbers.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_form() {
        assert_eq!([b'a', 0, 0x1f, 0x7f, 0x80].map(character).concat(), "a<NUL><US><DEL><80>");
    }
}
