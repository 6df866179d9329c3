// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loaded modules: the kernel's list, and where each one's parts lie.
//!
//! `struct module` (`include/linux/module.h`) had three layouts: one area described by
//! `module_core` and sizes (to 4.4), `core_layout` and `init_layout` (4.5 to 6.3), and seven
//! areas `mem[]` that need not touch each other (6.4 and later).

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use klog::Body;

use super::{Kernel, Listing, Unavailable, list, taint};

/// Modules that are listed at most; far more than any kernel loads.
const MAX_MODULES: usize = 65_536;
/// Bytes of one area that are believed (`MODULES_LEN` is 1.5 GiB).
const MAX_AREA: u64 = 2 << 30;

/// A loaded module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Address of its `struct module`.
    pub address: u64,
    /// Name as `lsmod` prints it.
    pub name: String,
    /// How far loading or unloading has got.
    pub state: ModuleState,
    /// Taint flags; [`Module::taint_letters`] has them as letters.
    pub taints: u64,
    /// Hash of its sources that `modpost` computed, if it has one.
    pub srcversion: Option<String>,
    /// `MODULE_VERSION`, if it has one.
    pub version: Option<String>,
    /// Memory it occupies, by address.
    pub regions: Vec<Region>,
    /// Per-CPU offset of its `.data..percpu` and the section's size, if it has one.
    pub percpu: Option<(u64, u64)>,
    /// How it was found.
    pub found: FoundBy,
    /// Addresses of its sections by name, where they are not in its `struct module`.
    pub(super) sections: Option<BTreeMap<String, u64>>,
}

/// How a module was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// On the kernel's list.
    List,
    /// By its folder in sysfs, since the list does not lead to it.
    FolderOnly,
    /// By its folder in sysfs, which is all that is known of it: its `struct module` cannot be read.
    Folder,
}

/// How far loading or unloading of a module has got (`enum module_state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleState {
    /// In use.
    Live,
    /// Its init function runs.
    Coming,
    /// Its exit function runs, or it is being taken away.
    Going,
    /// Being set up.
    Unformed,
    /// No value that any kernel has.
    Unknown(u64),
    /// It cannot be read.
    NotRead,
}

impl ModuleState {
    const fn new(value: u64) -> Self {
        match value {
            0 => Self::Live,
            1 => Self::Coming,
            2 => Self::Going,
            3 => Self::Unformed,
            other => Self::Unknown(other),
        }
    }
}

impl std::fmt::Display for ModuleState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::Coming => f.write_str("coming"),
            Self::Going => f.write_str("going"),
            Self::Unformed => f.write_str("unformed"),
            Self::Unknown(value) => write!(f, "unknown ({value})"),
            Self::NotRead => f.write_str("not known"),
        }
    }
}

/// A piece of a module's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// What it holds.
    pub kind: RegionKind,
    /// Whether it goes away once the module is initialised.
    pub init: bool,
    /// First address.
    pub start: u64,
    /// Bytes.
    pub size: u64,
}

impl Region {
    /// Whether `address` lies in it.
    #[must_use]
    pub const fn contains(&self, address: u64) -> bool {
        match address.checked_sub(self.start) {
            Some(offset) => offset < self.size,
            None => false,
        }
    }
}

/// What a region holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegionKind {
    /// Code.
    Text,
    /// Constants.
    ReadOnly,
    /// Data that is not written after initialisation (not told apart before 4.5).
    ReadOnlyAfterInit,
    /// Data.
    Data,
}

impl Module {
    /// Taint letters, as the kernel prints them behind the module's name (`OE`).
    #[must_use]
    pub fn taint_letters(&self) -> String {
        taint::letters(self.taints)
    }

    /// First address of the module's text: what crash(8) and `/proc/modules` call its base.
    #[must_use]
    pub fn base(&self) -> Option<u64> {
        self.regions
            .iter()
            .find(|region| region.kind == RegionKind::Text && !region.init)
            .map(|region| region.start)
    }

