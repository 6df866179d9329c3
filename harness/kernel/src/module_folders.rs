// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modules as sysfs has them: `/sys/module/NAME/sections/`.
//!
//! Situation: the page of one `struct module`, or of the head of their list, is not in the dump. Then the
//! list leads no further, and of the module itself nothing is known. Each loaded module has a folder in
//! sysfs besides, in memory of the slab allocator: with its name, and a file for each of its sections, whose
//! content is the section's address (`kernel/module.c`, later `kernel/module/sysfs.c`). The section
//! `.gnu.linkonce.this_module` is the `struct module` itself.
//!
//! The folder is a `struct kernfs_node` (3.14 and later, `include/linux/kernfs.h`): a red-black tree of its
//! entries, each with its name and, in `priv`, the attribute that it was made of.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::modules::{FoundBy, Module, ModuleState, Region, RegionKind};
use super::text::MODULE_AREA;
use super::trees::Order;
use super::{Kernel, Unavailable, VirtualMemory as _};

/// Entries of all folders together that are looked at, at most: a server has some ten thousand, and in a damaged dump
/// all folders may have the same ones.
const MAX_ENTRIES: usize = 1 << 18;
/// Longest name that is read.
const MAX_NAME: usize = 256;
/// Bytes of a page.
const PAGE: u64 = 4096;
/// The section that is the `struct module`.
const THIS_MODULE: &str = ".gnu.linkonce.this_module";

/// A module's folder.
pub(super) struct Folder {
    pub(super) name: String,
    /// Addresses of its sections; of those for initialisation as they were.
    pub(super) sections: BTreeMap<String, u64>,
}

impl Folder {
    /// Address of the `struct module`.
    pub(super) fn module(&self) -> Option<u64> {
        self.sections.get(THIS_MODULE).copied()
    }
}

impl Kernel<'_> {
    /// The folders of all modules that can be read.
    pub(super) fn module_folders(&self) -> Result<Vec<Folder>, Unavailable> {
        let what = |source| Unavailable::memory("module_kset", source);
        let kset = self.read_u64(self.symbol("module_kset")?).map_err(what)?;
        let top = self.object("kset", kset).number("kobj.sd")?;
        let mut folders = Vec::new();
        let left = Cell::new(MAX_ENTRIES);
        for (name, folder) in self.kernfs_entries(top, &left)? {
            // Code of the kernel that may be a module has a folder without sections.
            let entries = self.kernfs_entries(folder, &left).unwrap_or_default();
            let sections = entries.into_iter().find(|(name, _)| name == "sections");
            let Some((_, sections)) = sections else { continue };
            let sections = self.folder_sections(sections, &left).unwrap_or_default();
            if sections.contains_key(THIS_MODULE) {
                folders.push(Folder { name, sections });
            }
        }
        Ok(folders)
    }

    /// Names and addresses of the entries of a folder of kernfs, as long as some are `left`. What cannot be read is
    /// left out.
    fn kernfs_entries(
        &self,
        folder: u64,
        left: &Cell<usize>,
    ) -> Result<Vec<(String, u64)>, Unavailable> {
        let link = self.field("kernfs_node", "rb")?.offset;
        let top = self.object("kernfs_node", folder).number("dir.children.rb_node")?;
        let nodes = self.rb_nodes(top, Order::Sorted, left.get())?;
        left.set(left.get().saturating_sub(nodes.items.len().max(1)));
        let entry = |node: u64| {
            let address = node.wrapping_sub(link);
            let name = self.object("kernfs_node", address).number("name").ok()?;
            let name = self.read_string(name, MAX_NAME).ok()?;
            (!name.is_empty()).then_some((name, address))
        };
        Ok(nodes.items.into_iter().filter_map(|node| entry(node.address)).collect())
    }

    fn folder_sections(
        &self,
        folder: u64,
        left: &Cell<usize>,
    ) -> Result<BTreeMap<String, u64>, Unavailable> {
        let entries = self.kernfs_entries(folder, left)?.into_iter();
        let address = |file: u64| {
            let attribute = self.object("kernfs_node", file).number("priv").ok()?;
            self.section_of_attribute(attribute).ok()
        };
        Ok(entries.filter_map(|(name, file)| Some((name, address(file)?))).collect())
    }

    /// The address that a section's attribute stands for; its three forms are those of
    /// [`module_sections`](super::module_sections).
    fn section_of_attribute(&self, attribute: u64) -> Result<u64, Unavailable> {
        const ATTR: &str = "module_sect_attr";
        if !self.has_field(ATTR, "address") {
            return self.object("bin_attribute", attribute).number("private");
        }
        let member = if self.has_field(ATTR, "battr") { "battr" } else { "mattr.attr" };
        let start = attribute.wrapping_sub(self.field(ATTR, member)?.offset);
        self.object(ATTR, start).number("address")
    }

    /// What is known of a module by its folder alone.
    pub(super) fn module_of_folder(&self, folder: &Folder) -> Option<Module> {
        Some(Module {
            address: folder.module()?,
            name: folder.name.clone(),
            state: ModuleState::NotRead,
            taints: 0,
            srcversion: None,
            version: None,
            regions: self.regions_of_sections(&folder.sections),
            percpu: None,
            found: FoundBy::Folder,
            sections: Some(folder.sections.clone()),
        })
    }

    /// The memory of the sections that are kept: each reaches to the next one, the last one of an area to that one's end.
    fn regions_of_sections(&self, sections: &BTreeMap<String, u64>) -> Vec<Region> {
        let is_kept = |name: &str| !name.starts_with(".init") && !name.starts_with(".data..percpu");
        let mut starts: Vec<(u64, &str)> = sections
            .iter()
            .filter(|(name, start)| is_kept(name) && MODULE_AREA.contains(start))
            .map(|(name, start)| (*start, name.as_str()))
            .collect();
        starts.sort_unstable();
        let nexts = starts.iter().skip(1).map(|(start, _)| Some(*start)).chain([None]);
        let region = |((start, name), next): (&(u64, &str), Option<u64>)| {
            let size = self.end_of_section(*start, next)?.checked_sub(*start)?;
            let kind = self.kind_of_section(*start, name);
            (size != 0).then_some(Region { kind, init: false, start: *start, size })
        };
        starts.iter().zip(nexts).filter_map(region).collect()
    }

    /// Where a section ends at the latest.
    fn end_of_section(&self, start: u64, next: Option<u64>) -> Option<u64> {
        let area = self.vm_area_at(start).ok().flatten();
        let guard = |pages: u64| if pages == 0 { 0 } else { PAGE };
        let end = area.map(|area| area.end - guard(area.user.map_or(0, |user| user.pages)));
        match (end, next) {
            (Some(end), Some(next)) => Some(end.min(next)),
            (Some(end), None) => Some(end),
            // Of an area that is not known, no more than the page is taken for the section's.
            (None, next) => {
                let page = (start | (PAGE - 1)).checked_add(1)?;
                Some(next.filter(|next| *next < page).unwrap_or(page))
            }
        }
    }

    /// What a section holds: as its page is mapped, or by its name.
    fn kind_of_section(&self, start: u64, name: &str) -> RegionKind {
        match self.space().mapping(start) {
            Ok(mapping) if mapping.executable => RegionKind::Text,
            Ok(mapping) if mapping.writable => RegionKind::Data,
            Ok(_) => RegionKind::ReadOnly,
            Err(_) if name.starts_with(".text") || name.ends_with(".text") => RegionKind::Text,
            Err(_) if name.starts_with(".data") || name.starts_with(".bss") => RegionKind::Data,
            Err(_) => RegionKind::ReadOnly,
        }
    }
}
