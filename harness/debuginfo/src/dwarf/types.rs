// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types described by DWARF (DWARF 4 and 5 §5).

use gimli::{AttributeValue, Operation, UnitOffset};

use super::{Dwarf, Entry, UnitView, widen};
use crate::types::Store;
use crate::{Encoding, Enumerator, Member, Qualifier, Reason, Type, TypeId};

/// Typedefs and qualifiers around a type that are followed.
const MAX_NAMES: usize = 32;

impl<'a> Dwarf<'a> {
    /// The type that `DW_AT_type` of this very entry names.
    pub(super) fn type_id(self, view: &UnitView<'a>, entry: &Entry<'a>) -> Option<TypeId> {
        if let AttributeValue::UnitRef(offset) = entry.attr_value(gimli::DW_AT_type)? {
            return Some(view.id(offset));
        }
        let (other, offset) = self.other(view.reference(entry, gimli::DW_AT_type)?).ok()?;
        Some(other.id(offset))
    }

    /// Reads a type. `dimension`: as in [`Store::Dwarf`].
    pub(crate) fn type_of(self, unit: u64, entry: u64, dimension: u32) -> Result<Type, Reason> {
        let lost = || Reason::Malformed { what: "type id", offset: entry };
        let unit = usize::try_from(unit).map_err(|_| lost())?;
        let place = usize::try_from(entry).map_err(|_| lost())?;
        let view = self.unit(unit)?;
        let entry = view.entry(UnitOffset(place.checked_sub(unit).ok_or_else(lost)?))?;
        let name = || view.text(&entry, gimli::DW_AT_name).map(ToOwned::to_owned);
        let size = || UnitView::number_of(&entry, gimli::DW_AT_byte_size).unwrap_or(0);
        let target = self.type_id(&view, &entry);
        let qualified = |qualifier| Ok(Type::Qualified { qualifier, target });
        match entry.tag() {
            gimli::DW_TAG_base_type => Ok(Type::Base {
                name: name().unwrap_or_default(),
                size: size(),
                encoding: encoding(&entry),
            }),
            gimli::DW_TAG_pointer_type => Ok(Type::Pointer { target }),
            gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_class_type => {
                Ok(Type::Struct {
                    name: name(),
                    size: size(),
                    members: self.members(&view, &entry)?,
                    union: entry.tag() == gimli::DW_TAG_union_type,
                    declaration: UnitView::flag(&entry, gimli::DW_AT_declaration),
                })
            }
            gimli::DW_TAG_array_type => {
                let element = target.ok_or_else(lost)?;
                view.array(&entry, element, dimension)
            }
            gimli::DW_TAG_typedef => Ok(Type::Typedef { name: name().unwrap_or_default(), target }),
            gimli::DW_TAG_enumeration_type => Ok(Type::Enum {
                name: name(),
                size: size(),
                enumerators: view.enumerators(&entry)?,
            }),
            gimli::DW_TAG_subroutine_type | gimli::DW_TAG_subprogram => {
                self.signature(&view, &entry, target)
            }
            gimli::DW_TAG_const_type => qualified(Qualifier::Const),
            gimli::DW_TAG_volatile_type => qualified(Qualifier::Volatile),
            gimli::DW_TAG_restrict_type => qualified(Qualifier::Restrict),
            gimli::DW_TAG_atomic_type => qualified(Qualifier::Atomic),
            gimli::DW_TAG_unspecified_type => Ok(Type::Base {
                name: name().unwrap_or_default(),
                size: 0,
                encoding: Encoding::Other,
            }),
            _ => Err(Reason::Unsupported("this kind of type")),
        }
    }