    /// Bytes it occupies without what goes away after initialisation.
    #[must_use]
    pub fn size(&self) -> u64 {
        let kept = self.regions.iter().filter(|region| !region.init);
        kept.fold(0, |sum, region| sum.saturating_add(region.size))
    }

    /// The piece of its memory that holds `address`.
    #[must_use]
    pub fn region_at(&self, address: u64) -> Option<&Region> {
        self.regions.iter().find(|region| region.contains(address))
    }
}

impl Kernel<'_> {
    /// Loaded modules in the kernel's order, youngest first.
    ///
    /// # Errors
    /// If the list's start is unknown. Damage further on is in the listing.
    pub fn modules(&self) -> Result<&Listing<Module>, Unavailable> {
        self.modules.get_or_init(|| self.list_modules()).as_ref().map_err(Clone::clone)
    }

    /// The module whose memory holds `address`.
    #[must_use]
    pub fn module_at(&self, address: u64) -> Option<&Module> {
        let modules = self.modules().ok()?;
        modules.items.iter().find(|module| module.region_at(address).is_some())
    }

    /// The loaded module of this name.
    #[must_use]
    pub fn module_named(&self, name: &str) -> Option<&Module> {
        self.modules().ok()?.items.iter().find(|module| module.name == name)
    }

    fn list_modules(&self) -> Result<Listing<Module>, Unavailable> {
        let link = self.field("module", "list")?.offset;
        let head = self.symbol("modules")?;
        let links = list::walk_both_ways(self, head, MAX_MODULES, "the list of modules");
        let mut modules = Listing { items: Vec::new(), damage: links.damage };
        for at in links.items {
            match self.read_module(at.wrapping_sub(link)) {
                Ok(module) => modules.items.push(module),
                Err(why) => modules.damage.push(why),
            }
        }
        if !modules.damage.is_empty() {
            self.find_modules_otherwise(&mut modules);
        }
        self.complete_taints(&mut modules);
        Ok(modules)
    }

    /// Adds those that have a folder in sysfs and are not on the list.
    fn find_modules_otherwise(&self, modules: &mut Listing<Module>) {
        let mut known: BTreeSet<String> =
            modules.items.iter().map(|module| module.name.clone()).collect();
        for folder in self.module_folders().unwrap_or_default() {
            if !known.insert(folder.name.clone()) {
                continue;
            }
            let read = folder.module().and_then(|address| self.read_module(address).ok());
            let whole = read.filter(|module| module.name == folder.name);
            let whole = whole.map(|module| Module { found: FoundBy::FolderOnly, ..module });
            modules.items.extend(whole.or_else(|| self.module_of_folder(&folder)));
        }
    }

    /// Takes from the kernel's log which taint flags the modules have whose own cannot be read.
    fn complete_taints(&self, modules: &mut Listing<Module>) {
        let logged = OnceCell::new();
        for module in &mut modules.items {
            let own = self.object("module", module.address).number("taints");
            let Err(why @ Unavailable::Memory { .. }) = own else { continue };
            let logged: &BTreeMap<String, u64> = logged.get_or_init(|| self.logged_taints());
            module.taints = logged.get(&module.name).copied().unwrap_or(0);
            modules.damage.push(why);
        }
    }

    /// The taint flags of modules as the log has them last (`Modules linked in: process(OE)`).
    fn logged_taints(&self) -> BTreeMap<String, u64> {
        let lines = self.log().map(|log| log.items.as_slice()).unwrap_or_default();
        let listed = lines.iter().filter_map(|line| match Body::parse(&line.text) {
            Body::Modules(modules) => Some(modules.loaded),
            _ => None,
        });
        listed.flatten().map(|module| (module.name, taint::mask(&module.taint))).collect()
    }

    fn read_module(&self, address: u64) -> Result<Module, Unavailable> {
        let module = self.object("module", address);
        // Both are built in only with the options for them.
        let percpu = module.number("percpu").ok().zip(module.number("percpu_size").ok());
        let taints = module.number("taints").unwrap_or(0);
        Ok(Module {
            address,
            name: module.text("name")?,
            state: ModuleState::new(module.number("state")?),
            taints,
            srcversion: module.string("srcversion").ok().flatten(),
            version: module.string("version").ok().flatten(),
            regions: self.module_regions(address)?,
            percpu: percpu.filter(|(_, size)| *size != 0),
            found: FoundBy::List,
            sections: None,
        })
    }

    /// The memory of the `struct module` at `address`, by address.
    fn module_regions(&self, address: u64) -> Result<Vec<Region>, Unavailable> {
        let mut regions = if self.has_field("module", "mem") {
            self.regions_of_mem(address)?
        } else {
            self.regions_of_areas(address)?
        };
        regions.retain(|region| region.start != 0 && region.size != 0 && region.size <= MAX_AREA);
        regions.sort_by_key(|region| (region.start, region.kind));
        Ok(regions)
    }

    /// Layout of 6.4 and later. The places in `mem[]` are `enum mod_mem_type`.
    fn regions_of_mem(&self, address: u64) -> Result<Vec<Region>, Unavailable> {
        const TYPES: [(&str, RegionKind, bool); 7] = [
            ("MOD_TEXT", RegionKind::Text, false),
            ("MOD_DATA", RegionKind::Data, false),
            ("MOD_RODATA", RegionKind::ReadOnly, false),
            ("MOD_RO_AFTER_INIT", RegionKind::ReadOnlyAfterInit, false),
            ("MOD_INIT_TEXT", RegionKind::Text, true),
            ("MOD_INIT_DATA", RegionKind::Data, true),
            ("MOD_INIT_RODATA", RegionKind::ReadOnly, true),
        ];
        let module = self.object("module", address);
        let mut regions = Vec::new();
        for (place, (name, kind, init)) in (0_i64..).zip(TYPES) {
            let known = self.types().ok().and_then(|types| types.enumerator(name).found());
            let place = known.unwrap_or(place);
            let start = module.number(&format!("mem[{place}].base"))?;
            let size = module.number(&format!("mem[{place}].size"))?;
            regions.push(Region { kind, init, start, size });
        }
        Ok(regions)
    }

    /// Layouts to 6.3: an area that stays and one for initialisation, each with text first, then
    /// constants, then data; `ro_size` and the like count from the area's start.
    fn regions_of_areas(&self, address: u64) -> Result<Vec<Region>, Unavailable> {
        let module = self.object("module", address);
        let layouts = self.has_field("module", "core_layout");
        let mut regions = Vec::new();
        for (area, init) in [("core", false), ("init", true)] {
            let path = |part: &str| match (layouts, part) {
                (true, _) => format!("{area}_layout.{part}"),
                (false, "base") => format!("module_{area}"),
                (false, _) => format!("{area}_{part}"),
            };
            let (start, size) = (module.number(&path("base"))?, module.number(&path("size"))?);
            let text = module.number(&path("text_size"))?.min(size);
            let constants = module.number(&path("ro_size")).unwrap_or(text).clamp(text, size);
            let sealed = module
                .number(&path("ro_after_init_size"))
                .unwrap_or(constants)
                .clamp(constants, size);
            let ends = [
                (RegionKind::Text, 0, text),
                (RegionKind::ReadOnly, text, constants),
                (RegionKind::ReadOnlyAfterInit, constants, sealed),
                (RegionKind::Data, sealed, size),
            ];
            regions.extend(ends.map(|(kind, from, to)| Region {
                kind,
                init,
                start: if start == 0 { 0 } else { start.saturating_add(from) },
                size: to - from,
            }));
        }
        Ok(regions)
    }
}
