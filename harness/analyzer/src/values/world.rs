// SPDX-License-Identifier: MIT OR Apache-2.0
//! What expressions are evaluated on.

use debuginfo::Image;

use crate::express::Names;
use crate::machine::Machine;
use kernel::VirtualMemory;

/// The machine whose values are shown.
pub trait World {
    /// Debug information: the kernel first (the dump's own BTF if there is no `vmlinux`), then the
    /// modules in the kernel's order.
    fn images(&self) -> Vec<&Image<'_>>;
    /// Address of a symbol that no image knows, such as one of the dump's own symbol table.
    fn symbol(&self, name: &str) -> Option<u64>;
    /// Symbol that covers an address, and the distance from its start.
    fn symbol_at(&self, address: u64) -> Option<(String, u64)>;
    /// Fills `buffer` from virtual memory.
    ///
    /// # Errors
    /// Why it cannot be read, in words, with the address.
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), String>;
    /// What has to be added to the address of a per-CPU variable for the copy of a CPU.
    ///
    /// # Errors
    /// Why it is not known, in words.
    fn per_cpu_offset(&self, cpu: u32) -> Result<u64, String>;
    /// Numbers of the CPUs that have per-CPU memory.
    fn cpus(&self) -> Vec<u32>;
}

impl World for Machine<'_> {
    fn images(&self) -> Vec<&Image<'_>> {
        let modules = self.modules().filter_map(|(_, file)| file?.image());
        self.kernel().types().into_iter().chain(modules).collect()
    }

    fn symbol(&self, name: &str) -> Option<u64> {
        self.kernel().symbol(name).ok()
    }

    fn symbol_at(&self, address: u64) -> Option<(String, u64)> {
        Names::symbol_at(self, address)
    }

    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), String> {
        self.kernel().read(address, buffer).map_err(|why| why.to_string())
    }

    fn per_cpu_offset(&self, cpu: u32) -> Result<u64, String> {
        self.kernel().percpu_offset(cpu).map_err(|why| why.to_string())
    }

    fn cpus(&self) -> Vec<u32> {
        self.kernel().possible_cpus().unwrap_or_default()
    }
}
