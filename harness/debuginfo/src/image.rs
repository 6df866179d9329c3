// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Image`]: one ELF file and where it was loaded.

use std::collections::BTreeMap;

use crate::lookup::Lookup;
use crate::{
    Error, Field, Function, Local, Location, OrcSections, Reason, SourceFrame, Symbol, Type,
    TypeId, Variable,
};

/// One ELF file with symbols and debug information, and where it was loaded.
#[derive(Debug)]
pub struct Image<'d> {
    file: &'d [u8],
    bias: u64,
    sections: BTreeMap<String, u64>,
}

impl<'d> Image<'d> {
    /// A kernel: `vmlinux`. `bias` is what KASLR added to the addresses of the text map.
    ///
    /// # Errors
    /// The file is not an x86-64 ELF executable, or its section headers are damaged.
    pub fn kernel(file: &'d [u8], bias: u64) -> Result<Self, Error> {
        Ok(Self { file, bias, sections: BTreeMap::new() })
    }

    /// A module: a relocatable `.ko`, and the run-time address of each of its sections. Symbols and
    /// code in sections that are not named there are not found.
    ///
    /// # Errors
    /// The file is not a relocatable x86-64 ELF file, or its section headers are damaged.
    pub fn module(file: &'d [u8], sections: &BTreeMap<String, u64>) -> Result<Self, Error> {
        Ok(Self { file, bias: 0, sections: sections.clone() })
    }

    /// GNU build-id.
    pub fn build_id(&self) -> Option<Vec<u8>> {
        let _ = (self.file, self.bias, &self.sections);
        None
    }

    /// Value of a key in `.modinfo` (`srcversion`, `vermagic`, …), the first if there are several.
    pub fn modinfo(&self, _key: &str) -> Option<&'d str> {
        None
    }

    /// Run-time address and bytes of a section, as they are in the file (not relocated). Empty
    /// bytes for `.bss`. A section that is not loaded has address 0.
    pub fn section(&self, _name: &str) -> Option<(u64, &'d [u8])> {
        None
    }

    /// The symbol of that name: a global one before a weak one before the first local one.
    pub fn symbol(&self, _name: &str) -> Option<Symbol> {
        None
    }

    /// The symbol that covers the address, chosen as the kernel's kallsyms does.
    pub fn symbol_at(&self, _address: u64) -> Option<Symbol> {
        None
    }

    /// Source line and inlined calls of an address, innermost first, the physical function last.
    /// The caller passes return addresses minus one.
    pub fn source(&self, pc: u64) -> Lookup<Vec<SourceFrame>> {
        Lookup::Unknown(Reason::NoUnit(pc))
    }

    /// The physical function that covers the address.
    pub fn function(&self, pc: u64) -> Lookup<Function> {
        Lookup::Unknown(Reason::NoFunction(pc))
    }

    /// Where parameter `index` (from 0) of the physical function is at that address.
    pub fn parameter_location(&self, pc: u64, _index: usize) -> Lookup<Location> {
        Lookup::Unknown(Reason::NoFunction(pc))
    }

    /// Parameters and variables in scope at that address, those of the physical function first,
    /// then those of the functions inlined there, outer before inner.
    pub fn locals(&self, pc: u64) -> Lookup<Vec<Local>> {
        Lookup::Unknown(Reason::NoFunction(pc))
    }

    /// The type with that id. A structure that is only declared is looked for by name.
    pub fn type_of(&self, _id: TypeId) -> Lookup<Type> {
        Lookup::Unknown(Reason::NoSection(".debug_info"))
    }

    /// A type without its typedefs and qualifiers.
    pub fn resolve(&self, _id: TypeId) -> Lookup<(TypeId, Type)> {
        Lookup::Unknown(Reason::NoSection(".debug_info"))
    }

    /// Spelling of a type in C, such as `struct file *`.
    pub fn type_name(&self, _id: Option<TypeId>) -> String {
        String::new()
    }

    /// Size of a type, in bytes.
    pub fn type_size(&self, _id: TypeId) -> Lookup<u64> {
        Lookup::Unknown(Reason::NoSection(".debug_info"))
    }

    /// Structure or union of that tag.
    pub fn find_struct(&self, name: &str) -> Lookup<TypeId> {
        Lookup::Unknown(Reason::NotFound(name.to_owned()))
    }

    /// Structure, union, enumeration, typedef or base type of that name, without keyword.
    pub fn find_type(&self, name: &str) -> Lookup<TypeId> {
        Lookup::Unknown(Reason::NotFound(name.to_owned()))
    }

    /// Size of the structure or union of that tag, in bytes.
    pub fn size_of(&self, name: &str) -> Lookup<u64> {
        Lookup::Unknown(Reason::NotFound(name.to_owned()))
    }

    /// The member of a structure that a path such as `thread.sp` or `mem[0].base` leads to,
    /// through anonymous members.
    pub fn member(&self, structure: &str, path: &str) -> Lookup<Field> {
        Lookup::Unknown(Reason::NotFound(format!("{structure}.{path}")))
    }

    /// As [`member`](Self::member), from a type.
    pub fn member_of(&self, _ty: TypeId, path: &str) -> Lookup<Field> {
        Lookup::Unknown(Reason::NotFound(path.to_owned()))
    }

    /// The other way round: path and field of the innermost member (of no structure type) that
    /// covers a byte offset. The first member of a union wins.
    pub fn member_at(&self, _ty: TypeId, offset: u64) -> Lookup<(String, Field)> {
        Lookup::Unknown(Reason::NotFound(format!("member at offset {offset}")))
    }

    /// Value of an enumerator.
    pub fn enumerator(&self, name: &str) -> Lookup<i64> {
        Lookup::Unknown(Reason::NotFound(name.to_owned()))
    }

    /// The variable of that name: address from the symbol table, type from BTF or DWARF.
    pub fn variable(&self, name: &str) -> Lookup<Variable> {
        Lookup::Unknown(Reason::NotFound(name.to_owned()))
    }

    /// As [`variable`](Self::variable), as the code at `pc` sees it: first in that unit.
    pub fn variable_near(&self, _pc: u64, name: &str) -> Lookup<Variable> {
        Lookup::Unknown(Reason::NotFound(name.to_owned()))
    }

    /// The variable that covers an address; `hint` is the address of code that uses it.
    pub fn variable_at(&self, _address: u64, _hint: Option<u64>) -> Lookup<Variable> {
        Lookup::Unknown(Reason::NoSymbol)
    }

    /// The ORC tables, if the kernel was built with them.
    pub fn orc(&self) -> Option<OrcSections<'_>> {
        None
    }
}
