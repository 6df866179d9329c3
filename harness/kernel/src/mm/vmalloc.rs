// SPDX-License-Identifier: MIT OR Apache-2.0
//! Areas of the kernel's address space that are mapped page by page: vmalloc, ioremap, modules,
//! stacks (`mm/vmalloc.c`).
//!
//! Areas are in a red-black tree by address: one tree (`vmap_area_root`) to 6.8, one for each of
//! `vmap_nodes` since.

use crate::{Kernel, Listing, Unavailable, VirtualMemory as _, list};

/// Depth of a tree that is followed; a balanced one of a million areas has 40.
const MAX_DEPTH: usize = 128;
/// Trees that are looked at, at most (the kernel makes up to 128).
const MAX_NODES: u64 = 4096;
/// Areas that are listed at most.
const MAX_AREAS: usize = 1 << 20;
/// Names of the bits of `vm_struct.flags` (`include/linux/vmalloc.h`); the first four have been
/// the same since 2.6.
const FLAGS: [(u64, &str); 4] = [(1, "ioremap"), (2, "vmalloc"), (4, "vmap"), (8, "user mapping")];

/// An area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmArea {
    /// Address of its `struct vmap_area`.
    pub address: u64,
    /// First address.
    pub start: u64,
    /// Behind its last address; a guard page, which is not mapped, is part of most.
    pub end: u64,
    /// What it was made for (`struct vm_struct`), if somebody asked for it by that interface.
    pub user: Option<VmUser>,
}

/// Who asked for an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmUser {
    /// Address of its `struct vm_struct`.
    pub address: u64,
    /// Its kind in a word.
    pub kind: &'static str,
    /// Bytes, the guard page among them.
    pub size: u64,
    /// Pages that were allocated for it.
    pub pages: u64,
    /// Address of code that asked for it, or 0.
    pub caller: u64,
}

