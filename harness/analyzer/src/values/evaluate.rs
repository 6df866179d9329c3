// SPDX-License-Identifier: MIT OR Apache-2.0
//! Evaluates expressions.

use debuginfo::{Image, Member};

use super::arithmetic::{Number, apply};
use super::scalar::{extend, load, number_form};
use super::ty::Structure;
use super::{Binary, Error, Expression, Place, Shape, Ty, Unary, Value, World, names, parse};

/// Structures inside of structures without a name; guards against a circle.
const MAX_ANONYMOUS: usize = 16;
/// Elements that `a@n` may name.
const MAX_REPEAT: u64 = 1 << 16;

/// Evaluates expressions on one machine.
#[derive(Clone, Copy)]
pub struct Evaluator<'w> {
    world: &'w dyn World,
}

impl std::fmt::Debug for Evaluator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").finish_non_exhaustive()
    }
}

impl<'w> Evaluator<'w> {
    /// An evaluator on `world`.
    #[must_use]
    pub fn new(world: &'w dyn World) -> Self {
        Self { world }
    }

    /// Value of an expression's text.
    ///
    /// # Errors
    /// If the text is no expression, a name is not known, or memory cannot be read.
    pub fn evaluate(self, text: &str) -> Result<Value<'w>, Error> {
        self.value(&parse(text, &|name| names::is_type(self.world, name))?)
    }

    /// The type that a text names: a tag after `struct` or `union`, a typedef, a base type, with
    /// stars.
    ///
    /// # Errors
    /// If there is no such type.
    pub fn type_named(self, text: &str) -> Result<Ty<'w>, Error> {
        names::ty_of(self.world, text)
    }

    /// Type of a per-CPU variable, and what to add a CPU's offset to; `None` for other variables.
    #[must_use]
    pub fn per_cpu(self, name: &str) -> Option<(Ty<'w>, u64)> {
        names::per_cpu(self.world, name)
    }

    /// A number or pointer whose bytes are the low ones of a word, as a register has it.
    ///
    /// # Errors
    /// If the type is none of a number or a pointer.
    pub fn word(self, word: u64, ty: Ty<'w>) -> Result<Value<'w>, Error> {
        let form = number_form(&ty.shape(self.world)?);
        let no = || Error::types(format!("`{}` is not a number", ty.spell("")));
        let (size, signed) = form.ok_or_else(no)?;
        Ok(Value::number(extend(word, size, signed), ty))
    }

    /// The number that a value is; an array or a function is its address.
    ///
    /// # Errors
    /// If it is a structure, or its memory cannot be read.
    pub fn number(self, value: &Value<'w>) -> Result<u64, Error> {
        let shape = value.ty.shape(self.world)?;
        match (&shape, value.place) {
            (Shape::Array(..) | Shape::Function | Shape::Void, Place::Memory { address, .. }) => {
                Ok(address)
            }
            _ => load(self.world, value, &shape),
        }
    }

    /// The address that people mean by a value: of a structure its own, of a pointer where it
    /// points, of a number itself.
    ///
    /// # Errors
    /// If its memory cannot be read.
    pub fn location(self, value: &Value<'w>) -> Result<u64, Error> {
        match (value.ty.shape(self.world)?, value.address()) {
            (Shape::Struct(_), Some(address)) => Ok(address),
            _ => self.number(value),
        }
    }

    /// A member of a member, by a path such as `se.vruntime` or `comm`, with indices.
    ///
    /// # Errors
    /// If there is no such member, or a pointer on the way cannot be read.
    pub fn member_path(self, base: &Value<'w>, path: &str) -> Result<Value<'w>, Error> {
        let mut value = base.clone();
        for step in path.split('.') {
            let (name, indices) = step.split_at(step.find('[').unwrap_or(step.len()));
            value = self.member(&value, name)?;
            for index in indices.split_terminator(']') {
                let index = index.strip_prefix('[').and_then(|index| index.parse::<u64>().ok());
                let no_index = || Error::types(format!("`{path}` is no path to a member"));
                let index = index.ok_or_else(no_index)?;
                let (address, element) = self.elements(&value)?;
                let skip = element.size(self.world)?.wrapping_mul(index);
                value = Value::at(address.wrapping_add(skip), element);
            }
        }
        Ok(value)
    }

    /// Declaration of a function; `None` for other names.
    #[must_use]
    pub fn prototype(self, name: &str) -> Option<String> {
        names::prototype(self.world, name)
    }

    /// Value of an expression.
    ///
    /// # Errors
    /// If a name is not known, a type does not fit, or memory cannot be read.
    pub fn value(self, expression: &Expression) -> Result<Value<'w>, Error> {
        match expression {
            Expression::Number { value, size, signed } => {
                Ok(Value::number(*value, Ty::integer(*size, *signed)))
            }
            Expression::Name(name, cpu) => names::value(self.world, name, *cpu),
            Expression::Unary(operator, operand) => self.unary(*operator, operand),
            Expression::Binary(operator, left, right) => self.binary(*operator, left, right),
            Expression::Member(base, member) => self.member(&self.value(base)?, member),
            Expression::Index(base, index) => self.index(base, index),
            Expression::Repeat(base, count) => self.repeat(base, count),
            Expression::Cast(name, operand) => {
                self.cast(names::ty(self.world, name)?, &self.value(operand)?)
            }
            Expression::SizeOfType(name) => self.size(&names::ty(self.world, name)?),
            Expression::SizeOf(operand) => self.size(&self.value(operand)?.ty),
        }
    }

    fn size(self, ty: &Ty<'w>) -> Result<Value<'w>, Error> {
        Ok(Value::number(ty.size(self.world)?, Ty::UNSIGNED_LONG))
    }

    fn index(self, base: &Expression, index: &Expression) -> Result<Value<'w>, Error> {
        let index = self.operand(&self.value(index)?)?.value;
        let base = self.value(base)?;
        let (address, element) = self.elements(&base)?;
        let skip = element.size(self.world)?.wrapping_mul(index);
        Ok(Value::at(address.wrapping_add(skip), element))
    }

    fn repeat(self, base: &Expression, count: &Expression) -> Result<Value<'w>, Error> {
        let count = self.operand(&self.value(count)?)?.value;
        let base = self.value(base)?;
        match base.place {
            Place::Memory { address, bits: None } if count <= MAX_REPEAT => {
                Ok(Value::at(address, Ty::Array(Box::new(base.ty), count)))
            }
            Place::Memory { bits: None, .. } => Err(Error::TooMuch("long")),
            _ => Err(Error::types("only what is in memory can be repeated")),
        }
    }

    fn unary(self, operator: Unary, operand: &Expression) -> Result<Value<'w>, Error> {
        if operator == Unary::AddressOf {
            return self.address_of(operand);
        }
        let value = self.value(operand)?;
        if operator == Unary::Dereference {
            let (address, target) = self.elements(&value)?;
            return Ok(Value::at(address, target));
        }
        if operator == Unary::Not {
            let zero = self.number(&value)? == 0;
            return Ok(Value::number(zero.into(), Ty::INT));
        }
        let number = self.operand(&value)?;
        let number = match operator {
            Unary::Negate => number.with(number.value.wrapping_neg()),
            Unary::Complement => number.with(!number.value),
            _ => number,
        };
        Ok(Value::number(number.value, number.ty()))
    }

    fn address_of(self, operand: &Expression) -> Result<Value<'w>, Error> {
        let value = match self.value(operand) {
            // The address is what is known of it.
            Err(Error::Untyped { address, .. }) => Value::at(address, Ty::VOID),
            other => other?,
        };
        match value.place {
            Place::Memory { address, bits: None } => Ok(Value::number(address, value.ty.pointer())),
            Place::Memory { .. } => Err(Error::types("a bit-field has no address")),
            Place::Number(_) => Err(Error::types("a computed value has no address")),
        }
    }

    fn binary(
        self,
        operator: Binary,
        left: &Expression,
        right: &Expression,
    ) -> Result<Value<'w>, Error> {
        let left = self.value(left)?;
        // The right operand of these two need not have a value (`p && p->next`).
        if matches!(operator, Binary::BothTrue | Binary::EitherTrue) {
            let first = self.number(&left)? != 0;
            if first == (operator == Binary::EitherTrue) {
                return Ok(Value::number(first.into(), Ty::INT));
            }
            let second = self.number(&self.value(right)?)? != 0;
            return Ok(Value::number(second.into(), Ty::INT));
        }
        let right = self.value(right)?;
        let (a, b) = (self.target(&left)?, self.target(&right)?);
        match (operator, a, b) {
            (Binary::Add | Binary::Subtract, Some(target), None) => {
                self.moved(&left, target, self.operand(&right)?.value, operator)
            }
            (Binary::Add, None, Some(target)) => {
                self.moved(&right, target, self.operand(&left)?.value, operator)
            }
            (Binary::Subtract, Some(target), Some(_)) => {
                let bytes = self.number(&left)?.wrapping_sub(self.number(&right)?).cast_signed();
                let size = self.step(&target)?.max(1).cast_signed();
                Ok(Value::number(bytes.wrapping_div(size).cast_unsigned(), Ty::LONG))
            }
            _ => {
                let number = apply(operator, self.operand(&left)?, self.operand(&right)?)?;
                Ok(Value::number(number.value, number.ty()))
            }
        }
    }

    /// A pointer moved by a number of elements.
    fn moved(
        self,
        pointer: &Value<'w>,
        target: Ty<'w>,
        count: u64,
        operator: Binary,
    ) -> Result<Value<'w>, Error> {
        let bytes = self.step(&target)?.wrapping_mul(count);
        let start = self.number(pointer)?;
        let address = match operator {
            Binary::Subtract => start.wrapping_sub(bytes),
            _ => start.wrapping_add(bytes),
        };
        Ok(Value::number(address, target.pointer()))
    }

    /// Bytes from one element to the next; gcc counts `void *` in bytes.
    fn step(self, target: &Ty<'w>) -> Result<u64, Error> {
        match target.shape(self.world)? {
            Shape::Void | Shape::Function => Ok(1),
            _ => target.size(self.world),
        }
    }

    /// What a pointer or array is made of; `None` for other values.
    fn target(self, value: &Value<'w>) -> Result<Option<Ty<'w>>, Error> {
        Ok(match value.ty.shape(self.world)? {
            Shape::Pointer(target) | Shape::Array(target, _) => Some(target),
            _ => None,
        })
    }

    /// Address and type of what a pointer points to or an array begins with.
    fn elements(self, value: &Value<'w>) -> Result<(u64, Ty<'w>), Error> {
        match value.ty.shape(self.world)? {
            Shape::Pointer(target) | Shape::Array(target, _) => Ok((self.number(value)?, target)),
            _ => Err(Error::types(format!("`{}` is not a pointer", value.ty.spell("")))),
        }
    }

    /// A value as an operand of arithmetic.
    fn operand(self, value: &Value<'w>) -> Result<Number, Error> {
        let shape = value.ty.shape(self.world)?;
        let number = self.number(value)?;
        let (size, signed) = number_form(&shape).unwrap_or((8, false));
        Ok(Number::promoted(number, size, signed))
    }

    fn cast(self, ty: Ty<'w>, value: &Value<'w>) -> Result<Value<'w>, Error> {
        let shape = ty.shape(self.world)?;
        match number_form(&shape) {
            Some((size, signed)) => {
                let number = self.number(value)?;
                let number = match shape {
                    Shape::Number(_, debuginfo::Encoding::Bool) => u64::from(number != 0),
                    _ => extend(number, size, signed),
                };
                Ok(Value::number(number, ty))
            }
            // No C, but what people mean: the same memory seen as another structure.
            None => match value.place {
                Place::Memory { address, bits: None } => Ok(Value::at(address, ty)),
                _ => Err(Error::types(format!("a number cannot be cast to `{}`", ty.spell("")))),
            },
        }
    }

    /// The member of a structure or of what a pointer points to.
    ///
    /// # Errors
    /// If there is no such member, or the pointer cannot be read.
    pub fn member(self, base: &Value<'w>, name: &str) -> Result<Value<'w>, Error> {
        let (address, structure) = self.structure(base)?;
        let found = find(self.world, &structure, name, 0)?;
        let (image, member) = found.ok_or_else(|| {
            let ty = match base.ty.shape(self.world) {
                Ok(Shape::Pointer(target)) => target.spell(""),
                _ => base.ty.spell(""),
            };
            Error::NoMember { ty, member: name.to_owned() }
        })?;
        let address = address.wrapping_add(member.offset);
        let place = Place::Memory { address, bits: member.bits };
        Ok(Value { ty: Ty::known(image, member.ty), place })
    }

    fn structure(self, base: &Value<'w>) -> Result<(u64, Structure<'w>), Error> {
        let not = || Error::types(format!("`{}` has no members", base.ty.spell("")));
        match (base.ty.shape(self.world)?, base.place) {
            (Shape::Struct(structure), Place::Memory { address, .. }) => Ok((address, structure)),
            (Shape::Pointer(target), _) => match target.shape(self.world)? {
                Shape::Struct(structure) => Ok((self.number(base)?, structure)),
                _ => Err(not()),
            },
            _ => Err(not()),
        }
    }
}

/// A member by name, its offset counted from the start of the structure.
fn find<'w>(
    world: &'w dyn World,
    structure: &Structure<'w>,
    name: &str,
    depth: usize,
) -> Result<Option<(&'w Image<'w>, Member)>, Error> {
    if depth == MAX_ANONYMOUS {
        return Err(Error::TooMuch("deep"));
    }
    for member in &structure.members {
        if member.name.as_deref() == Some(name) {
            return Ok(Some((structure.image, member.clone())));
        }
        if member.name.is_none()
            && member.bits.is_none()
            && let Ok(Shape::Struct(inner)) = Ty::known(structure.image, member.ty).shape(world)
            && let Some((image, mut found)) = find(world, &inner, name, depth.saturating_add(1))?
        {
            found.offset = found.offset.wrapping_add(member.offset);
            return Ok(Some((image, found)));
        }
    }
    Ok(None)
}
