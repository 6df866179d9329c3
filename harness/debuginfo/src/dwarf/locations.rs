// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where parameters and variables are at an address (DWARF 4 and 5 §2.6, §3.3.4).

use gimli::{AttributeValue, Expression, Operation};

use super::functions::Physical;
use super::{Dwarf, Entry, Reader, UnitView};
use crate::{Local, Location, Reason};

/// Operations of an expression that are looked at: longer ones are [`Location::Composite`].
const MAX_OPERATIONS: usize = 4;

/// What offsets from the frame base count from.
#[derive(Debug, Clone, Copy)]
enum FrameBase {
    Cfa,
    Register { register: u16, offset: i64 },
    Unknown,
}

impl<'a> Dwarf<'a> {
    /// Where a parameter of the physical function is, by its number in the source.
    pub(crate) fn parameter_location(self, address: u64, index: usize) -> Result<Location, Reason> {
        let Physical { view, entry } = self.physical(address, true)?;
        let parameters = self.parameters(&view, &entry, &mut false)?;
        let parameter =
            parameters.get(index).ok_or_else(|| Reason::NotFound(format!("parameter {index}")))?;
        let Some(here) = &parameter.here else { return Ok(Location::OptimisedOut) };
        self.location(&view, here, address, self.frame_base(&view, &entry, address))
    }

    /// Parameters and variables in scope at an address.
    pub(crate) fn locals(self, address: u64) -> Result<Vec<Local>, Reason> {
        let Physical { view, entry } = self.physical(address, true)?;
        let base = self.frame_base(&view, &entry, address);
        let mut scopes = vec![entry.clone()];
        view.scopes_at(&entry, address, &mut |scope| scopes.push(scope.clone()))?;
        let mut locals = Vec::new();
        let mut function = self.name(&view, &entry).unwrap_or_default();
        let mut depth = 0;
        for scope in &scopes {
            if scope.tag() == gimli::DW_TAG_inlined_subroutine {
                function = self.name(&view, scope).unwrap_or_default();
                depth += 1;
            }
            view.each_child(scope, |child| {
                let parameter = child.tag() == gimli::DW_TAG_formal_parameter;
                if !parameter && child.tag() != gimli::DW_TAG_variable {
                    return;
                }
                let Some(name) = self.name(&view, child) else { return };
                locals.push(Local {
                    name: name.to_owned(),
                    ty: self.inherited(&view, child, &mut |view, entry| self.type_id(view, entry)),
                    location: self
                        .location(&view, child, address, base)
                        .unwrap_or(Location::OptimisedOut),
                    parameter,
                    function: function.to_owned(),
                    depth,
                    declared: self.inherited(&view, child, &mut |_, entry| {
                        let line = entry.attr(gimli::DW_AT_decl_line)?.udata_value()?;
                        u32::try_from(line).ok()
                    }),
                });
            })?;
        }
        Ok(locals)
    }

    fn location(
        self,
        view: &UnitView<'a>,
        entry: &Entry<'a>,
        address: u64,
        base: FrameBase,
    ) -> Result<Location, Reason> {
        if let Some(constant) = entry.attr_value(gimli::DW_AT_const_value) {
            return Ok(constant_value(constant));
        }
        let expression = view.expression(entry, gimli::DW_AT_location, address)?;
        let Some(expression) = expression else {
            // Not in this copy, but the abstract function may know a constant.
            let constant = self
                .inherited(view, entry, &mut |_, entry| entry.attr_value(gimli::DW_AT_const_value));
            return Ok(constant.map_or(Location::OptimisedOut, constant_value));
        };
        Ok(self.classify(view, expression, base))
    }

    fn frame_base(self, view: &UnitView<'a>, function: &Entry<'a>, address: u64) -> FrameBase {
        let expression = view.expression(function, gimli::DW_AT_frame_base, address);
        let Ok(Some(expression)) = expression else { return FrameBase::Unknown };
        match view.operations(expression).as_deref() {
            Some([Operation::CallFrameCFA]) => FrameBase::Cfa,
            Some([Operation::Register { register }]) => {
                FrameBase::Register { register: register.0, offset: 0 }
            }
            Some([Operation::RegisterOffset { register, offset, .. }]) => {
                FrameBase::Register { register: register.0, offset: *offset }
            }
            _ => FrameBase::Unknown,
        }
    }

