// SPDX-License-Identifier: MIT OR Apache-2.0
//! The crashed machine with all that is known of its code: the kernel's view joined with the
//! debug information of the kernel and of its modules. Everything above asks this.

use std::cell::OnceCell;
use std::fmt;

use debuginfo::Image;
use unwind::orc::{OrcEntry, Table, Version};
use unwind::{CfiRow, Expression, Memory, Registers};

use crate::cfi_rows;
use crate::express::Names;
use crate::flow::Words;
use crate::gone::{Gone, InitPlace, Was};
use crate::module_files::ModuleFiles;
use crate::outside::OUTSIDE;
use crate::printer::{CodeName, CodeNames};
use crate::symbol_name::source_name;
use crate::unloaded::{is_near, was_there};
use kernel::mm::PAGE;
use kernel::module_file::ModuleFile;
use kernel::module_sections::ModuleOrc;
use kernel::modules::Module;
use kernel::text::GoneText;
use kernel::{Kernel, Unavailable, VirtualMemory};

/// The crashed machine.
pub struct Machine<'a> {
    kernel: &'a Kernel<'a>,
    modules: Vec<Loaded<'a>>,
    version: Option<Version>,
    orc: OnceCell<Option<ModuleOrc>>,
    files: OnceCell<&'a dyn ModuleFiles>,
}

impl fmt::Debug for Machine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("modules", &self.modules.len()).finish_non_exhaustive()
    }
}

/// A loaded module and what is known of it, each read when it is first asked for.
struct Loaded<'a> {
    module: &'a Module,
    file: OnceCell<Option<ModuleFile<'a>>>,
    orc: OnceCell<Option<ModuleOrc>>,
}

impl<'a> Machine<'a> {
    /// The machine of a kernel.
    pub fn new(kernel: &'a Kernel<'a>) -> Self {
        let listing = kernel.modules().map(|listing| listing.items.as_slice()).unwrap_or_default();
        let loaded = |module| Loaded { module, file: OnceCell::new(), orc: OnceCell::new() };
        let release = kernel.release().unwrap_or_default();
        let version = Version::detect(orc_header(kernel).as_deref(), &release).ok();
        let modules = listing.iter().map(loaded).collect();
        let (orc, files) = (OnceCell::new(), OnceCell::new());
        Self { kernel, modules, version, orc, files }
    }

