// SPDX-License-Identifier: MIT OR Apache-2.0
//! What terminals, web pages and raw memory do to a line, undone.

use std::borrow::Cow;

/// The line without carriage returns, control sequences, NULs and the entities of HTML.
pub(crate) fn undone(line: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = line.as_bytes();
    if memchr::memchr3(0x1b, b'&', b'\r', bytes).is_none() && memchr::memchr(0, bytes).is_none() {
        return line;
    }
    let plain = without_sequences(&line);
    Cow::Owned(if plain.contains('&') { without_entities(&plain) } else { plain })
}

/// Removes control sequences (ECMA-48: ESC, `[`, parameters, a letter) and single control bytes.
fn without_sequences(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut bytes = line.chars().peekable();
    while let Some(c) = bytes.next() {
        match c {
            '\x1b' if bytes.next_if_eq(&'[').is_some() => {
                while bytes.next_if(|c| !('@'..='~').contains(c)).is_some() {}
                let _final_byte = bytes.next();
            }
            '\x1b' | '\r' | '\0' => {}
            c => out.push(c),
        }
    }
    out
}

fn without_entities(line: &str) -> String {
    // The ampersand last: `&amp;lt;` is the text `&lt;`.
    line.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_carriage_returns_go() {
        let line = "\x1b[32m[    5.1] \x1b[0m\x1b[31mBUG: bad\x1b[0m\r";
        assert_eq!(undone(line.into()), "[    5.1] BUG: bad");
        assert_eq!(undone("cut \x1b[3".into()), "cut ");
    }

    #[test]
    fn entities_are_what_they_stand_for() {
        assert_eq!(undone("[&lt;ffffffff&gt;] a &amp; b".into()), "[<ffffffff>] a & b");
    }
}
