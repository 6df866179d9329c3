// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers of memory: sizes, signs and bit-fields.

use debuginfo::Encoding;

use super::{Error, Place, Shape, Value, World};

/// A number as 64 bits: `size` bytes of it count, and are extended by their sign.
pub(super) fn extend(value: u64, size: u64, signed: bool) -> u64 {
    extend_bits(value, u32::try_from(size.min(8)).unwrap_or(8).wrapping_mul(8), signed)
}

fn extend_bits(value: u64, bits: u32, signed: bool) -> u64 {
    let unused = 64_u32.saturating_sub(bits);
    if bits == 0 {
        return 0;
    }
    let high = value.wrapping_shl(unused);
    if signed {
        high.cast_signed().wrapping_shr(unused).cast_unsigned()
    } else {
        high.wrapping_shr(unused)
    }
}

/// Whether numbers of an encoding have a sign.
pub(super) const fn is_signed(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::Signed | Encoding::SignedChar)
}

/// Size and sign of a shape that is a number or a pointer.
pub(super) fn number_form(shape: &Shape<'_>) -> Option<(u64, bool)> {
    match shape {
        Shape::Number(size, encoding) if *size <= 8 => Some((*size, is_signed(*encoding))),
        Shape::Enum(size, enumerators) => {
            // C leaves the sign to the compiler; gcc takes one only where an enumerator needs it.
            Some((*size, enumerators.iter().any(|each| each.value < 0)))
        }
        Shape::Pointer(_) => Some((8, false)),
        _ => None,
    }
}

/// Reads the number that a value is.
pub(super) fn load<'w>(
    world: &dyn World,
    value: &Value<'w>,
    shape: &Shape<'w>,
) -> Result<u64, Error> {
    let (address, bits) = match value.place {
        Place::Number(number) => return Ok(number),
        Place::Memory { address, bits } => (address, bits),
    };
    let (size, signed) = number_form(shape)
        .ok_or_else(|| Error::types(format!("`{}` is not a number", value.ty.spell(""))))?;
    let Some((low, width)) = bits else {
        return Ok(extend(read(world, address, size)?, size, signed));
    };
    let end = u32::from(low).saturating_add(u32::from(width));
    let bytes = u64::from(end.div_ceil(8)).min(8);
    let word = read(world, address, bytes)?.wrapping_shr(low.into());
    Ok(extend_bits(word, width.into(), signed))
}

/// Reads a number of up to eight bytes.
pub(super) fn read(world: &dyn World, address: u64, size: u64) -> Result<u64, Error> {
    let mut bytes = [0; 8];
    let size = usize::try_from(size).unwrap_or(8).min(8);
    if let Some(wanted) = bytes.get_mut(..size) {
        let failed = |why| Error::Memory { what: format!("{size} bytes"), why };
        world.read(address, wanted).map_err(failed)?;
    }
    Ok(u64::from_le_bytes(bytes))
}
