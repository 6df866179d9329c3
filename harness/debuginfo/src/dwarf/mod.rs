// SPDX-License-Identifier: MIT OR Apache-2.0
//! DWARF 4 and 5, read unit by unit.
//!
//! Nothing is indexed ahead: an address leads to its unit through `.debug_aranges`, and only that
//! unit is read. What was learnt about a unit is kept as plain offsets, and gimli's views are made
//! anew for each question, which costs less than a microsecond. Addresses in this module are those
//! of the debug information ([`Elf::to_file`]); `Image` converts.
//!
//! `dwz` moves what several files have in common into a supplementary file (DWARF 5 §7.3.6; before
//! that GNU's `DW_FORM_GNU_ref_alt`). Offsets of its `.debug_info` carry [`SUPPLEMENTARY`], so that
//! one number names an entry of either file.

mod call_sites;
mod entry;
mod evaluate;
mod frames;
mod function;
mod functions;
mod imports;
mod inlines;
mod lines;
mod locations;
mod mentions;
mod names;
mod sections;
mod source;
mod types;
mod unit;
mod units;
mod values;
mod variables;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use gimli::SectionId;

use crate::elf::Elf;
use crate::{Reason, notes};
pub(crate) use evaluate::State;
use frames::FrameIndex;
pub(crate) use names::{Wanted, hash};
use sections::{Reader, Sections};
use unit::UnitFacts;
use unit::UnitView;
use units::UnitRanges;

/// An entry of `.debug_info` as gimli gives it.
type Entry<'a> = gimli::DebuggingInformationEntry<Reader<'a>>;

/// Marks an offset of the supplementary file's `.debug_info`. No section is that long.
const SUPPLEMENTARY: usize = 1 << 62;

/// What is kept about the DWARF of an image.
#[derive(Debug)]
pub(crate) struct Store {
    sections: Sections,
    supplementary: Option<Sections>,
    facts: RefCell<BTreeMap<usize, Rc<UnitFacts>>>,
    ranges: OnceCell<UnitRanges>,
    headers: OnceCell<Vec<usize>>,
    /// Answers about names that may have taken a search through the whole file.
    known: names::Known,
    frames: OnceCell<FrameIndex>,
    /// Units of the general functions of [`well_known`](crate::well_known).
    general: Vec<OnceCell<Option<usize>>>,
}

impl Store {
    pub(crate) fn new(elf: &Elf<'_>) -> Self {
        Self {
            sections: Sections::new(elf),
            supplementary: elf.supplementary.as_deref().map(Sections::new),
            facts: RefCell::default(),
            ranges: OnceCell::new(),
            headers: OnceCell::new(),
            known: names::Known::default(),
            frames: OnceCell::new(),
            general: vec![OnceCell::new(); crate::well_known::GENERAL.len()],
        }
    }
}

/// The DWARF of an image, for one question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dwarf<'a> {
    elf: &'a Elf<'a>,
    store: &'a Store,
}

impl<'a> Dwarf<'a> {
    pub(crate) fn new(elf: &'a Elf<'a>, store: &'a Store) -> Self {
        Self { elf, store }
    }

    /// gimli's view of the sections, without lines; location lists only if they are wanted, since
    /// those of a module have to be relocated first.
    fn view(self, locations: bool) -> gimli::Dwarf<Reader<'a>> {
        let load = |id: SectionId| {
            let skip = match id {
                SectionId::DebugLine | SectionId::DebugAranges => true,
                SectionId::DebugLoc | SectionId::DebugLocLists => !locations,
                _ => false,
            };
            let reader = if skip { Reader::default() } else { self.section(id) };
            Ok::<_, std::convert::Infallible>(reader)
        };
        let Ok(mut dwarf) = gimli::Dwarf::load(load);
        dwarf.sup = self.supplementary().map(Arc::new);
        dwarf
    }

    /// gimli's view of the supplementary file.
    fn supplementary(self) -> Option<gimli::Dwarf<Reader<'a>>> {
        let elf = self.elf.supplementary.as_deref()?;
        let sections = self.store.supplementary.as_ref()?;
        let load = |id: SectionId| Ok::<_, std::convert::Infallible>(sections.reader(elf, id));
        let Ok(dwarf) = gimli::Dwarf::load(load);
        Some(dwarf)
    }

    /// The view of the file that an offset means; `None` if it is a file that is not there.
    fn view_of(self, offset: usize, locations: bool) -> Option<gimli::Dwarf<Reader<'a>>> {
        if offset & SUPPLEMENTARY == 0 { Some(self.view(locations)) } else { self.supplementary() }
    }

    fn no_supplementary(self) -> Reason {
        let link = notes::supplementary(self.elf);
        Reason::NoSupplementaryFile(link.map_or_else(String::new, |link| link.name.to_owned()))
    }

    fn section(self, id: SectionId) -> Reader<'a> {
        self.store.sections.reader(self.elf, id)
    }
}

/// Turns gimli's error into a reason.
fn malformed(what: &'static str, offset: usize) -> impl Fn(gimli::Error) -> Reason {
    move |_| Reason::Malformed { what, offset: widen(offset & !SUPPLEMENTARY) }
}

/// A `usize` as `u64`; both are 64 bits wide wherever this runs, or the former is narrower.
pub(crate) fn widen(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
