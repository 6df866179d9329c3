// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stacks that the kernel keeps once and names by a number (`lib/stackdepot.c`, 4.6 and later).
//!
//! A handle has the number of a pool and the offset in it. Pools were called slabs to 6.2; since
//! 6.8 the number in a handle is one more than the pool's. A record tells its own handle, which
//! shows that it was found.

use crate::{Kernel, Unavailable, VirtualMemory as _};

/// Pools that are believed (`DEPOT_MAX_POOLS` is 8192).
const MAX_POOLS: u64 = 1 << 20;
/// Return addresses of one stack (`CONFIG_STACKDEPOT_MAX_FRAMES` is 64).
const MAX_ADDRESSES: u64 = 256;
/// Records start at multiples of 16 bytes (`DEPOT_STACK_ALIGN`).
const ALIGN: u32 = 4;

impl Kernel<'_> {
    /// The return addresses of the stack of that handle, innermost first.
    ///
    /// # Errors
    /// If the depot's layout is unknown, or no record with this handle is where it must be.
    pub fn depot_stack(&self, handle: u32) -> Result<Vec<u64>, Unavailable> {
        let part = |names: &[&str]| {
            let fields = names.iter().filter_map(|name| self.field("handle_parts", name).ok());
            fields.into_iter().find_map(|field| {
                let (low, size) = field.bits?;
                let low = u64::from(low) + field.offset * 8;
                Some(u64::from(handle) >> low & !(u64::MAX << size))
            })
        };
        let missing = || Unavailable::Type("union handle_parts".to_owned());
        let index = part(&["pool_index", "pool_index_plus_1", "slabindex", "slab_index"]);
        let (index, offset) = (index.ok_or_else(missing)?, part(&["offset"]).ok_or_else(missing)?);
        let table = self.symbol("stack_pools").or_else(|_| self.symbol("stack_slabs"))?;
        // An array, or a pointer to one that was allocated at boot.
        let tables = [Some(table), self.read_u64(table).ok()];
        for table in tables.into_iter().flatten() {
            for index in [index.checked_sub(1), Some(index)].into_iter().flatten() {
                let at = table.wrapping_add(index.min(MAX_POOLS) * 8);
                let Ok(pool) = self.read_u64(at) else { continue };
                let record = pool.wrapping_add(offset << ALIGN);
                let found = self.object("stack_record", record).number("handle");
                if pool != 0 && found.is_ok_and(|found| found == u64::from(handle)) {
                    return self.depot_record(record);
                }
            }
        }
        Err(Unavailable::Damaged(format!("the stack depot has no stack 0x{handle:08x}")))
    }

    fn depot_record(&self, record: u64) -> Result<Vec<u64>, Unavailable> {
        let entries = self.field("stack_record", "entries")?.offset;
        let count = self.object("stack_record", record).number("size")?.min(MAX_ADDRESSES);
        let what = |source| Unavailable::memory("a record of the stack depot", source);
        (0..count)
            .map(|index| {
                let at = record.wrapping_add(entries).wrapping_add(index * 8);
                self.read_u64(at).map_err(what)
            })
            .collect()
    }
}
