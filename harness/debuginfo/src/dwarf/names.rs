// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types and variables by name.
//!
//! DWARF as compilers write it for kernels has no index of names (`.debug_names` and `.debug_pubnames` are
//! off by default), so each unit that is asked gets a small one of its own, at its first question.
//! Which units to ask: all of a module; of a kernel, which has thousands of units, first those of the
//! functions in [`well_known`](crate::well_known), then those that [mention](super::mentions) the name.

use std::cell::RefCell;
use std::collections::BTreeMap;

use gimli::{DwTag, SectionId};

use super::mentions::Mentions;
use super::{Dwarf, Entry, UnitView};
use crate::well_known;
use crate::{Reason, TypeId};

/// Types of variables, by name and address.
type Variables = BTreeMap<(String, Option<u64>), Option<TypeId>>;

/// Answers about names of a kernel, those that there is none as well.
#[derive(Debug, Default)]
pub(super) struct Known {
    enumerators: RefCell<BTreeMap<String, Result<i64, Reason>>>,
    pub(super) variables: RefCell<Variables>,
}

/// Units of a kernel that are read because they mention a name. Each that has a type of that name
/// serves, and a variable's unit is most often known by its address; what comes here again and again
/// are names of local variables.
const MAX_MENTIONS: usize = 256;

/// What a name is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wanted {
    /// Structure or union.
    Struct,
    /// Enumeration, typedef or base type; structure or union as well.
    Type,
    /// Variable.
    Variable,
}

impl Wanted {
    /// Tags of the entries that it can be.
    pub(super) const fn tags(self) -> &'static [DwTag] {
        match self {
            Self::Struct => {
                &[gimli::DW_TAG_structure_type, gimli::DW_TAG_union_type, gimli::DW_TAG_class_type]
            }
            Self::Type => &[
                gimli::DW_TAG_structure_type,
                gimli::DW_TAG_union_type,
                gimli::DW_TAG_class_type,
                gimli::DW_TAG_enumeration_type,
                gimli::DW_TAG_typedef,
                gimli::DW_TAG_base_type,
            ],
            Self::Variable => &[gimli::DW_TAG_variable],
        }
    }
}

/// A type or variable at file scope of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NamedEntry {
    hash: u32,
    /// Only declared; after the definitions.
    declaration: bool,
    kind: Wanted,
    /// Offset in `.debug_info`: of the unit, or of one that it imports.
    entry: usize,
}

impl<'a> Dwarf<'a> {
    /// The definition of a type.
    pub(crate) fn find_type(self, name: &str, wanted: Wanted) -> Result<TypeId, Reason> {
        for view in self.units_for(name, wanted.tags()) {
            let found = self.named(&view, name, |kind, declaration| {
                !declaration
                    && (kind == wanted || (wanted == Wanted::Type && kind == Wanted::Struct))
            });
            if let Some((view, entry)) = found.first() {
                return Ok(view.id(entry.offset()));
            }
        }
        self.not_found(name)
    }

    /// Value of an enumerator of an enumeration at file scope.
    pub(crate) fn enumerator(self, name: &str) -> Result<i64, Reason> {
        let known = &self.store.known.enumerators;
        if let Some(known) = known.borrow().get(name) {
            return known.clone();
        }
        let found = self.find_enumerator(name);
        known.borrow_mut().insert(name.to_owned(), found.clone());
        found
    }

    fn find_enumerator(self, name: &str) -> Result<i64, Reason> {
        for view in self.units_for(name, &[gimli::DW_TAG_enumerator]) {
            let mut value = None;
            self.each_at_file_scope(&view, &mut |view, entry| {
                if value.is_none() && entry.tag() == gimli::DW_TAG_enumeration_type {
                    let all = view.enumerators(entry).unwrap_or_default();
                    value = all.into_iter().find(|each| each.name == name).map(|each| each.value);
                }
            });
            if let Some(value) = value {
                return Ok(value);
            }
        }
        self.not_found(name)
    }

    fn not_found<T>(self, name: &str) -> Result<T, Reason> {
        if self.store.sections.has(SectionId::DebugInfo) {
            Err(Reason::NotFound(name.to_owned()))
        } else {
            Err(Reason::NoSection(".debug_info"))
        }
    }

