// SPDX-License-Identifier: MIT OR Apache-2.0
//! Source lines and inlined calls of an address.

use gimli::AttributeValue;

use super::lines::{LineTable, Place};
use super::{Dwarf, Entry, UnitView};
use crate::{Reason, SourceFrame};

impl<'a> Dwarf<'a> {
    /// The chain at an address, innermost first. Without a function there is one frame that has
    /// only a line; without a line the function still stands.
    pub(crate) fn source(self, address: u64) -> Result<Vec<SourceFrame>, Reason> {
        let view = self.unit_at(address)?;
        let lines = self.lines(&view);
        let start = view.start_of_function_at(address).unwrap_or(0);
        let table = lines.as_ref().ok();
        let place = table.and_then(|table| table.place(address, start).ok().flatten());
        let Some(offset) = view.function_at(address) else {
            let place = place.ok_or_else(|| self.no_function(address))?;
            return Ok(vec![frame(None, Some(place), false)]);
        };
        let entry = view.entry(offset)?;
        let calls = view.inlined_at(&entry, address)?;
        let mut frames = Vec::with_capacity(calls.len().saturating_add(1));
        let mut place = place;
        for call in calls.iter().rev() {
            let name = self.name(&view, call);
            frames.push(frame(name, place, true));
            place = Some(call_place(lines.as_ref().ok(), call));
        }
        frames.push(frame(self.name(&view, &entry), place, false));
        Ok(frames)
    }
}

/// Where an inlined function was called.
pub(super) fn call_place<'a>(lines: Option<&LineTable<'_, 'a>>, call: &Entry<'a>) -> Place {
    let file = match call.attr_value(gimli::DW_AT_call_file) {
        Some(AttributeValue::FileIndex(index)) => lines.and_then(|table| table.file(index)),
        _ => None,
    };
    let number = |name| {
        UnitView::number_of(call, name).and_then(|n| u32::try_from(n).ok()).filter(|&n| n != 0)
    };
    Place { file, line: number(gimli::DW_AT_call_line), column: number(gimli::DW_AT_call_column) }
}

fn frame(function: Option<&str>, place: Option<Place>, inlined: bool) -> SourceFrame {
    let (file, line, column) =
        place.map_or((None, None, None), |place| (place.file, place.line, place.column));
    SourceFrame { function: function.map(ToOwned::to_owned), file, line, column, inlined }
}
