// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's memory by regions: what is mapped for itself, and all memory in one piece.

use kernel::Kernel;
use kernel::mm::PAGE;

/// First address of a region, and the one behind its last.
pub(super) type Range = (u64, u64);

/// The kernel's memory by regions.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// The kernel's image, its modules, and what is mapped page by page: by address, none overlaps another.
    pub(super) mapped: Vec<Range>,
    /// All memory in one piece; what is in `mapped` is here once more.
    pub(super) direct: Option<Range>,
    /// What nothing tells the place of, and why.
    pub(super) lacking: Vec<String>,
}

impl Regions {
    /// Those of a kernel.
    pub(super) fn of(kernel: &Kernel<'_>) -> Self {
        let mut regions = Self::default();
        let symbol = |name| kernel.symbol(name).ok();
        match symbol("_text").or_else(|| symbol("_stext")).zip(symbol("_end")) {
            Some(image) => regions.mapped.push(image),
            None => {
                regions.lacking.push("the kernel's image (its bounds are not known)".to_owned())
            }
        }
        let modules = kernel.modules().map(|all| all.items.as_slice()).unwrap_or_default();
        let pieces = modules.iter().flat_map(|module| &module.regions);
        regions
            .mapped
            .extend(pieces.map(|piece| (piece.start, piece.start.saturating_add(piece.size))));
        match kernel.vm_areas() {
            Ok(areas) => {
                // What is behind ioremap() is a device.
                let is_memory = |area: &&kernel::mm::vmalloc::VmArea| {
                    area.user.as_ref().is_none_or(|user| user.kind != "ioremap")
                };
                let areas_of_memory = areas.items.iter().filter(is_memory);
                regions.mapped.extend(areas_of_memory.map(|area| (area.start, area.end)));
                let damage = areas.damage.first();
                regions.lacking.extend(damage.map(|why| format!("some vmalloc areas ({why})")));
            }
            Err(why) => regions.lacking.push(format!("vmalloc areas ({why})")),
        }
        regions.mapped = merged(regions.mapped);
        let bytes = kernel.vmcore().info().max_pfn.0.saturating_mul(PAGE);
        match kernel.direct_map() {
            Some(map) => regions.direct = Some((map.base, map.base.saturating_add(bytes))),
            None => regions
                .lacking
                .push("all other memory (where it is mapped is not known)".to_owned()),
        }
        regions
    }

    /// The first address.
    pub(super) fn start(&self) -> Option<u64> {
        self.mapped.iter().chain(&self.direct).map(|range| range.0).min()
    }

    /// What of them is within a range.
    pub(super) fn within(self, range: Range) -> Self {
        let clipped =
            |it: Range| Some((it.0.max(range.0), it.1.min(range.1))).filter(|it| it.0 < it.1);
        Self {
            mapped: self.mapped.into_iter().filter_map(clipped).collect(),
            direct: self.direct.and_then(clipped),
            lacking: self.lacking,
        }
    }
}

/// The same addresses in their order, each once; the kernel's half alone.
fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.retain(|range| range.0 >> 63 == 1 && range.0 < range.1);
    ranges.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.0 <= last.1 => last.1 = last.1.max(range.1),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: u64 = 1 << 63;

    #[test]
    fn an_address_is_in_one_region() {
        let at = |start, end| (HALF + start, HALF + end);
        let ranges = vec![at(8, 9), at(0, 4), at(2, 3), at(4, 6), (1, 5), at(7, 7)];
        assert_eq!(merged(ranges), [at(0, 6), at(8, 9)]);
    }

    #[test]
    fn regions_are_cut_to_what_is_asked_for() {
        let regions =
            Regions { mapped: vec![(10, 20), (30, 40)], direct: Some((1, 5)), lacking: vec![] };
        assert_eq!(regions.start(), Some(1));
        let within = regions.within((15, 30));
        assert_eq!((within.mapped, within.direct), (vec![(15, 20)], None));
    }
}