    /// The kernel's ORC table: from `vmlinux`, or without one from the dump's own memory.
    fn kernel_orc(&self) -> Option<Table<'_>> {
        let version = self.version?;
        if let Some(sections) = self.kernel.image().and_then(Image::orc) {
            return Table::sorted(sections.ip.0, sections.ip.1, sections.entries, version).ok();
        }
        let orc = self.orc.get_or_init(|| self.kernel.kernel_orc().ok()).as_ref()?;
        Table::sorted(orc.ip_address, &orc.ip, &orc.entries, version).ok()
    }

    /// Opens the files of the loaded modules that the caller has.
    pub fn open_modules(&self, files: &'a dyn ModuleFiles) {
        let _ = self.files.set(files);
        for loaded in &self.modules {
            let open = || {
                let build_id = self.kernel.module_build_id(loaded.module).ok();
                let files = files.module(&loaded.module.name, build_id.as_deref())?;
                Some(self.kernel.module_file(loaded.module, files))
            };
            loaded.file.get_or_init(open);
        }
    }

    /// The kernel's view.
    pub fn kernel(&self) -> &'a Kernel<'a> {
        self.kernel
    }

    /// Loaded modules in the kernel's order, each with its file if one was given.
    pub fn modules(&self) -> impl Iterator<Item = (&'a Module, Option<&ModuleFile<'a>>)> {
        self.modules.iter().map(|loaded| (loaded.module, loaded.file()))
    }

    /// Name in the source of the kernel's function that has the code at the address, by its symbol.
    pub(crate) fn function_of_kernel(&self, address: u64) -> Option<String> {
        let name = self.is_kernel_text(address).then(|| self.code_name(address)).flatten()?;
        Some(source_name(&name.symbol).to_owned())
    }

    /// The module that has code or data at the address.
    #[must_use]
    pub fn module_at(&self, address: u64) -> Option<&'a Module> {
        self.loaded_at(address).map(|loaded| loaded.module)
    }

    /// Whether code lies at the address: the kernel's, a module's, or what was made while it ran.
    pub(crate) fn has_code(&self, address: u64) -> bool {
        self.kernel.is_text(address) || self.kernel.generated_at(address).is_some()
    }

    fn loaded_at(&self, address: u64) -> Option<&Loaded<'a>> {
        self.modules.iter().find(|loaded| loaded.module.region_at(address).is_some())
    }

    /// The module that has the per-CPU memory at that offset.
    fn with_per_cpu(&self, offset: u64) -> Option<&Loaded<'a>> {
        self.modules.iter().find(|loaded| {
            let range = loaded.module.percpu.filter(|(first, _)| *first != 0);
            range.is_some_and(|(first, size)| offset.checked_sub(first).is_some_and(|o| o < size))
        })
    }

    fn is_kernel_text(&self, address: u64) -> bool {
        self.kernel.is_text(address) && self.loaded_at(address).is_none()
    }

    /// The function's ranges of code, the one with the entry first.
    pub(crate) fn ranges(&self, pc: u64) -> Option<Vec<(u64, u64)>> {
        let image = self.image_at(pc);
        if let Some(function) = image.and_then(|image| image.function(pc).found()) {
            let mut ranges: Vec<(u64, u64)> =
                function.ranges.iter().map(|range| (range.start, range.end)).collect();
            ranges.sort_by_key(|range| range.0 != function.low_pc);
            return Some(ranges);
        }
        let name = self.code_name(pc)?;
        let start = pc.checked_sub(name.offset)?;
        Some(vec![(start, start.checked_add(name.size)?)])
    }
}

/// What names the layout of the kernel's ORC entries.
fn orc_header(kernel: &Kernel<'_>) -> Option<Vec<u8>> {
    let image = kernel.image()?;
    image.derived(|| "orc header".to_owned(), || image.orc()?.header.map(<[u8]>::to_vec))
}

impl<'a> Loaded<'a> {
    fn file(&self) -> Option<&ModuleFile<'a>> {
        self.file.get()?.as_ref()
    }

    fn image(&self) -> Option<&Image<'a>> {
        self.file()?.image()
    }
}