    /// The units that are asked for the name of an entry with one of those tags, in order.
    pub(super) fn units_for(
        self,
        name: &str,
        tags: &'static [DwTag],
    ) -> impl Iterator<Item = UnitView<'a>> {
        let all = self.elf.is_module().then(|| self.all_units());
        let all = all.into_iter().flatten();
        let chosen = (!self.elf.is_module()).then(|| {
            self.well_known_units(name)
                .chain(std::iter::once_with(move || self.units_that_mention(name, tags)).flatten())
        });
        let offsets = all.chain(chosen.into_iter().flatten());
        offsets.filter_map(move |offset| self.unit(offset).ok())
    }

    /// Units that mention a name. Where names may be numbers of a table (DWARF 5 §7.5.4, forms
    /// `DW_FORM_strx`; clang's, next to BTF), all.
    fn units_that_mention(
        self,
        name: &str,
        tags: &'static [DwTag],
    ) -> impl Iterator<Item = usize> + use<'a> {
        let numbered = self.store.sections.has(SectionId::DebugStrOffsets);
        let mentions = (!numbered).then(|| Mentions::new(self, name, tags).take(MAX_MENTIONS));
        let all = numbered.then(|| self.all_units());
        mentions.into_iter().flatten().chain(all.into_iter().flatten())
    }

    /// Units of the well-known functions, those for this very name first.
    fn well_known_units(self, name: &str) -> impl Iterator<Item = usize> {
        let private = well_known::private(name).iter().filter_map(move |each| self.unit_of(each));
        let general = self.store.general.iter().zip(well_known::GENERAL);
        let general = general
            .filter_map(move |(known, function)| *known.get_or_init(|| self.unit_of(function)));
        private.chain(general)
    }

    /// Offset of the unit that holds a function.
    fn unit_of(self, function: &str) -> Option<usize> {
        let symbol = self.elf.symbol(function)?;
        self.unit_offset_at(self.elf.to_file(self.elf.address(symbol)?)).ok()
    }

    /// Entries at file scope of that name and of a kind that is asked for, with their units;
    /// definitions first.
    pub(super) fn named(
        self,
        view: &UnitView<'a>,
        name: &str,
        asked: impl Fn(Wanted, bool) -> bool,
    ) -> Vec<(UnitView<'a>, Entry<'a>)> {
        let names = view.facts.names.get_or_init(|| self.list_names(view));
        let hash = hash(name);
        let first = names.partition_point(|named| named.hash < hash);
        let same = names.get(first..).unwrap_or(&[]).iter().take_while(|named| named.hash == hash);
        same.filter(|named| asked(named.kind, named.declaration))
            .filter_map(|named| {
                let (view, offset) = self.other(named.entry).ok()?;
                let entry = view.entry(offset).ok()?;
                (view.text(&entry, gimli::DW_AT_name) == Some(name)).then_some((view, entry))
            })
            .collect()
    }

    fn list_names(self, view: &UnitView<'a>) -> Vec<NamedEntry> {
        let mut names = Vec::new();
        self.each_at_file_scope(view, &mut |view, entry| {
            let Some(kind) = kind(entry) else { return };
            let Some(name) = view.text(entry, gimli::DW_AT_name) else { return };
            let declaration = UnitView::flag(entry, gimli::DW_AT_declaration);
            let entry = view.absolute(entry.offset());
            names.push(NamedEntry { hash: hash(name), declaration, kind, entry });
        });
        names.sort_unstable();
        names
    }
}

fn kind(entry: &Entry<'_>) -> Option<Wanted> {
    match entry.tag() {
        gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_class_type => {
            Some(Wanted::Struct)
        }
        gimli::DW_TAG_enumeration_type | gimli::DW_TAG_typedef | gimli::DW_TAG_base_type => {
            Some(Wanted::Type)
        }
        gimli::DW_TAG_variable => Some(Wanted::Variable),
        _ => None,
    }
}

/// FNV-1a, 32 bits: short names, no attacker to fear (a collision costs one comparison).
pub(crate) fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
