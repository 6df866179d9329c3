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
use super::{Dwarf, Reader, SUPPLEMENTARY, UnitView, malformed, widen};
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

/// Headers that are read one after the other from the nearest unit that is known, before all are
/// listed. `.debug_aranges` leaves out only a unit here and there, but none of the thousands of
/// partial units that `dwz` makes is in it.
const MAX_STEPS: usize = 32;

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
        if entry & SUPPLEMENTARY == 0
            && let Some(unit) = self.unit_near(entry)?
        {
            return self.unit(unit);
        }
        let headers = self.store.headers.get_or_init(|| self.headers());
        let lost = || Reason::Malformed {
            what: "reference in .debug_info",
            offset: widen(entry & !SUPPLEMENTARY),
        };
        let view = self.unit(before(headers, entry).ok_or_else(lost)?)?;
        let length = view.unit.header.length_including_self();
        if entry.saturating_sub(view.offset) < length { Ok(view) } else { Err(lost()) }
    }

    /// The unit that holds an entry, if one of the next few behind a known one does.
    fn unit_near(self, entry: usize) -> Result<Option<usize>, Reason> {
        let mut offset = before(&self.ranges().units, entry).unwrap_or(0);
        let dwarf = self.view(false);
        let bad = malformed("unit in .debug_info", entry);
        for _ in 0..MAX_STEPS {
            if offset > entry {
                break;
            }
            let header = dwarf.unit_header(DebugInfoOffset(offset)).map_err(&bad)?;
            let end = offset.saturating_add(header.length_including_self());
            if entry < end {
                return Ok(Some(offset));
            }
            offset = end;
        }
        Ok(None)
    }

    /// Offsets of the headers of all units of both files, in order.
    fn headers(self) -> Vec<usize> {
        let mut headers: Vec<usize> = self.all_units().collect();
        if let Some(dwarf) = self.supplementary() {
            headers.extend(offsets(dwarf).map(|offset| offset | SUPPLEMENTARY));
        }
        headers
    }

    /// Offsets of the headers of all units of the image's own file, in order.
    pub(super) fn all_units(self) -> impl Iterator<Item = usize> + 'a {
        offsets(self.view(false))
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

/// Offsets of the headers of all units of a file, in order.
fn offsets<'a>(dwarf: gimli::Dwarf<Reader<'a>>) -> impl Iterator<Item = usize> + 'a {
    let mut units = dwarf.units();
    std::iter::from_fn(move || {
        let header = units.next().ok().flatten()?;
        header.debug_info_offset().map(|offset| offset.0)
    })
}

/// The last of the sorted offsets that is not behind an entry.
fn before(offsets: &[usize], entry: usize) -> Option<usize> {
    let after = offsets.partition_point(|&unit| unit <= entry);
    offsets.get(after.checked_sub(1)?).copied()
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
