// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which function of a unit an address belongs to.

use gimli::UnitOffset;

use super::{Dwarf, Entry, UnitView};
use crate::Reason;

/// A range of a function's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FunctionEntry {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Offset of the function's entry inside the unit.
    pub(super) entry: usize,
}

/// The physical function at an address.
#[derive(Debug)]
pub(super) struct Physical<'a> {
    pub(super) view: UnitView<'a>,
    pub(super) entry: Entry<'a>,
}

impl<'a> Dwarf<'a> {
    /// The physical function whose code covers an address. `locations`: its location lists will be
    /// read.
    pub(super) fn physical(self, address: u64, locations: bool) -> Result<Physical<'a>, Reason> {
        let view = self.unit_with(self.unit_offset_at(address)?, locations)?;
        let offset = view.function_at(address).ok_or_else(|| self.no_function(address))?;
        let entry = view.entry(offset)?;
        Ok(Physical { view, entry })
    }

    pub(super) fn no_function(self, address: u64) -> Reason {
        Reason::NoFunction(self.elf.to_run_time(address))
    }
}

impl<'a> UnitView<'a> {
    /// Offset of the entry of the function whose code covers an address.
    pub(super) fn function_at(&self, address: u64) -> Option<UnitOffset> {
        Some(UnitOffset(self.range_at(address)?.entry))
    }

    /// Start of the range of a function that covers the address.
    pub(super) fn start_of_function_at(&self, address: u64) -> Option<u64> {
        Some(self.range_at(address)?.start)
    }

    fn range_at(&self, address: u64) -> Option<&FunctionEntry> {
        let functions = self.facts.functions.get_or_init(|| self.list_functions());
        let after = functions.partition_point(|range| range.start <= address);
        let nearest = functions.get(after.checked_sub(1)?)?;
        (address < nearest.end).then_some(nearest)
    }

    /// All ranges of the unit's functions, by start; those before a damaged entry if there is one.
    fn list_functions(&self) -> Vec<FunctionEntry> {
        let mut functions = Vec::new();
        let Ok(root) = self.root() else { return functions };
        let whole = self.each_child(&root, |entry| {
            if entry.tag() == gimli::DW_TAG_subprogram {
                for range in self.ranges(entry).unwrap_or_default() {
                    let entry = entry.offset().0;
                    functions.push(FunctionEntry { start: range.start, end: range.end, entry });
                }
            }
        });
        // What comes before a damaged entry stays of use.
        drop(whole);
        functions.sort_unstable();
        functions
    }
}
