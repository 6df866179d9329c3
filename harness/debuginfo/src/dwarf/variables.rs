// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variables with static storage.

use gimli::{AttributeValue, Operation};

use super::names::Wanted;
use super::{Dwarf, Entry, UnitView};
use crate::TypeId;

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
        hinted.into_iter().chain(others).find_map(|view| self.variable_in(&view, address))
    }

    /// Searches all entries of a unit, at any depth.
    fn variable_in(self, view: &UnitView<'a>, address: u64) -> Option<(String, TypeId)> {
        let mut cursor = view.unit.entries();
        while cursor.next_entry().ok()? {
            let Some(entry) = cursor.current() else { continue };
            if entry.tag() == gimli::DW_TAG_variable
                && view.static_address(entry) == Some(address)
                && let Some(name) = self.name(view, entry)
                && let Some(ty) =
                    self.inherited(view, entry, &mut |view, entry| self.type_id(view, entry))
            {
                return Some((name.to_owned(), ty));
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
