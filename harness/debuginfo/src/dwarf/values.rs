// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of parameters and variables in a frame (DWARF 5 §2.5, §2.6, §3.3.4).

use gimli::{EvaluationResult, Expression, Location as Place, Operation, Value, ValueType};

use super::functions::Physical;
use super::{Dwarf, Entry, Reader, UnitView};
use crate::{Absent, Datum, FrameState, FrameValue, Origin, Passed, Reason};

/// Operations after which an expression is given up.
const MAX_OPERATIONS: u32 = 1000;
/// Bytes that a value in pieces has at most.
const MAX_BYTES: usize = 256;
/// The type of values that need none.
const GENERIC: gimli::UnitOffset = gimli::UnitOffset(0);

/// A value and how it was got.
type Valued = (Result<Datum, Absent>, Origin);

/// The frame that expressions are evaluated in.
#[derive(Clone, Copy)]
pub(super) struct Frame<'f> {
    pub(super) state: &'f dyn FrameState,
    /// What offsets from the frame base count from.
    pub(super) base: Option<u64>,
}

impl<'a> Dwarf<'a> {
    /// Parameters in scope at an address, and variables too if they are wanted, with their values:
    /// of the physical function first, then of those inlined there, outer before inner.
    pub(crate) fn frame_values(
        self,
        address: u64,
        variables: bool,
        state: &dyn FrameState,
    ) -> Result<Vec<FrameValue>, Reason> {
        let Physical { view, entry } = self.physical(address, true)?;
        let frame = Frame { state, base: self.base_of(&view, &entry, address, state) };
        let mut scopes = vec![entry.clone()];
        view.scopes_at(&entry, address, &mut |scope| scopes.push(scope.clone()))?;
        let mut found = Vec::new();
        let mut function = self.name(&view, &entry).unwrap_or_default().to_owned();
        let mut depth = 0;
        for (index, scope) in scopes.iter().enumerate() {
            let block = scope.tag() == gimli::DW_TAG_lexical_block;
            if index > 0 && !block {
                function = self.name(&view, scope).unwrap_or_default().to_owned();
                depth += 1;
            }
            if !block {
                let low = (depth == 0).then(|| self.low_pc(&view, &entry)).flatten();
                for parameter in self.parameters(&view, scope, &mut false)? {
                    let Some(name) = parameter.parameter.name else { continue };
                    let here = parameter.here.as_ref();
                    let (value, origin) = match here {
                        Some(here) => self.value_or_entry(&view, here, address, low, frame),
                        None => (Err(Absent::Nowhere), Origin::Place),
                    };
                    let ty = parameter.parameter.ty;
                    let function = function.clone();
                    let parameter = true;
                    found.push(FrameValue { name, ty, parameter, function, depth, value, origin });
                }
            }
            if variables {
                self.variables(&view, scope, address, frame, &mut |name, ty, (value, origin)| {
                    let function = function.clone();
                    let parameter = false;
                    found.push(FrameValue { name, ty, parameter, function, depth, value, origin });
                })?;
            }
        }
        Ok(found)
    }

    /// Entry of the physical function that covers an address.
    pub(crate) fn function_entry(self, address: u64) -> Result<u64, Reason> {
        let Physical { view, entry } = self.physical(address, false)?;
        let low = self.low_pc(&view, &entry).ok_or_else(|| self.no_function(address))?;
        Ok(self.elf.to_run_time(low))
    }

    fn variables(
        self,
        view: &UnitView<'a>,
        scope: &Entry<'a>,
        address: u64,
        frame: Frame<'_>,
        add: &mut dyn FnMut(String, Option<crate::TypeId>, Valued),
    ) -> Result<(), Reason> {
        view.each_child(scope, |child| {
            if child.tag() != gimli::DW_TAG_variable {
                return;
            }
            let Some(name) = self.name(view, child) else { return };
            let ty = self.inherited(view, child, &mut |view, entry| self.type_id(view, entry));
            add(name.to_owned(), ty, self.value(view, child, address, frame));
        })
    }

    /// Entry of a function, as an address of the debug information.
    fn low_pc(self, view: &UnitView<'a>, function: &Entry<'a>) -> Option<u64> {
        let entry = function.attr_value(gimli::DW_AT_entry_pc);
        let entry = entry.and_then(|value| view.dwarf.attr_address(&view.unit, value).ok()?);
        entry.or_else(|| Some(view.ranges(function).ok()?.first()?.start))
    }

