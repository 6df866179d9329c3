// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is at an address: symbol, stack, object of the slab allocator, page, vmalloc area, module,
//! memory of a process, or a value that is no address at all.
//!
//! [`identify`] asks everything that could know and keeps what each said, as an address is several
//! things at once: a word on a task's stack lies in a vmalloc area and in a page. [`Identity`]
//! displays as one line that names the most telling of them. What could not be told is listed
//! with its reason; nothing is guessed.

mod freed_memory;
mod identity;
mod pattern;
mod places;
mod region;
mod stack;
mod user;
mod words;

use crate::machine::Machine;
use kernel::VirtualMemory as _;
use kernel::tasks::Task;

pub use freed_memory::FreedMemory;
pub use identity::{Identity, ModulePlace, PerCpuPlace};
pub use pattern::{BELOW_NULL, NULL_PAGE, Pattern, Poison};
pub use region::AddressRegion;
pub use stack::{StackOwner, StackPlace};
pub use user::UserPlace;

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
    let unreadable = kernel.read_u8(address).err();
    let mut found = Identity { region, unreadable, ..Identity::of_value(address) };
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
