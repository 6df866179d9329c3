// SPDX-License-Identifier: MIT OR Apache-2.0
//! `Modules linked in: process(OE) akfs(OE) ext4 [last unloaded: loop]` (`print_modules()`).

/// A loaded module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Name.
    pub name: String,
    /// Taint letters, mostly none.
    pub taint: String,
}

/// A list of modules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modules {
    /// Those that are loaded.
    pub loaded: Vec<Loaded>,
    /// The one that was unloaded last.
    pub last_unloaded: Option<String>,
}

/// Reads the list; `None` if the line is another one.
pub(crate) fn parse(text: &str) -> Option<Modules> {
    let list = text.strip_prefix("Modules linked in:")?;
    let last = list.split_once("[last unloaded: ").map(|(_, rest)| rest);
    let name = last.and_then(|rest| rest.split(['(', ']', ' ']).next());
    Some(Modules { loaded: words(list), last_unloaded: name.map(str::to_owned) })
}

/// The modules of a list.
fn words(list: &str) -> Vec<Loaded> {
    let list = list.split(['[']).next().unwrap_or_default();
    crate::words::words(list).filter_map(loaded).collect()
}

/// `process(OE)`, `ext4`; `+` and `-` behind the letters: being loaded, being unloaded.
fn loaded(word: &str) -> Option<Loaded> {
    let (name, taint) = word.split_once('(').unwrap_or((word, ""));
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_name = !name.is_empty() && name.len() < 64 && name.chars().all(is_part);
    let taint = taint.trim_end_matches([')', '+', '-']);
    let is_taint = taint.len() < 32 && taint.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_name && is_taint).then(|| Loaded { name: name.to_owned(), taint: taint.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_letters_are_told_apart() {
        let list =
            parse("Modules linked in: process(OE+) akfs(POE) ext4 [last unloaded: loop]").unwrap();
        assert_eq!(list.last_unloaded.as_deref(), Some("loop"));
        let read: Vec<(&str, &str)> =
            list.loaded.iter().map(|it| (&*it.name, &*it.taint)).collect();
        assert_eq!(read, [("process", "OE"), ("akfs", "POE"), ("ext4", "")]);
        assert_eq!(parse("Modules linked in:").unwrap(), Modules::default());
        assert_eq!(parse("Modules: a"), None);
    }
}
