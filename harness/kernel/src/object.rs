// SPDX-License-Identifier: MIT OR Apache-2.0
//! A structure in the dump's memory, its members read by name.

use super::memory::{VirtualMemory, text};
use super::{Kernel, Unavailable};

/// A structure of the kernel at an address.
#[derive(Debug, Clone, Copy)]
pub struct Object<'k, 'a> {
    kernel: &'k Kernel<'a>,
    structure: &'static str,
    address: u64,
}

impl<'a> Kernel<'a> {
    /// The `structure` at `address`. Nothing is read yet.
    #[must_use]
    pub const fn object(&self, structure: &'static str, address: u64) -> Object<'_, 'a> {
        Object { kernel: self, structure, address }
    }
}

impl Object<'_, '_> {
    /// Its address.
    #[must_use]
    pub const fn address(&self) -> u64 {
        self.address
    }

    /// Address of a member.
    ///
    /// # Errors
    /// If there is no such member or no debug information.
    pub fn address_of(&self, path: &str) -> Result<u64, Unavailable> {
        Ok(self.address.wrapping_add(self.kernel.field(self.structure, path)?.offset))
    }

    /// A member that is a number or a pointer of at most eight bytes, without a sign.
    ///
    /// # Errors
    /// If there is no such member, or its memory cannot be read.
    pub fn number(&self, path: &str) -> Result<u64, Unavailable> {
        let field = self.kernel.field(self.structure, path)?;
        let address = self.address.wrapping_add(field.offset);
        let value = self
            .kernel
            .read_number(address, field.size)
            .map_err(|source| self.lost(path, source))?;
        Ok(match field.bits {
            Some((low, size)) => value >> low & !u64::MAX.checked_shl(size.into()).unwrap_or(0),
            None => value,
        })
    }

    /// A member of type `int`.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn int(&self, path: &str) -> Result<i32, Unavailable> {
        let bytes = self.number(path)?.to_le_bytes();
        Ok(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A member that is an array of characters.
    ///
    /// # Errors
    /// If there is no such member, or its memory cannot be read.
    pub fn text(&self, path: &str) -> Result<String, Unavailable> {
        let field = self.kernel.field(self.structure, path)?;
        let size = usize::try_from(field.size).unwrap_or(usize::MAX).min(super::memory::MAX_STRING);
        let address = self.address.wrapping_add(field.offset);
        let bytes =
            self.kernel.read_bytes(address, size).map_err(|source| self.lost(path, source))?;
        Ok(text(&bytes))
    }

    /// The string that a member points to; none if it is NULL.
    ///
    /// # Errors
    /// If there is no such member, or memory cannot be read.
    pub fn string(&self, path: &str) -> Result<Option<String>, Unavailable> {
        match self.number(path)? {
            0 => Ok(None),
            at => {
                let read = self.kernel.read_string(at, super::memory::MAX_STRING);
                read.map(Some).map_err(|source| self.lost(path, source))
            }
        }
    }

    fn lost(&self, path: &str, source: super::Unreadable) -> Unavailable {
        Unavailable::memory(&format!("{}.{path}", self.structure), source)
    }
}
