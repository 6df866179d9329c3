// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads dumps of crashed Linux kernels: bytes to physical pages, VMCOREINFO and CPU notes.
//!
//! | container | written by | here |
//! |---|---|---|
//! | kdump-compressed | `makedumpfile -c`, `-l`, `-p`, `-z`; QEMU | `kdump/` |
//! | ELF vmcore | the kernel's `/proc/vmcore`, `makedumpfile -E`, QEMU | `elf` |
//! | raw RAM | QEMU's `memory-backend-file` | `ram` |
//! | flattened, around either | `makedumpfile -F`, QEMU | `flattened` |
//!
//! What is none of these is named, with the way to one of them (`foreign/`).
//!
//! Opens no file, starts nothing: the caller gives a [`ReadAt`]. Damaged input gives an
//! [`Error`], a [`Problem`] or an [`Absent`], never a panic. Absent on purpose: what lies in the
//! memory (page tables, structures) is the analyzer's; 32-bit and big-endian machines.
//!
//! ```
//! use vmcore::{PhysAddr, ReadAt, Vmcore};
//!
//! fn first_bytes(file: &[u8], address: PhysAddr) -> Result<[u8; 8], Box<dyn std::error::Error>> {
//!     let file: &dyn ReadAt = &file;
//!     let vmcore = Vmcore::open(file)?;
//!     let mut bytes = [0; 8];
//!     vmcore.read_physical(address, &mut bytes)?;
//!     Ok(bytes)
//! }
//! # assert!(first_bytes(b"no dump", PhysAddr(0)).is_err());
//! ```
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod absent;
mod address;
mod cache;
mod codec;
mod container;
mod elf;
mod error;
mod extents;
mod flattened;
mod foreign;
mod info;
mod kdump;
mod le;
mod machine;
mod notes;
mod open;
mod ram;
mod read_at;
mod registers;
mod split;
mod vmcore;
mod vmcoreinfo;

pub use absent::{Absent, Lost};
pub use address::{Pfn, PhysAddr, VirtAddr};
pub use codec::Codec;
pub use error::{Error, Problem, SetError};
pub use foreign::{Archive, Disk, Foreign, Packed, Sadump};
pub use info::{DumpInfo, Format, LoadSegment, Uts};
pub use machine::Machine;
pub use notes::{CpuNote, QemuCpu};
pub use ram::{Place, Ram, RamRange};
pub use read_at::{ReadAt, ReadError};
pub use registers::PtRegs;
pub use vmcore::{Vmcore, Witness, true_length};
pub use vmcoreinfo::VmcoreInfo;
