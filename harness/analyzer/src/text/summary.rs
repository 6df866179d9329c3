// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each report of a log in a line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::log_report::LogReport;
use crate::kind::CrashKind;

/// One of the reports that a text has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// Number of its first line in the text, from 1.
    pub line: usize,
    /// Seconds since boot, as the text has them.
    pub time: Option<String>,
    /// What it is of; null where the code would tell, and is not looked at.
    pub kind: Option<CrashKind>,
    /// Its first line.
    pub headline: String,
    /// The function that it names first: where it ran, or who called.
    pub function: Option<String>,
    /// Its module.
    pub module: Option<String>,
    /// Lines of it are missing.
    pub torn: bool,
    /// The verdict is about this one.
    pub main: bool,
}

impl LogReport {
    /// The report in a line; of `main`, the verdict tells function and kind better.
    pub(super) fn entry(&self, is_main: bool) -> LogEntry {
        let frames = self.section().map(|section| {
            super::stack::without_printing(super::stack::frames(section, self.is_fetch()))
        });
        let named = frames
            .as_ref()
            .and_then(|frames| frames.iter().find(|frame| frame.place.symbol.is_some()));
        let place = named.map(|frame| &frame.place);
        let time = self
            .nanoseconds
            .map(|time| format!("{}.{:06}", time / 1_000_000_000, time % 1_000_000_000 / 1000));
        LogEntry {
            line: self.number,
            time,
            kind: self.kind(),
            headline: self.headline.clone(),
            function: place.and_then(|place| {
                Some(crate::symbol_name::source_name(&place.symbol.as_ref()?.name).to_owned())
            }),
            module: place.and_then(|place| place.module.clone()),
            torn: self.is_torn(),
            main: is_main,
        }
    }
}
