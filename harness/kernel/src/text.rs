// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which addresses hold the kernel's code: its image and its modules.

use std::ops::Range;

use super::Kernel;
use super::modules::RegionKind;

/// Where the area for modules and generated code may begin (`MODULES_VADDR` of
/// `arch/x86/include/asm/pgtable_64_types.h` without KASLR, which moves it up) and ends
/// (`MODULES_END`).
pub(super) const MODULE_AREA: Range<u64> = 0xffff_ffff_a000_0000..0xffff_ffff_ff00_0000;

/// Code that was there once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneText {
    /// The kernel's initialisation code, whose memory is given back once it ran.
    Start,
    /// In the area for modules, and of none that is loaded.
    Module,
}

impl Kernel<'_> {
    /// Whether code that is gone lay at `address`.
    #[must_use]
    pub fn gone_text(&self, address: u64) -> Option<GoneText> {
        if self.is_text(address) {
            return None;
        }
        let bound = |name| self.symbol(name).ok();
        if let (Some(start), Some(end)) = (bound("_sinittext"), bound("_einittext"))
            && (start..end).contains(&address)
        {
            return Some(GoneText::Start);
        }
        // With KASLR the kernel itself may lie above the lowest start of the area.
        let area = MODULE_AREA.start.max(bound("_end").unwrap_or(0))..MODULE_AREA.end;
        let nobodys = area.contains(&address) && self.module_at(address).is_none();
        // A module that is not known may have it, unless nothing is mapped there.
        if self.has_hidden_modules() {
            let mapping = self.space().mapping(address);
            let is_unmapped = mapping.is_err_and(|why| why.is_mapped() == Some(false));
            return (nobodys && is_unmapped).then_some(GoneText::Module);
        }
        let gone = || super::VirtualMemory::read_u8(self, address).is_err();
        let unloaded = || matches!(self.last_unloaded_module(), Ok(Some(_)));
        (nobodys && (gone() || unloaded())).then_some(GoneText::Module)
    }

    /// Whether code lies at `address`: the kernel's text, its initialisation text while that was
    /// still there, or a module's text.
    #[must_use]
    pub fn is_text(&self, address: u64) -> bool {
        let ranges = self.text.get_or_init(|| self.text_ranges());
        if ranges.iter().any(|range| range.contains(&address)) {
            return true;
        }
        match self.module_at(address).and_then(|module| module.region_at(address)) {
            Some(region) => region.kind == RegionKind::Text,
            None => self.has_hidden_modules() && self.is_executable_in_modules(address),
        }
    }

    /// Whether there may be modules that are not known: their list cannot be read, or not to its end.
    fn has_hidden_modules(&self) -> bool {
        !self.modules().is_ok_and(|listing| listing.damage.is_empty())
    }

    /// Whether the page tables let the CPU execute what is at an address where modules are.
    ///
    /// Situation: a dump of 3.10 without its `vmlinux`, of a configuration whose layouts nobody
    /// knows. The list of modules cannot be read then, and a module's code is still code.
    fn is_executable_in_modules(&self, address: u64) -> bool {
        let mapping =
            MODULE_AREA.contains(&address).then(|| self.space().mapping(address).ok()).flatten();
        mapping.is_some_and(|mapping| mapping.executable)
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
