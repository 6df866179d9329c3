// SPDX-License-Identifier: MIT OR Apache-2.0
//! A module's own symbols, as the kernel keeps them for kallsyms: names without a `.ko`.
//!
//! The table is an ELF symbol table with run-time addresses. Its pointers are members of
//! `struct module` (to 4.4) or of `struct mod_kallsyms` (4.5 and later); the letter of `nm` is in
//! `st_info` (to 5.1, then no longer an ELF type) or in `typetab` (5.2 and later).

use std::rc::Rc;

use super::memory::VirtualMemory;
use super::modules::Module;
use super::{Kernel, Unavailable};

/// Bytes of an ELF symbol (`Elf64_Sym`).
const SYMBOL: usize = 24;
/// Symbols of one module that are believed.
const MAX_SYMBOLS: u64 = 1 << 20;
/// Longest name that is read (`KSYM_NAME_LEN` is 512 since 6.1).
const MAX_NAME: usize = 512;

/// A symbol of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleSymbol {
    /// Name as in the symbol table.
    pub name: String,
    /// Run-time address.
    pub address: u64,
    /// Size in bytes as the symbol table says; 0 if it does not.
    pub size: u64,
    /// Bytes up to the next symbol or the end of its region: the number after the slash in the
    /// kernel's own `name+0x1a/0x30`.
    pub extent: u64,
    /// Letter of `nm`, lower case for local symbols (`t`, `D`).
    pub letter: char,
}

/// What is known of a module's symbols once they were asked for.
pub(super) type Known = Result<Rc<[ModuleSymbol]>, Unavailable>;

impl Kernel<'_> {
    /// Symbols of a module that lie in its memory, by address. They are read once.
    ///
    /// # Errors
    /// If the kernel keeps none, or they cannot be read.
    pub fn module_symbols(&self, module: &Module) -> Result<Rc<[ModuleSymbol]>, Unavailable> {
        if let Some(known) = self.module_symbols.borrow().get(&module.address) {
            return known.clone();
        }
        let found: Result<Rc<[ModuleSymbol]>, _> = self.read_module_symbols(module).map(Into::into);
        self.module_symbols.borrow_mut().insert(module.address, found.clone());
        found
    }

    fn read_module_symbols(&self, module: &Module) -> Result<Vec<ModuleSymbol>, Unavailable> {
        let object = self.object("module", module.address);
        let newer = self.has_field("module", "kallsyms");
        let tables =
            if newer { self.object("mod_kallsyms", object.number("kallsyms")?) } else { object };
        let count = tables.number("num_symtab")?.min(MAX_SYMBOLS);
        let (symbols, strings) = (tables.number("symtab")?, tables.number("strtab")?);
        let letters = tables.number("typetab").ok();

        let what = |source| Unavailable::memory("a module's symbol table", source);
        let length = usize::try_from(count).expect("bounded above");
        let bytes = self.read_bytes(symbols, length * SYMBOL).map_err(what)?;
        let letters = letters.map(|at| self.read_bytes(at, length)).transpose().map_err(what)?;
        let mut found = Vec::new();
        for (index, raw) in bytes.as_chunks::<SYMBOL>().0.iter().enumerate() {
            let letter =
                letters.as_ref().and_then(|letters| letters.get(index)).copied().unwrap_or(raw[4]);
            let (name, defined, address, size) = fields(raw);
            if !defined || module.region_at(address).is_none() {
                continue;
            }
            let name = self.read_string(strings.wrapping_add(name), MAX_NAME).map_err(what)?;
            // Assembler-made local labels, which the kernel skips too.
            if name.is_empty() || name.starts_with('$') || name.starts_with(".L") {
                continue;
            }
            let letter = char::from(letter);
            found.push(ModuleSymbol { name, address, size, extent: 0, letter });
        }
        found.sort_by_key(|symbol| symbol.address);
        fill_extents(&mut found, module);
        Ok(found)
    }

    /// The symbol that covers `address` in a module's own table, as the kernel chooses it: the
    /// last one at or below, the first in the table among equals.
    ///
    /// # Errors
    /// As [`module_symbols`](Self::module_symbols); also if nothing covers the address.
    pub fn module_symbol_at(
        &self,
        module: &Module,
        address: u64,
    ) -> Result<ModuleSymbol, Unavailable> {
        let symbols = self.module_symbols(module)?;
        covering(&symbols, address).cloned().ok_or_else(|| {
            Unavailable::Symbol(format!("0x{address:016x} in module {}", module.name))
        })
    }
}

/// The symbol among `symbols` (sorted by address) that covers `address`.
fn covering(symbols: &[ModuleSymbol], address: u64) -> Option<&ModuleSymbol> {
    let above = symbols.partition_point(|symbol| symbol.address <= address);
    let start = symbols.get(..above)?.last()?.address;
    let first = symbols.partition_point(|symbol| symbol.address < start);
    symbols.get(first).filter(|symbol| address - symbol.address < symbol.extent)
}

/// Computes each symbol's extent: to the next higher address among them, or its region's end.
fn fill_extents(symbols: &mut [ModuleSymbol], module: &Module) {
    let mut next = u64::MAX;
    let mut here = u64::MAX;
    for symbol in symbols.iter_mut().rev() {
        if symbol.address != here {
            next = here;
            here = symbol.address;
        }
        let end = module
            .region_at(symbol.address)
            .map_or(u64::MAX, |region| region.start.saturating_add(region.size));
        symbol.extent = end.min(next) - symbol.address;
    }
}

/// Name's offset, whether it is defined, value and size of a raw ELF symbol.
#[expect(clippy::indexing_slicing, reason = "the numbers lie within the symbol")]
fn fields(raw: &[u8; SYMBOL]) -> (u64, bool, u64, u64) {
    let number = |from: usize, to: usize| {
        raw[from..to].iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    (number(0, 4), number(6, 8) != 0, number(8, 16), number(16, 24))
}