    /// The value at an address, else what the caller passed.
    fn value_or_entry(
        self,
        view: &UnitView<'a>,
        parameter: &Entry<'a>,
        address: u64,
        low_pc: Option<u64>,
        frame: Frame<'_>,
    ) -> Valued {
        let (value, origin) = self.value(view, parameter, address, frame);
        let (Err(why), Some(low_pc)) = (&value, low_pc) else { return (value, origin) };
        let kept = matches!(why, Absent::Nowhere | Absent::Register(_));
        let register = kept.then(|| self.register_at(view, parameter, low_pc)).flatten();
        let Some(register) = register else { return (value, origin) };
        match frame.state.passed(Passed::Register(register)) {
            Ok(word) => (Ok(Datum::Bytes(word.to_le_bytes().to_vec())), Origin::AtEntry),
            Err(entry) => match why {
                Absent::Nowhere => (Err(entry), origin),
                _ => (value, origin),
            },
        }
    }

    /// The register that a parameter is in at an address.
    fn register_at(self, view: &UnitView<'a>, entry: &Entry<'a>, address: u64) -> Option<u16> {
        let expression = view.expression(entry, gimli::DW_AT_location, address).ok()??;
        match view.operations(expression)?.as_slice() {
            [Operation::Register { register }] => Some(register.0),
            _ => None,
        }
    }

    fn value(
        self,
        view: &UnitView<'a>,
        entry: &Entry<'a>,
        address: u64,
        frame: Frame<'_>,
    ) -> Valued {
        if let Some(constant) = entry.attr_value(gimli::DW_AT_const_value) {
            return (constant_bytes(constant), Origin::Constant);
        }
        match view.expression(entry, gimli::DW_AT_location, address) {
            Err(_damaged) => (Err(Absent::Malformed), Origin::Place),
            Ok(Some(expression)) => self.evaluate(view, expression, frame),
            Ok(None) => {
                let constant = self.inherited(view, entry, &mut |_, entry| {
                    entry.attr_value(gimli::DW_AT_const_value)
                });
                match constant {
                    Some(constant) => (constant_bytes(constant), Origin::Constant),
                    None => (Err(Absent::Nowhere), Origin::Place),
                }
            }
        }
    }

    /// The address that offsets from the frame base count from.
    pub(super) fn base_of(
        self,
        view: &UnitView<'a>,
        function: &Entry<'a>,
        address: u64,
        state: &dyn FrameState,
    ) -> Option<u64> {
        let expression = view.expression(function, gimli::DW_AT_frame_base, address).ok()??;
        match view.operations(expression)?.as_slice() {
            [Operation::CallFrameCFA] => state.cfa(),
            [Operation::Register { register }] => state.register(register.0),
            [Operation::RegisterOffset { register, offset, .. }] => {
                Some(state.register(register.0)?.wrapping_add_signed(*offset))
            }
            _ => None,
        }
    }

    /// Value of a location expression.
    pub(super) fn evaluate(
        self,
        view: &UnitView<'a>,
        expression: Expression<Reader<'a>>,
        frame: Frame<'_>,
    ) -> Valued {
        let mut origin = Origin::Place;
        (self.evaluated(view, expression, frame, &mut origin), origin)
    }

    fn evaluated(
        self,
        view: &UnitView<'a>,
        expression: Expression<Reader<'a>>,
        frame: Frame<'_>,
        origin: &mut Origin,
    ) -> Result<Datum, Absent> {
        let bad = |_| Absent::Malformed;
        let Frame { state, base } = frame;
        let mut evaluation = expression.evaluation(view.unit.encoding());
        evaluation.set_max_iterations(MAX_OPERATIONS);
        let mut result = evaluation.evaluate().map_err(bad)?;
        loop {
            let next = match result {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresRegister { register, base_type } => {
                    let value = state.register(register.0).ok_or(Absent::Register(register.0))?;
                    evaluation.resume_with_register(typed(view, base_type, value)?)
                }
                EvaluationResult::RequiresMemory { address, size, space: None, base_type } => {
                    let mut bytes = [0; 8];
                    let buffer = bytes.get_mut(..usize::from(size)).ok_or(Absent::Malformed)?;
                    state.memory(address, buffer).ok_or(Absent::Memory)?;
                    let value = u64::from_le_bytes(bytes);
                    evaluation.resume_with_memory(typed(view, base_type, value)?)
                }
                EvaluationResult::RequiresFrameBase => {
                    evaluation.resume_with_frame_base(base.ok_or(Absent::Frame)?)
                }
                EvaluationResult::RequiresCallFrameCfa => {
                    evaluation.resume_with_call_frame_cfa(state.cfa().ok_or(Absent::Frame)?)
                }
                EvaluationResult::RequiresRelocatedAddress(address) => {
                    evaluation.resume_with_relocated_address(self.elf.to_run_time(address))
                }
                EvaluationResult::RequiresIndexedAddress { index, relocate } => {
                    let address = view.dwarf.address(&view.unit, index).map_err(bad)?;
                    let address = if relocate { self.elf.to_run_time(address) } else { address };
                    evaluation.resume_with_indexed_address(address)
                }
                EvaluationResult::RequiresEntryValue(inner) => {
                    *origin = Origin::Caller;
                    let register = only_register(view, inner)?;
                    let value = state.passed(Passed::Register(register))?;
                    evaluation.resume_with_entry_value(Value::Generic(value))
                }
                EvaluationResult::RequiresParameterRef(offset) => {
                    *origin = Origin::Caller;
                    let value = state.passed(Passed::Parameter(view.absolute(offset)))?;
                    evaluation.resume_with_parameter_ref(value)
                }
                EvaluationResult::RequiresBaseType(offset) => {
                    evaluation.resume_with_base_type(base_type_at(view, offset)?)
                }
                _ => return Err(Absent::Unsupported("an operation of a location".into())),
            };
            result = next.map_err(bad)?;
        }
        joined(evaluation.as_result(), state)
    }
}

