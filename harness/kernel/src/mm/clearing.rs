// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the allocators clear memory that they give out or take back (`init_on_alloc`, `init_on_free`; 5.3 and later).

use crate::{Kernel, VirtualMemory as _};

/// The line of the log that says so, since 5.3 (`report_meminit()` of `init/main.c`, later `mm/mm_init.c`).
const LINE: &str = "mem auto-init: stack:";

impl Kernel<'_> {
    /// Whether memory is cleared when it is given out; `None` if that is not known.
    #[must_use]
    pub fn clears_new_memory(&self) -> Option<bool> {
        self.clears("heap alloc:on", "init_on_alloc")
    }

    /// Whether memory is cleared when it is given back; `None` if that is not known.
    #[must_use]
    pub fn clears_freed_memory(&self) -> Option<bool> {
        self.clears("heap free:on", "init_on_free")
    }

    fn clears(&self, on: &str, key: &str) -> Option<bool> {
        let log = self.log().ok();
        let mut lines = log.iter().flat_map(|log| &log.items);
        let by_log = lines.find(|line| line.text.starts_with(LINE));
        // The log of a machine that ran for long has lost the line. `struct static_key` begins with its counter.
        let by_key = || Some(self.read_u32(self.symbol(key).ok()?).ok()? != 0);
        by_log.map(|line| line.text.contains(on)).or_else(by_key)
    }
}