impl Kernel<'_> {
    /// The area that holds `address`.
    ///
    /// # Errors
    /// If the tree's root or layout is unknown, or it is damaged.
    pub fn vm_area_at(&self, address: u64) -> Result<Option<VmArea>, Unavailable> {
        for root in self.vm_roots()? {
            if let Some(area) = self.vm_area_below(root, address)? {
                return Ok(Some(area).filter(|area| !self.is_freed(area.address)));
            }
        }
        Ok(None)
    }

    /// Whether the area whose `struct vmap_area` is at `address` was freed: to 4.6 it stays among the
    /// others until it is unmapped, with a flag.
    fn is_freed(&self, address: u64) -> bool {
        const VM_LAZY_FREE: u64 = 1;
        const VM_LAZY_FREEING: u64 = 2;
        let area = self.object("vmap_area", address);
        let flags = || area.number("flags").unwrap_or(0);
        self.has_vm_flags() && flags() & (VM_LAZY_FREE | VM_LAZY_FREEING) != 0
    }

    /// Whether `vmap_area.flags` tell what an area is, as to 5.1.
    fn has_vm_flags(&self) -> bool {
        self.has_field("vmap_area", "flags") && !self.has_field("vmap_area", "subtree_max_size")
    }

    /// The area that held `address` and was freed, as long as it waits to be unmapped for good: the
    /// kernel takes freed areas out of its page tables lazily, many at once. Neighbours that were
    /// freed too may be one with it.
    ///
    /// # Errors
    /// If the kernel keeps no such areas in a form that is known, or they are damaged.
    pub fn freed_vm_area_at(&self, address: u64) -> Result<Option<VmArea>, Unavailable> {
        // A list of its own from 4.7 to 5.12, a tree to 6.8, one for each of `vmap_nodes` since.
        if let Ok(head) = self.symbol("vmap_purge_list") {
            return self.freed_on_list(head, address);
        }
        let places = match self.symbol("purge_vmap_area_root") {
            Ok(root) => vec![root],
            Err(_) => match self.vm_nodes("lazy.root") {
                Err(_) if self.has_vm_flags() => return self.freed_among_others(address),
                places => places?,
            },
        };
        let what = |source| Unavailable::memory("the tree of freed vmalloc areas", source);
        for place in places {
            let root = self.read_u64(place).map_err(what)?;
            if let Some(area) = self.vm_area_below(root, address)? {
                return Ok(Some(VmArea { user: None, ..area }));
            }
        }
        Ok(None)
    }

    fn freed_among_others(&self, address: u64) -> Result<Option<VmArea>, Unavailable> {
        for root in self.vm_roots()? {
            let area = self.vm_area_below(root, address)?;
            if let Some(area) = area.filter(|area| self.is_freed(area.address)) {
                return Ok(Some(VmArea { user: None, ..area }));
            }
        }
        Ok(None)
    }

    fn freed_on_list(&self, head: u64, address: u64) -> Result<Option<VmArea>, Unavailable> {
        let link = self.field("vmap_area", "purge_list")?.offset;
        let what = |source| Unavailable::memory("the list of freed vmalloc areas", source);
        let mut at = self.read_u64(head).map_err(what)?;
        for _ in 0..MAX_AREAS {
            if at == 0 {
                return Ok(None);
            }
            let place = at.wrapping_sub(link);
            let area = self.object("vmap_area", place);
            let (start, end) = (area.number("va_start")?, area.number("va_end")?);
            if (start..end).contains(&address) {
                return Ok(Some(VmArea { address: place, start, end, user: None }));
            }
            at = self.read_u64(at).map_err(what)?;
        }
        Err(Unavailable::Damaged("the list of freed vmalloc areas runs in a circle".to_owned()))
    }

    /// All areas, by address.
    ///
    /// # Errors
    /// If the lists' start or layout is unknown. Damage further on is in the listing.
    pub fn vm_areas(&self) -> Result<Listing<VmArea>, Unavailable> {
        let link = self.field("vmap_area", "list")?.offset;
        let mut areas = Listing::default();
        for head in self.vm_lists()? {
            let links = list::walk(self, head, MAX_AREAS, "a list of vmalloc areas");
            areas.damage.extend(links.damage);
            for at in links.items {
                match self.vm_area(at.wrapping_sub(link)) {
                    Ok(area) if self.is_freed(area.address) => {}
                    Ok(area) => areas.items.push(area),
                    Err(why) => areas.damage.push(why),
                }
            }
        }
        areas.items.sort_by_key(|area| area.start);
        Ok(areas)
    }

    /// Addresses of the lists' heads.
    fn vm_lists(&self) -> Result<Vec<u64>, Unavailable> {
        match self.symbol("vmap_area_list") {
            Ok(head) => Ok(vec![head]),
            Err(_) => self.vm_nodes("busy.head"),
        }
    }

    /// Addresses of the topmost entries of the trees.
    fn vm_roots(&self) -> Result<Vec<u64>, Unavailable> {
        let places = match self.symbol("vmap_area_root") {
            Ok(root) => vec![root],
            Err(_) => self.vm_nodes("busy.root")?,
        };
        let what = |source| Unavailable::memory("the tree of vmalloc areas", source);
        places.into_iter().map(|at| self.read_u64(at).map_err(what)).collect()
    }

    /// Address of a member of each of `vmap_nodes` (6.9 and later).
    fn vm_nodes(&self, member: &str) -> Result<Vec<u64>, Unavailable> {
        let number = |name: &str, size| {
            let what = |source| Unavailable::memory(name, source);
            self.symbol(name).and_then(|at| self.read_number(at, size).map_err(what))
        };
        let (table, count) = (number("vmap_nodes", 8)?, number("nr_vmap_nodes", 4)?);
        let (size, offset) = (self.size_of("vmap_node")?, self.field("vmap_node", member)?.offset);
        let place = |node| table.wrapping_add(node * size).wrapping_add(offset);
        Ok((0..count.min(MAX_NODES)).map(place).collect())
    }

    fn vm_area_below(&self, root: u64, address: u64) -> Result<Option<VmArea>, Unavailable> {
        let link = self.field("vmap_area", "rb_node")?.offset;
        let mut at = root;
        for _ in 0..MAX_DEPTH {
            if at == 0 {
                return Ok(None);
            }
            let area = self.object("vmap_area", at.wrapping_sub(link));
            let node = self.object("rb_node", at);
            if address < area.number("va_start")? {
                at = node.number("rb_left")?;
            } else if address >= area.number("va_end")? {
                at = node.number("rb_right")?;
            } else {
                return self.vm_area(area.address()).map(Some);
            }
        }
        Err(Unavailable::Damaged("the tree of vmalloc areas runs in a circle".to_owned()))
    }

    /// The area whose `struct vmap_area` is at `address`. Its `vm` is only one if it says so: by a
    /// flag to 5.1 (`VM_VM_AREA`), by not being NULL since.
    fn vm_area(&self, address: u64) -> Result<VmArea, Unavailable> {
        const VM_VM_AREA: u64 = 4;
        let area = self.object("vmap_area", address);
        let (start, end) = (area.number("va_start")?, area.number("va_end")?);
        let flagged = self.has_field("vmap_area", "vm")
            && self.has_vm_flags()
            && area.number("flags")? & VM_VM_AREA == 0;
        let vm = if flagged { 0 } else { area.number("vm")? };
        let user = if vm == 0 { None } else { self.vm_user(vm, start) };
        Ok(VmArea { address, start, end, user })
    }

    /// What the `struct vm_struct` at `address` tells, if it is of the area at `start`.
    fn vm_user(&self, address: u64, start: u64) -> Option<VmUser> {
        let vm = self.object("vm_struct", address);
        if vm.number("addr").ok()? != start {
            return None;
        }
        let flags = vm.number("flags").ok()?;
        let kind = FLAGS.iter().find(|(bit, _)| flags & bit != 0).map_or("other", |(_, name)| name);
        Some(VmUser {
            address,
            kind,
            size: vm.number("size").ok()?,
            pages: vm.number("nr_pages").ok()?,
            caller: vm.number("caller").ok()?,
        })
    }
}
