// SPDX-License-Identifier: MIT OR Apache-2.0
//! `Code: 48 8b 1b … <39> 6b 10 …`: the bytes around the instruction (`show_opcodes()`).

use crate::words::words;

/// Bytes of code, and which of them begins the instruction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeBytes {
    /// The bytes, lowest address first.
    pub bytes: Vec<u8>,
    /// How many of them lie before the instruction.
    pub before: usize,
}

/// Most bytes that are read: kernels print 64.
const MOST: usize = 256;

/// Reads the line; `None` if it is another one, or has no bytes (`Code: Bad RIP value.`, `Code: Unable
/// to access opcode bytes at …`).
pub(crate) fn parse(text: &str) -> Option<CodeBytes> {
    let list = text.strip_prefix("Code:")?;
    let mut code = CodeBytes::default();
    let mut is_marked = false;
    for word in words(list).take(MOST) {
        let inner = word.trim_start_matches('<').trim_end_matches('>');
        if inner.len() != 2 {
            break;
        }
        let Ok(byte) = u8::from_str_radix(inner, 16) else { break };
        if word.starts_with('<') {
            code.before = code.bytes.len();
            is_marked = true;
        }
        code.bytes.push(byte);
    }
    (is_marked).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marked_byte_begins_the_instruction() {
        let code = parse("Code: c0 74 <39> 6b 10").unwrap();
        assert_eq!((code.bytes, code.before), (vec![0xc0, 0x74, 0x39, 0x6b, 0x10], 2));
        assert_eq!(parse("Code: Bad RIP value."), None);
        assert_eq!(parse("Code: Unable to access opcode bytes at 0xffffffffffffffd6."), None);
    }
}
