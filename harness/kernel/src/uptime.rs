// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long the kernel had run.

use super::memory::VirtualMemory;
use super::{Kernel, Unavailable};

/// The count of ticks starts this many seconds before it overflows 32 bits
/// (`INITIAL_JIFFIES`, `include/linux/jiffies.h`).
const EARLY: u64 = 300;
/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

impl Kernel<'_> {
    /// Seconds since boot, as the tick counter `jiffies_64` tells.
    ///
    /// # Errors
    /// If the counter or the tick's length cannot be found or read.
    pub fn uptime_seconds(&self) -> Result<u64, Unavailable> {
        let ticks = self.ticks_per_second()?;
        let address = self.symbol("jiffies_64")?;
        let now =
            self.read_u64(address).map_err(|source| Unavailable::memory("jiffies_64", source))?;
        // `INITIAL_JIFFIES` is -300 seconds, cut to 32 bits before it is widened.
        let first = (1_u64 << 32) - EARLY * ticks;
        Ok(now.wrapping_sub(first) / ticks)
    }

    /// Ticks in a second (`CONFIG_HZ`).
    ///
    /// The kernel keeps it nowhere as such, but its fallback clock source counts ticks: the
    /// multiplier of `clocksource_jiffies`, shifted, is a tick's length in nanoseconds.
    ///
    /// # Errors
    /// If the clock source cannot be found or read, or says nonsense.
    pub fn ticks_per_second(&self) -> Result<u64, Unavailable> {
        let source = self.object("clocksource", self.symbol("clocksource_jiffies")?);
        let (multiplier, shift) = (source.number("mult")?, source.number("shift")?);
        let tick = u32::try_from(shift).ok().and_then(|shift| multiplier.checked_shr(shift));
        match tick {
            Some(tick) if (SECOND / 10_000..=SECOND / 10).contains(&tick) => {
                Ok((SECOND + tick / 2) / tick)
            }
            _ => Err(Unavailable::Damaged(format!("a tick of {multiplier} >> {shift} ns"))),
        }
    }
}
