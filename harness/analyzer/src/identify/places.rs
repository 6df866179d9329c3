// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a kernel address is.

use super::{AddressRegion, Identity, ModulePlace, PerCpuPlace, stack};
use crate::express::Names as _;
use crate::machine::Machine;
use crate::printer::CodeNames as _;
use kernel::Kernel;
use kernel::modules::Module;
use kernel::tasks::Task;

/// Asks everything that could know an address of the kernel's half.
pub(super) fn fill(machine: &Machine<'_>, found: &mut Identity) {
    let kernel = machine.kernel();
    let address = found.address;
    if matches!(found.region, AddressRegion::Image | AddressRegion::Modules) {
        found.module =
            kernel.module_at(address).map(|module| module_place(kernel, module, address));
        found.gone = machine.gone(address);
        if found.gone.is_none() {
            found.symbol = machine.code_name(address).filter(|_| machine.is_inside_symbol(address));
        }
    }
    found.per_cpu = per_cpu(machine, address);
    found.stack = stack::place(kernel, address);
    found.task = task(kernel, address);
    if matches!(found.region, AddressRegion::Vmalloc | AddressRegion::Modules) {
        found.vm_area = found.kept(kernel.vm_area_at(address)).flatten();
        if found.vm_area.is_none() && found.region == AddressRegion::Vmalloc {
            // Not every kernel keeps them, and none for long.
            found.freed_area = kernel.freed_vm_area_at(address).ok().flatten();
        }
    }
    if found.region == AddressRegion::PageArray {
        let end = kernel.vmcore().info().max_pfn.0;
        found.page_entry = kernel.page_array().ok().and_then(|array| array.frame(address, end));
    }
    memory(kernel, found);
}

/// The page, and the object of the slab allocator in it.
fn memory(kernel: &Kernel<'_>, found: &mut Identity) {
    let Ok(physical) = kernel.space().physical(found.address) else { return };
    found.page = found.kept(kernel.page_at(physical));
    if kernel.is_kfence(found.address) {
        let object = found.kept(kernel.kfence_object(found.address)).flatten();
        found.kfence = object.map(Box::new);
        return;
    }
    // Slabs are used through the mapping of all memory and nothing else.
    if found.region == AddressRegion::DirectMap {
        let slab = found.kept(kernel.slab_at(physical)).flatten();
        found.slab = slab.and_then(|slab| kernel.slab_object(slab, found.address)).map(Box::new);
    }
}

fn module_place(kernel: &Kernel<'_>, module: &Module, address: u64) -> ModulePlace {
    let region = module.region_at(address);
    let sections = kernel.module_sections(module).unwrap_or_default();
    let below = sections.into_iter().filter(|(name, start)| {
        name != ".data..percpu"
            && *start <= address
            && region.is_some_and(|region| region.contains(*start))
    });
    let section = below.max_by_key(|(_, start)| *start);
    let start = section.as_ref().map(|(_, start)| *start);
    let start = start.or_else(|| region.map(|region| region.start)).unwrap_or(address);
    ModulePlace {
        name: module.name.clone(),
        kind: region.map_or(kernel::modules::RegionKind::Data, |region| region.kind),
        init: region.is_some_and(|region| region.init),
        section: section.map(|(name, _)| name),
        offset: address - start,
    }
}

/// The per-CPU variable at an address: the CPU whose memory for the variables of the kernel's image
/// holds it, or for those of a module.
fn per_cpu(machine: &Machine<'_>, address: u64) -> Option<PerCpuPlace> {
    let kernel = machine.kernel();
    let start = kernel.symbol("__per_cpu_start").ok()?;
    let size = kernel.symbol("__per_cpu_end").ok()?.checked_sub(start)?;
    let modules = kernel.modules().map(|all| all.items.as_slice()).unwrap_or_default();
    for cpu in kernel.possible_cpus().ok()? {
        let offset = address.wrapping_sub(kernel.percpu_offset(cpu).ok()?);
        if offset.wrapping_sub(start) < size {
            let symbol = machine.per_cpu_symbol(offset);
            let (variable, offset) = match symbol {
                Some((name, distance)) => (Some(name), distance),
                None => (None, offset.wrapping_sub(start)),
            };
            return Some(PerCpuPlace { cpu, variable, offset });
        }
        for module in modules {
            let Some((first, size)) = module.percpu else { continue };
            let inside = offset.wrapping_sub(first);
            if inside < size {
                let variable = Some(format!(".data..percpu of [{}]", module.name));
                return Some(PerCpuPlace { cpu, variable, offset: inside });
            }
        }
    }
    None
}

/// The task whose `task_struct` holds an address.
fn task(kernel: &Kernel<'_>, address: u64) -> Option<Task> {
    let size = kernel.size_of("task_struct").ok()?;
    let tasks = kernel.tasks().ok()?.items.iter();
    // The size that the type has may be more than was allocated: the registers at the end of it are
    // as large as the CPU's. So the next task may begin within.
    let below = tasks.filter(|task| address.wrapping_sub(task.address) < size);
    below.max_by_key(|task| task.address).cloned()
}
