// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attributes of entries: names, references, ranges, numbers.

use std::ops::Range;

use gimli::{AttributeValue, DwAt, UnitOffset};

use super::{Dwarf, Entry, Reader, SUPPLEMENTARY, UnitView};
use crate::Reason;

/// `DW_AT_abstract_origin` of an out-of-line copy, of an inlined call, of its parameters: two or
/// three steps in practice. Guards against a circle.
const MAX_ORIGINS: u32 = 16;
/// Ranges of one entry that are read; the largest functions of kernels have some hundreds.
const MAX_RANGES: usize = 1 << 14;

impl<'a> UnitView<'a> {
    /// A string attribute of this very entry.
    pub(super) fn text(&self, entry: &Entry<'a>, name: DwAt) -> Option<&'a str> {
        let value = entry.attr_value(name)?;
        let reader = self.dwarf.attr_string(&self.unit, value).ok()?;
        std::str::from_utf8(reader.slice()).ok()
    }

    /// Offset in `.debug_info`, with [`SUPPLEMENTARY`], of the entry that an attribute refers to.
    pub(super) fn reference(&self, entry: &Entry<'a>, name: DwAt) -> Option<usize> {
        match entry.attr_value(name)? {
            AttributeValue::UnitRef(offset) => Some(self.absolute(offset)),
            AttributeValue::DebugInfoRef(offset) => Some(offset.0 | self.offset & SUPPLEMENTARY),
            AttributeValue::DebugInfoRefSup(offset) => Some(offset.0 | SUPPLEMENTARY),
            _ => None,
        }
    }

    /// An unsigned number.
    pub(super) fn number_of(entry: &Entry<'a>, name: DwAt) -> Option<u64> {
        entry.attr(name)?.udata_value()
    }

    /// Whether a flag is set.
    pub(super) fn flag(entry: &Entry<'a>, name: DwAt) -> bool {
        matches!(entry.attr_value(name), Some(AttributeValue::Flag(true)))
    }

    /// Shows the children of an entry, in order.
    pub(super) fn each_child(
        &self,
        parent: &Entry<'a>,
        mut show: impl FnMut(&Entry<'a>),
    ) -> Result<(), Reason> {
        if !parent.has_children() {
            return Ok(());
        }
        let bad = self.bad(parent.offset());
        let mut cursor = self.unit.entries_at_offset(parent.offset()).map_err(&bad)?;
        // The entry itself, then its first child.
        if !cursor.next_entry().map_err(&bad)? || !cursor.next_entry().map_err(&bad)? {
            return Ok(());
        }
        while let Some(child) = cursor.current() {
            show(child);
            cursor.next_sibling().map_err(&bad)?;
        }
        Ok(())
    }

    /// Ranges of the code an entry describes; empty for one that has none.
    pub(super) fn ranges(&self, entry: &Entry<'a>) -> Result<Vec<Range<u64>>, Reason> {
        code_ranges(&self.dwarf, &self.unit, entry).map_err(self.bad(entry.offset()))
    }

    /// Whether the code an entry describes covers an address; `None` if the entry has no code.
    pub(super) fn covers(&self, entry: &Entry<'a>, address: u64) -> Result<Option<bool>, Reason> {
        if !entry.has_attr(gimli::DW_AT_ranges) && !entry.has_attr(gimli::DW_AT_low_pc) {
            return Ok(None);
        }
        Ok(Some(self.ranges(entry)?.iter().any(|range| range.contains(&address))))
    }
}

impl<'a> Dwarf<'a> {
    /// Name of an entry, or of the one it is an instance of.
    pub(super) fn name(self, view: &UnitView<'a>, entry: &Entry<'a>) -> Option<&'a str> {
        self.inherited(view, entry, &mut |view, entry| view.text(entry, gimli::DW_AT_name))
    }

    /// The first answer that the entry, or one it is an instance of, gives.
    pub(super) fn inherited<T>(
        self,
        view: &UnitView<'a>,
        entry: &Entry<'a>,
        ask: &mut dyn FnMut(&UnitView<'a>, &Entry<'a>) -> Option<T>,
    ) -> Option<T> {
        self.inherited_from(view, entry, ask, MAX_ORIGINS)
    }

    fn inherited_from<T>(
        self,
        view: &UnitView<'a>,
        entry: &Entry<'a>,
        ask: &mut dyn FnMut(&UnitView<'a>, &Entry<'a>) -> Option<T>,
        steps: u32,
    ) -> Option<T> {
        if let Some(answer) = ask(view, entry) {
            return Some(answer);
        }
        let steps = steps.checked_sub(1)?;
        let by = [gimli::DW_AT_abstract_origin, gimli::DW_AT_specification];
        let name = by.into_iter().find(|&name| entry.has_attr(name))?;
        // Most are of the same unit, which need not be looked for.
        if let Some(AttributeValue::UnitRef(offset)) = entry.attr_value(name) {
            let origin = view.entry(offset).ok()?;
            return self.inherited_from(view, &origin, ask, steps);
        }
        let (other, offset) = self.other(view.reference(entry, name)?).ok()?;
        let origin = other.entry(offset).ok()?;
        self.inherited_from(&other, &origin, ask, steps)
    }

    /// Unit and offset inside it of an entry anywhere in `.debug_info`.
    pub(super) fn other(self, entry: usize) -> Result<(UnitView<'a>, UnitOffset), Reason> {
        let view = self.unit_containing(entry)?;
        let offset = UnitOffset(entry.saturating_sub(view.offset));
        Ok((view, offset))
    }
}

/// Ranges of the code an entry describes: `DW_AT_ranges`, or from `DW_AT_low_pc` to
/// `DW_AT_high_pc`, which is an address or a size. What lies where no code can be (the marks for
/// code that was left out) gives no range.
pub(super) fn code_ranges<'a>(
    dwarf: &gimli::Dwarf<Reader<'a>>,
    unit: &gimli::Unit<Reader<'a>>,
    entry: &Entry<'a>,
) -> gimli::Result<Vec<Range<u64>>> {
    let mut ranges = Vec::new();
    if let Some(value) = entry.attr_value(gimli::DW_AT_ranges)
        && let Some(mut list) = dwarf.attr_ranges(unit, value)?
    {
        while ranges.len() < MAX_RANGES
            && let Some(range) = list.next()?
        {
            ranges.push(range.begin..range.end);
        }
    } else if let Some(low) = entry.attr_value(gimli::DW_AT_low_pc)
        && let Some(low) = dwarf.attr_address(unit, low)?
    {
        let end = match entry.attr_value(gimli::DW_AT_high_pc) {
            Some(AttributeValue::Udata(size)) => low.checked_add(size),
            Some(value) => dwarf.attr_address(unit, value)?,
            None => None,
        };
        ranges.extend(end.map(|end| low..end));
    }
    ranges.retain(|range| range.start < range.end);
    Ok(ranges)
}
