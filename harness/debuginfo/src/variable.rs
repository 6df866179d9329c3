// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variables with static storage: address from the symbol table, type from BTF or DWARF.
//!
//! `.debug_aranges` leads from code to its unit, but not from data. A kernel's BTF has the types of
//! per-CPU variables only. So the unit of another variable is found through its neighbours: the
//! symbol table lists the local symbols of one source file together, functions and data, behind a
//! symbol that names the file, and the linker places the data of one file together as well. A
//! global variable, listed apart, is therefore most likely of the file that the local data around
//! it belong to. What such a unit says is only believed if its address for the variable is right
//! or left open.

use serde::{Deserialize, Serialize};

use crate::dwarf::Wanted;
use crate::{Image, Lookup, Reason, Symbol, SymbolKind, TypeId};

/// A variable with static storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Name in the source; that of a variable inside a function lacks the symbol's suffix.
    pub name: String,
    /// Run-time address; as in [`Symbol`] for per-CPU variables.
    pub address: u64,
    /// Its type.
    pub ty: TypeId,
}

/// Where the source has something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The file, as in [`SourceFrame`](crate::SourceFrame).
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

impl Image<'_> {
    /// The variable of that name: address from the symbol table, type from BTF or DWARF.
    pub fn variable(&self, name: &str) -> Lookup<Variable> {
        self.ask(|| format!("variable {name}"), || self.variable_by(name, None).into())
    }

    /// As [`variable`](Self::variable), as the code at `pc` sees it: its unit is asked first. This
    /// is the way to a kernel's global variables that are used by a function at hand.
    pub fn variable_near(&self, pc: u64, name: &str) -> Lookup<Variable> {
        let question = || format!("variable {name} near {pc:#x}");
        self.ask(question, || self.variable_by(name, Some(pc)).into())
    }

    /// The variable that covers an address; `hint` is the address of code that uses it.
    pub fn variable_at(&self, address: u64, hint: Option<u64>) -> Lookup<Variable> {
        let question = || format!("variable at {address:#x} near {:#x}", hint.unwrap_or(0));
        self.ask(question, || self.variable_covering(address, hint).into())
    }

    /// Where the source defines the variable that covers an address.
    pub fn declared_at(&self, address: u64) -> Lookup<Declared> {
        let look = || {
            let symbol = self.symbol_at(address).ok_or(Reason::NoSymbol)?;
            let place = self.elf.to_file(symbol.address);
            let found = self.dwarf().declared_at(&symbol.name, place);
            found.ok_or_else(|| Reason::NotFound(symbol.name.clone()))
        };
        self.ask(|| format!("declaration at {address:#x}"), || look().into())
    }

    fn variable_by(&self, name: &str, hint: Option<u64>) -> Result<Variable, Reason> {
        let symbol = self.symbol(name).ok_or(Reason::NoSymbol)?;
        let ty = self.type_of_variable(name, &symbol, hint)?;
        Ok(Variable { name: name.to_owned(), address: symbol.address, ty })
    }

    fn type_of_variable(
        &self,
        name: &str,
        symbol: &Symbol,
        hint: Option<u64>,
    ) -> Result<TypeId, Reason> {
        if symbol.kind == SymbolKind::PerCpu
            && let Ok(btf) = self.btf()
            && let Ok(variable) = btf.find(name, Wanted::Variable)
            && let Some(ty) = btf.variable_type(variable)
        {
            return Ok(ty);
        }
        let place = self.elf.to_file(symbol.address);
        let ask = |hint| self.dwarf().variable_type(name, Some(place), hint);
        let hint = hint.map(|pc| self.elf.to_file(pc));
        hint.and_then(|hint| ask(Some(hint)))
            .or_else(|| self.code_beside(symbol).into_iter().find_map(|code| ask(Some(code))))
            .or_else(|| ask(None))
            .ok_or_else(|| Reason::NotFound(format!("type of {name}")))
    }

    fn variable_covering(&self, address: u64, hint: Option<u64>) -> Result<Variable, Reason> {
        let symbol = self.symbol_at(address).ok_or(Reason::NoSymbol)?;
        if address.wrapping_sub(symbol.address) >= symbol.size {
            return Err(Reason::NoSymbol);
        }
        if let Ok(ty) = self.type_of_variable(&symbol.name, &symbol, hint) {
            return Ok(Variable { name: symbol.name, address: symbol.address, ty });
        }
        // `count.3`: a variable inside a function has no entry at file scope.
        let place = self.elf.to_file(symbol.address);
        let hints = hint.into_iter().map(|pc| self.elf.to_file(pc));
        let hints = hints.chain(self.code_beside(&symbol)).map(Some).chain([None]);
        let found = hints.into_iter().find_map(|hint| self.dwarf().variable_at(place, hint));
        let (name, ty) = found.ok_or_else(|| Reason::NotFound(symbol.name.clone()))?;
        Ok(Variable { name, address: symbol.address, ty })
    }

    /// Addresses, as in the debug information, of functions that are likely of the source file
    /// that defines a variable. Empty for a module, all of whose units are asked anyway.
    fn code_beside(&self, symbol: &Symbol) -> Vec<u64> {
        if self.elf.is_module() {
            return Vec::new();
        }
        let code = self.symbols().code_beside(&self.elf, symbol.address);
        code.into_iter().map(|address| self.elf.to_file(address)).collect()
    }
}
