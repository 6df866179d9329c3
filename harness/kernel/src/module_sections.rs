// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the kernel put each section of a module, and what it keeps of the module's file: the
//! build-id, the symbol table, the ORC tables.
//!
//! Section addresses are in `module->sect_attrs`, kept for sysfs, in three forms: an array of
//! names and addresses (to 5.7), an array of `bin_attribute` with addresses (5.8 to 6.13), and
//! an array of `bin_attribute` whose `private` is the address (6.14 and later).

use std::collections::BTreeMap;
use std::rc::Rc;

use super::memory::VirtualMemory;
use super::modules::Module;
use super::{Kernel, Unavailable};

/// Sections that are looked at, at most; an ELF file with more has extended numbering, which the
/// kernel refuses for modules.
const MAX_SECTIONS: u64 = 0xff00;
/// Longest name of a section that is read.
const MAX_NAME: usize = 256;
/// Longest build-id that is believed; SHA-1 has 20 bytes.
const MAX_BUILD_ID: u32 = 64;
/// Entries of an ORC table that are believed.
const MAX_ORC: u64 = 1 << 22;

/// A module's ORC tables, from the dump's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleOrc {
    /// Address of the first instruction pointer entry.
    pub ip_address: u64,
    /// Entries of four bytes, relative to their own address, sorted by the kernel.
    pub ip: Vec<u8>,
    /// Entries of six bytes, in the same order.
    pub entries: Vec<u8>,
}

/// What is known of where a module's sections are or were.
pub(crate) type Known = Result<Rc<BTreeMap<String, u64>>, Unavailable>;

