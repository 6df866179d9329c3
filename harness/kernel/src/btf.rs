// SPDX-License-Identifier: MIT OR Apache-2.0
//! The types that a kernel keeps of itself in memory, for dumps without a `vmlinux`.
//!
//! `CONFIG_DEBUG_INFO_BTF` (5.2 and later) puts the section `.BTF` among the read-only data, between
//! the symbols `__start_BTF` and `__stop_BTF` (`include/asm-generic/vmlinux.lds.h`). VMCOREINFO does
//! not name them; the kernel's own symbol table does.

use debuginfo::Image;

use super::memory::VirtualMemory;
use super::{Kernel, Unavailable};

/// Bytes that are believed; a distribution's kernel has about 6 MiB.
const MAX_BTF: u64 = 64 << 20;

/// Reads the BTF of a dump.
pub(super) fn read(kernel: &Kernel<'_>) -> Result<Image<'static>, Unavailable> {
    let start = kernel.symbol("__start_BTF")?;
    let size = kernel.symbol("__stop_BTF")?.wrapping_sub(start);
    let length = usize::try_from(size).ok().filter(|_| size <= MAX_BTF);
    let length =
        length.ok_or_else(|| Unavailable::Damaged(format!("BTF of {size} bytes is too long")))?;
    let bytes = kernel.space.read_bytes(start, length);
    let bytes = bytes.map_err(|source| Unavailable::memory("BTF", source))?;
    Image::types(bytes).map_err(|reason| Unavailable::Damaged(reason.to_string()))
}
