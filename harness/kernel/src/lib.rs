// SPDX-License-Identifier: MIT OR Apache-2.0
//! The crashed kernel, as its dump shows it: address space, per-CPU data, tasks, stacks, modules,
//! log.
//!
//! [`Kernel`] is opened from a dump and, if there is one, its `vmlinux`. Everything is read when
//! it is first asked for. Layouts of structures come from debug information; where they changed
//! between kernels, the question is which members exist, not which version it is.
//!
//! Addresses are run-time virtual addresses of the crashed kernel unless they are a
//! [`vmcore::PhysAddr`].
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod ages;
mod around;
mod btf;
mod build_id;
mod clock;
pub mod cpus;
pub mod crash;
pub mod crash_notes;
mod direct_map;
mod find_info;
pub mod fs;
mod generated;
mod identity;
pub mod irqs;
pub mod kallsyms;
mod kallsyms_search;
mod kallsyms_tables;
mod layouts;
mod layouts_of_3_10;
mod list;
mod located;
pub mod locks;
pub mod log;
mod log_line;
mod log_records;
mod log_ring;
pub mod memory;
pub mod mm;
pub mod module_file;
mod module_folders;
pub mod module_sections;
pub mod module_symbols;
pub mod modules;
pub mod object;
pub mod oops;
pub mod paging;
pub mod queued_lock;
mod ram;
pub mod runqueues;
pub mod saved;
pub mod space;
pub mod stack_ends;
mod stacks;
pub mod taint;
pub mod tasks;
pub mod text;
pub mod timers;
mod trampolines;
pub mod trees;
pub mod unloaded;
pub mod unreadable;
mod uptime;
mod usual_offset;
pub mod uts;
pub mod workqueues;

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;

use debuginfo::{Field, Files, Image};
use unwind::Stack;
use vmcore::{Problem, Vmcore, VmcoreInfo};

pub use around::Around;
pub use direct_map::DirectMap;
pub use find_info::{FoundInfo, find_info};
pub use identity::{VmlinuxState, WrongVmlinux, release_of};
pub use located::{Misplaced, Place};
pub use memory::VirtualMemory;
pub use unreadable::{Level, Listing, Unavailable, Unreadable};

use crash::Crash;
use kallsyms::Kallsyms;
use log::LogLine;
use mm::own_pages::OwnBlock;
use mm::page_flags::PageFlags;
use modules::Module;
use space::{AddressSpace, Layout};
use tasks::Task;

/// Why a dump cannot be looked into at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Without VMCOREINFO the kernel's memory is not found in the dump.
    #[error("the dump has no VMCOREINFO, and none was found in its memory")]
    NoVmcoreInfo,
    /// The dump names a kernel and has nothing of it.
    #[error(
        "the dump has VMCOREINFO and no memory of the kernel that it is of: neither its name nor its log \
         nor a task can be read ({0})"
    )]
    NoKernel(Unavailable),
    /// What there is of a split dump has nothing of the kernel.
    #[error("the kernel's memory is in another file of the split dump")]
    InAnotherFile,
}

/// The crashed kernel.
#[derive(Debug)]
pub struct Kernel<'a> {
    vmcore: &'a Vmcore<'a>,
    info: Cow<'a, VmcoreInfo>,
    misplaced: Option<Misplaced>,
    space: AddressSpace<'a>,
    image: Option<Image<'a>>,
    vmlinux: VmlinuxState,
    btf: OnceCell<Result<Image<'static>, Unavailable>>,
    layouts: OnceCell<Option<Image<'static>>>,
    kaslr: Option<u64>,
    symbols: RefCell<BTreeMap<String, Option<u64>>>,
    fields: RefCell<BTreeMap<String, Option<Field>>>,
    sizes: RefCell<BTreeMap<String, Option<u64>>>,
    enumerators: RefCell<BTreeMap<String, Option<i64>>>,
    percpu: OnceCell<Vec<u64>>,
    kallsyms: OnceCell<Result<Kallsyms, Unavailable>>,
    log: OnceCell<Result<Listing<LogLine>, Unavailable>>,
    tasks: OnceCell<Result<Listing<Task>, Unavailable>>,
    modules: OnceCell<Result<Listing<Module>, Unavailable>>,
    module_symbols: RefCell<BTreeMap<u64, module_symbols::Known>>,
    /// Where the sections of modules are or were, by the addresses of their structures.
    module_sections: RefCell<BTreeMap<u64, module_sections::Known>>,
    text: OnceCell<Vec<Range<u64>>>,
    crash: OnceCell<Crash>,
    page_flags: OnceCell<Result<PageFlags, Unavailable>>,
    own_pages: OnceCell<BTreeMap<u64, OwnBlock>>,
    near_stacks: OnceCell<Vec<Stack>>,
    all_stacks: OnceCell<Vec<Stack>>,
    /// Each possible CPU with the task that runs on it.
    running: OnceCell<Vec<(u32, Task)>>,
    /// Where the scheduler saves registers.
    saved: OnceCell<Option<saved::Saved>>,
    /// Code that the kernel made while it ran.
    generated: OnceCell<Vec<generated::Generated>>,
    /// What was read around missing page tables, and what that goes by: the mapping of all memory, and the page
    /// frames of pages in areas, of which one is looked for at a time.
    around: Cell<Around>,
    told_direct_map: OnceCell<Option<DirectMap>>,
    frames: RefCell<BTreeMap<u64, Option<u64>>>,
    in_area: Cell<bool>,
    /// While what that goes by is read itself.
    only_tables: Cell<bool>,
}

