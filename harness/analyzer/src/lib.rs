// SPDX-License-Identifier: MIT OR Apache-2.0
//! Says from a vmcore why the kernel crashed.
//!
//! [`analyze()`] reads a dump with the debug information that there is and gives a [`report`] in
//! two forms. It starts no process and reads no clock, no environment and no file: the caller
//! brings the bytes. Damaged content never makes it fail, it makes a finding.
//!
//! ```text
//! kernel, debuginfo ─→ machine ─→ stacks, context ─→ backtrace ──────────┐
//!                         └→ crash_scene ─→ fault, flow, express ─→ cause ─→ verdict ─→ report
//! ```
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

pub mod analyze;
pub mod backtrace;
pub mod blame;
pub mod blocked;
mod cause;
mod cfi_rows;
pub mod claim;
pub mod context;
mod crash_scene;
pub mod diagnosis;
mod earlier;
pub mod express;
pub mod facts;
pub mod fault;
pub mod findings;
pub mod flow;
pub mod formats;
pub mod frame_names;
pub mod frame_values;
mod from_log;
mod gone;
pub mod identify;
mod initialiser;
mod kernel_header;
mod kind;
pub mod leads;
mod leftover;
pub mod link;
pub mod machine;
mod medium;
pub mod message;
mod module_files;
mod outside;
mod party;
pub mod printer;
pub mod render;
pub mod report;
pub mod report_facts;
pub mod scene;
pub mod signature;
pub mod source_line;
pub mod stacks;
mod symbol_name;
pub mod text;
mod thunk;
pub mod told;
mod unloaded;
pub mod values;
pub mod verdict;
mod verdict_facts;

pub use analyze::{Analysis, Error, Inputs, analyze, analyze_and};
pub use debuginfo::Files;
pub use medium::Medium;
pub use module_files::ModuleFiles;
