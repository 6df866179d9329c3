// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the machine's memory is used as a whole: `kmem -i`, and the counters it is made of
//! (`kmem -V`).
//!
//! Counters are those of `/proc/vmstat`: one array to 4.7 (`vm_stat`), one of zones and one of
//! nodes since. Parts that CPUs have not yet added to them are left out, as crash(8) does.

use debuginfo::Type;

use crate::{Kernel, Unavailable, VirtualMemory as _};

/// Counters of one array at most.
const MAX_COUNTERS: usize = 512;

/// Memory by what it is used for, in pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// All that the kernel manages.
    pub total: u64,
    /// Free pages.
    pub free: u64,
    /// Contents of files, those of block devices among them.
    pub file: u64,
    /// Pages of the slab allocator.
    pub slab: u64,
    /// What may be promised to processes where promises are kept (`vm.overcommit_memory` of 2).
    pub commit_limit: Option<u64>,
    /// What is promised to processes, as far as CPUs have added it to the common count.
    pub committed: Option<u64>,
}

impl Kernel<'_> {
    /// Memory by what it is used for.
    ///
    /// # Errors
    /// If one of the counters cannot be found or read.
    pub fn memory_use(&self) -> Result<MemoryUse, Unavailable> {
        let counters = self.memory_counters()?;
        let count = |name: &str| {
            let found = counters.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| u64::try_from(*value).unwrap_or(0))
        };
        let missing = |name: &str| Unavailable::Type(name.to_owned());
        // In bytes since 5.9; the values are pages all the same.
        let slab = |name: &str| count(&format!("{name}_B")).or_else(|| count(name));
        let slabs = ["NR_SLAB_RECLAIMABLE", "NR_SLAB_UNRECLAIMABLE"];
        let slab = slabs.iter().filter_map(|name| slab(name)).sum();
        Ok(MemoryUse {
            total: self.counter("_totalram_pages").or_else(|_| self.counter("totalram_pages"))?,
            free: count("NR_FREE_PAGES").ok_or_else(|| missing("NR_FREE_PAGES"))?,
            file: count("NR_FILE_PAGES").ok_or_else(|| missing("NR_FILE_PAGES"))?,
            slab,
            commit_limit: self.commit_limit(),
            committed: self.committed(),
        })
    }

    /// `vm_commit_limit` of `mm/util.c`; none where more than memory and the ratio counts: huge pages
    /// set apart, swap, a limit in bytes.
    fn commit_limit(&self) -> Option<u64> {
        let number = |name: &str, size| self.read_number(self.symbol(name).ok()?, size).ok();
        let more = ["sysctl_overcommit_kbytes", "nr_huge_pages", "total_swap_pages"];
        let plain = more.iter().all(|name| number(name, 8).is_none_or(|value| value == 0));
        let total = number("_totalram_pages", 8).or_else(|| number("totalram_pages", 8))?;
        let percent = number("sysctl_overcommit_ratio", 4)?;
        plain.then(|| total.saturating_mul(percent) / 100)
    }

    fn committed(&self) -> Option<u64> {
        let counter = self.object("percpu_counter", self.symbol("vm_committed_as").ok()?);
        counter.number("count").ok()
    }

    /// Counters by name, in the kernel's order.
    ///
    /// # Errors
    /// If none can be found or read.
    pub fn memory_counters(&self) -> Result<Vec<(String, i64)>, Unavailable> {
        let mut found = Vec::new();
        let arrays = [
            ("vm_zone_stat", "zone_stat_item"),
            ("vm_node_stat", "node_stat_item"),
            ("vm_stat", "zone_stat_item"),
        ];
        for (array, names) in arrays {
            let Ok(at) = self.symbol(array) else { continue };
            for (index, name) in self.counter_names(names)? {
                let what = |source| Unavailable::memory(array, source);
                let value = self.read_u64(at.wrapping_add(index * 8)).map_err(what)?;
                found.push((name, value.cast_signed()));
            }
        }
        if found.is_empty() {
            Err(Unavailable::Symbol("vm_zone_stat".to_owned()))
        } else {
            Ok(found)
        }
    }

    /// Enumerators that are indices, the number of them at the end left out.
    fn counter_names(&self, enumeration: &str) -> Result<Vec<(u64, String)>, Unavailable> {
        let missing = || Unavailable::Type(format!("enum {enumeration}"));
        let types = self.types()?;
        let id = types.find_type(enumeration).found().ok_or_else(missing)?;
        let Some(Type::Enum { enumerators, .. }) = types.type_of(id).found() else {
            return Err(missing());
        };
        let names = enumerators
            .into_iter()
            .filter(|one| !one.name.ends_with("_ITEMS") && !one.name.ends_with("_BASE"));
        let index = |value| u64::try_from(value).ok();
        Ok(names.take(MAX_COUNTERS).filter_map(|one| Some((index(one.value)?, one.name))).collect())
    }

    fn counter(&self, symbol: &str) -> Result<u64, Unavailable> {
        let what = |source| Unavailable::memory(symbol, source);
        self.symbol(symbol).and_then(|at| self.read_u64(at).map_err(what))
    }
}