impl<'a> Kernel<'a> {
    /// Looks into a dump. A `vmlinux` that is not the dump's is not used:
    /// [`vmlinux`](Self::vmlinux) tells. A kernel that is not where the dump says is searched for:
    /// [`misplaced`](Self::misplaced) tells.
    ///
    /// # Errors
    /// If the dump does not say where the kernel is.
    pub fn open(vmcore: &'a Vmcore<'a>, vmlinux: Option<Files<'a>>) -> Result<Self, OpenError> {
        let info = vmcore.vmcoreinfo();
        if info.is_empty() {
            return Err(OpenError::NoVmcoreInfo);
        }
        let kernel = Self::at(vmcore, Cow::Borrowed(info), vmlinux);
        if located::is_in_doubt(&kernel, vmlinux)
            && let Some(found) = located::search(vmcore, info, vmlinux)
        {
            let kernel = Self::at(vmcore, Cow::Owned(found.info), vmlinux);
            return Ok(Self { misplaced: Some(found.misplaced), ..kernel });
        }
        Ok(kernel)
    }

    /// The kernel where `info` has it.
    fn at(vmcore: &'a Vmcore<'a>, info: Cow<'a, VmcoreInfo>, vmlinux: Option<Files<'a>>) -> Self {
        let space = AddressSpace::new(vmcore, Layout::of(vmcore, &info));
        let checked = identity::check(&space, &info, vmlinux);
        Self {
            vmcore,
            info,
            misplaced: None,
            space,
            image: checked.image,
            vmlinux: checked.state,
            btf: OnceCell::new(),
            layouts: OnceCell::new(),
            kaslr: checked.kaslr,
            symbols: RefCell::default(),
            fields: RefCell::default(),
            sizes: RefCell::default(),
            enumerators: RefCell::default(),
            percpu: OnceCell::new(),
            kallsyms: OnceCell::new(),
            log: OnceCell::new(),
            tasks: OnceCell::new(),
            modules: OnceCell::new(),
            module_symbols: RefCell::default(),
            module_sections: RefCell::default(),
            text: OnceCell::new(),
            crash: OnceCell::new(),
            page_flags: OnceCell::new(),
            own_pages: OnceCell::new(),
            near_stacks: OnceCell::new(),
            all_stacks: OnceCell::new(),
            running: OnceCell::new(),
            saved: OnceCell::new(),
            generated: OnceCell::new(),
            around: Cell::default(),
            told_direct_map: OnceCell::new(),
            frames: RefCell::default(),
            in_area: Cell::new(false),
            only_tables: Cell::new(false),
        }
    }

    /// Looks whether anything of the kernel can be read: what it calls itself, a line of its log, a task.
    ///
    /// # Errors
    /// If nothing can; its memory is not in the dump then, or all of it is something else.
    pub fn presence(&self) -> Result<(), OpenError> {
        let Err(why) = self.uts() else { return Ok(()) };
        let has_log = self.log().is_ok_and(|log| !log.items.is_empty());
        let has_task = || self.tasks().is_ok_and(|tasks| !tasks.items.is_empty());
        if has_log || !self.running().is_empty() || has_task() {
            return Ok(());
        }
        let is_gap = |problem: &Problem| matches!(problem, Problem::SetGap { .. });
        match self.vmcore.problems().iter().any(is_gap) {
            true => Err(OpenError::InAnotherFile),
            false => Err(OpenError::NoKernel(why)),
        }
    }

    /// The dump.
    #[must_use]
    pub const fn vmcore(&self) -> &'a Vmcore<'a> {
        self.vmcore
    }

    /// What the kernel wrote down about itself for readers of its dump; of one that was found elsewhere, as it
    /// would be of a kernel there.
    #[must_use]
    pub fn info(&self) -> &VmcoreInfo {
        &self.info
    }

    /// That the kernel is not where the dump says.
    #[must_use]
    pub const fn misplaced(&self) -> Option<&Misplaced> {
        self.misplaced.as_ref()
    }

