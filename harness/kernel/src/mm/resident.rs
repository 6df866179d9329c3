// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much of a process is in memory.

use crate::Kernel;

impl Kernel<'_> {
    /// Pages of the process with the `struct mm_struct` at `mm` that are in memory.
    ///
    /// Resident are pages of files, anonymous and shared ones: places 0, 1 and 3 of `rss_stat`
    /// (place 2 counts swap). It was an array of counters inside of a structure and is an array of
    /// per-CPU counters since 6.2, of which the common part is taken. What cannot be read counts
    /// as zero.
    #[must_use]
    pub fn resident_pages(&self, mm: u64) -> u64 {
        let mm = self.object("mm_struct", mm);
        let newer = self.has_field("mm_struct", "rss_stat[0].count");
        let mut resident = 0_i64;
        for place in [0, 1, 3] {
            let path = match newer {
                true => format!("rss_stat[{place}].count"),
                false => format!("rss_stat.count[{place}].counter"),
            };
            // The common part may be below zero for a moment.
            let pages = mm.number(&path).map_or(0, u64::cast_signed);
            resident = resident.saturating_add(pages);
        }
        u64::try_from(resident).unwrap_or(0)
    }
}
