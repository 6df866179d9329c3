// SPDX-License-Identifier: MIT OR Apache-2.0
//! The line table of a unit (DWARF 4 and 5 §6.2).

use gimli::{AttributeValue, LineProgramHeader, SectionId};

use super::{Dwarf, Reader, UnitView, malformed};
use crate::Reason;

/// What the line table says about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
struct Row {
    address: u64,
    file: u64,
    line: Option<u32>,
    column: Option<u32>,
}

/// The line table of one unit.
#[derive(Debug)]
pub(super) struct LineTable<'v, 'a> {
    program: gimli::IncompleteLineProgram<Reader<'a>>,
    offset: usize,
    /// Directory the unit was compiled in.
    directory: Option<&'a str>,
    view: &'v UnitView<'a>,
}

impl<'a> Dwarf<'a> {
    /// The line table of a unit, if it has one.
    pub(super) fn lines<'v>(self, view: &'v UnitView<'a>) -> Result<LineTable<'v, 'a>, Reason> {
        let offset = view.facts.lines.ok_or(Reason::NoSection(".debug_line"))?;
        let root = view.root()?;
        let directory = view.text(&root, gimli::DW_AT_comp_dir);
        let reader = |text: &'a str| Reader::new(text.as_bytes(), gimli::LittleEndian);
        let section = gimli::DebugLine::from(self.section(SectionId::DebugLine));
        let program = section
            .program(offset, view.unit.header.address_size(), directory.map(reader), None)
            .map_err(malformed(".debug_line", offset.0))?;
        Ok(LineTable { program, offset: offset.0, directory, view })
    }
}

impl<'a> LineTable<'_, 'a> {
    /// The row that covers an address: the last one at or below it in a sequence that goes on
    /// beyond it. Of several rows with one address the last one counts. A row before `start`, where the
    /// range of the function begins that has the address, is another function's.
    ///
    /// Situation: the part of a function that is seldom run begins with an instruction without a row,
    /// directly behind that of another function (`.text.unlikely`, gcc 12).
    pub(super) fn place(&self, address: u64, start: u64) -> Result<Option<Place>, Reason> {
        let mut rows = self.program.clone().rows();
        let bad = malformed(".debug_line", self.offset);
        let mut before: Option<Row> = None;
        while let Some((_, row)) = rows.next_row().map_err(&bad)? {
            if let Some(before) = before
                && before.address <= address
                && address < row.address()
            {
                return Ok((before.address >= start).then(|| self.describe(before)));
            }
            before = (!row.end_sequence()).then(|| Row {
                address: row.address(),
                file: row.file_index(),
                line: row.line().and_then(|line| u32::try_from(line.get()).ok()),
                column: match row.column() {
                    gimli::ColumnType::LeftEdge => None,
                    gimli::ColumnType::Column(column) => u32::try_from(column.get()).ok(),
                },
            });
        }
        Ok(None)
    }

    fn describe(&self, row: Row) -> Place {
        Place { file: self.file(row.file), line: row.line, column: row.column }
    }

    /// Path of a file of the table: directory and name joined, and made relative to the directory
    /// of the compilation if it lies below.
    pub(super) fn file(&self, index: u64) -> Option<String> {
        let header: &LineProgramHeader<Reader<'a>> = self.program.header();
        let file = header.file(index)?;
        let mut path = String::new();
        if let Some(directory) = file.directory(header) {
            path.push_str(self.text(directory)?);
        }
        join(&mut path, self.text(file.path_name())?);
        let below = self.directory.and_then(|base| path.strip_prefix(base)?.strip_prefix('/'));
        Some(below.map(ToOwned::to_owned).unwrap_or(path))
    }

    fn text(&self, value: AttributeValue<Reader<'a>>) -> Option<&'a str> {
        let reader = self.view.dwarf.attr_string(&self.view.unit, value).ok()?;
        std::str::from_utf8(reader.slice()).ok()
    }
}

/// Appends a path to a directory, unless it is absolute.
fn join(directory: &mut String, name: &str) {
    if name.starts_with('/') {
        directory.clear();
    } else if !directory.is_empty() && !directory.ends_with('/') {
        directory.push('/');
    }
    directory.push_str(name);
}
