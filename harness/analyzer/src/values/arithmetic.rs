// SPDX-License-Identifier: MIT OR Apache-2.0
//! C's arithmetic on numbers (C11 6.3.1.8, 6.5): wrapping where C leaves overflow undefined.

use super::scalar::extend;
use super::{Binary, Error, Ty};

/// A number with its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// Extended to 64 bits by its sign.
    pub(super) value: u64,
    /// Bytes: 4 or 8.
    pub(super) size: u64,
    pub(super) signed: bool,
}

impl Number {
    /// A number of any size, promoted as C promotes it: what fits becomes `int`.
    pub(super) fn promoted(value: u64, size: u64, signed: bool) -> Self {
        let small = size < 4;
        Self { value, size: if size <= 4 { 4 } else { 8 }, signed: signed || small }
    }

    pub(super) fn int(value: u64) -> Self {
        Self { value, size: 4, signed: true }
    }

    pub(super) fn ty<'w>(self) -> Ty<'w> {
        Ty::integer(self.size, self.signed)
    }

    /// The same with a new value, cut to the type.
    pub(super) fn with(self, value: u64) -> Self {
        Self { value: extend(value, self.size, self.signed), ..self }
    }
}

/// Applies an operator that does not depend on which operand is evaluated.
pub(super) fn apply(operator: Binary, left: Number, right: Number) -> Result<Number, Error> {
    if matches!(operator, Binary::ShiftLeft | Binary::ShiftRight) {
        return shift(operator, left, right);
    }
    let (left, right) = common(left, right);
    let (a, b) = (left.value, right.value);
    let order = if left.signed { a.cast_signed().cmp(&b.cast_signed()) } else { a.cmp(&b) };
    let truth = |yes: bool| Number::int(yes.into());
    Ok(match operator {
        Binary::Add => left.with(a.wrapping_add(b)),
        Binary::Subtract => left.with(a.wrapping_sub(b)),
        Binary::Multiply => left.with(a.wrapping_mul(b)),
        Binary::Divide | Binary::Remainder => left.with(divide(operator, left, right)?),
        Binary::And => left.with(a & b),
        Binary::Or => left.with(a | b),
        Binary::Xor => left.with(a ^ b),
        Binary::Equal => truth(order.is_eq()),
        Binary::NotEqual => truth(order.is_ne()),
        Binary::Less => truth(order.is_lt()),
        Binary::LessEqual => truth(order.is_le()),
        Binary::Greater => truth(order.is_gt()),
        Binary::GreaterEqual => truth(order.is_ge()),
        Binary::BothTrue => truth(a != 0 && b != 0),
        Binary::EitherTrue => truth(a != 0 || b != 0),
        Binary::ShiftLeft | Binary::ShiftRight => left,
    })
}

/// Both in the type that they have in common.
fn common(left: Number, right: Number) -> (Number, Number) {
    let size = left.size.max(right.size);
    let unsigned = |number: Number| !number.signed && number.size == size;
    let signed = !unsigned(left) && !unsigned(right);
    let cast = |number: Number| Number { value: extend(number.value, size, signed), size, signed };
    (cast(left), cast(right))
}

fn divide(operator: Binary, left: Number, right: Number) -> Result<u64, Error> {
    let (a, b) = (left.value, right.value);
    if b == 0 {
        return Err(Error::DivisionByZero);
    }
    let (x, y) = (a.cast_signed(), b.cast_signed());
    Ok(match (operator == Binary::Divide, left.signed) {
        (true, true) => x.wrapping_div(y).cast_unsigned(),
        (true, false) => a.wrapping_div(b),
        (false, true) => x.wrapping_rem(y).cast_unsigned(),
        (false, false) => a.wrapping_rem(b),
    })
}

fn shift(operator: Binary, left: Number, right: Number) -> Result<Number, Error> {
    let bits = left.size.saturating_mul(8);
    let count = u32::try_from(right.value).ok().filter(|&count| u64::from(count) < bits);
    let count = count.ok_or_else(|| Error::types(format!("a shift of {bits} bits or more")))?;
    Ok(left.with(match (operator == Binary::ShiftLeft, left.signed) {
        (true, _) => left.value.wrapping_shl(count),
        (false, true) => left.value.cast_signed().wrapping_shr(count).cast_unsigned(),
        (false, false) => left.value.wrapping_shr(count),
    }))
}
