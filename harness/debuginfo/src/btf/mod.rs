// SPDX-License-Identifier: MIT OR Apache-2.0
//! BTF: the kernel's own compact type information.
//!
//! Format: kernel `include/uapi/linux/btf.h` and `Documentation/bpf/btf.rst` (4.18 and later;
//! enumerations of 64 bits since 6.0). Types are numbered from 1 in the order of the file, each of
//! its own length, so one pass notes where each begins. Modules carry only what the kernel's BTF
//! lacks ("split BTF"); that is not read here, since their DWARF is at hand.

#[cfg(test)]
mod tests;
mod types;

use std::cell::OnceCell;

use crate::dwarf::hash;
use crate::radix::sort_by_upper_half;
use crate::{Reason, TypeId, dwarf, types::Store};
use types::Kind;

const MAGIC: u16 = 0xeb9f;
/// The kernel's `.BTF` has about 130,000 types; guards the table of offsets.
const MAX_TYPES: usize = 1 << 22;

/// A `.BTF` section, or the same bytes from memory.
#[derive(Debug)]
pub(crate) struct Btf<'d> {
    types: &'d [u8],
    strings: &'d [u8],
    index: &'d Index,
}

/// What is found out about a `.BTF` section once. It holds no bytes of it, so that an image that
/// keeps one stays covariant in the lifetime of its file.
#[derive(Debug)]
pub(crate) struct Index {
    /// Where each type begins; the type numbered n is at n − 1.
    offsets: Vec<u32>,
    /// (hash of the name, number) of each type that can be found by name, in order.
    names: OnceCell<Vec<u64>>,
    tells_signs: OnceCell<bool>,
}

impl Index {
    /// Finds where each type begins.
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, Reason> {
        let (types, _) = parts(bytes)?;
        let offsets = offsets(types)?;
        Ok(Self { offsets, names: OnceCell::new(), tells_signs: OnceCell::new() })
    }
}

/// The types and the strings, as the header tells.
fn parts(bytes: &[u8]) -> Result<(&[u8], &[u8]), Reason> {
    let bad = |offset| Reason::Malformed { what: ".BTF", offset };
    if u16_at(bytes, 0) != Some(MAGIC) {
        return Err(bad(0));
    }
    let field = |offset: usize| {
        let value = u32_at(bytes, offset).and_then(|value| usize::try_from(value).ok());
        value.ok_or_else(|| bad(dwarf::widen(offset)))
    };
    // struct btf_header: magic, version, flags, hdr_len, type_off, type_len, str_off, str_len.
    let body = bytes.get(field(4)?..).ok_or_else(|| bad(4))?;
    let part = |at: usize| {
        let (start, length) = (field(at)?, field(at.saturating_add(4))?);
        let end = start.checked_add(length).ok_or_else(|| bad(dwarf::widen(at)))?;
        body.get(start..end).ok_or_else(|| bad(dwarf::widen(at)))
    };
    Ok((part(8)?, part(16)?))
}

impl<'d> Btf<'d> {
    /// The section with what was found out about it.
    pub(crate) fn new(bytes: &'d [u8], index: &'d Index) -> Result<Self, Reason> {
        let (types, strings) = parts(bytes)?;
        Ok(Self { types, strings, index })
    }

    /// The type of that name and of a kind that is wanted, declarations left out.
    pub(crate) fn find(&self, name: &str, wanted: dwarf::Wanted) -> Result<TypeId, Reason> {
        let names = self.index.names.get_or_init(|| self.list_names());
        let hash = hash(name);
        let of = |named: &u64| u32::try_from(named >> 32).unwrap_or_default();
        let first = names.partition_point(|named| of(named) < hash);
        let same = names.get(first..).unwrap_or(&[]).iter().take_while(|named| of(named) == hash);
        let numbers = same.filter_map(|named| u32::try_from(named & u64::from(u32::MAX)).ok());
        numbers
            .filter(|&number| self.header(number).is_some_and(|t| t.kind.answers(wanted)))
            .find(|&number| self.header(number).and_then(|t| self.text(t.name)) == Some(name))
            .map(|number| TypeId(Store::Btf(number)))
            .ok_or_else(|| Reason::NotFound(name.to_owned()))
    }

    /// Names of types that begin so, in alphabetical order; `limit` at most.
    pub(crate) fn names_from(&self, prefix: &str, limit: usize) -> Vec<String> {
        let mut found = std::collections::BTreeSet::new();
        for number in self.numbers() {
            let Some(header) = self.header(number) else { continue };
            if header.kind.answers(dwarf::Wanted::Type)
                && let Some(name) = self.text(header.name)
                && !name.is_empty()
                && name.starts_with(prefix)
            {
                found.insert(name.to_owned());
            }
        }
        found.into_iter().take(limit).collect()
    }

    fn list_names(&self) -> Vec<u64> {
        let mut names = Vec::new();
        for number in self.numbers() {
            let Some(header) = self.header(number) else { continue };
            if header.name != 0
                && header.kind.has_name()
                && let Some(name) = self.text(header.name)
            {
                names.push(u64::from(hash(name)) << 32 | u64::from(number));
            }
        }
        sort_by_upper_half(&mut names);
        names
    }

    /// Numbers of all types.
    fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        1..=u32::try_from(self.index.offsets.len()).unwrap_or(u32::MAX)
    }

    /// The string at an offset of the string table.
    fn text(&self, offset: u32) -> Option<&'d str> {
        let tail = self.strings.get(usize::try_from(offset).ok()?..)?;
        let end = memchr::memchr(0, tail)?;
        std::str::from_utf8(tail.get(..end)?).ok()
    }
}

/// Walks over the types.
fn offsets(types: &[u8]) -> Result<Vec<u32>, Reason> {
    let mut offsets = Vec::with_capacity((types.len() / 24).min(MAX_TYPES));
    let mut at = 0;
    while at < types.len() {
        let bad = || Reason::Malformed { what: ".BTF type", offset: dwarf::widen(at) };
        if offsets.len() == MAX_TYPES {
            return Err(Reason::Limit("types in .BTF"));
        }
        let info = u32_at(types, at.saturating_add(4)).ok_or_else(bad)?;
        let extra = Kind::from_info(info).and_then(|kind| kind.extra(info)).ok_or_else(bad)?;
        offsets.push(u32::try_from(at).map_err(|_| bad())?);
        at = at.saturating_add(12).saturating_add(extra);
    }
    Ok(offsets)
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..offset.checked_add(2)?)?;
    field.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..offset.checked_add(4)?)?;
    field.try_into().ok().map(u32::from_le_bytes)
}