impl Kernel<'_> {
    /// Run-time addresses of a module's sections by name, with `.data..percpu`.
    ///
    /// The kernel keeps the addresses of sections that it has freed after initialisation; those
    /// are left out, since others may live there now.
    ///
    /// # Errors
    /// If the module has no such table (CONFIG_SYSFS or CONFIG_KALLSYMS off, or too early in its
    /// loading), or it cannot be read.
    pub fn module_sections(&self, module: &Module) -> Result<BTreeMap<String, u64>, Unavailable> {
        let mut sections = BTreeMap::clone(&*self.all_sections(module)?);
        sections.retain(|_, address| module.region_at(*address).is_some());
        if let Some((offset, _)) = module.percpu {
            sections.insert(".data..percpu".to_owned(), offset);
        }
        Ok(sections)
    }

    /// Where the sections of a loaded module were that it needed only while it was loaded, by name.
    /// The kernel keeps these addresses after it has freed the memory.
    ///
    /// # Errors
    /// As of [`module_sections`](Self::module_sections).
    pub fn freed_sections(&self, module: &Module) -> Result<BTreeMap<String, u64>, Unavailable> {
        let mut sections = BTreeMap::clone(&*self.all_sections(module)?);
        sections.retain(|_, address| module.region_at(*address).is_none());
        Ok(sections)
    }

    fn all_sections(&self, module: &Module) -> Known {
        if let Some(known) = self.module_sections.borrow().get(&module.address) {
            return known.clone();
        }
        let known = module.sections.clone();
        let read = known.map_or_else(|| self.read_sections(module), Ok).map(Rc::new);
        self.module_sections.borrow_mut().insert(module.address, read.clone());
        read
    }

    fn read_sections(&self, module: &Module) -> Result<BTreeMap<String, u64>, Unavailable> {
        let table = self.object("module", module.address).number("sect_attrs")?;
        if table == 0 {
            let words = format!("module {} has no section addresses", module.name);
            return Err(Unavailable::Damaged(words));
        }
        if self.has_field("module_sect_attr", "address") {
            self.sections_of_array(table)
        } else {
            self.sections_of_group(table)
        }
    }

    /// Forms to 6.13: a count and an array.
    fn sections_of_array(&self, table: u64) -> Result<BTreeMap<String, u64>, Unavailable> {
        const ATTR: &str = "module_sect_attr";
        let header = self.object("module_sect_attrs", table);
        let count = header.number("nsections")?.min(MAX_SECTIONS);
        let size = self.size_of(ATTR)?;
        let first = header.address_of("attrs")?;
        let name = if self.has_field(ATTR, "battr") { "battr.attr.name" } else { "name" };
        let mut sections = BTreeMap::new();
        for index in 0..count {
            let attr = self.object(ATTR, first.wrapping_add(index * size));
            let address = attr.number("address")?;
            // A name that cannot be read leaves the other sections where they are.
            if let Ok(name) = self.section_name(attr.number(name)?) {
                sections.insert(name, address);
            }
        }
        Ok(sections)
    }

    /// Form of 6.14 and later: pointers to `bin_attribute`, the last one NULL.
    fn sections_of_group(&self, table: u64) -> Result<BTreeMap<String, u64>, Unavailable> {
        let header = self.object("module_sect_attrs", table);
        let pointers = header.number("grp.bin_attrs")?;
        let mut sections = BTreeMap::new();
        for index in 0..MAX_SECTIONS {
            let what = |source| Unavailable::memory("sect_attrs.grp.bin_attrs", source);
            let at = self.read_u64(pointers.wrapping_add(index * 8)).map_err(what)?;
            if at == 0 {
                break;
            }
            let attr = self.object("bin_attribute", at);
            let address = attr.number("private")?;
            if let Ok(name) = self.section_name(attr.number("attr.name")?) {
                sections.insert(name, address);
            }
        }
        Ok(sections)
    }

    fn section_name(&self, address: u64) -> Result<String, Unavailable> {
        self.read_string(address, MAX_NAME)
            .map_err(|source| Unavailable::memory("a section's name", source))
    }

    /// GNU build-id of a module, from the note that the kernel keeps in memory.
    ///
    /// # Errors
    /// If the module has none, or it cannot be read.
    pub fn module_build_id(&self, module: &Module) -> Result<Vec<u8>, Unavailable> {
        let sections = self.all_sections(module)?;
        let none = || Unavailable::Damaged(format!("module {} has no build-id", module.name));
        let note = *sections.get(".note.gnu.build-id").ok_or_else(none)?;
        module.region_at(note).ok_or_else(none)?;
        let what = |source| Unavailable::memory("a module's build-id", source);
        let number = |offset: u64| self.read_u32(note.wrapping_add(offset)).map_err(what);
        let (name, length, kind) = (number(0)?, number(4)?, number(8)?);
        // NT_GNU_BUILD_ID of the owner "GNU".
        if (name, kind) != (4, 3) || length > MAX_BUILD_ID || number(12)? != 0x0055_4e47 {
            return Err(none());
        }
        let length = usize::try_from(length).expect("at most 64");
        self.read_bytes(note.wrapping_add(16), length).map_err(what)
    }

    /// A module's ORC tables, as the kernel sorted them.
    ///
    /// # Errors
    /// If the kernel has no ORC tables, or they cannot be read.
    pub fn module_orc(&self, module: &Module) -> Result<ModuleOrc, Unavailable> {
        let object = self.object("module", module.address);
        let count = object.number("arch.num_orcs")?.min(MAX_ORC);
        let ip_address = object.number("arch.orc_unwind_ip")?;
        let entries = object.number("arch.orc_unwind")?;
        self.read_orc(ip_address, entries, count)
    }

    /// The kernel's own ORC tables, for dumps without a `vmlinux`: between the symbols that the
    /// linker script puts around them (`include/asm-generic/vmlinux.lds.h`).
    ///
    /// # Errors
    /// If the kernel has no ORC tables, or they cannot be found or read.
    pub fn kernel_orc(&self) -> Result<ModuleOrc, Unavailable> {
        let start = self.symbol("__start_orc_unwind_ip")?;
        let length = self.symbol("__stop_orc_unwind_ip")?.wrapping_sub(start);
        let count = (length / 4).min(MAX_ORC);
        self.read_orc(start, self.symbol("__start_orc_unwind")?, count)
    }

    fn read_orc(&self, ip: u64, entries: u64, count: u64) -> Result<ModuleOrc, Unavailable> {
        let what = |source| Unavailable::memory("an ORC table", source);
        let bytes = |each: u64| usize::try_from(count * each).expect("bounded by the callers");
        Ok(ModuleOrc {
            ip_address: ip,
            ip: self.read_bytes(ip, bytes(4)).map_err(what)?,
            entries: self.read_bytes(entries, bytes(6)).map_err(what)?,
        })
    }
}
