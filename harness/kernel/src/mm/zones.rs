// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nodes, their zones, and the lists of free blocks (`struct zone`, `include/linux/mmzone.h`).

use crate::memory::VirtualMemory as _;
use crate::{Kernel, Unavailable, list};

/// Zones of a node at most (`MAX_NR_ZONES` is 6).
const MAX_ZONES: u64 = 16;
/// Orders of free blocks at most.
const MAX_ORDERS: u64 = 32;
/// Blocks of one list that are counted at most.
const MAX_BLOCKS: usize = 1 << 22;
/// Longest name of a zone.
const MAX_NAME: usize = 32;

/// A zone of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Number of the node's place among the nodes.
    pub node: usize,
    /// Number in the node.
    pub index: u64,
    /// Address of its `struct zone`.
    pub address: u64,
    /// Its name.
    pub name: String,
    /// First page frame.
    pub start: u64,
    /// Page frames, holes among them.
    pub spanned: u64,
    /// Page frames that are memory.
    pub present: u64,
    /// Free pages, by the zone's own counter.
    pub free: u64,
    /// Limits below which memory is freed: `min`, `low`, `high`.
    pub watermarks: [u64; 3],
}

/// Free blocks of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeArea {
    /// They have 2^order pages.
    pub order: u64,
    /// How many there are, by the zone's own counter.
    pub counted: u64,
    /// How many are on its lists.
    pub listed: u64,
}

impl Kernel<'_> {
    /// Addresses of the nodes' `struct pglist_data`.
    ///
    /// # Errors
    /// If they cannot be found or read.
    pub fn memory_nodes(&self) -> Result<Vec<u64>, Unavailable> {
        self.nodes()
    }

    /// The zones of all nodes.
    ///
    /// # Errors
    /// If a node's or zone's layout is unknown, or it cannot be read.
    pub fn zones(&self) -> Result<Vec<Zone>, Unavailable> {
        let array = self.field("pglist_data", "node_zones")?;
        let size = self.size_of("zone")?.max(1);
        let mut zones = Vec::new();
        for (node, at) in self.memory_nodes()?.into_iter().enumerate() {
            for index in 0..(array.size / size).min(MAX_ZONES) {
                let address = at.wrapping_add(array.offset).wrapping_add(index * size);
                zones.push(self.zone(node, index, address)?);
            }
        }
        Ok(zones)
    }

    fn zone(&self, node: usize, index: u64, address: u64) -> Result<Zone, Unavailable> {
        let zone = self.object("zone", address);
        // `_watermark` since 5.0.
        let marks = ["_watermark", "watermark"];
        let marks = marks.into_iter().find(|name| self.has_field("zone", name));
        let mut watermarks = [0; 3];
        for (place, mark) in watermarks.iter_mut().enumerate() {
            if let Some(name) = marks {
                *mark = zone.number(&format!("{name}[{place}]"))?;
            }
        }
        let what = |source| Unavailable::memory("the name of a zone", source);
        let free = self.enumerator("NR_FREE_PAGES").unwrap_or(0);
        Ok(Zone {
            node,
            index,
            address,
            name: self.read_string(zone.number("name")?, MAX_NAME).map_err(what)?,
            start: zone.number("zone_start_pfn")?,
            spanned: zone.number("spanned_pages")?,
            present: zone.number("present_pages")?,
            free: zone.number(&format!("vm_stat[{free}].counter"))?,
            watermarks,
        })
    }

    /// The free blocks of a zone, by size.
    ///
    /// # Errors
    /// If the layout is unknown, or a list is damaged.
    pub fn free_areas(&self, zone: &Zone) -> Result<Vec<FreeArea>, Unavailable> {
        let array = self.field("zone", "free_area")?;
        let size = self.size_of("free_area")?.max(1);
        let lists = self.field("free_area", "free_list")?;
        let types = (lists.size / 16).min(MAX_ZONES);
        let mut areas = Vec::new();
        for order in 0..(array.size / size).min(MAX_ORDERS) {
            let at = zone.address.wrapping_add(array.offset).wrapping_add(order * size);
            let mut listed = 0_u64;
            for kind in 0..types {
                let head = at.wrapping_add(lists.offset).wrapping_add(kind * 16);
                let links = list::walk(self, head, MAX_BLOCKS, "a list of free blocks");
                // Of a zone without memory, lists were never made.
                if zone.present != 0
                    && let Some(why) = links.damage.into_iter().next()
                {
                    return Err(why);
                }
                listed = listed.saturating_add(links.items.len() as u64);
            }
            let counted = self.object("free_area", at).number("nr_free")?;
            areas.push(FreeArea { order, counted, listed });
        }
        Ok(areas)
    }
}