    /// Whether a type is `char`, behind typedefs and qualifiers. Members of structures are not read.
    pub(crate) fn is_character(self, unit: u64, entry: u64) -> Option<bool> {
        let unit = usize::try_from(unit).ok()?;
        let place = usize::try_from(entry).ok()?;
        let mut view = self.unit(unit).ok()?;
        let mut entry = view.entry(UnitOffset(place.checked_sub(unit)?)).ok()?;
        for _ in 0..MAX_NAMES {
            match entry.tag() {
                gimli::DW_TAG_base_type => {
                    let size = UnitView::number_of(&entry, gimli::DW_AT_byte_size);
                    return Some(size == Some(1) && encoding(&entry) == Encoding::SignedChar);
                }
                gimli::DW_TAG_typedef | gimli::DW_TAG_const_type | gimli::DW_TAG_volatile_type => {}
                _ => return Some(false),
            }
            let target = view.reference(&entry, gimli::DW_AT_type)?;
            let (other, offset) = self.other(target).ok()?;
            entry = other.entry(offset).ok()?;
            view = other;
        }
        None
    }

    fn members(self, view: &UnitView<'a>, entry: &Entry<'a>) -> Result<Vec<Member>, Reason> {
        let mut members = Vec::new();
        view.each_child(entry, |child| {
            if child.tag() == gimli::DW_TAG_member
                && let Some(ty) = self.type_id(view, child)
            {
                let (offset, bits) = self.member_place(view, child, ty);
                let name = view.text(child, gimli::DW_AT_name).map(ToOwned::to_owned);
                members.push(Member { name, offset, bits, ty });
            }
        })?;
        Ok(members)
    }

    /// Byte offset and, for a bit-field, the bits of a member.
    ///
    /// Three forms: `DW_AT_data_bit_offset` from the start of the structure (DWARF 4, gcc 11 and
    /// later); `DW_AT_bit_offset` from the *highest* bit of a storage unit (DWARF 2, still written
    /// by gcc 4.8 to 10); none for a member that is no bit-field.
    fn member_place(
        self,
        view: &UnitView<'a>,
        entry: &Entry<'a>,
        ty: TypeId,
    ) -> (u64, Option<(u8, u8)>) {
        let bytes = member_location(view, entry);
        let number = |name| UnitView::number_of(entry, name);
        let Some(size) = number(gimli::DW_AT_bit_size).and_then(|size| u8::try_from(size).ok())
        else {
            return (bytes, None);
        };
        let first = if let Some(offset) = number(gimli::DW_AT_data_bit_offset) {
            bytes.wrapping_mul(8).wrapping_add(offset)
        } else if let Some(from_top) = number(gimli::DW_AT_bit_offset) {
            let storage =
                number(gimli::DW_AT_byte_size).or_else(|| self.byte_size(ty)).unwrap_or(0);
            bytes
                .wrapping_add(storage)
                .wrapping_mul(8)
                .wrapping_sub(from_top)
                .wrapping_sub(size.into())
        } else {
            bytes.wrapping_mul(8)
        };
        (first / 8, Some((u8::try_from(first % 8).unwrap_or(0), size)))
    }

    /// Size of the type a bit-field is declared with, through typedefs and qualifiers.
    fn byte_size(self, mut ty: TypeId) -> Option<u64> {
        for _ in 0..crate::layout::MAX_INDIRECTIONS {
            let Store::Dwarf { unit, entry, dimension } = ty.0 else { return None };
            match self.type_of(unit, entry, dimension).ok()? {
                Type::Base { size, .. } | Type::Enum { size, .. } => return Some(size),
                Type::Typedef { target, .. } | Type::Qualified { target, .. } => ty = target?,
                _ => return None,
            }
        }
        None
    }

    fn signature(
        self,
        view: &UnitView<'a>,
        entry: &Entry<'a>,
        result: Option<TypeId>,
    ) -> Result<Type, Reason> {
        let mut parameters = Vec::new();
        let mut variadic = false;
        view.each_child(entry, |child| match child.tag() {
            gimli::DW_TAG_formal_parameter => parameters.push(self.type_id(view, child)),
            gimli::DW_TAG_unspecified_parameters => variadic = true,
            _ => {}
        })?;
        Ok(Type::Function { result, parameters, variadic })
    }
}

