// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text as C writes it.

/// A string in quotes, as C writes it.
pub(super) fn quoted(bytes: &[u8], more: bool) -> String {
    let mut out = String::from('"');
    for &byte in bytes {
        escape(&mut out, byte, '"');
    }
    out.push('"');
    if more {
        out.push_str("...");
    }
    out
}

/// Adds a character to a literal in such quotes.
pub(super) fn escape(out: &mut String, byte: u8, quote: char) {
    match byte {
        b'\n' => out.push_str("\\n"),
        b'\t' => out.push_str("\\t"),
        b'\r' => out.push_str("\\r"),
        0x1b => out.push_str("\\033"),
        b'\\' => out.push_str("\\\\"),
        _ if char::from(byte) == quote => {
            out.push('\\');
            out.push(quote);
        }
        b' '..=b'~' => out.push(char::from(byte)),
        _ => out.push_str(&format!("\\{byte:03o}")),
    }
}
