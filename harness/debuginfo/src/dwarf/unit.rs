// SPDX-License-Identifier: MIT OR Apache-2.0
//! One compile unit: what is kept of it, and a view for one question.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use gimli::{AttributeValue, DebugInfoOffset, SectionId, UnitOffset};

use super::functions::FunctionEntry;
use super::names::NamedEntry;
use super::{Dwarf, Entry, Reader, SUPPLEMENTARY, malformed};
use crate::Reason;

/// What is kept about a unit: offsets and abbreviations, nothing borrowed.
#[derive(Debug)]
pub(crate) struct UnitFacts {
    abbreviations: Arc<gimli::Abbreviations>,
    low_pc: u64,
    str_offsets_base: gimli::DebugStrOffsetsBase,
    addr_base: gimli::DebugAddrBase,
    loclists_base: gimli::DebugLocListsBase,
    rnglists_base: gimli::DebugRngListsBase,
    pub(super) lines: Option<gimli::DebugLineOffset>,
    /// Functions that have code, by address.
    pub(super) functions: OnceCell<Vec<FunctionEntry>>,
    /// Types and variables at file scope, by hash of their names.
    pub(super) names: OnceCell<Vec<NamedEntry>>,
}

/// One unit, ready to be read.
#[derive(Debug)]
pub(crate) struct UnitView<'a> {
    /// Offset of the unit's header in `.debug_info`, with [`SUPPLEMENTARY`].
    pub(super) offset: usize,
    pub(super) dwarf: gimli::Dwarf<Reader<'a>>,
    pub(super) unit: gimli::Unit<Reader<'a>>,
    pub(super) facts: Rc<UnitFacts>,
}

impl<'a> Dwarf<'a> {
    /// The unit whose header is at that offset.
    pub(crate) fn unit(self, offset: usize) -> Result<UnitView<'a>, Reason> {
        self.unit_with(offset, false)
    }

    /// As [`unit`](Self::unit), with location lists.
    pub(super) fn unit_with(self, offset: usize, locations: bool) -> Result<UnitView<'a>, Reason> {
        if !self.store.sections.has(SectionId::DebugInfo) {
            return Err(Reason::NoSection(".debug_info"));
        }
        let bad = malformed("unit in .debug_info", offset);
        let dwarf = self.view_of(offset, locations).ok_or_else(|| self.no_supplementary())?;
        let inside = DebugInfoOffset(offset & !SUPPLEMENTARY);
        let header = dwarf.unit_header(inside).map_err(&bad)?;
        if header.address_size() != 8 {
            return Err(Reason::Unsupported("a unit for another size of address"));
        }
        let known = self.store.facts.borrow().get(&offset).cloned();
        let facts = match known {
            Some(facts) => facts,
            None => {
                let facts = Rc::new(UnitFacts::read(&dwarf, &header).map_err(&bad)?);
                self.store.facts.borrow_mut().insert(offset, Rc::clone(&facts));
                facts
            }
        };
        let unit = facts.view(header);
        Ok(UnitView { offset, dwarf, unit, facts })
    }
}

impl UnitFacts {
    pub(super) fn read<'a>(
        dwarf: &gimli::Dwarf<Reader<'a>>,
        header: &gimli::UnitHeader<Reader<'a>>,
    ) -> gimli::Result<Self> {
        let mut facts = Self {
            abbreviations: dwarf.abbreviations(header)?,
            low_pc: 0,
            str_offsets_base: gimli::DebugStrOffsetsBase(0),
            addr_base: gimli::DebugAddrBase(0),
            loclists_base: gimli::DebugLocListsBase(0),
            rnglists_base: gimli::DebugRngListsBase(0),
            lines: None,
            functions: OnceCell::new(),
            names: OnceCell::new(),
        };
        let mut low_pc = None;
        let root = header.entry(&facts.abbreviations, header.root_offset())?;
        for attribute in root.attrs() {
            match (attribute.name(), attribute.value()) {
                (gimli::DW_AT_low_pc, value) => low_pc = Some(value),
                (gimli::DW_AT_stmt_list, AttributeValue::DebugLineRef(offset)) => {
                    facts.lines = Some(offset);
                }
                (_, AttributeValue::DebugStrOffsetsBase(base)) => facts.str_offsets_base = base,
                (_, AttributeValue::DebugAddrBase(base)) => facts.addr_base = base,
                (_, AttributeValue::DebugLocListsBase(base)) => facts.loclists_base = base,
                (_, AttributeValue::DebugRngListsBase(base)) => facts.rnglists_base = base,
                _ => {}
            }
        }
        if let Some(value) = low_pc {
            let unit = facts.view(*header);
            facts.low_pc = dwarf.attr_address(&unit, value)?.unwrap_or(0);
        }
        Ok(facts)
    }

    pub(super) fn view<'a>(
        &self,
        header: gimli::UnitHeader<Reader<'a>>,
    ) -> gimli::Unit<Reader<'a>> {
        gimli::Unit {
            header,
            abbreviations: Arc::clone(&self.abbreviations),
            name: None,
            comp_dir: None,
            low_pc: self.low_pc,
            str_offsets_base: self.str_offsets_base,
            addr_base: self.addr_base,
            loclists_base: self.loclists_base,
            rnglists_base: self.rnglists_base,
            line_program: None,
            dwo_id: None,
        }
    }
}

impl<'a> UnitView<'a> {
    /// The entry at an offset inside this unit.
    pub(super) fn entry(&self, offset: UnitOffset) -> Result<Entry<'a>, Reason> {
        self.unit.entry(offset).map_err(self.bad(offset))
    }

    /// The entry that describes the unit itself.
    pub(super) fn root(&self) -> Result<Entry<'a>, Reason> {
        self.entry(self.unit.header.root_offset())
    }

    /// Offset in `.debug_info` of an entry of this unit, with [`SUPPLEMENTARY`].
    pub(super) fn absolute(&self, offset: UnitOffset) -> usize {
        self.offset.saturating_add(offset.0)
    }

    /// Turns gimli's error about an entry of this unit into a reason.
    pub(super) fn bad(&self, offset: UnitOffset) -> impl Fn(gimli::Error) -> Reason {
        malformed("entry in .debug_info", self.absolute(offset))
    }
}