/// A value with the type that an operation gave it.
fn typed(view: &UnitView<'_>, ty: gimli::UnitOffset, value: u64) -> Result<Value, Absent> {
    if ty == GENERIC {
        return Ok(Value::Generic(value));
    }
    Value::from_u64(base_type_at(view, ty)?, value).map_err(|_| Absent::Malformed)
}

fn base_type_at(view: &UnitView<'_>, offset: gimli::UnitOffset) -> Result<ValueType, Absent> {
    if offset == GENERIC {
        return Ok(ValueType::Generic);
    }
    let entry = view.entry(offset).map_err(|_| Absent::Malformed)?;
    let found = ValueType::from_entry(&entry).map_err(|_| Absent::Malformed)?;
    found.ok_or(Absent::Unsupported("a type of an operation".into()))
}

fn only_register(view: &UnitView<'_>, inner: Expression<Reader<'_>>) -> Result<u16, Absent> {
    let mut operations = inner.operations(view.unit.encoding());
    match (operations.next(), operations.next()) {
        (Ok(Some(Operation::Register { register })), Ok(None)) => Ok(register.0),
        _ => Err(Absent::Unsupported("an entry value that is no register".into())),
    }
}

/// The pieces of a value put together.
fn joined(pieces: &[gimli::Piece<Reader<'_>>], state: &dyn FrameState) -> Result<Datum, Absent> {
    if let [piece] = pieces
        && piece.size_in_bits.is_none()
    {
        return match piece.location {
            Place::Address { address } => Ok(Datum::Memory(address)),
            _ => Ok(Datum::Bytes(bytes_of(&piece.location, None, state)?)),
        };
    }
    let mut bytes = Vec::new();
    for piece in pieces {
        let bits = piece.size_in_bits.ok_or(Absent::Malformed)?;
        let whole = bits % 8 == 0 && piece.bit_offset.unwrap_or(0) == 0;
        let size = usize::try_from(bits / 8).ok().filter(|size| *size <= MAX_BYTES);
        let size = size.filter(|_| whole).ok_or(Absent::Unsupported("a piece of bits".into()))?;
        let mut part = bytes_of(&piece.location, Some(size), state).map_err(|why| match why {
            Absent::Nowhere => Absent::Part,
            other => other,
        })?;
        part.resize(size, 0);
        bytes.extend(part);
        if bytes.len() > MAX_BYTES {
            return Err(Absent::Unsupported("a value of that many pieces".into()));
        }
    }
    if bytes.is_empty() { Err(Absent::Nowhere) } else { Ok(Datum::Bytes(bytes)) }
}

fn bytes_of(
    place: &Place<Reader<'_>>,
    size: Option<usize>,
    state: &dyn FrameState,
) -> Result<Vec<u8>, Absent> {
    match place {
        Place::Empty => Err(Absent::Nowhere),
        Place::Register { register } => {
            let value = state.register(register.0).ok_or(Absent::Register(register.0))?;
            Ok(value.to_le_bytes().to_vec())
        }
        Place::Address { address } => {
            let mut bytes = vec![0; size.unwrap_or(8)];
            state.memory(*address, &mut bytes).ok_or(Absent::Memory)?;
            Ok(bytes)
        }
        Place::Value { value } => {
            let value = value.to_u64(u64::MAX).map_err(|_| Absent::Malformed)?;
            Ok(value.to_le_bytes().to_vec())
        }
        Place::Bytes { value } => Ok(value.slice().to_vec()),
        Place::ImplicitPointer { .. } => Err(Absent::PointsNowhere),
    }
}

/// `DW_AT_const_value`.
fn constant_bytes(value: gimli::AttributeValue<Reader<'_>>) -> Result<Datum, Absent> {
    use gimli::AttributeValue as Form;
    let word = match value {
        Form::Block(data) => return Ok(Datum::Bytes(data.slice().to_vec())),
        Form::Sdata(value) => value.cast_unsigned(),
        Form::Data1(value) => value.into(),
        Form::Data2(value) => value.into(),
        Form::Data4(value) => value.into(),
        Form::Data8(value) | Form::Udata(value) => value,
        Form::Addr(value) => value,
        _ => return Err(Absent::Unsupported("a form of a constant".into())),
    };
    Ok(Datum::Bytes(word.to_le_bytes().to_vec()))
}
