// SPDX-License-Identifier: MIT OR Apache-2.0
//! The head of the report: kernel, dump, task and modules.

use vmcore::DumpInfo;

use crate::claim::Addresses;
use crate::machine::Machine;
use crate::report::{Dump, Kernel, Module, Task};
use kernel::module_file::ModuleFile;
use kernel::uts::Uts;

/// The kernel that crashed. The stable form keeps what an update and another boot do not change.
pub fn kernel(machine: &Machine<'_>, addresses: &mut dyn Addresses) -> Kernel {
    let kernel = machine.kernel();
    let uts = kernel.uts().ok();
    let said = |read: fn(&Uts) -> &String| uts.as_ref().map(|uts| read(uts).clone());
    let build_id = kernel.info().build_id().map(|id| hex(&id));
    let full = Kernel {
        release: said(|uts| &uts.release),
        version: said(|uts| &uts.version),
        machine: said(|uts| &uts.machine),
        build_id,
        kaslr_offset: kernel.kaslr_offset().map(|offset| format!("{offset:#x}")),
        taint: kernel.taint_letters().ok(),
        cpus: kernel.up_cpus().ok().and_then(|cpus| u32::try_from(cpus.len()).ok()),
        memory_bytes: kernel.memory_bytes().ok(),
        uptime_seconds: kernel.uptime_seconds().ok(),
        nodename: said(|uts| &uts.nodename),
    };
    if !addresses.is_stable() {
        return full;
    }
    Kernel { machine: full.machine, taint: full.taint, ..Kernel::default() }
}

/// The file the report was made from.
pub fn dump(info: &DumpInfo) -> Dump {
    Dump {
        format: Some(info.format.to_string()),
        compression: info.compression.map(|codec| codec.to_string()),
        level: info.dump_level,
        complete: Some(info.complete),
    }
}

/// The same in the stable form, to which it does not matter how the file was written.
pub fn stable_dump(info: &DumpInfo) -> Dump {
    Dump { complete: Some(info.complete), ..Dump::default() }
}

/// The task that crashed.
pub fn task(machine: &Machine<'_>, addresses: &mut dyn Addresses) -> Option<Task> {
    let crash = machine.kernel().crash();
    let task = crash.task.as_ref()?;
    Some(Task { cpu: crash.cpu.filter(|_| !addresses.is_stable()), ..of_task(task, addresses) })
}

/// A task.
pub fn of_task(task: &kernel::tasks::Task, addresses: &mut dyn Addresses) -> Task {
    let comm = Some(task.comm.clone());
    if addresses.is_stable() {
        return Task { comm, ..Task::default() };
    }
    let address = addresses.field(task.address);
    Task { pid: Some(task.pid), comm, cpu: task.cpu, address }
}

/// The loaded modules; in the stable form those from outside of the kernel's tree (taint `O`).
pub fn modules(machine: &Machine<'_>, addresses: &mut dyn Addresses) -> Vec<Module> {
    let stable = addresses.is_stable();
    let mut modules = Vec::new();
    for (module, file) in machine.modules() {
        let taint = Some(module.taint_letters()).filter(|letters| !letters.is_empty());
        let outside = taint.as_ref().is_some_and(|letters| letters.contains('O'));
        if stable && !outside {
            continue;
        }
        let build_id = machine.kernel().module_build_id(module).ok();
        modules.push(Module {
            name: module.name.clone(),
            base: module.base().and_then(|base| addresses.field(base)),
            size: Some(module.size()).filter(|_| !stable),
            taint,
            state: Some(module.state.to_string()),
            srcversion: module.srcversion.clone().filter(|_| !stable),
            build_id: build_id.map(|id| hex(&id)).filter(|_| !stable),
            debug_info: file.and_then(ModuleFile::image).is_some(),
        });
    }
    modules
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
