// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel's clocks said when it stopped.

use super::memory::VirtualMemory;
use super::{Kernel, Unavailable};

/// Bits behind the point of `avenrun` (`FSHIFT`, `include/linux/sched/loadavg.h`).
const LOAD_SHIFT: u32 = 11;

impl Kernel<'_> {
    /// Seconds since 1970, as the timekeeper had it at its last tick.
    ///
    /// The copy that it prepares updates in (`shadow_timekeeper`, to 6.12) is at most a tick
    /// behind and is a structure with a name; before 3.17 there was one `timekeeper`, and since
    /// 6.13 the copy is in `timekeeper_data`.
    ///
    /// # Errors
    /// If the timekeeper cannot be found or read.
    pub fn time_of_day(&self) -> Result<i64, Unavailable> {
        let names = ["shadow_timekeeper", "timekeeper"];
        let address = match names.iter().find_map(|name| self.symbol(name).ok()) {
            Some(address) => address,
            None => {
                let data = self.symbol("timekeeper_data")?;
                data.wrapping_add(self.field("tk_data", "timekeeper")?.offset)
            }
        };
        let seconds = self.object("timekeeper", address).number("xtime_sec")?;
        i64::try_from(seconds)
            .map_err(|_| Unavailable::Damaged(format!("{seconds} seconds since 1970")))
    }

    /// The second, since 1970, at which the kernel started.
    ///
    /// # Errors
    /// If one of its clocks cannot be found or read.
    pub fn boot_seconds(&self) -> Result<i64, Unavailable> {
        let uptime = i64::try_from(self.uptime_seconds()?).unwrap_or(i64::MAX);
        Ok(self.time_of_day()?.saturating_sub(uptime))
    }

    /// Load over one, five and fifteen minutes, as `/proc/loadavg` prints it.
    ///
    /// # Errors
    /// If it cannot be found or read.
    pub fn load_average(&self) -> Result<[String; 3], Unavailable> {
        let address = self.symbol("avenrun")?;
        let mut words = [0; 3];
        for (word, offset) in words.iter_mut().zip([0, 8, 16]) {
            let read = self.read_u64(address.wrapping_add(offset));
            *word = read.map_err(|source| Unavailable::memory("avenrun", source))?;
        }
        Ok(words.map(load))
    }

    /// Clock rate of the CPU that the kernel booted on, in MHz.
    ///
    /// # Errors
    /// If it cannot be found or read.
    pub fn megahertz(&self) -> Result<u64, Unavailable> {
        let address = self.symbol("cpu_khz")?;
        let read = self.read_u32(address);
        read.map(|khz| u64::from(khz) / 1000)
            .map_err(|source| Unavailable::memory("cpu_khz", source))
    }
}

/// A load of the kernel's fixed-point form with two digits, rounded as the kernel rounds.
fn load(value: u64) -> String {
    let rounded = value.saturating_add((1 << LOAD_SHIFT) / 200);
    let fraction = ((rounded & ((1 << LOAD_SHIFT) - 1)) * 100) >> LOAD_SHIFT;
    format!("{}.{fraction:02}", rounded >> LOAD_SHIFT)
}

#[cfg(test)]
mod tests {
    use super::load;

    /// `LOAD_INT` and `LOAD_FRAC` of `include/linux/sched/loadavg.h`, by hand.
    #[test]
    fn loads_have_two_digits() {
        assert_eq!(load(0), "0.00");
        assert_eq!(load(2048), "1.00");
        assert_eq!(load(2048 + 1024), "1.50");
        assert_eq!(load(41), "0.02");
    }
}
