// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places in code as the kernel prints them (`%pS`, `%pB`, `printk_stack_address()`), and as programs
//! write them that know the source (`scripts/decode_stacktrace.sh`, syzkaller's).

use crate::words::{parted, words};

/// A place in code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Run-time address, where the text has it (`[<ffffffff9e8a5a56>]`; a number instead of a name).
    pub address: Option<u64>,
    /// What is there.
    pub symbol: Option<Symbol>,
    /// The module that has it.
    pub module: Option<String>,
    /// Where it is in the source, if a program added that.
    pub source: Option<Source>,
}

/// `name+0x16/0x20`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// As in the symbol table, with suffixes (`.isra.0`).
    pub name: String,
    /// Distance from its start, and bytes up to the next symbol; `None` where a program replaced both by
    /// the line.
    pub extent: Option<(u64, u64)>,
}

/// A line of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's path.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// One line of a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// Where.
    pub place: Place,
    /// Whether the kernel's unwinder found it; `?` stands before what only lay on the stack.
    pub reliable: bool,
    /// Whether the function was inlined into the next line's.
    pub inlined: bool,
}

impl Place {
    /// The first place that a line of words has: `… in name+0x1/0x2 [module]`.
    #[must_use]
    pub fn in_words(line: &str) -> Option<Self> {
        let at = line.find("+0x")?;
        let start = line.get(..at)?.rfind([' ', '(']).map_or(0, |blank| blank + 1);
        let place = Self::parse(line.get(start..)?)?;
        place.symbol.is_some().then_some(place)
    }

    /// Reads `[<addr>] name+0x1/0x2 [module] file.c:3`, each part if it is there.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut place = Self::default();
        let mut rest = text.trim();
        // RIP's line of 3.10 and of kernels up to 4.9 has the address twice.
        while let Some((address, after)) = bracketed_address(rest) {
            place.address = address.or(place.address);
            rest = after;
        }
        let mut words = words(rest).peekable();
        match words.next() {
            None => return (place.address.is_some() || rest.len() != text.len()).then_some(place),
            Some("(null)") => {
                place.address = Some(0);
                return Some(place);
            }
            Some(word) => match number(word) {
                // Words behind a number say that it is no place.
                Some(_) if words.peek().is_some() => return None,
                Some(address) => place.address = Some(address),
                // decode_stacktrace.sh puts the line in parentheses in the place of the distance.
                None => {
                    let is_line = words.peek().is_some_and(|next| next.starts_with('('));
                    place.symbol = Some(symbol(word).filter(|it| it.extent.is_some() || is_line)?);
                }
            },
        }
        let is_decoded = place.symbol.as_ref().is_some_and(|symbol| symbol.extent.is_none());
        let mut is_behind_line = false;
        // What follows in words is no part of it.
        for word in words.take(6) {
            if let Some(inner) = word.strip_prefix('[') {
                place.module = place.module.or_else(|| module(inner));
            } else if let Some(source) = source(word) {
                // Of those that were inlined into each other, decode_stacktrace.sh has the innermost first.
                place.source.get_or_insert(source);
            } else if is_behind_line {
                // It takes the brackets off the module.
                place.module = place.module.or_else(|| module(word));
            }
            is_behind_line = is_decoded && word.ends_with(')');
        }
        let has_extent = place.symbol.as_ref().is_none_or(|symbol| symbol.extent.is_some());
        (has_extent || place.source.is_some()).then_some(place)
    }
}

impl Frame {
    /// Reads a line of a trace without the marks of stacks.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(place) = inlined(text) {
            return Some(Self { place, reliable: true, inlined: true });
        }
        let (address, rest) = match bracketed_address(text) {
            Some((address, rest)) => (address, rest.trim_start()),
            None => (None, text),
        };
        let (reliable, rest) = match rest.strip_prefix("? ") {
            Some(rest) => (false, rest),
            None => (true, rest),
        };
        let mut place = Place::parse(rest)?;
        place.address = place.address.or(address);
        (place.symbol.is_some() || place.address.is_some()).then_some(Self {
            place,
            reliable,
            inlined: false,
        })
    }
}

/// `[<     inline     >] name file.c:3` and `name file.c:3 [inline]`, of syzkaller.
fn inlined(text: &str) -> Option<Place> {
    let rest = match text.strip_prefix("[<").and_then(|rest| rest.split_once(">]")) {
        Some((mark, rest)) if mark.trim() == "inline" => rest,
        _ => text.strip_suffix("[inline]").or_else(|| text.strip_suffix("[inline"))?,
    };
    let (name, file) = rest.trim().trim_start_matches("? ").split_once(' ')?;
    let source = Some(source(file.split_whitespace().next()?)?);
    Some(Place { symbol: Some(symbol(name)?), source, ..Place::default() })
}

/// The address in `[<ffffffff9e8a5a56>]`, and what follows; `None` inside where it is `(null)` in
/// words or no number.
fn bracketed_address(text: &str) -> Option<(Option<u64>, &str)> {
    let (inner, rest) = text.strip_prefix("[<")?.split_once(">]")?;
    let inner = inner.trim();
    if inner == "(null)" {
        return Some((Some(0), rest.trim_start()));
    }
    let address = u64::from_str_radix(inner, 16).ok();
    (address.is_some() || inner.is_empty()).then_some((address, rest.trim_start()))
}

