// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of a line.

/// The words between blanks. Most lines are of ASCII alone, of which that is known without looking at each
/// character's class; what was copied from a page may have other blanks.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let (plain, other) = if text.is_ascii() { (text, "") } else { ("", text) };
    plain.split_ascii_whitespace().chain(other.split_whitespace())
}

/// What stands before and behind the first such byte, which is one of ASCII.
pub(crate) fn parted(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|it| it == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_with_and_without_other_characters() {
        assert_eq!(words(" a  b\tc ").collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(words("a\u{a0}b \u{fc}").collect::<Vec<_>>(), ["a", "b", "\u{fc}"]);
        assert_eq!(parted("FS:\u{fc}:0", b':'), Some(("FS", "\u{fc}:0")));
        assert_eq!(parted("FS", b':'), None);
    }
}
