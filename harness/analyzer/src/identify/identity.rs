// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that is known of an address, as typed facts.

use super::pattern::pattern;
use super::{AddressRegion, Pattern, StackPlace, UserPlace};
use crate::gone::Gone;
use crate::printer::CodeName;
use kernel::Unavailable;
use kernel::Unreadable;
use kernel::mm::kfence::KfenceObject;
use kernel::mm::page::Page;
use kernel::mm::slab_object::SlabObject;
use kernel::mm::vmalloc::VmArea;
use kernel::modules::RegionKind;
use kernel::tasks::Task;

/// All that is known of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The address.
    pub address: u64,
    /// What part of the address space it lies in.
    pub region: AddressRegion,
    /// What value it is known as, where it is not meant for an address.
    pub pattern: Option<Pattern>,
    /// The symbol that covers it, in the kernel's image or a module.
    pub symbol: Option<CodeName>,
    /// The per-CPU variable that it belongs to, and of which CPU.
    pub per_cpu: Option<PerCpuPlace>,
    /// The module that it belongs to.
    pub module: Option<ModulePlace>,
    /// Memory that was a module's or the kernel's own.
    pub gone: Option<Gone>,
    /// The stack that it is on, or the guard below it.
    pub stack: Option<StackPlace>,
    /// The `task_struct` that it lies in.
    pub task: Option<Task>,
    /// The object of the slab allocator.
    pub slab: Option<Box<SlabObject>>,
    /// The object of KFENCE, which takes places of its own for some objects of the slab allocator.
    pub kfence: Option<Box<KfenceObject>>,
    /// The page frame that is mapped there.
    pub page: Option<Page>,
    /// The page frame whose `struct page` it lies in.
    pub page_entry: Option<u64>,
    /// The vmalloc area.
    pub vm_area: Option<VmArea>,
    /// The vmalloc area that was there and is freed, where there is none now.
    pub freed_area: Option<VmArea>,
    /// The mapping of the crashed (or given) task's process.
    pub user: Option<UserPlace>,
    /// Why memory there cannot be read, if it cannot.
    pub unreadable: Option<Unreadable>,
    /// What could not be told.
    pub unknown: Vec<Unavailable>,
}

/// A place in a per-CPU variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerCpuPlace {
    /// The CPU.
    pub cpu: u32,
    /// Name of the variable, where it is known: what was allocated at run time has none.
    pub variable: Option<String>,
    /// Distance from the variable's start, or from that of the CPU's memory.
    pub offset: u64,
}

/// A place in a module's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModulePlace {
    /// The module.
    pub name: String,
    /// What the region holds.
    pub kind: RegionKind,
    /// Whether the region goes away after initialisation.
    pub init: bool,
    /// Name of the section, where the kernel keeps it.
    pub section: Option<String>,
    /// Distance from the section's start, or the region's.
    pub offset: u64,
}

impl Identity {
    /// What the value alone tells.
    #[must_use]
    pub fn of_value(address: u64) -> Self {
        Self {
            address,
            region: AddressRegion::Other,
            pattern: pattern(address),
            symbol: None,
            per_cpu: None,
            module: None,
            gone: None,
            stack: None,
            task: None,
            slab: None,
            kfence: None,
            page: None,
            page_entry: None,
            vm_area: None,
            freed_area: None,
            user: None,
            unreadable: None,
            unknown: Vec::new(),
        }
    }

    /// Keeps why an answer is missing.
    pub(super) fn kept<T>(&mut self, answer: Result<T, Unavailable>) -> Option<T> {
        match answer {
            Ok(found) => Some(found),
            Err(why) => {
                self.unknown.push(why);
                None
            }
        }
    }
}
