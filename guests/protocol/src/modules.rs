// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kernel modules that a guest can ask for by name: those of its kernel, on a disk, and those of a
//! case, in its files.
//!
//! The disk begins with a line `repro modules 1 <bytes of the index>`, filled up with zeros to
//! [`BLOCK`]; then come the index, as JSON, and the modules, each at the start of a block. Blocks
//! are what a disk is read in.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Serial number of the disk with the modules of the guest's kernel.
pub const MODULES_DISK: &str = "modules";

/// The index of a case's own modules, in the guest.
pub const CASE_MODULES: &str = "/case/.modules.json";

/// Bytes in a block of the disk.
pub const BLOCK: u64 = 4096;

/// How the disk's first line begins.
const HEAD: &str = "repro modules 1 ";

/// What there is to load.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleIndex {
    /// By the names that the kernel gives them.
    pub modules: BTreeMap<String, ModuleEntry>,
    /// Other names, with the wildcards of fnmatch(3), each with its module.
    #[serde(default)]
    pub aliases: Vec<(String, String)>,
    /// What is a part of the kernel itself.
    #[serde(default)]
    pub built_in: BTreeSet<String>,
}

/// A module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleEntry {
    /// Where it is.
    pub place: ModulePlace,
    /// What is loaded before it, by the names of the kernel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<String>,
    /// What is loaded before it where it is to be had (`softdep: pre`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wishes: Vec<String>,
    /// Its parameters, if nobody says others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub parameters: String,
}

/// Where a module is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModulePlace {
    /// On the disk: from which byte, and how many.
    Disk(u64, u64),
    /// In a file of the guest.
    File(String),
}

/// The name that the kernel gives to a module: `dm-mod` is `dm_mod`.
#[must_use]
pub fn kernel_name(name: &str) -> String {
    name.replace('-', "_")
}

/// The disk's first block.
#[must_use]
pub fn disk_head(index_bytes: u64) -> Vec<u8> {
    let mut block = format!("{HEAD}{index_bytes}\n").into_bytes();
    block.resize(usize::try_from(BLOCK).unwrap_or(block.len()), 0);
    block
}

/// Bytes of the index, from the disk's first block; none if it is no such disk.
#[must_use]
pub fn index_bytes(block: &[u8]) -> Option<u64> {
    let line = block.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line).ok()?.strip_prefix(HEAD)?.parse().ok()
}

/// The blocks that so many bytes take, in bytes.
#[must_use]
pub const fn in_blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).saturating_mul(BLOCK)
}

impl ModuleIndex {
    /// The modules that a name or another name of theirs stands for.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<&str> {
        let own = kernel_name(name);
        if let Some((own, _)) = self.modules.get_key_value(&own) {
            return vec![own];
        }
        let fits = self.aliases.iter().filter(|(pattern, _)| fits(pattern, name));
        let mut found: Vec<&str> = fits.map(|(_, module)| module.as_str()).collect();
        found.dedup();
        found
    }

    /// Whether a name is that of a part of the kernel.
    #[must_use]
    pub fn is_built_in(&self, name: &str) -> bool {
        self.built_in.contains(&kernel_name(name))
    }

    /// A module and all it depends on, each after what it needs; of what it only wishes for, what
    /// there is.
    ///
    /// # Errors
    /// The name of what nobody has.
    pub fn order(&self, name: &str) -> Result<Vec<&str>, String> {
        let mut order = Order { index: self, done: Vec::new(), seen: BTreeSet::new() };
        order.add(name)?;
        Ok(order.done)
    }
}

/// Puts modules after what they need.
struct Order<'i> {
    index: &'i ModuleIndex,
    done: Vec<&'i str>,
    seen: BTreeSet<&'i str>,
}

impl Order<'_> {
    fn add(&mut self, name: &str) -> Result<(), String> {
        if self.index.is_built_in(name) {
            return Ok(());
        }
        let found = self.index.modules.get_key_value(&kernel_name(name));
        let (name, entry) = found.ok_or_else(|| name.to_owned())?;
        // Also ends a circle, which the kernel's build does not let happen.
        if !self.seen.insert(name) {
            return Ok(());
        }
        for wish in &entry.wishes {
            // What it can do without may lack something itself.
            let _ = self.add(wish);
        }
        for needed in &entry.depends {
            self.add(needed)?;
        }
        self.done.push(name);
        Ok(())
    }
}

