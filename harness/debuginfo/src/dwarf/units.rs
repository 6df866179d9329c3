// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which unit an address or an entry belongs to.
//!
//! `.debug_aranges` names the ranges of each unit (DWARF 4 §6.1.2). A unit that it leaves out (the
//! assembler's before binutils 2.35 or so, all of clang's) is found by the ranges of its root entry;
//! those roots are read once, when an address was not found otherwise.

use std::cell::OnceCell;

use gimli::{DebugInfoOffset, SectionId};

use super::entry::code_ranges;
use super::unit::UnitFacts;
use super::{Dwarf, Reader, UnitView, malformed, widen};
use crate::Reason;

/// A range of addresses and the unit it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct UnitRange {
    start: u64,
    end: u64,
    unit: usize,
}

/// Ranges of all units.
#[derive(Debug, Default)]
pub(super) struct UnitRanges {
    /// From `.debug_aranges`, by start.
    listed: Vec<UnitRange>,
    /// Units named there, by offset.
    units: Vec<usize>,
    /// From the root entries of the other units, by start.
    others: OnceCell<Vec<UnitRange>>,
}

/// Ranges of different units do not overlap, but damaged ones may: how many are looked at.
const MAX_OVERLAP: usize = 16;

impl<'a> Dwarf<'a> {
    /// The unit that holds the code at an address.
    pub(crate) fn unit_at(self, address: u64) -> Result<UnitView<'a>, Reason> {
        self.unit(self.unit_offset_at(address)?)
    }

    /// Offset of that unit.
    pub(super) fn unit_offset_at(self, address: u64) -> Result<usize, Reason> {
        if !self.store.sections.has(SectionId::DebugInfo) {
            return Err(Reason::NoSection(".debug_info"));
        }
        let ranges = self.ranges();
        find(&ranges.listed, address)
            .or_else(|| find(ranges.others.get_or_init(|| self.unlisted(&ranges.units)), address))
            .ok_or_else(|| Reason::NoUnit(self.elf.to_run_time(address)))
    }

    /// The unit that holds the entry at an offset of `.debug_info`.
    pub(super) fn unit_containing(self, entry: usize) -> Result<UnitView<'a>, Reason> {
        let known = &self.ranges().units;
        let before = known.partition_point(|&unit| unit <= entry);
        let mut offset = before.checked_sub(1).and_then(|i| known.get(i)).copied().unwrap_or(0);
        let dwarf = self.view(false);
        let bad = malformed("unit in .debug_info", entry);
        while offset <= entry {
            let header = dwarf.unit_header(DebugInfoOffset(offset)).map_err(&bad)?;
            let end = offset.saturating_add(header.length_including_self());
            if entry < end {
                return self.unit(offset);
            }
            offset = end;
        }
        Err(Reason::Malformed { what: "reference in .debug_info", offset: widen(entry) })
    }

    /// Offsets of the headers of all units, in order.
    pub(super) fn all_units(self) -> impl Iterator<Item = usize> + 'a {
        let dwarf = self.view(false);
        let mut units = dwarf.units();
        std::iter::from_fn(move || {
            let header = units.next().ok().flatten()?;
            header.debug_info_offset().map(|offset| offset.0)
        })
    }

    fn ranges(self) -> &'a UnitRanges {
        self.store.ranges.get_or_init(|| self.listed())
    }

    /// Reads `.debug_aranges`; a damaged set ends it, what came before stays of use.
    fn listed(self) -> UnitRanges {
        let aranges = gimli::DebugAranges::from(self.section(SectionId::DebugAranges));
        let mut ranges = UnitRanges::default();
        let mut headers = aranges.headers();
        while let Ok(Some(header)) = headers.next() {
            let unit = header.debug_info_offset().0;
            ranges.units.push(unit);
            let mut entries = header.entries();
            while let Ok(Some(entry)) = entries.next() {
                let range = entry.range();
                ranges.listed.push(UnitRange { start: range.begin, end: range.end, unit });
            }
        }
        ranges.listed.sort_unstable();
        ranges.units.sort_unstable();
        ranges
    }

    /// Ranges of the units that `.debug_aranges` does not name.
    fn unlisted(self, listed: &[usize]) -> Vec<UnitRange> {
        let dwarf = self.view(false);
        let mut found = Vec::new();
        for unit in self.all_units().filter(|unit| listed.binary_search(unit).is_err()) {
            if let Err(_damaged) = root_ranges(&dwarf, unit, &mut found) {
                // A unit that cannot be read has no code that can be found.
            }
        }
        found.sort_unstable();
        found
    }
}

fn root_ranges(
    dwarf: &gimli::Dwarf<Reader<'_>>,
    offset: usize,
    found: &mut Vec<UnitRange>,
) -> gimli::Result<()> {
    let header = dwarf.unit_header(DebugInfoOffset(offset))?;
    let facts = UnitFacts::read(dwarf, &header)?;
    let unit = facts.view(header);
    let root = unit.entry(unit.header.root_offset())?;
    let ranges = code_ranges(dwarf, &unit, &root)?;
    found.extend(ranges.into_iter().map(|range| UnitRange {
        start: range.start,
        end: range.end,
        unit: offset,
    }));
    Ok(())
}

fn find(ranges: &[UnitRange], address: u64) -> Option<usize> {
    let after = ranges.partition_point(|range| range.start <= address);
    let candidates = ranges.get(..after)?.iter().rev().take(MAX_OVERLAP);
    candidates.into_iter().find(|range| address < range.end).map(|range| range.unit)
}
