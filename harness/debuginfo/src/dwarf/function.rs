// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the debug information says about one function.

use std::ops::Range;

use super::functions::Physical;
use super::source::call_place;
use super::{Dwarf, Entry, UnitView};
use crate::{Function, Inlined, Instance, Parameter, Reason};

/// Inlined calls of one function that are listed; the largest functions of kernels have some
/// thousands.
const MAX_INLINED: usize = 1 << 16;

/// A parameter of a function: the entry that names it, and that of the copy at hand, which says
/// where the value is.
#[derive(Debug)]
pub(super) struct ParameterEntry<'a> {
    pub(super) parameter: Parameter,
    /// Entry in the physical function; `None` if this copy has dropped the parameter.
    pub(super) here: Option<Entry<'a>>,
}

impl<'a> Dwarf<'a> {
    /// The physical function that covers an address.
    pub(crate) fn function(self, address: u64) -> Result<Function, Reason> {
        let physical = self.physical(address, false)?;
        let Physical { view, entry } = &physical;
        let ranges = self.run_time(view.ranges(entry)?);
        let first = ranges.first().map(|range| range.start);
        let entry_pc = entry
            .attr_value(gimli::DW_AT_entry_pc)
            .and_then(|value| view.dwarf.attr_address(&view.unit, value).ok().flatten())
            .map(|address| self.elf.to_run_time(address));
        let mut variadic = false;
        let parameters = self.parameters(view, entry, &mut variadic)?;
        Ok(Function {
            name: self.name(view, entry).unwrap_or_default().to_owned(),
            low_pc: entry_pc.or(first).unwrap_or(0),
            ranges,
            parameters: parameters.into_iter().map(|each| each.parameter).collect(),
            result: self.inherited(view, entry, &mut |view, entry| self.type_id(view, entry)),
            variadic,
            inlined: self.inlined(view, entry)?,
        })
    }

    /// The innermost function that was inlined at an address.
    pub(crate) fn instance(self, address: u64) -> Result<Instance, Reason> {
        let Physical { view, entry } = self.physical(address, false)?;
        let calls = view.inlined_at(&entry, address)?;
        let call = calls.last().ok_or_else(|| self.no_function(address))?;
        let ranges = self.run_time(view.ranges(call)?);
        let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
        let name = self.name(&view, call).unwrap_or_default().to_owned();
        let result = self.inherited(&view, call, &mut |view, entry| self.type_id(view, entry));
        Ok(Instance { name, result, end })
    }

    /// Parameters in the order of the source.
    ///
    /// A copy made by the compiler (`.constprop`, `.isra`, the out-of-line copy of a function that
    /// was also inlined) may lack parameters or have them in another order, so the order is that of
    /// the abstract function.
    pub(super) fn parameters(
        self,
        view: &UnitView<'a>,
        function: &Entry<'a>,
        variadic: &mut bool,
    ) -> Result<Vec<ParameterEntry<'a>>, Reason> {
        let mut copies = Vec::new();
        view.each_child(function, |child| {
            match child.tag() {
                gimli::DW_TAG_formal_parameter => {
                    copies.push((
                        view.reference(child, gimli::DW_AT_abstract_origin),
                        Some(child.clone()),
                    ));
                }
                gimli::DW_TAG_unspecified_parameters => *variadic = true,
                _ => {}
            };
        })?;
        let mut parameters = Vec::new();
        if let Some(origin) = view.reference(function, gimli::DW_AT_abstract_origin) {
            let (other, offset) = self.other(origin)?;
            let abstract_function = other.entry(offset)?;
            other.each_child(&abstract_function, |child| match child.tag() {
                gimli::DW_TAG_formal_parameter => {
                    let place = Some(other.absolute(child.offset()));
                    let copy = copies.iter_mut().find(|(origin, _)| *origin == place);
                    let here = copy.and_then(|(_, entry)| entry.take());
                    parameters
                        .push(ParameterEntry { parameter: self.parameter(&other, child), here });
                }
                gimli::DW_TAG_unspecified_parameters => *variadic = true,
                _ => {}
            })?;
        }
        for here in copies.into_iter().filter_map(|(_, entry)| entry) {
            let parameter = self.parameter(view, &here);
            parameters.push(ParameterEntry { parameter, here: Some(here) });
        }
        Ok(parameters)
    }

    fn parameter(self, view: &UnitView<'a>, entry: &Entry<'a>) -> Parameter {
        Parameter {
            name: self.name(view, entry).map(ToOwned::to_owned),
            ty: self.inherited(view, entry, &mut |view, entry| self.type_id(view, entry)),
        }
    }

    /// All calls inlined into a function, outer before inner.
    fn inlined(self, view: &UnitView<'a>, function: &Entry<'a>) -> Result<Vec<Inlined>, Reason> {
        let bad = view.bad(function.offset());
        let lines = self.lines(view);
        let mut cursor = view.unit.entries_at_offset(function.offset()).map_err(&bad)?;
        cursor.next_entry().map_err(&bad)?;
        let mut inlined = Vec::new();
        // Depths in the tree of the inlined calls that the cursor is inside of.
        let mut around: Vec<isize> = Vec::new();
        while function.has_children() && cursor.next_entry().map_err(&bad)? && cursor.depth() > 0 {
            let Some(entry) = cursor.current() else { continue };
            while around.last().is_some_and(|&depth| depth >= entry.depth()) {
                around.pop();
            }
            if entry.tag() != gimli::DW_TAG_inlined_subroutine {
                continue;
            }
            around.push(entry.depth());
            if inlined.len() == MAX_INLINED {
                return Err(Reason::Limit("inlined calls of a function"));
            }
            let place = call_place(lines.as_ref().ok(), entry);
            inlined.push(Inlined {
                name: self.name(view, entry).unwrap_or_default().to_owned(),
                ranges: self.run_time(view.ranges(entry)?),
                depth: u32::try_from(around.len()).unwrap_or(u32::MAX),
                call_file: place.file,
                call_line: place.line,
            });
        }
        Ok(inlined)
    }

    fn run_time(self, ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
        let convert = |address| self.elf.to_run_time(address);
        ranges.into_iter().map(|range| convert(range.start)..convert(range.end)).collect()
    }
}
