// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ORC unwind tables as bytes (kernel: `arch/x86/include/asm/orc_types.h`, 4.14 and later).

use std::cell::OnceCell;

use crate::elf::{Elf, Placement};
use crate::relocate;

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

/// The tables of an image. `relocated` keeps a module's relocated copy.
pub(crate) fn sections<'a>(
    elf: &'a Elf<'_>,
    relocated: &'a OnceCell<Vec<u8>>,
) -> Option<OrcSections<'a>> {
    let (index, ip) = elf.section(".orc_unwind_ip")?;
    let (_, entries) = elf.section(".orc_unwind")?;
    let header = elf.section(".orc_header").map(|(_, section)| section.data);
    let (address, bytes) = match elf.placement {
        Placement::Kernel { .. } => (ip.address?, ip.data),
        Placement::Module => {
            // Where the table itself lies does not matter to what it says, as long as it is within
            // 2 GiB: a dump may lack the section's address, and the text's serves as well.
            let address = ip.address.or_else(|| elf.text().next().map(|range| range.start))?;
            let copy = relocated.get_or_init(|| {
                relocate::relocated(elf, index, ip.data, address, 0)
                    .unwrap_or_else(|| ip.data.to_vec())
            });
            (address, copy.as_slice())
        }
    };
    Some(OrcSections { ip: (address, bytes), entries: entries.data, header })
}
