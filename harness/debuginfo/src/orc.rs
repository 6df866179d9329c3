// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ORC unwind tables as bytes (kernel: `arch/x86/include/asm/orc_types.h`, 4.14 and later).

/// Raw sections of the ORC tables; the `unwind` crate knows what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrcSections<'a> {
    /// Run-time address and bytes of `.orc_unwind_ip`: one `i32` an entry, relative to its own
    /// place. In a module they are relocated here, but not sorted: the kernel sorts its own copy.
    pub ip: (u64, &'a [u8]),
    /// Bytes of `.orc_unwind`: the entries, in the same order.
    pub entries: &'a [u8],
    /// Bytes of `.orc_header` (6.3 and later): a hash that names the layout of an entry.
    pub header: Option<&'a [u8]>,
}
