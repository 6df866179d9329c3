// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of a kernel's log, as people and programs keep it, and what its lines say.
//!
//! [`lines`] takes what stands before the kernel's own words off each line: times, callers, levels,
//! what syslog, journald, `/dev/kmsg`, pstore, netconsole and terminals add. [`Body`] reads what a
//! line of a report says: registers, code, frames, modules. What a report is *of* is told elsewhere,
//! by its first line.
//!
//! Nothing here fails: a line that says nothing known is [`Body::Other`].
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod body;
mod caller;
mod code;
mod cpu;
mod date;
mod header;
mod line;
mod machine;
mod modules;
mod place;
mod prefix;
mod registers;
mod tags;
mod undo;
mod words;

pub use body::{Body, die_line};
pub use caller::Caller;
pub use code::CodeBytes;
pub use cpu::{CpuLine, cpu_line};
pub use line::{Line, MAX_LINE, lines};
pub use machine::{Machine, machine};
pub use modules::{Loaded, Modules};
pub use place::{Frame, Place, Source, Symbol};
pub use registers::{Register, Registers};