impl Machine<'_> {
    /// What lay at the address and is gone.
    pub(crate) fn gone(&self, address: u64) -> Option<Gone> {
        if self.kernel.generated_at(address).is_some() {
            return None;
        }
        let gone = self.kernel.gone_text(address)?;
        if gone == GoneText::Start {
            return Some(Gone::Start);
        }
        let last = match self.kernel.last_unloaded_module() {
            Ok(last) => last,
            // Whether it was initialisation code or an unloaded module's is not known.
            Err(Unavailable::Memory { .. }) => return None,
            Err(_) => None,
        };
        // Of modules of the kernel's own tree, some had that memory for their initialisation long before
        // the unloaded one had it: they do not leave that behind.
        Some(match last {
            Some(last) => Gone::Unloaded {
                or: self.freed_section(address, OUTSIDE),
                was: self.was_there(last, address),
                is_shown: is_near(self.kernel, address),
            },
            None => self.freed_section(address, !0).map_or(Gone::GivenBack, Gone::Init),
        })
    }

    /// What unloaded modules may have had at the address.
    fn was_there(&self, last: String, address: u64) -> Was {
        let files = self.files.get();
        files.map(|files| was_there(self.kernel, *files, last, address)).unwrap_or_default()
    }

    /// The section that a loaded module had at the address until it was initialised, of modules with one
    /// of those taint flags (all of them: of any module). Of the last section no more than its first page is taken for it: the kernel
    /// keeps no sizes.
    fn freed_section(&self, address: u64, taints: u64) -> Option<InitPlace> {
        let has = |loaded: &&Loaded<'_>| taints == !0 || loaded.module.taints & taints != 0;
        self.modules.iter().filter(has).find_map(|loaded| {
            let sections = self.kernel.freed_sections(loaded.module).ok()?;
            let below = sections.iter().filter(|(_, start)| **start <= address);
            let (name, start) = below.max_by_key(|(_, start)| **start)?;
            let is_last = !sections.values().any(|other| other > start);
            let page = |address: u64| address / PAGE;
            let is_inside = !is_last || page(address) == page(*start);
            let (module, section) = (loaded.module.name.clone(), name.clone());
            let is_kept = !section.starts_with(".init");
            (is_inside && !is_kept).then_some(InitPlace { module, section })
        })
    }

    /// Whether the address is inside of the symbol that it is named by, and not in the gap to the next;
    /// `true` where the symbol's own size is not known.
    pub(crate) fn is_inside_symbol(&self, address: u64) -> bool {
        let (start, size) = match self.loaded_at(address) {
            Some(loaded) => match self.kernel.module_symbol_at(loaded.module, address) {
                Ok(symbol) => (symbol.address, symbol.size),
                Err(_) => return true,
            },
            None => match self.kernel.image().and_then(|image| image.symbol_at(address)) {
                Some(symbol) => (symbol.address, symbol.size),
                None => return true,
            },
        };
        size == 0 || address.wrapping_sub(start) < size
    }

    fn generated_name(&self, address: u64) -> Option<CodeName> {
        let piece = self.kernel.generated_at(address)?;
        let (offset, size) = (address - piece.range.start, piece.range.end - piece.range.start);
        Some(CodeName { symbol: piece.name.clone(), offset, size, module: None })
    }

    /// The kernel's own symbol at the address: from `vmlinux`, or without one from the table that
    /// the kernel keeps in its memory.
    fn kernel_name(&self, address: u64) -> Option<CodeName> {
        let (symbol, start, size) = match self.kernel.image() {
            Some(image) => {
                let symbol = image.symbol_at(address)?;
                (symbol.name, symbol.address, symbol.extent)
            }
            None => {
                // The table has per-CPU variables too, with small numbers that are no addresses.
                let kallsyms = self.kernel.kallsyms().ok().filter(|_| address >> 63 == 1)?;
                let symbol = kallsyms.at(address)?;
                // The last symbol has no next one; nothing is known of its size.
                (symbol.name.to_owned(), symbol.address, symbol.extent.unwrap_or(0))
            }
        };
        Some(CodeName { symbol, offset: address.checked_sub(start)?, size, module: None })
    }
}

impl CodeNames for Machine<'_> {
    fn code_name(&self, address: u64) -> Option<CodeName> {
        let Some(loaded) = self.loaded_at(address) else {
            return self.generated_name(address).or_else(|| self.kernel_name(address));
        };
        let module = Some(loaded.module.name.clone());
        // The kernel's own table first: its names and sizes are those of the kernel's log.
        if let Ok(symbol) = self.kernel.module_symbol_at(loaded.module, address) {
            let offset = address.checked_sub(symbol.address)?;
            return Some(CodeName { symbol: symbol.name, offset, size: symbol.extent, module });
        }
        let symbol = loaded.image()?.symbol_at(address)?;
        let offset = address.checked_sub(symbol.address)?;
        Some(CodeName { symbol: symbol.name, offset, size: symbol.extent, module })
    }

    fn gone_code(&self, address: u64) -> Option<Gone> {
        self.gone(address)
    }
}

