// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which files a report would be better with.

use std::collections::BTreeSet;

use analyzer::context::{crashing, walks};
use analyzer::machine::Machine;
use analyzer::report::Report;
use debuginfo::Image;
use kernel::module_file::ModuleFile;
use kernel::{Kernel, VmlinuxState};

use crate::symbols::Wanted;

/// Files with debug information that a report lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The kernel's release, as `uname -r` prints it.
    pub(crate) release: Option<String>,
    /// The kernel's.
    pub(crate) kernel: Option<Lack>,
    /// Those of the modules that are on a stack of the report or from outside of the kernel's tree, by the names of
    /// the kernel.
    pub(crate) modules: Vec<LackingModule>,
}

/// A file that is lacking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    /// Its build-id, if the dump tells.
    pub(crate) build_id: Option<Vec<u8>>,
    /// Why it is.
    pub(crate) why: Why,
}

/// A module whose file is lacking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LackingModule {
    /// Name in the kernel.
    pub(crate) name: String,
    /// Whether it is from outside of the kernel's tree, so that no package of the kernel has it.
    pub(crate) is_from_outside: bool,
    /// Whether it is on a stack.
    pub(crate) is_on_stack: bool,
    /// The file.
    pub(crate) lack: Lack,
}

/// Why a file is lacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// None was found.
    Absent,
    /// The one that was given or found is of another build.
    Wrong,
    /// It has no debug information.
    Bare,
}

impl Missing {
    /// What a report lacks.
    pub(crate) fn of(machine: &Machine<'_>, report: &Report) -> Self {
        let stacks = &report.backtraces;
        let others = stacks.others.iter().flat_map(|other| &other.frames);
        let frames = stacks.fault.iter().chain(&stacks.panic).chain(others);
        Self::on(machine, &frames.filter_map(|frame| frame.module.as_deref()).collect())
    }

    /// What the stack that crashed lacks, told without a report. The stacks of other tasks may lack more.
    pub(crate) fn of_crash(machine: &Machine<'_>) -> Self {
        let stack =
            crashing(machine.kernel()).map(|crashing| walks(machine, &crashing).fault.frames);
        let stack = stack.iter().flatten();
        let modules = stack.filter_map(|frame| machine.module_at(frame.pc.for_lookup()));
        Self::on(machine, &modules.map(|module| module.name.as_str()).collect())
    }

    /// What is lacking if these modules are on a stack.
    fn on(machine: &Machine<'_>, modules: &BTreeSet<&str>) -> Self {
        let kernel = machine.kernel();
        let lack = why_kernel(kernel).map(|why| Lack { build_id: kernel.build_id().ok(), why });
        let said = Wanted { release: kernel.release(), build_id: None };
        Self {
            release: said.release().map(str::to_owned),
            kernel: lack,
            modules: lacking_modules(machine, modules),
        }
    }

    /// What a text of a kernel lacks that has no file: its release alone tells which it would be.
    pub(crate) fn of_text(release: Option<String>) -> Self {
        let said = Wanted { release, build_id: None };
        let release = said.release().map(str::to_owned);
        let kernel = release.is_some().then_some(Lack { build_id: None, why: Why::Absent });
        Self { release, kernel, modules: Vec::new() }
    }

    /// The release, if it can be a part of a path and of a package's name.
    pub(crate) fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// Whether nothing is.
    pub(crate) fn is_nothing(&self) -> bool {
        self.kernel.is_none() && self.modules.is_empty()
    }
}

/// That a file has no debug information.
fn bare(image: Option<&Image<'_>>) -> Option<Why> {
    image.is_some_and(|image| !image.has_debug_info()).then_some(Why::Bare)
}

/// Why the kernel's file is lacking, if it is.
fn why_kernel(kernel: &Kernel<'_>) -> Option<Why> {
    match kernel.vmlinux() {
        VmlinuxState::Absent | VmlinuxState::Unusable(_) => Some(Why::Absent),
        VmlinuxState::Wrong(_) => Some(Why::Wrong),
        VmlinuxState::Stripped => Some(Why::Bare),
        VmlinuxState::Matches { .. } | VmlinuxState::Unconfirmed => bare(kernel.image()),
    }
}

/// Why a module's file is lacking, if it is.
fn why(file: Option<&ModuleFile<'_>>) -> Option<Why> {
    match file {
        None | Some(ModuleFile::Unusable(_)) => Some(Why::Absent),
        Some(ModuleFile::Wrong(_)) => Some(Why::Wrong),
        Some(ModuleFile::Matches { image, .. } | ModuleFile::Unconfirmed { image }) => {
            bare(Some(image))
        }
        // No file would help.
        Some(ModuleFile::NoSections(_)) => None,
    }
}

fn lacking_modules(machine: &Machine<'_>, named: &BTreeSet<&str>) -> Vec<LackingModule> {
    let mut lacking = Vec::new();
    for (module, file) in machine.modules() {
        let is_on_stack = named.contains(module.name.as_str());
        let is_from_outside = module.taint_letters().contains('O');
        if !is_on_stack && !is_from_outside {
            continue;
        }
        let Some(why) = why(file) else { continue };
        let build_id = machine.kernel().module_build_id(module).ok();
        lacking.push(LackingModule {
            name: module.name.clone(),
            is_from_outside,
            is_on_stack,
            lack: Lack { build_id, why },
        });
    }
    lacking.sort_by(|a, b| a.name.cmp(&b.name));
    lacking
}
