// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is at an address: symbol, stack, object of the slab allocator, page, vmalloc area, module,
//! memory of a process, or a value that is no address at all.
//!
//! [`identify`] asks everything that could know and keeps what each said, as an address is several
//! things at once: a word on a task's stack lies in a vmalloc area and in a page. [`Identity`]
//! displays as one line that names the most telling of them. What could not be told is listed
//! with its reason; nothing is guessed.

mod pattern;
mod places;
mod region;
mod stack;
mod user;
mod words;

use crate::kernel::mm::kfence::KfenceObject;
use crate::kernel::mm::page::Page;
use crate::kernel::mm::slab_object::SlabObject;
use crate::kernel::mm::vmalloc::VmArea;
use crate::kernel::modules::RegionKind;
use crate::kernel::tasks::Task;
use crate::kernel::{Unavailable, VirtualMemory as _};
use crate::machine::Machine;
use crate::printer::CodeName;

pub use pattern::Pattern;
pub use region::AddressRegion;
pub use stack::{StackOwner, StackPlace};
pub use user::UserPlace;

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
    /// Memory that was a module's or the kernel's own code, in words.
    pub gone: Option<String>,
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
    /// The mapping of the crashed (or given) task's process.
    pub user: Option<UserPlace>,
    /// Why memory there cannot be read, if it cannot.
    pub unreadable: Option<String>,
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

/// Tells what is at `address`; an address of user space as the crashed task sees it.
#[must_use]
pub fn identify(machine: &Machine<'_>, address: u64) -> Identity {
    identify_for(machine, address, machine.kernel().crash().task.as_ref())
}

/// Tells what is at `address`; an address of user space as `task` sees it.
#[must_use]
pub fn identify_for(machine: &Machine<'_>, address: u64, task: Option<&Task>) -> Identity {
    let kernel = machine.kernel();
    let region = region::region(kernel, address);
    let mut found = Identity {
        address,
        region,
        pattern: pattern::pattern(address),
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
        user: None,
        unreadable: kernel.read_u8(address).err().map(|why| why.to_string()),
        unknown: Vec::new(),
    };
    match region {
        AddressRegion::NonCanonical => {}
        AddressRegion::User => {
            found.user = found.kept(user::place(kernel, address, task)).flatten();
            if found.user.as_ref().is_some_and(|place| place.physical.is_some()) {
                found.unreadable = None;
            }
        }
        _ => places::fill(machine, &mut found),
    }
    found
}

/// Tells what the word `value` is that was found in memory at `slot`: as [`identify`], and also
/// whether it is a pointer to the next free object, which kernels since 4.14 hide.
#[must_use]
pub fn identify_word(machine: &Machine<'_>, value: u64, slot: u64) -> Identity {
    let mut found = identify(machine, value);
    let kernel = machine.kernel();
    let hidden = || {
        let slab = kernel.slab_at(kernel.space().physical(slot).ok()?).ok()??;
        let (index, _) = slab.slot(slot)?;
        let object = slab.cache.object(slab.base, index);
        let at = object.wrapping_add(slab.cache.free_pointer);
        slab.cache.secret.filter(|_| at == slot)?;
        let next = slab.free_pointer(value, slot)?;
        Some(Pattern::FreePointer { cache: slab.cache.name, next })
    };
    if let Some(pattern) = hidden() {
        found.pattern = Some(pattern);
    }
    found
}

impl Identity {
    /// Keeps why an answer is missing.
    fn kept<T>(&mut self, answer: Result<T, Unavailable>) -> Option<T> {
        match answer {
            Ok(found) => Some(found),
            Err(why) => {
                self.unknown.push(why);
                None
            }
        }
    }
}
