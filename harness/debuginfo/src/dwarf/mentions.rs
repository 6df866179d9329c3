// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which units have an entry of a name, in debug information without an index of names.
//!
//! A kernel without BTF has thousands of units and a few hundred megabytes of entries; reading all of
//! them takes more than a second. A name, though, stands once in `.debug_str`, and an entry refers to
//! it by its offset there (DWARF 4 §7.5.4, `DW_FORM_strp`; shorter ones stand in the entry itself,
//! `DW_FORM_string`). So the offset is searched for, as bytes, and each place where it stands is looked
//! at: whether an entry of the sort that is asked for begins as many bytes before it as the unit's
//! abbreviations say. What is found that way is a hint: the unit is then read as any other.

use gimli::{AttributeSpecification, DwForm, DwTag, SectionId};
use memchr::memmem::Finder;

use super::{Dwarf, SUPPLEMENTARY, UnitView};

/// Places of `.debug_str` that a name may have: it can be the end of other strings, as the linker has
/// each ending once. `dev` is that of hundreds.
const MAX_PLACES: usize = 1 << 14;
/// Places where what is searched for stands and no unit is: a damaged file may have any number of them.
const MAX_LOST: usize = 1 << 12;
/// Abbreviations of one unit that are looked at; kernels have less than three hundred.
const MAX_ABBREVIATIONS: u64 = 1 << 12;

/// Where the name of an entry stands that has a certain abbreviation.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// The abbreviation's code as it stands at the entry's begin (LEB128).
    code: Vec<u8>,
    /// Bytes between that and the name; `None` if it differs from entry to entry.
    distance: Option<usize>,
}

/// What a name looks like in an entry.
#[derive(Debug)]
enum Sign {
    /// An offset in `.debug_str` where it stands.
    Offset(Offsets),
    /// The name itself.
    Text(Box<Finder<'static>>),
}

/// Numbers of four bytes that are searched for, all in one pass.
#[derive(Debug)]
struct Offsets {
    /// In ascending order.
    all: Vec<u32>,
    /// A bit for each lower half that one of them has: tells most bytes of a section at once.
    halves: Box<[u64; 1 << 10]>,
}

/// Units that have entries of a name, in the order of the file.
pub(super) struct Mentions<'a> {
    dwarf: Dwarf<'a>,
    tags: &'static [DwTag],
    /// What is searched, and for what: the last first.
    searches: Vec<(usize, &'a [u8], Sign)>,
    /// How far the search is, in bytes.
    position: usize,
    /// Places in no unit.
    lost: usize,
}

impl<'a> Mentions<'a> {
    /// Units with entries of one of those tags, in the file itself and in the supplementary one.
    pub(super) fn new(dwarf: Dwarf<'a>, name: &str, tags: &'static [DwTag]) -> Self {
        let mut text = name.as_bytes().to_vec();
        text.push(0);
        let mut searches = Vec::new();
        for (base, info) in dwarf.parts(SectionId::DebugInfo) {
            let itself = Finder::new(&text).into_owned();
            searches.push((base, info, Sign::Text(Box::new(itself))));
            for (_, strings) in dwarf.parts(SectionId::DebugStr) {
                searches.push((base, info, Sign::Offset(Offsets::of(&text, strings))));
            }
        }
        searches.reverse();
        Self { dwarf, tags, searches, position: 0, lost: 0 }
    }

    /// The next place where the name stands, and the section that it is in.
    fn hit(&mut self) -> Option<(usize, usize, &'a [u8])> {
        loop {
            let (base, bytes, sign) = self.searches.last()?;
            if let Some(place) = sign.find(bytes, self.position) {
                self.position = place.saturating_add(1);
                return Some((place, *base, bytes));
            }
            self.searches.pop();
            self.position = 0;
        }
    }
}

impl Sign {
    /// Where it stands next in a section, from a position on.
    fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        let found = match self {
            Self::Offset(offsets) => offsets.find(rest),
            Self::Text(text) => text.find(rest),
        };
        found.map(|place| from.saturating_add(place))
    }
}

impl Offsets {
    /// Where a text stands in a section of strings.
    fn of(text: &[u8], strings: &[u8]) -> Self {
        let places = memchr::memmem::find_iter(strings, text).take(MAX_PLACES);
        let all: Vec<u32> = places.filter_map(|place| u32::try_from(place).ok()).collect();
        let mut halves = Box::new([0_u64; 1 << 10]);
        for offset in &all {
            let (word, bit) = half(*offset);
            if let Some(word) = halves.get_mut(word) {
                *word |= bit;
            }
        }
        Self { all, halves }
    }