    /// Names the simple expressions that compilers emit; all else is composite.
    fn classify(
        self,
        view: &UnitView<'a>,
        expression: Expression<Reader<'a>>,
        base: FrameBase,
    ) -> Location {
        let Some(operations) = view.operations(expression) else { return Location::Composite };
        // `DW_OP_stack_value` at the end: the result is the value, not its address.
        let (operations, is_value) = match operations.split_last() {
            Some((Operation::StackValue, rest)) => (rest, true),
            _ => (operations.as_slice(), false),
        };
        match (operations, is_value) {
            ([], false) => Location::OptimisedOut,
            ([Operation::Register { register }], false) => Location::Register(register.0),
            ([Operation::RegisterOffset { register, offset, base_type }], _)
                if base_type.0 == 0 =>
            {
                at_register(register.0, *offset, is_value)
            }
            ([Operation::FrameOffset { offset }], _) => match (base, is_value) {
                (FrameBase::Cfa, false) => Location::Cfa(*offset),
                (FrameBase::Cfa, true) => Location::CfaPlus(*offset),
                (FrameBase::Register { register, offset: add }, _) => {
                    at_register(register, offset.wrapping_add(add), is_value)
                }
                (FrameBase::Unknown, _) => Location::Composite,
            },
            ([Operation::Address { address }], false) => {
                Location::Address(self.elf.to_run_time(*address))
            }
            ([Operation::Address { address }], true) => {
                Location::Constant(self.elf.to_run_time(*address))
            }
            ([Operation::UnsignedConstant { value }], true) => Location::Constant(*value),
            ([Operation::SignedConstant { value }], true) => {
                Location::Constant(value.cast_unsigned())
            }
            ([Operation::ImplicitValue { data }], false) => bytes_value(data.slice()),
            ([Operation::EntryValue { expression }], true) => entry_value(view, *expression),
            _ => Location::Composite,
        }
    }
}

impl<'a> UnitView<'a> {
    /// The expression that an attribute gives for an address, directly or through a list.
    pub(super) fn expression(
        &self,
        entry: &Entry<'a>,
        name: gimli::DwAt,
        address: u64,
    ) -> Result<Option<Expression<Reader<'a>>>, Reason> {
        let bad = self.bad(entry.offset());
        let Some(value) = entry.attr_value(name) else { return Ok(None) };
        if let AttributeValue::Exprloc(expression) = value {
            return Ok(Some(expression));
        }
        let Some(mut list) = self.dwarf.attr_locations(&self.unit, value).map_err(&bad)? else {
            return Ok(None);
        };
        while let Some(item) = list.next().map_err(&bad)? {
            if item.range.begin <= address && address < item.range.end {
                return Ok(Some(item.data));
            }
        }
        Ok(None)
    }

    /// The operations of a short expression; `None` for a long or damaged one.
    pub(super) fn operations(
        &self,
        expression: Expression<Reader<'a>>,
    ) -> Option<Vec<Operation<Reader<'a>>>> {
        let mut operations = Vec::new();
        let mut rest = expression.operations(self.unit.header.encoding());
        while let Some(operation) = rest.next().ok()? {
            if operations.len() == MAX_OPERATIONS {
                return None;
            }
            operations.push(operation);
        }
        Some(operations)
    }
}

fn at_register(register: u16, offset: i64, is_value: bool) -> Location {
    if is_value {
        Location::RegisterPlus { register, offset }
    } else {
        Location::AtRegister { register, offset }
    }
}

fn entry_value(view: &UnitView<'_>, expression: Reader<'_>) -> Location {
    let mut inner = Expression(expression).operations(view.unit.header.encoding());
    match (inner.next(), inner.next()) {
        (Ok(Some(Operation::Register { register })), Ok(None)) => Location::EntryValue(register.0),
        _ => Location::Composite,
    }
}

/// `DW_AT_const_value`.
fn constant_value(value: AttributeValue<Reader<'_>>) -> Location {
    match value {
        AttributeValue::Block(data) => bytes_value(data.slice()),
        AttributeValue::Sdata(value) => Location::Constant(value.cast_unsigned()),
        AttributeValue::Data1(value) => Location::Constant(value.into()),
        AttributeValue::Data2(value) => Location::Constant(value.into()),
        AttributeValue::Data4(value) => Location::Constant(value.into()),
        AttributeValue::Data8(value) | AttributeValue::Udata(value) => Location::Constant(value),
        AttributeValue::Addr(value) => Location::Constant(value),
        _ => Location::Composite,
    }
}

/// At most eight little-endian bytes as a number.
fn bytes_value(data: &[u8]) -> Location {
    let mut bytes = [0; 8];
    match bytes.get_mut(..data.len()) {
        Some(low) => {
            low.copy_from_slice(data);
            Location::Constant(u64::from_le_bytes(bytes))
        }
        None => Location::Composite,
    }
}
