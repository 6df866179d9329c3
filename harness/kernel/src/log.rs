// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's log (`dmesg`), read with VMCOREINFO alone: no debug information is needed.
//!
//! Kernels 3.5 to 5.9 keep records in a byte ring (`log_records`), later ones in a
//! ring of descriptors (`log_ring`).

use vmcore::VmcoreInfo;

pub use super::log_line::{Caller, LogLine, MAX_TEXT};
use super::memory::VirtualMemory;
use super::unreadable::{Listing, Unavailable};
use super::{log_records, log_ring};

/// Reads the whole log, oldest line first.
///
/// # Errors
/// If VMCOREINFO describes no log this knows, or its anchors cannot be read. Damage further
/// inside ends up in the listing.
pub fn read(
    memory: &dyn VirtualMemory,
    info: &VmcoreInfo,
) -> Result<Listing<LogLine>, Unavailable> {
    if let Some(prb) = info.symbol("prb") {
        return log_ring::read(memory, info, prb);
    }
    log_records::read(memory, info)
}

/// The log as `makedumpfile --dump-dmesg` writes it; its last lines say what of it is damaged.
#[must_use]
pub fn text(log: &Listing<LogLine>) -> String {
    let record = |line: &LogLine| written(&stamp(line.nanoseconds), &line.text);
    let damage = log.damage.iter().map(|damage| not_whole(&damage.to_string()));
    log.items.iter().map(record).chain(damage).collect()
}

/// The time before a record: `[    1.234567] `.
#[must_use]
pub fn stamp(nanoseconds: u64) -> String {
    let micros = nanoseconds % 1_000_000_000 / 1000;
    format!("[{:5}.{micros:06}] ", nanoseconds / 1_000_000_000)
}

/// A record with what stands before it. Its further lines are set in by as much.
#[must_use]
pub fn written(prefix: &str, text: &str) -> String {
    let mut out = String::new();
    for (index, line) in text.split('\n').enumerate() {
        match index {
            0 => out.push_str(prefix),
            _ => out.extend(std::iter::repeat_n(' ', prefix.len())),
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// The line for what of a log cannot be read.
#[must_use]
pub fn not_whole(damage: &str) -> String {
    format!("(the log is not whole: {damage})\n")
}
