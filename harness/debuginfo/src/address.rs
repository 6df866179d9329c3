// SPDX-License-Identifier: MIT OR Apache-2.0
//! From addresses in the file to addresses at run time.

use std::ops::Range;

/// Where the kernel's text map lies before KASLR moves it: `__START_KERNEL_map` of
/// `arch/x86/include/asm/page_64_types.h`, and the 1 GiB (`KERNEL_IMAGE_SIZE`) that KASLR may use.
pub(crate) const TEXT_MAP: Range<u64> = 0xffff_ffff_8000_0000..0xffff_ffff_c000_0000;

/// Link-time to run-time address: KASLR moves what lies in the text map, and nothing else. Per-CPU
/// symbols (offsets near zero up to 6.14) and absolute numbers stay as they are. The decision is
/// by value, not by section: `init_per_cpu__gdt_page` and, with old binutils, many symbols of the
/// linker script are absolute in the symbol table and yet move with the kernel.
pub(crate) fn run_time(link: u64, bias: u64) -> u64 {
    if TEXT_MAP.contains(&link) { link.wrapping_add(bias) } else { link }
}

/// Run-time to link-time address: the inverse of [`run_time`]. KASLR stays inside of the window, so
/// what lies in it at run time was moved; an address below the moved kernel gives one below the
/// window, where nothing is.
pub(crate) fn link_time(address: u64, bias: u64) -> u64 {
    if TEXT_MAP.contains(&address) { address.wrapping_sub(bias) } else { address }
}
