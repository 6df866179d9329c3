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
