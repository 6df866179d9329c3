// SPDX-License-Identifier: MIT OR Apache-2.0
//! CPUs and what each has of its own.
//!
//! A per-CPU variable of CPU *n* lies at its symbol plus `__per_cpu_offset[n]`
//! (`arch/x86/kernel/setup_percpu.c`). Up to 6.14 the symbols of x86-64 are offsets near zero,
//! since 6.15 ordinary addresses; the sum is right for both.

use super::memory::VirtualMemory;
use super::{Kernel, Unavailable};

/// CPUs that are looked at, at most (`NR_CPUS` is 8192 at most).
pub const MAX_CPUS: u64 = 8192;

impl Kernel<'_> {
    /// Numbers of the CPUs that were online, in order.
    ///
    /// # Errors
    /// If the mask cannot be found or read.
    pub fn online_cpus(&self) -> Result<Vec<u32>, Unavailable> {
        self.cpu_mask(["__cpu_online_mask", "cpu_online_bits"])
    }

    /// Numbers of the CPUs that were up when the kernel crashed, in order: those online, and those that
    /// `panic()` stopped, which it takes off the online ones and leaves among the active ones
    /// (`stop_this_cpu()`, `arch/x86/kernel/process.c`).
    ///
    /// # Errors
    /// If the mask of those online cannot be found or read.
    pub fn up_cpus(&self) -> Result<Vec<u32>, Unavailable> {
        let mut cpus = self.online_cpus()?;
        let active = self.cpu_mask(["__cpu_active_mask", "cpu_active_bits"]).unwrap_or_default();
        let possible = self.possible_cpus().unwrap_or_default();
        cpus.extend(active.into_iter().filter(|cpu| possible.contains(cpu)));
        cpus.sort_unstable();
        cpus.dedup();
        Ok(cpus)
    }

    /// Numbers of the CPUs that were there and not up, in order.
    ///
    /// # Errors
    /// If a mask cannot be found or read.
    pub fn offline_cpus(&self) -> Result<Vec<u32>, Unavailable> {
        let up = self.up_cpus()?;
        let mut present = self.cpu_mask(["__cpu_present_mask", "cpu_present_bits"])?;
        present.retain(|cpu| !up.contains(cpu));
        Ok(present)
    }

    /// Numbers of the CPUs that could ever be there, in order; only these have per-CPU data.
    ///
    /// # Errors
    /// If the mask cannot be found or read.
    pub fn possible_cpus(&self) -> Result<Vec<u32>, Unavailable> {
        self.cpu_mask(["__cpu_possible_mask", "cpu_possible_bits"])
    }

    /// What is added to a per-CPU symbol for `cpu`.
    ///
    /// # Errors
    /// If the table cannot be found or read, or has no entry for `cpu`.
    pub fn percpu_offset(&self, cpu: u32) -> Result<u64, Unavailable> {
        let offsets = match self.percpu.get() {
            Some(offsets) => offsets,
            None => {
                let offsets = self.percpu_offsets()?;
                self.percpu.get_or_init(|| offsets)
            }
        };
        usize::try_from(cpu)
            .ok()
            .and_then(|cpu| offsets.get(cpu))
            .copied()
            .ok_or_else(|| Unavailable::Damaged(format!("no per-CPU data for CPU {cpu}")))
    }

    /// Address of `cpu`'s copy of the per-CPU variable `name`.
    ///
    /// # Errors
    /// If there is no such symbol or no such CPU.
    pub fn percpu_address(&self, name: &str, cpu: u32) -> Result<u64, Unavailable> {
        Ok(self.symbol(name)?.wrapping_add(self.percpu_offset(cpu)?))
    }

    /// `cpu`'s value of the per-CPU variable `name`, of eight bytes.
    ///
    /// # Errors
    /// If there is no such symbol or CPU, or its memory cannot be read.
    pub fn percpu_u64(&self, name: &str, cpu: u32) -> Result<u64, Unavailable> {
        let address = self.percpu_address(name, cpu)?;
        let what = format!("{name} of CPU {cpu}");
        self.read_u64(address).map_err(|source| Unavailable::memory(&what, source))
    }

    /// A per-CPU variable that was a member of `struct pcpu_hot` in 6.2 to 6.14 and is its own
    /// variable before and after.
    ///
    /// # Errors
    /// If neither is there, or the memory cannot be read.
    pub fn percpu_hot_u64(&self, name: &str, cpu: u32) -> Result<u64, Unavailable> {
        if self.symbol("pcpu_hot").is_ok() && self.has_field("pcpu_hot", name) {
            return self.object("pcpu_hot", self.percpu_address("pcpu_hot", cpu)?).number(name);
        }
        self.percpu_u64(name, cpu)
    }

    /// `__per_cpu_offset[]`, for all CPUs from 0 to the highest possible one.
    fn percpu_offsets(&self) -> Result<Vec<u64>, Unavailable> {
        let table = self.symbol("__per_cpu_offset")?;
        let count = self.possible_cpus()?.last().map_or(0, |last| u64::from(*last) + 1);
        (0..count)
            .map(|cpu| {
                self.read_u64(table.wrapping_add(cpu * 8))
                    .map_err(|source| Unavailable::memory("__per_cpu_offset", source))
            })
            .collect()
    }

    /// Numbers of the bits set in a CPU mask, which had two names.
    fn cpu_mask(&self, names: [&str; 2]) -> Result<Vec<u32>, Unavailable> {
        let address = names
            .iter()
            .find_map(|name| self.symbol(name).ok())
            .ok_or_else(|| Unavailable::Symbol(names[0].to_owned()))?;
        let bytes = self.size_of("cpumask")?.min(MAX_CPUS / 8);
        let length = usize::try_from(bytes).expect("at most a KiB");
        let mask = self
            .read_bytes(address, length)
            .map_err(|source| Unavailable::memory(names[0], source))?;
        let bits = (0_u32..).zip(mask).flat_map(|(index, byte)| {
            (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| index * 8 + bit)
        });
        Ok(bits.collect())
    }
}
