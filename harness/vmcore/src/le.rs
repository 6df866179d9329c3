// SPDX-License-Identifier: MIT OR Apache-2.0
//! Integers in byte buffers. `None` means that the buffer ends before the integer does.

macro_rules! integer {
    ($name:ident, $type:ty, $from:ident, $doc:literal) => {
        #[doc = $doc]
        pub(crate) fn $name(bytes: &[u8], at: usize) -> Option<$type> {
            let field = bytes.get(at..at.checked_add(size_of::<$type>())?)?;
            Some(<$type>::$from(field.try_into().ok()?))
        }
    };
}

integer!(u16, u16, from_le_bytes, "A little-endian 16-bit integer.");
integer!(u32, u32, from_le_bytes, "A little-endian 32-bit integer.");
integer!(u64, u64, from_le_bytes, "A little-endian 64-bit integer.");
integer!(i32, i32, from_le_bytes, "A little-endian signed 32-bit integer.");
integer!(i64, i64, from_le_bytes, "A little-endian signed 64-bit integer.");
integer!(i64_be, i64, from_be_bytes, "A big-endian signed 64-bit integer.");