    fn find(&self, bytes: &[u8]) -> Option<usize> {
        if self.all.is_empty() {
            return None;
        }
        bytes.windows(4).position(|four| {
            let Ok(four) = <[u8; 4]>::try_from(four) else { return false };
            let number = u32::from_le_bytes(four);
            let (word, bit) = half(number);
            self.halves.get(word).is_some_and(|word| word & bit != 0)
                && self.all.binary_search(&number).is_ok()
        })
    }
}

/// Word and bit of the lower half of a number.
fn half(number: u32) -> (usize, u64) {
    let [low, high, ..] = number.to_le_bytes();
    let half = u16::from_le_bytes([low, high]);
    (usize::from(half >> 6), 1 << (half & 63))
}

impl Iterator for Mentions<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        // The shapes of the last unit serve for all places inside it.
        let mut last: Option<(UnitView<'_>, Vec<Shape>)> = None;
        loop {
            let (place, base, bytes) = self.hit()?;
            let hit = base | place;
            let inside = |view: &UnitView<'_>| {
                let end = view.offset + view.unit.header.length_including_self();
                (view.offset..end).contains(&hit)
            };
            if !last.as_ref().is_some_and(|(view, _)| inside(view)) {
                let Ok(view) = self.dwarf.unit_containing(hit) else {
                    self.lost += 1;
                    if self.lost > MAX_LOST {
                        return None;
                    }
                    continue;
                };
                let shapes = shapes(&view, self.tags);
                last = Some((view, shapes));
            }
            let Some((view, shapes)) = &last else { continue };
            let start = view.offset & !SUPPLEMENTARY;
            let before = bytes.get(start..place).unwrap_or_default();
            if shapes.iter().any(|shape| shape.ends(before)) {
                self.position = start + view.unit.header.length_including_self();
                return Some(view.offset);
            }
        }
    }
}

impl Shape {
    /// Whether an entry of that shape begins where its name would follow these bytes.
    fn ends(&self, before: &[u8]) -> bool {
        let Some(distance) = self.distance else { return true };
        let head = before.len().checked_sub(distance).and_then(|end| before.get(..end));
        head.is_some_and(|head| head.ends_with(&self.code))
    }
}

impl<'a> Dwarf<'a> {
    /// A section of the file itself and of the supplementary one, with what marks their offsets.
    fn parts(self, id: SectionId) -> Vec<(usize, &'a [u8])> {
        let own = (0, self.section(id).slice());
        let other = self.elf.supplementary.as_deref().zip(self.store.supplementary.as_ref());
        let other = other.map(|(elf, sections)| (SUPPLEMENTARY, sections.reader(elf, id).slice()));
        std::iter::once(own).chain(other).collect()
    }
}

/// The shapes of the unit's entries that have a tag that is asked for, and a name.
fn shapes(view: &UnitView<'_>, tags: &[DwTag]) -> Vec<Shape> {
    let all = (1..MAX_ABBREVIATIONS).map_while(|code| view.unit.abbreviations.get(code));
    let wanted = all.filter(|abbreviation| tags.contains(&abbreviation.tag()));
    let shape = |abbreviation: &gimli::Abbreviation| {
        let attributes = abbreviation.attributes();
        let name = attributes.iter().position(|it| it.name() == gimli::DW_AT_name)?;
        let before = attributes.get(..name)?;
        Some(Shape { code: leb128(abbreviation.code()), distance: before.iter().map(size).sum() })
    };
    wanted.filter_map(shape).collect()
}

/// Bytes of an attribute; `None` if they differ from entry to entry. (DWARF 5 §7.5.6.)
fn size(attribute: &AttributeSpecification) -> Option<usize> {
    Some(match attribute.form() {
        gimli::DW_FORM_flag_present | gimli::DW_FORM_implicit_const => 0,
        gimli::DW_FORM_data1 | gimli::DW_FORM_flag | gimli::DW_FORM_ref1 => 1,
        gimli::DW_FORM_data2 | gimli::DW_FORM_ref2 => 2,
        gimli::DW_FORM_data4
        | gimli::DW_FORM_ref4
        | gimli::DW_FORM_strp
        | gimli::DW_FORM_line_strp
        | gimli::DW_FORM_sec_offset
        | gimli::DW_FORM_ref_addr => 4,
        gimli::DW_FORM_data8 | gimli::DW_FORM_ref8 | gimli::DW_FORM_addr => 8,
        DwForm(_) => return None,
    })
}

/// A number in the least bytes, seven bits in each, the lowest first.
fn leb128(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low & 0x7f);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
