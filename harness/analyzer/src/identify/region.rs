// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts of the address space (`Documentation/arch/x86/x86_64/mm.rst`).

use kernel::mm::PAGE;
use kernel::space::KERNEL_MAP;
use kernel::{Kernel, VirtualMemory as _};

/// Behind the last address of the modules' window (`MODULES_END`).
const MODULES_END: u64 = 0xffff_ffff_ff00_0000;
/// Start of the fixed mappings that is not below any kernel's (`FIXADDR_START` varies), and the
/// page behind them (`VSYSCALL_ADDR`).
const VSYSCALL: u64 = 0xffff_ffff_ff60_0000;
/// `CPU_ENTRY_AREA_BASE` and the 512 GiB that it may lie in.
const ENTRY_AREA: std::ops::Range<u64> = 0xffff_fe00_0000_0000..0xffff_fe80_0000_0000;
/// `ESPFIX_BASE_ADDR`, 512 GiB.
const ESPFIX: std::ops::Range<u64> = 0xffff_ff00_0000_0000..0xffff_ff80_0000_0000;
/// Mappings of firmware's run-time services.
const EFI: std::ops::Range<u64> = 0xffff_ffef_0000_0000..0xffff_ffff_0000_0000;
/// Where vmalloc begins without `CONFIG_RANDOMIZE_MEMORY`, with four and five levels, and the
/// terabytes it has.
const VMALLOC: [(u64, u64); 2] = [(0xffff_c900_0000_0000, 32), (0xffa0_0000_0000_0000, 12_800)];

/// A part of the address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressRegion {
    /// No address of this machine.
    NonCanonical,
    /// User space.
    User,
    /// The mapping of all memory.
    DirectMap,
    /// vmalloc, ioremap, stacks.
    Vmalloc,
    /// The array of `struct page`.
    PageArray,
    /// Each CPU's entry stacks, descriptor tables and exception stacks.
    EntryArea,
    /// Stacks for returns to 16-bit code.
    Espfix,
    /// Firmware.
    Firmware,
    /// The kernel's image.
    Image,
    /// Modules and code made at run time.
    Modules,
    /// Mappings at fixed addresses.
    Fixmap,
    /// The page of old system calls.
    Vsyscall,
    /// The kernel's half, in nothing of the above.
    Other,
}

impl std::fmt::Display for AddressRegion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NonCanonical => "non-canonical",
            Self::User => "user space",
            Self::DirectMap => "direct map",
            Self::Vmalloc => "vmalloc",
            Self::PageArray => "page array (vmemmap)",
            Self::EntryArea => "CPU entry area",
            Self::Espfix => "espfix",
            Self::Firmware => "firmware",
            Self::Image => "kernel image",
            Self::Modules => "modules",
            Self::Fixmap => "fixmap",
            Self::Vsyscall => "vsyscall",
            Self::Other => "no known part of the kernel's half",
        })
    }
}

/// The part that `address` lies in.
pub(super) fn region(kernel: &Kernel<'_>, address: u64) -> AddressRegion {
    let layout = kernel.space().layout();
    if !layout.format.is_canonical(address) {
        return AddressRegion::NonCanonical;
    }
    if address >> 63 == 0 {
        return AddressRegion::User;
    }
    let image = KERNEL_MAP..KERNEL_MAP.saturating_add(layout.image_size);
    match address {
        _ if image.contains(&address) => AddressRegion::Image,
        KERNEL_MAP..MODULES_END => AddressRegion::Modules,
        MODULES_END..VSYSCALL => AddressRegion::Fixmap,
        _ if (VSYSCALL..VSYSCALL + PAGE).contains(&address) => AddressRegion::Vsyscall,
        _ if ENTRY_AREA.contains(&address) => AddressRegion::EntryArea,
        _ if ESPFIX.contains(&address) => AddressRegion::Espfix,
        _ if EFI.contains(&address) => AddressRegion::Firmware,
        _ => moved(kernel, address),
    }
}

/// The parts whose places are chosen at boot.
#[expect(clippy::indexing_slicing, reason = "the table has an entry for each of two formats")]
fn moved(kernel: &Kernel<'_>, address: u64) -> AddressRegion {
    let end = kernel.vmcore().info().max_pfn.0;
    if let Ok(array) = kernel.page_array()
        && array.frame(address, end).is_some()
    {
        return AddressRegion::PageArray;
    }
    let within = |base: u64, bytes: u64| address.checked_sub(base).is_some_and(|at| at < bytes);
    let map = kernel.direct_map();
    if map.is_some_and(|map| within(map.base, end.saturating_mul(PAGE))) {
        return AddressRegion::DirectMap;
    }
    let (fixed, terabytes) = VMALLOC[usize::from(kernel.space().layout().format.five_levels)];
    let base = kernel.symbol("vmalloc_base").ok().and_then(|at| kernel.read_u64(at).ok());
    let base = base.filter(|base| base >> 63 == 1).unwrap_or(fixed);
    if within(base, terabytes << 40) { AddressRegion::Vmalloc } else { AddressRegion::Other }
}
