// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads what `vmlinux` and kernel modules say about themselves: symbols, source lines, inlined
//! calls, types, variables, BTF, call frame information, and the raw ORC tables.
//!
//! One [`Image`] is one ELF file together with where it was loaded, so every address that goes in
//! or comes out is a **run-time virtual address** of the crashed kernel (KASLR and module placement
//! are applied inside). The caller brings the file's bytes, normally a memory map: nothing here
//! opens a file, and of a 600 MB `vmlinux` only the pages that answer the question are touched.
//!
//! An answer is a [`Lookup`]: found, or unknown with the reason. Damaged input never panics and
//! never loops; it gives [`Reason::Malformed`].
//!
//! Absent on purpose: unwinding (the `unwind` crate parses the ORC bytes), reading memory of the
//! dump, kallsyms of the dump, split DWARF (`.dwo`) and type units, which no kernel uses.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod address;
mod btf;
mod cfi;
mod core_layout;
mod dwarf;
mod elf;
mod error;
mod files;
mod frame_value;
mod function;
mod image;
mod laid;
mod layout;
mod ledger;
mod location;
mod lookup;
mod name_index;
mod notes;
mod orc;
mod path;
mod radix;
mod relocate;
mod source;
mod source_texts;
mod symbol;
mod types;
mod variable;
mod well_known;

pub use cfi::{CfaRule, CfiExpression, CfiRow, CfiRule};
pub use core_layout::LaidSymbol;
pub use error::Error;
pub use files::Files;
pub use frame_value::{Absent, Datum, FrameState, FrameValue, Origin, Passed, register_name};
pub use function::{Function, Inlined, Instance, Parameter};
pub use image::Image;
pub use laid::lay;
pub use ledger::{Answered, Answers, Ledger};
pub use location::{Local, Location};
pub use lookup::{Lookup, Reason};
pub use notes::{DebugLink, SupplementaryLink};
pub use orc::OrcSections;
pub use path::{Path, Step, Way};
pub use source::SourceFrame;
pub use source_texts::SourceTexts;
pub use symbol::{Symbol, SymbolKind};
pub use types::{Encoding, Enumerator, Field, Member, Qualifier, Type, TypeId};
pub use variable::{Declared, Variable};