/// `name+0x16/0x20`, or a name alone.
fn symbol(word: &str) -> Option<Symbol> {
    let word = word.trim_end_matches([',', ':', '.', ')', '(']);
    let extended = parted(word, b'+');
    let extended = extended.and_then(|(name, rest)| Some((name, rest.strip_prefix("0x")?)));
    let Some((name, extent)) = extended else {
        return is_name(word).then(|| Symbol { name: word.to_owned(), extent: None });
    };
    let (offset, size) = extent.split_once("/0x")?;
    let hex = |digits: &str| u64::from_str_radix(digits, 16).ok();
    let extent = Some((hex(offset)?, hex(size)?));
    is_name(name).then(|| Symbol { name: name.to_owned(), extent })
}

fn is_name(text: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.');
    let is_part =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$' | b'@');
    text.bytes().next().is_some_and(is_first) && text.len() < 512 && text.bytes().all(is_part)
}

/// `process]` of `[process]`; of `[process 1a2b…]` the first word, its build-id comes behind.
fn module(inner: &str) -> Option<String> {
    let name = inner.trim_end_matches([']', ',']);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_name = !name.is_empty() && name.len() < 64 && name.chars().all(is_part);
    (is_name && name != "inline").then(|| name.to_owned())
}

/// `fs/read_write.c:605`, also in parentheses and with a column or a discriminator behind it.
fn source(word: &str) -> Option<Source> {
    let word = word.trim_start_matches('(').trim_end_matches(')');
    let (file, rest) = word.split_once(':')?;
    let is_file = [".c", ".h", ".S", ".cc", ".rs", ".s"].iter().any(|end| file.ends_with(end));
    let digits =
        rest.find(|c: char| !c.is_ascii_digit()).and_then(|end| rest.get(..end)).unwrap_or(rest);
    is_file.then(|| Some(Source { file: file.to_owned(), line: digits.parse().ok()? }))?
}

/// A number with 0x before it.
fn number(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Frame {
        Frame::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn name(frame: &Frame) -> &str {
        &frame.place.symbol.as_ref().unwrap().name
    }

    /// Lines of real logs: 3.10, 5.10, 6.1 and what programs make of them.
    #[test]
    fn frames_of_every_age_are_read() {
        let old = frame(" [<ffffffffc04d8ac2>] ? process_bprm_put+0x192/0xf00 [process]");
        assert_eq!((name(&old), old.reliable), ("process_bprm_put", false));
        assert_eq!(old.place.address, Some(0xffff_ffff_c04d_8ac2));
        assert_eq!(old.place.module.as_deref(), Some("process"));
        let new = frame("  __mutex_lock.constprop.0+0x39d/0x720");
        assert_eq!((name(&new), new.reliable), ("__mutex_lock.constprop.0", true));
        assert_eq!(new.place.symbol.unwrap().extent, Some((0x39d, 0x720)));
        let build = frame(" f+0x1/0x2 [loop 0123456789abcdef]");
        assert_eq!(build.place.module.as_deref(), Some("loop"));
        assert_eq!(frame(" 0xffffffffc04d8ac2").place.address, Some(0xffff_ffff_c04d_8ac2));
    }

    #[test]
    fn what_programs_add_is_read_too() {
        let line = |file: &str, line| Some(Source { file: file.to_owned(), line });
        let known = frame(" dump_stack+0x1c9/0x2b4 lib/dump_stack.c:113");
        assert_eq!(known.place.source, line("lib/dump_stack.c", 113));
        let inlined = frame(" __list_del include/linux/list.h:89 [inline]");
        assert!(inlined.inlined);
        assert_eq!(
            (name(&inlined), inlined.place.source.clone()),
            ("__list_del", line("include/linux/list.h", 89))
        );
        let old = frame(" [<     inline     >] __list_del include/linux/list.h:89");
        assert_eq!((name(&old), old.inlined), ("__list_del", true));
        let script = frame(" do_one_initcall (init/main.c:939 (discriminator 3)) ext4");
        assert_eq!(
            (name(&script), script.place.source.clone()),
            ("do_one_initcall", line("init/main.c", 939))
        );
        assert_eq!(script.place.module.as_deref(), Some("ext4"));
        let inner = frame(" __list_del (./include/linux/list.h:89) ext4");
        assert_eq!(inner.place.module.as_deref(), Some("ext4"));
    }

    #[test]
    fn a_place_is_found_among_words() {
        let place =
            Place::in_words("BUG: KASAN: use-after-free in f+0x1/0x2 [m] at addr 1").unwrap();
        assert_eq!(
            (place.symbol.unwrap().name, place.module.as_deref()),
            ("f".to_owned(), Some("m"))
        );
        assert_eq!(Place::in_words("BUG: 1+1 is 3"), None);
    }

    #[test]
    fn words_are_no_frames() {
        for words in [
            "hello",
            "Modules linked in: a(OE)",
            "PGD 0 P4D 0",
            "f+0x1",
            "a b c",
            "kernel BUG at mm/slub.c:379!",
            "UBSAN: array-index-out-of-bounds in net/core/dev.c:12:3",
        ] {
            assert_eq!(Frame::parse(words), None, "{words}");
        }
    }

    #[test]
    fn a_call_through_null_has_an_address_and_no_name() {
        let place =
            Place::parse("[<0000000000000000>]  [<          (null)>]           (null)").unwrap();
        assert_eq!((place.address, place.symbol), (Some(0), None));
        let place = Place::parse("[<ffffffff812>] [<ffffffff812>] f+0x1/0x2").unwrap();
        assert_eq!(
            (place.address, place.symbol.unwrap().name),
            (Some(0xfff_ffff_f812), "f".to_owned())
        );
    }
}
