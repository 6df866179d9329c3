// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reporters: they consume events and are the only code that prints.

mod console_log;
mod files;
mod folder;
mod json_lines;
mod line;
mod terminal;

pub use console_log::ConsoleLog;
pub use files::{write_crash, write_runs};
pub use folder::{Folder, FolderError};
pub use json_lines::JsonLines;
pub(crate) use terminal::failure_text;
pub use terminal::{Terminal, TerminalOptions, Verbosity};