impl Names for Machine<'_> {
    fn image_at(&self, address: u64) -> Option<&Image<'_>> {
        match self.loaded_at(address) {
            Some(loaded) => loaded.image(),
            // User addresses and small numbers are in no image; asking for them would make it
            // search all that it has.
            None => self.kernel.image().filter(|_| address >> 63 == 1),
        }
    }

    fn kernel_image(&self) -> Option<&Image<'_>> {
        self.kernel.image()
    }

    fn symbol_at(&self, address: u64) -> Option<(String, u64)> {
        self.code_name(address).map(|name| (name.symbol, name.offset))
    }

    fn per_cpu_image(&self, offset: u64) -> Option<&Image<'_>> {
        match self.with_per_cpu(offset) {
            Some(loaded) => loaded.image(),
            None => self.kernel.image(),
        }
    }

    fn per_cpu_symbol(&self, offset: u64) -> Option<(String, u64)> {
        if let Some(loaded) = self.with_per_cpu(offset) {
            let symbols = self.kernel.module_symbols(loaded.module).unwrap_or_default();
            let (first, _) = loaded.module.percpu?;
            let before = symbols.iter().filter(|s| (first..=offset).contains(&s.address));
            let kept = before.max_by_key(|symbol| symbol.address);
            // Not every kernel keeps the names of a module's per-CPU variables: CentOS 7's does not,
            // nor do Debian's 5.10, 6.1 and 6.12.
            let named = kept.map(|symbol| (symbol.name.clone(), symbol.address)).or_else(|| {
                let symbol = loaded.image()?.per_cpu_symbol_at(offset)?;
                Some((symbol.name, symbol.address))
            });
            let (name, start) = named?;
            return Some((name, offset.checked_sub(start)?));
        }
        let symbol = self.kernel.image()?.per_cpu_symbol_at(offset)?;
        Some((symbol.name, offset.checked_sub(symbol.address)?))
    }
}

impl Words for Machine<'_> {
    fn word(&self, address: u64, size: u8) -> Option<u64> {
        let mut bytes = [0; 8];
        let wanted = bytes.get_mut(..usize::from(size))?;
        self.kernel.read(address, wanted).ok()?;
        Some(u64::from_le_bytes(bytes))
    }

    fn per_cpu_base(&self) -> Option<u64> {
        self.kernel.percpu_offset(self.kernel.crash().cpu?).ok()
    }
}

impl unwind::Tables for Machine<'_> {
    fn orc(&self, pc: u64) -> Option<OrcEntry> {
        let Some(loaded) = self.loaded_at(pc) else {
            // A table answers for all that lies behind it, too.
            if self.kernel.gone_text(pc) == Some(GoneText::Module) {
                return None;
            }
            let copied = self.kernel.original(pc);
            let pc = copied.unwrap_or(pc);
            let look = || self.kernel_orc()?.lookup(pc);
            return match self.kernel.image() {
                Some(image) => image.derived(|| format!("orc {pc:#x}"), look),
                None => look(),
            };
        };
        let read = || self.kernel.module_orc(loaded.module).ok();
        let orc = loaded.orc.get_or_init(read).as_ref()?;
        // The kernel sorted its copy when it loaded the module.
        Table::sorted(orc.ip_address, &orc.ip, &orc.entries, self.version?).ok()?.lookup(pc)
    }

    fn cfi(&self, pc: u64) -> Option<CfiRow> {
        cfi_rows::row(self.image_at(pc)?, pc)
    }

    fn evaluate(
        &self,
        expression: Expression,
        registers: &Registers,
        memory: &dyn Memory,
        initial: Option<u64>,
    ) -> Option<u64> {
        let image = self.image_at(expression.code)?;
        cfi_rows::evaluate(image, expression, registers, memory, initial)
    }

    fn is_text(&self, address: u64) -> bool {
        self.has_code(address)
    }

    fn is_gone_text(&self, address: u64) -> bool {
        self.kernel.generated_at(address).is_none() && self.kernel.gone_text(address).is_some()
    }

    fn is_return_trampoline(&self, address: u64) -> bool {
        self.kernel.replaces_returns(address)
    }
}
