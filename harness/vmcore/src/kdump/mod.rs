// SPDX-License-Identifier: MIT OR Apache-2.0
//! kdump-compressed dumps, also called diskdump format: makedumpfile's own, and QEMU's.
//!
//! In blocks of the size that the header names: the header, the sub-header (with VMCOREINFO and
//! the notes behind it), one or two bitmaps with one bit for each page, a descriptor for each
//! page in the file, the pages' data. The layout is that of makedumpfile's `diskdump_mod.h` for
//! 64-bit little-endian machines, header versions 1 to 6.

mod bitmap;
mod descriptor;
mod header;
mod memory;

pub(crate) use header::{Header, SIGNATURE};
pub(crate) use memory::KdumpMemory;
