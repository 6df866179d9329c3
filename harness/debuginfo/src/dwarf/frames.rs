// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of `.debug_frame`.
//!
//! Kernels have no `.eh_frame_hdr`, so one pass over the entries' headers finds out which entry
//! covers which addresses; only the entry that is asked for is evaluated. gimli bounds what a
//! hostile entry can ask for: at most four remembered rows of at most 192 rules.

use gimli::{
    BaseAddresses, DebugFrame, DebugFrameOffset, SectionId, UnwindContext, UnwindExpression,
    UnwindSection as _, X86_64,
};

use super::sections::Reader;
use super::{Dwarf, malformed, widen};
use crate::radix::sort_by_upper_half;
use crate::{CfaRule, CfiExpression, CfiRow, CfiRule, Reason};

/// The longest entry that is evaluated, in bytes. The longest of a kernel has some thousands.
const MAX_ENTRY: usize = 1 << 20;
/// What common information has in place of a reference to such.
const COMMON: u32 = u32::MAX;
/// Bytes of an address.
const ADDRESS_SIZE: u8 = 8;

/// Which entry covers which addresses.
#[derive(Debug)]
pub(super) struct FrameIndex {
    /// By start, then in the section's order.
    entries: Vec<Covered>,
}

/// What one frame description entry covers; 16 bytes, for a kernel has 50 000 of them.
#[derive(Debug, Clone, Copy)]
struct Covered {
    start: u64,
    length: u32,
    /// Of the entry in the section.
    offset: u32,
}

impl FrameIndex {
    /// Reads the headers of all entries; what follows a damaged one is not found. gimli parses an
    /// entry together with the common information it refers to, which takes three times as long:
    /// it is asked for the one entry that is wanted, and checks again what that covers.
    fn new(section: &[u8]) -> Self {
        let mut entries = Vec::new();
        let mut rest = section;
        while let Some((length, after)) = word(rest) {
            let (Ok(offset), Ok(length)) =
                (u32::try_from(section.len() - rest.len()), usize::try_from(length))
            else {
                break;
            };
            let Some((entry, next)) = after.split_at_checked(length) else { break };
            entries.extend(Covered::new(entry, offset));
            rest = next;
        }
        Self { entries: sorted(entries) }
    }

    /// Offset of the entry that covers an address.
    fn find(&self, address: u64) -> Option<usize> {
        let after = self.entries.partition_point(|entry| entry.start <= address);
        let entry = self.entries.get(after.checked_sub(1)?)?;
        let inside = address.checked_sub(entry.start)?;
        if inside >= u64::from(entry.length) {
            return None;
        }
        usize::try_from(entry.offset).ok()
    }
}

/// The entries by the starts of their code.
fn sorted(mut entries: Vec<Covered>) -> Vec<Covered> {
    let first = entries.iter().map(|entry| entry.start).min().unwrap_or(0);
    let key = |(number, entry): (u32, &Covered)| {
        let distance = u32::try_from(entry.start.wrapping_sub(first)).ok()?;
        Some(u64::from(distance) << 32 | u64::from(number))
    };
    let keys: Option<Vec<u64>> = (0..).zip(&entries).map(key).collect();
    let Some(mut keys) = keys else {
        // Too far apart for a kernel.
        entries.sort_by_key(|entry| entry.start);
        return entries;
    };
    sort_by_upper_half(&mut keys);
    let number = |key: &u64| usize::try_from(key & u64::from(u32::MAX)).ok();
    keys.iter().filter_map(|key| entries.get(number(key)?).copied()).collect()
}

impl Covered {
    /// From the bytes behind the length of an entry in the 32-bit format: the common information
    /// it refers to, then start and length of the code. `None` for common information itself, and
    /// for an entry that covers nothing: a section that was not loaded.
    fn new(entry: &[u8], offset: u32) -> Option<Self> {
        let (common, entry) = word(entry)?;
        let (start, entry) = entry.split_first_chunk()?;
        let (length, _) = entry.split_first_chunk()?;
        let start = u64::from_le_bytes(*start);
        let length = u32::try_from(u64::from_le_bytes(*length)).ok()?;
        start.checked_add(length.into())?;
        (common != COMMON && length > 0).then_some(Self { start, length, offset })
    }
}

/// The first four bytes as a number, and what follows.
fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*word), rest))
}

impl<'a> Dwarf<'a> {
    pub(super) fn frames(self) -> DebugFrame<Reader<'a>> {
        let mut section = DebugFrame::from(self.section(SectionId::DebugFrame));
        section.set_address_size(ADDRESS_SIZE);
        section
    }

    /// The row that holds at an address.
    pub(crate) fn cfi(self, pc: u64) -> Result<CfiRow, Reason> {
        if !self.store.sections.has(SectionId::DebugFrame) {
            return Err(Reason::NoSection(".debug_frame"));
        }
        let section = self.frames();
        let bytes = self.section(SectionId::DebugFrame).slice();
        let index = self.store.frames.get_or_init(|| FrameIndex::new(bytes));
        let missing = || Reason::NotFound(format!("call frame information of {pc:#x}"));
        let offset = index.find(pc).ok_or_else(missing)?;
        let bad = malformed(".debug_frame", offset);
        let bases = BaseAddresses::default();
        let entry = section
            .fde_from_offset(&bases, DebugFrameOffset(offset), DebugFrame::cie_from_offset)
            .map_err(&bad)?;
        if entry.entry_len().max(entry.cie().entry_len()) > MAX_ENTRY {
            return Err(Reason::Limit("size of an entry of .debug_frame"));
        }
        if entry.cie().return_address_register() != X86_64::RA {
            return Err(Reason::Unsupported("a return address that is not register 16"));
        }
        let mut context = UnwindContext::new();
        let row =
            entry.unwind_info_for_address(&section, &bases, &mut context, pc).map_err(&bad)?;
        let rule = |register| row.register(register).map(rule_of).transpose();
        let mut registers = [None; 16];
        for (number, slot) in (0..).zip(&mut registers) {
            *slot = rule(gimli::Register(number))?;
        }
        Ok(CfiRow {
            cfa: cfa_of(row.cfa()),
            registers,
            return_address: rule(X86_64::RA)?,
            signal: entry.is_signal_trampoline(),
        })
    }
}

fn cfa_of(rule: &gimli::CfaRule<usize>) -> CfaRule {
    match rule {
        gimli::CfaRule::RegisterAndOffset { register, offset } => {
            CfaRule::RegisterOffset { register: register.0, offset: *offset }
        }
        gimli::CfaRule::Expression(expression) => CfaRule::Expression(expression_of(expression)),
    }
}

fn rule_of(rule: gimli::RegisterRule<usize>) -> Result<CfiRule, Reason> {
    use gimli::RegisterRule as Rule;
    Ok(match rule {
        Rule::Undefined => CfiRule::Undefined,
        Rule::SameValue => CfiRule::SameValue,
        Rule::Offset(offset) => CfiRule::Offset(offset),
        Rule::ValOffset(offset) => CfiRule::ValOffset(offset),
        Rule::Register(register) => CfiRule::Register(register.0),
        Rule::Expression(expression) => CfiRule::Expression(expression_of(&expression)),
        Rule::ValExpression(expression) => CfiRule::ValExpression(expression_of(&expression)),
        _ => return Err(Reason::Unsupported("a rule of another machine")),
    })
}

fn expression_of(expression: &UnwindExpression<usize>) -> CfiExpression {
    CfiExpression { offset: widen(expression.offset), length: widen(expression.length) }
}