    /// The kernel's address space.
    #[must_use]
    pub const fn space(&self) -> &AddressSpace<'a> {
        &self.space
    }

    /// The kernel's own image, if a `vmlinux` was given and is the right one.
    #[must_use]
    pub const fn image(&self) -> Option<&Image<'a>> {
        self.image.as_ref()
    }

    /// The kernel's types: of the `vmlinux`, or without one the BTF in the dump's own memory.
    ///
    /// # Errors
    /// If there is neither.
    pub fn types(&self) -> Result<&Image<'a>, Unavailable> {
        match &self.image {
            Some(image) => Ok(image),
            None => {
                let read = || self.by_tables_alone(|| btf::read(self));
                self.btf.get_or_init(read).as_ref().map_err(Clone::clone)
            }
        }
    }

    /// What tells the layouts of the kernel's structures: its types, or where there are none what
    /// is known of such kernels without them.
    fn layouts(&self) -> Option<&Image<'a>> {
        self.types().ok().or_else(|| self.known_layouts())
    }

    /// Whether layouts are known though there are no types.
    #[must_use]
    pub fn has_known_layouts(&self) -> bool {
        self.types().is_err() && self.known_layouts().is_some()
    }

    /// What became of the `vmlinux` given.
    #[must_use]
    pub const fn vmlinux(&self) -> &VmlinuxState {
        &self.vmlinux
    }

    /// Run-time minus link-time address of the kernel's text.
    #[must_use]
    pub const fn kaslr_offset(&self) -> Option<u64> {
        self.kaslr
    }

    /// Run-time address of a symbol of the kernel; of a per-CPU variable what is to be added to a
    /// CPU's offset.
    ///
    /// # Errors
    /// If VMCOREINFO, `vmlinux` and, without that, the kernel's own table do not know it.
    pub fn symbol(&self, name: &str) -> Result<u64, Unavailable> {
        if let Some(known) = self.symbols.borrow().get(name) {
            return known.ok_or_else(|| Unavailable::Symbol(name.to_owned()));
        }
        let found = self.info().symbol(name).or_else(|| match &self.image {
            Some(image) => image.symbol(name).map(|symbol| symbol.address),
            None => self.kallsyms().ok().and_then(|all| all.by_name(name)).map(|one| one.address),
        });
        self.symbols.borrow_mut().insert(name.to_owned(), found);
        found.ok_or_else(|| Unavailable::Symbol(name.to_owned()))
    }

    /// The kernel's own symbol table; for dumps without a `vmlinux`.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn kallsyms(&self) -> Result<&Kallsyms, Unavailable> {
        let read = || self.by_tables_alone(|| Kallsyms::read(self, self.info()));
        self.kallsyms.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// The member that `path` leads to in `structure`.
    ///
    /// # Errors
    /// If there is no such member or no debug information.
    pub fn field(&self, structure: &str, path: &str) -> Result<Field, Unavailable> {
        let name = format!("{structure}.{path}");
        if let Some(known) = self.fields.borrow().get(&name) {
            return known.clone().ok_or(Unavailable::Type(name));
        }
        let types = self.layouts();
        let found = types.and_then(|types| types.member(structure, path).found());
        self.fields.borrow_mut().insert(name.clone(), found.clone());
        found.ok_or(Unavailable::Type(name))
    }

    /// Whether `structure` has the member that `path` leads to.
    #[must_use]
    pub fn has_field(&self, structure: &str, path: &str) -> bool {
        self.field(structure, path).is_ok()
    }

    /// Size of a structure or union, in bytes.
    ///
    /// # Errors
    /// If it is unknown or there is no debug information.
    pub fn size_of(&self, structure: &str) -> Result<u64, Unavailable> {
        let known = self.sizes.borrow().get(structure).copied();
        let size = known.unwrap_or_else(|| {
            let types = self.layouts();
            let size = types.and_then(|types| types.size_of(structure).found());
            self.sizes.borrow_mut().insert(structure.to_owned(), size);
            size
        });
        size.ok_or_else(|| Unavailable::Type(structure.to_owned()))
    }

    /// Value of an enumerator; none if there is no such enumerator or no debug information.
    #[must_use]
    pub fn enumerator(&self, name: &str) -> Option<i64> {
        let known = self.enumerators.borrow().get(name).copied();
        known.unwrap_or_else(|| {
            let types = self.layouts();
            let value = types.and_then(|types| types.enumerator(name).found());
            self.enumerators.borrow_mut().insert(name.to_owned(), value);
            value
        })
    }

    /// The kernel's log, oldest line first. Needs no `vmlinux`.
    ///
    /// # Errors
    /// If there is none that can be found; damage inside is in the listing.
    pub fn log(&self) -> Result<&Listing<LogLine>, Unavailable> {
        let read = || log::read(self, self.info());
        self.log.get_or_init(read).as_ref().map_err(Clone::clone)
    }
}

impl VirtualMemory for Kernel<'_> {
    fn read(&self, address: u64, buf: &mut [u8]) -> Result<(), Unreadable> {
        match self.space.read(address, buf) {
            Err(Unreadable::TableAbsent { .. }) if !self.only_tables.get() => {
                self.read_by_pages(address, buf)
            }
            read => read,
        }
    }
}

impl unwind::Memory for Kernel<'_> {
    fn read_u64(&self, address: u64) -> Option<u64> {
        VirtualMemory::read_u64(self, address).ok()
    }

    fn read_bytes(&self, address: u64, buffer: &mut [u8]) -> Option<()> {
        self.read(address, buffer).ok()
    }
}
