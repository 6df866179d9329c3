// SPDX-License-Identifier: MIT OR Apache-2.0
//! A value: its type, and where it is or what it is.

use super::Ty;

/// A value.
#[derive(Debug, Clone)]
pub struct Value<'w> {
    /// Its type.
    pub ty: Ty<'w>,
    /// Where it is, or what it is.
    pub place: Place,
}

/// Where a value is, or what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In memory at a virtual address; not read yet.
    Memory {
        /// Address of its first byte.
        address: u64,
        /// For a bit-field: its lowest bit in that byte, and its size in bits.
        bits: Option<(u8, u8)>,
    },
    /// Computed: a number or pointer, signed ones extended to 64 bits.
    Number(u64),
}

impl<'w> Value<'w> {
    /// What is at an address.
    #[must_use]
    pub const fn at(address: u64, ty: Ty<'w>) -> Self {
        Self { ty, place: Place::Memory { address, bits: None } }
    }

    /// A number.
    #[must_use]
    pub const fn number(value: u64, ty: Ty<'w>) -> Self {
        Self { ty, place: Place::Number(value) }
    }

    /// Where it is in memory; none for computed values and bit-fields.
    #[must_use]
    pub const fn address(&self) -> Option<u64> {
        match self.place {
            Place::Memory { address, bits: None } => Some(address),
            _ => None,
        }
    }
}
