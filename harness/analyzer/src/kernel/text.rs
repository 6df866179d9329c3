// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which addresses hold the kernel's code: its image and its modules.

use std::ops::Range;

use super::Kernel;
use super::modules::RegionKind;

impl Kernel<'_> {
    /// Whether code lies at `address`: the kernel's text, its initialisation text while that was
    /// still there, or a module's text.
    #[must_use]
    pub fn is_text(&self, address: u64) -> bool {
        let ranges = self.text.get_or_init(|| self.text_ranges());
        if ranges.iter().any(|range| range.contains(&address)) {
            return true;
        }
        self.module_at(address)
            .and_then(|module| module.region_at(address))
            .is_some_and(|region| region.kind == RegionKind::Text)
    }

    /// Where the kernel's own text is.
    fn text_ranges(&self) -> Vec<Range<u64>> {
        let range = |start: &str, end: &str| Some(self.symbol(start).ok()?..self.symbol(end).ok()?);
        let mut ranges: Vec<_> = range("_stext", "_etext").into_iter().collect();
        if !self.is_init_memory_free() {
            ranges.extend(range("_sinittext", "_einittext"));
        }
        ranges
    }

    /// Whether the kernel has given its initialisation memory back: `system_state` is then past
    /// `SYSTEM_BOOTING` (and `SYSTEM_SCHEDULING`, `SYSTEM_FREEING_INITMEM` of later kernels).
    fn is_init_memory_free(&self) -> bool {
        let running = self
            .types()
            .ok()
            .and_then(|types| types.enumerator("SYSTEM_RUNNING").found())
            .and_then(|value| u32::try_from(value).ok());
        let state = self.symbol("system_state").ok();
        let state = state.and_then(|at| super::VirtualMemory::read_u32(self, at).ok());
        match (state, running) {
            (Some(state), Some(running)) => state >= running,
            // Crashes before the first process are rare, stale return addresses are not.
            _ => true,
        }
    }
}
