// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes synthetic vmcores for tests.
//!
//! Shares no type and no constant with the readers, so that a wrong reading of a format has to
//! be made twice to go unnoticed. [`Memory`] is what a machine held; [`Kdump`] and [`Elf`] write
//! it as a dump, [`flatten()`] wraps the file in makedumpfile's flattened form, and [`notes`]
//! writes what goes with it. Nothing here checks its input: a test may ask for nonsense.
#![forbid(unsafe_code)]

mod bytes;
mod elf;
mod flatten;
mod hostile;
pub mod kallsyms;
mod kdump;
mod memory;
pub mod notes;
pub mod pack;
mod ram;

pub use elf::{Elf, Segment};
pub use flatten::{END_MARK, flatten, flatten_records};
pub use hostile::HOSTILE;
pub use kdump::{Kdump, KdumpFile, Part};
pub use memory::{Memory, PAGE, Page};
pub use pack::Packing;
pub use ram::ram;