impl<'a> UnitView<'a> {
    /// Id of the type at an offset of this unit.
    pub(super) fn id(&self, offset: UnitOffset) -> TypeId {
        let entry = widen(self.absolute(offset));
        TypeId(Store::Dwarf { unit: widen(self.offset), entry, dimension: 0 })
    }

    /// One dimension of an array; DWARF lists the dimensions as children of one entry.
    fn array(&self, entry: &Entry<'a>, element: TypeId, dimension: u32) -> Result<Type, Reason> {
        let mut counts = Vec::new();
        self.each_child(entry, |child| {
            if child.tag() == gimli::DW_TAG_subrange_type {
                let count = UnitView::number_of(child, gimli::DW_AT_count);
                let upper = UnitView::number_of(child, gimli::DW_AT_upper_bound);
                // An upper bound of -1: gcc's way to write `x[0]`.
                counts.push(count.or_else(|| upper.map(|upper| upper.wrapping_add(1))));
            }
        })?;
        let index = usize::try_from(dimension).unwrap_or(usize::MAX);
        let count = counts.get(index).copied().flatten();
        let rest = counts.len() > index.saturating_add(1);
        let element = if rest {
            TypeId(Store::Dwarf {
                unit: widen(self.offset),
                entry: widen(self.absolute(entry.offset())),
                dimension: dimension.saturating_add(1),
            })
        } else {
            element
        };
        Ok(Type::Array { element, count })
    }

    /// Values of an enumeration.
    pub(super) fn enumerators(&self, entry: &Entry<'a>) -> Result<Vec<Enumerator>, Reason> {
        let mut enumerators = Vec::new();
        self.each_child(entry, |child| {
            if child.tag() == gimli::DW_TAG_enumerator
                && let Some(name) = self.text(child, gimli::DW_AT_name)
                && let Some(value) = enumerator_value(child)
            {
                enumerators.push(Enumerator { name: name.to_owned(), value });
            }
        })?;
        Ok(enumerators)
    }
}

/// Value of an enumerator. The forms of fixed size hold unsigned numbers here (gcc writes 200 as
/// `data1`), negative ones are `sdata`.
fn enumerator_value(entry: &Entry<'_>) -> Option<i64> {
    match entry.attr_value(gimli::DW_AT_const_value)? {
        AttributeValue::Sdata(value) => Some(value),
        _ => UnitView::number_of(entry, gimli::DW_AT_const_value).map(u64::cast_signed),
    }
}

/// `DW_AT_data_member_location`: a number, or in old DWARF the expression `plus_uconst n`.
fn member_location(view: &UnitView<'_>, entry: &Entry<'_>) -> u64 {
    match entry.attr_value(gimli::DW_AT_data_member_location) {
        Some(AttributeValue::Exprloc(expression)) => {
            let mut operations = expression.operations(view.unit.header.encoding());
            match operations.next() {
                Ok(Some(Operation::PlusConstant { value })) => value,
                _ => 0,
            }
        }
        _ => UnitView::number_of(entry, gimli::DW_AT_data_member_location).unwrap_or(0),
    }
}

fn encoding(entry: &Entry<'_>) -> Encoding {
    let Some(AttributeValue::Encoding(encoding)) = entry.attr_value(gimli::DW_AT_encoding) else {
        return Encoding::Other;
    };
    match encoding {
        gimli::DW_ATE_signed => Encoding::Signed,
        gimli::DW_ATE_unsigned => Encoding::Unsigned,
        gimli::DW_ATE_signed_char => Encoding::SignedChar,
        gimli::DW_ATE_unsigned_char => Encoding::UnsignedChar,
        gimli::DW_ATE_boolean => Encoding::Bool,
        _ => Encoding::Other,
    }
}
