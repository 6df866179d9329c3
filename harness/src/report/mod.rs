// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reporters: they consume events and are the only code that prints.

mod annotations;
mod code_quality;
mod console_log;
mod files;
mod folder;
mod history;
#[cfg(test)]
mod hostile;
mod html;
mod json_lines;
mod junit;
mod lacking;
mod line;
mod looked_text;
mod run_words;
mod shown;
mod terminal;
mod wrap;

pub use annotations::{Annotate, Annotations};
pub use console_log::ConsoleLog;
pub(crate) use files::write_crash;
pub use files::write_reports;
pub use folder::{Folder, FolderError, run_folder};
pub use history::History;
pub(crate) use html::{confidence_badge, document, wide};
pub use json_lines::JsonLines;
pub(crate) use lacking::{Lacking, lacking_text};
pub use run_words::told;
pub use shown::shown_report;
pub(crate) use shown::shown_report_with;
pub(crate) use terminal::failure_text;
pub use terminal::{Terminal, TerminalOptions, Verbosity};
pub(crate) use wrap::{columns, wrapped};
