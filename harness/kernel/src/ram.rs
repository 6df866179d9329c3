// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much memory the kernel managed.

use super::memory::VirtualMemory;
use super::{Kernel, Unavailable};

/// Nodes that are looked at, at most (`MAX_NUMNODES` is 1024).
const MAX_NODES: u64 = 1024;
/// Bytes of a page on x86-64.
const PAGE: u64 = 4096;

impl Kernel<'_> {
    /// Bytes of RAM that the kernel knew of: present pages of all NUMA nodes, holes not counted.
    /// It is what crash(8) shows as MEMORY; memory that was reserved (for the capture kernel, for
    /// instance) is in it.
    ///
    /// # Errors
    /// If the nodes cannot be found or read.
    pub fn memory_bytes(&self) -> Result<u64, Unavailable> {
        let mut pages = 0_u64;
        for node in self.nodes()? {
            let present = self.object("pglist_data", node).number("node_present_pages")?;
            pages = pages.saturating_add(present);
        }
        Ok(pages.saturating_mul(PAGE))
    }

    /// Addresses of the nodes' `struct pglist_data`: the entries of `node_data` in use, or the
    /// only one of a kernel without NUMA.
    pub(super) fn nodes(&self) -> Result<Vec<u64>, Unavailable> {
        let Ok(table) = self.symbol("node_data") else {
            return Ok(vec![self.symbol("contig_page_data")?]);
        };
        let length = self.info().length("node_data").unwrap_or(1).min(MAX_NODES);
        let mut nodes = Vec::new();
        for index in 0..length {
            let node = self
                .read_u64(table.wrapping_add(index * 8))
                .map_err(|source| Unavailable::memory("node_data", source))?;
            nodes.extend((node != 0).then_some(node));
        }
        Ok(nodes)
    }
}
