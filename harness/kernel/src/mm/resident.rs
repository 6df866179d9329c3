// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much of a process is in memory.

use crate::Kernel;

/// Bytes of one counter.
const COUNTER: u64 = 8;

impl Kernel<'_> {
    /// Pages of the process with the `struct mm_struct` at `mm` that are in memory.
    ///
    /// Resident are pages of files, anonymous and shared ones (`get_mm_rss()`): places 0, 1 and 3 of
    /// `rss_stat` (place 2 counts swap). It was an array of counters inside of a structure and is an
    /// array of per-CPU counters since 6.2, of which the common part is taken. Before 4.5 there are
    /// three places; RHEL 7 counts shared pages in `mm_shmempages`. What cannot be read counts as zero.
    #[must_use]
    pub fn resident_pages(&self, mm: u64) -> u64 {
        let mm = self.object("mm_struct", mm);
        let paths = match self.field("mm_struct", "rss_stat.count") {
            Ok(counters) => {
                let place = |place: u64| format!("rss_stat.count[{place}].counter");
                let shared = match counters.size > 3 * COUNTER {
                    true => place(3),
                    false => "mm_shmempages.counter".to_owned(),
                };
                [place(0), place(1), shared]
            }
            Err(_) => [0, 1, 3].map(|place| format!("rss_stat[{place}].count")),
        };
        // The common part may be below zero for a moment.
        let pages = paths.iter().map(|path| mm.number(path).map_or(0, u64::cast_signed));
        u64::try_from(pages.fold(0, i64::saturating_add)).unwrap_or(0)
    }
}
