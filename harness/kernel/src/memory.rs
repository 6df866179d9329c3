// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading numbers, strings and lists from virtual memory. Everything is little-endian.

use super::unreadable::Unreadable;

/// Longest string that is read; longer ones are cut.
pub const MAX_STRING: usize = 4096;
/// Bytes that a string is read by.
const CHUNK: u64 = 64;

/// Memory addressed as the kernel addresses it.
pub trait VirtualMemory {
    /// Fills `buf` from `address` on; all of it or an error.
    ///
    /// # Errors
    /// Why the first byte that cannot be read cannot be read.
    fn read(&self, address: u64, buf: &mut [u8]) -> Result<(), Unreadable>;

    /// Reads one byte.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read_u8(&self, address: u64) -> Result<u8, Unreadable> {
        let mut bytes = [0];
        self.read(address, &mut bytes)?;
        Ok(bytes[0])
    }

    /// Reads two bytes as a number.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn read_u16(&self, address: u64) -> Result<u16, Unreadable> {
        let mut bytes = [0; 2];
        self.read(address, &mut bytes)?;
        Ok(u16::from_le_bytes(bytes))
    }

    /// Reads four bytes as a number.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn read_u32(&self, address: u64) -> Result<u32, Unreadable> {
        let mut bytes = [0; 4];
        self.read(address, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Reads eight bytes as a number.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn read_u64(&self, address: u64) -> Result<u64, Unreadable> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Reads a number of 1 to 8 bytes without a sign.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read_number(&self, address: u64, size: u64) -> Result<u64, Unreadable> {
        let mut bytes = [0; 8];
        let size = usize::try_from(size).unwrap_or(8).min(8);
        self.read(address, bytes.get_mut(..size).unwrap_or_default())?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Reads `length` bytes.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn read_bytes(&self, address: u64, length: usize) -> Result<Vec<u8>, Unreadable> {
        let mut bytes = vec![0; length];
        self.read(address, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads a string that ends with a zero byte or after `limit` bytes (at most
    /// [`MAX_STRING`]). Bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// Why its first unreadable byte cannot be read.
    fn read_string(&self, address: u64, limit: usize) -> Result<String, Unreadable> {
        let limit = limit.min(MAX_STRING);
        let mut text = Vec::new();
        let mut at = address;
        while text.len() < limit {
            // Up to the next multiple of the chunk: never into a page the string does not touch.
            let chunk = usize::try_from(CHUNK - at % CHUNK).expect("a chunk fits in usize");
            let bytes = self.read_bytes(at, chunk.min(limit - text.len()))?;
            if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
                text.extend(bytes.into_iter().take(end));
                break;
            }
            at = at.wrapping_add(bytes.len() as u64);
            text.extend_from_slice(&bytes);
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// String in a fixed array: up to its first zero byte.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}
