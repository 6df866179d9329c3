// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variables with static storage.

use gimli::{AttributeValue, Operation};

use super::names::Wanted;
use super::{Dwarf, Entry, UnitView};
use crate::{Declared, TypeId};

impl<'a> Dwarf<'a> {
    /// Type of a variable at file scope, as the unit at `hint` sees it (an address of code); without
    /// a hint, as one of the units sees it that are asked for names. `address`: where a definition must put it, if it says
    /// so; a declaration (`extern`) says nothing, and serves.
    pub(crate) fn variable_type(
        self,
        name: &str,
        address: Option<u64>,
        hint: Option<u64>,
    ) -> Option<TypeId> {
        if let Some(hint) = hint {
            return self.type_in(&self.unit_at(hint).ok()?, name, address);
        }
        let known = &self.store.known.variables;
        let key = (name.to_owned(), address);
        if let Some(known) = known.borrow().get(&key) {
            return *known;
        }
        let mut units = self.units_for(name, Wanted::Variable.tags());
        let found = units.find_map(|view| self.type_in(&view, name, address));
        known.borrow_mut().insert(key, found);
        found
    }

    fn type_in(self, view: &UnitView<'a>, name: &str, address: Option<u64>) -> Option<TypeId> {
        let found = self.named(view, name, |kind, _| kind == Wanted::Variable);
        found.iter().find_map(|(view, entry)| {
            let place = view.static_address(entry);
            if place.is_some_and(|place| address.is_some_and(|address| address != place)) {
                return None;
            }
            self.inherited(view, entry, &mut |view, entry| self.type_id(view, entry))
        })
    }

    /// Name, address and type of the variable with static storage that is at an address, inside a
    /// function or not: searched in the unit at `hint`, and in all units of a module.
    pub(crate) fn variable_at(self, address: u64, hint: Option<u64>) -> Option<(String, TypeId)> {
        let hinted = hint.and_then(|hint| self.unit_at(hint).ok());
        let others = self.elf.is_module().then(|| self.all_units());
        let others = others.into_iter().flatten().filter_map(|offset| self.unit(offset).ok());
        hinted.into_iter().chain(others).find_map(|view| {
            let entry = self.variable_in(&view, address)?;
            let name = self.name(&view, &entry)?.to_owned();
            let ty = self.inherited(&view, &entry, &mut |view, entry| self.type_id(view, entry))?;
            Some((name, ty))
        })
    }

    /// Where the source has the variable of that name with static storage that is at an address: asked of the units
    /// that define one of that name, and of a module's for one inside of a function.
    pub(crate) fn declared_at(self, name: &str, address: u64) -> Option<Declared> {
        let by_name = self.units_for(name, Wanted::Variable.tags()).find_map(|view| {
            let found = self.named(&view, name, |kind, _| kind == Wanted::Variable);
            let is_it = |(view, entry): &&(UnitView<'a>, Entry<'a>)| {
                view.static_address(entry) == Some(address)
            };
            found.iter().find(is_it).and_then(|(view, entry)| self.declared(view, entry))
        });
        by_name.or_else(|| {
            let all = self.elf.is_module().then(|| self.all_units()).into_iter().flatten();
            let mut views = all.filter_map(|offset| self.unit(offset).ok());
            views.find_map(|view| self.declared(&view, &self.variable_in(&view, address)?))
        })
    }

    /// Where the source has an entry, or what it completes.
    fn declared(self, view: &UnitView<'a>, entry: &Entry<'a>) -> Option<Declared> {
        self.inherited(view, entry, &mut |view, entry| self.own_place(view, entry))
    }

    fn own_place(self, view: &UnitView<'a>, entry: &Entry<'a>) -> Option<Declared> {
        let Some(AttributeValue::FileIndex(index)) = entry.attr_value(gimli::DW_AT_decl_file)
        else {
            return None;
        };
        let file = self.lines(view).ok()?.file(index)?;
        let line = u32::try_from(UnitView::number_of(entry, gimli::DW_AT_decl_line)?).ok()?;
        Some(Declared { file, line })
    }

    /// The variable at an address, of all entries of a unit, at any depth.
    fn variable_in(self, view: &UnitView<'a>, address: u64) -> Option<Entry<'a>> {
        let mut cursor = view.unit.entries();
        while cursor.next_entry().ok()? {
            let Some(entry) = cursor.current() else { continue };
            if entry.tag() == gimli::DW_TAG_variable && view.static_address(entry) == Some(address)
            {
                return view.entry(entry.offset()).ok();
            }
        }
        None
    }
}

impl<'a> UnitView<'a> {
    /// The address that a variable's location names, if it is just that.
    fn static_address(&self, entry: &Entry<'a>) -> Option<u64> {
        let AttributeValue::Exprloc(expression) = entry.attr_value(gimli::DW_AT_location)? else {
            return None;
        };
        let mut operations = expression.operations(self.unit.header.encoding());
        match operations.next().ok()? {
            Some(Operation::Address { address }) => Some(address),
            _ => None,
        }
    }
}
