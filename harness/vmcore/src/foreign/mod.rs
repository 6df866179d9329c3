// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are no vmcore of a form read here, and how one comes by a vmcore instead.

mod elf;
mod headers;
mod kinds;

pub(crate) use elf::{ElfIdentity, Segments, program};
pub(crate) use headers::of_headers;
pub use kinds::{Archive, Disk, Foreign, Packed, Sadump};