/// Whether a text fits a pattern of fnmatch(3): `*`, `?` and `[ab]`. Hyphens and underscores are
/// the same, as modprobe(8) has it.
fn fits(pattern: &str, text: &str) -> bool {
    let plain = |text: &str| text.replace('-', "_").into_bytes();
    let (pattern, text) = (plain(pattern), plain(text));
    let (mut at, mut from) = (0, 0);
    // Where to go on after a `*`, and what it has taken so far.
    let mut star = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, from));
                continue;
            }
            Some(_) => {
                if let Some(length) = one(&pattern[at..], text[from]) {
                    at += length;
                    from += 1;
                    continue;
                }
            }
            None => {}
        }
        let Some((after, taken)) = star else { return false };
        star = Some((after, taken + 1));
        (at, from) = (after, taken + 1);
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// How much of a pattern stands for one character, if it fits.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern.first()? {
        b'?' => Some(1),
        b'[' => {
            let end = pattern.iter().position(|byte| *byte == b']')?;
            pattern[1..end].contains(&byte).then_some(end + 1)
        }
        own => (*own == byte).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> ModuleIndex {
        let entry = |depends: &[&str], wishes: &[&str]| ModuleEntry {
            place: ModulePlace::Disk(0, 1),
            depends: depends.iter().map(|name| (*name).to_owned()).collect(),
            wishes: wishes.iter().map(|name| (*name).to_owned()).collect(),
            parameters: String::new(),
        };
        ModuleIndex {
            modules: BTreeMap::from([
                ("dm_mod".into(), entry(&[], &[])),
                ("dm_cache".into(), entry(&["dm-mod", "libcrc32c"], &["absent", "loop"])),
                ("libcrc32c".into(), entry(&["crc32c_core"], &[])),
                ("loop".into(), entry(&[], &[])),
                ("broken".into(), entry(&["nobody"], &[])),
                ("odd".into(), entry(&[], &["broken"])),
            ]),
            aliases: vec![
                ("devname:mapper/control".into(), "dm_mod".into()),
                ("block-major-7-*".into(), "loop".into()),
            ],
            built_in: ["crc32c_core".to_owned()].into(),
        }
    }

    #[test]
    fn a_module_comes_after_all_it_needs_and_what_it_wishes_for_if_it_is_there() {
        let index = index();
        assert_eq!(index.order("dm-cache").unwrap(), ["loop", "dm_mod", "libcrc32c", "dm_cache"]);
        assert_eq!(index.order("crc32c-core").unwrap(), [""; 0]);
        assert_eq!(index.order("broken").unwrap_err(), "nobody");
        assert_eq!(index.order("odd").unwrap(), ["odd"]);
    }

    #[test]
    fn a_module_is_found_by_its_other_names() {
        let index = index();
        assert_eq!(index.named("dm-mod"), ["dm_mod"]);
        assert_eq!(index.named("block-major-7-0"), ["loop"]);
        assert_eq!(index.named("block-major-8-0"), [""; 0]);
    }

    #[test]
    fn wildcards_are_those_of_fnmatch() {
        for (pattern, text, wanted) in [
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("*a*b", "xaxaxb", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("v[01]*", "v1x", true),
            ("v[01]*", "v2x", false),
            ("v[01", "v0", false),
            ("", "", true),
            ("*", "", true),
            ("net-pf-17", "net_pf_17", true),
        ] {
            assert_eq!(fits(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn the_disk_says_how_long_its_index_is() {
        let block = disk_head(77);
        assert_eq!((block.len() as u64, index_bytes(&block)), (BLOCK, Some(77)));
        assert_eq!(index_bytes(b"ustar 1\n"), None);
        assert_eq!((in_blocks(0), in_blocks(1), in_blocks(BLOCK)), (0, BLOCK, BLOCK));
    }
}
