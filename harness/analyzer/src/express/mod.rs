// SPDX-License-Identifier: MIT OR Apache-2.0
//! Terms as C expressions, with the types and names of the debug information.
//!
//! `[[__akfs_ops] + 0x70]` becomes `__akfs_ops->get_fhash`. Where a name or a type is not known,
//! the expression says so with a cast and an offset instead of guessing.

mod container;
mod place;
mod typed;
mod value;

use debuginfo::{Image, Type, TypeId};
use iced_x86::Register;

pub use typed::{Binding, Ty, Typed};

use crate::flow::Term;

/// Names and types by address; what an expression is made from.
pub trait Names {
    /// Debug information of the kernel or module that the run-time address belongs to.
    fn image_at(&self, address: u64) -> Option<&Image<'_>>;
    /// The same for per-CPU variables of the kernel itself.
    fn kernel_image(&self) -> Option<&Image<'_>>;
    /// Symbol that covers the address, and the distance from its start.
    fn symbol_at(&self, address: u64) -> Option<(String, u64)>;
    /// Per-CPU variable at that offset, and the distance from its start.
    fn per_cpu_symbol(&self, offset: u64) -> Option<(String, u64)>;
    /// Debug information of the kernel or module whose per-CPU variable is at that offset.
    fn per_cpu_image(&self, offset: u64) -> Option<&Image<'_>> {
        let _ = offset;
        self.kernel_image()
    }
}

/// Writes the terms of one function as C.
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    names: &'a dyn Names,
    /// An address inside the function whose parameters and locals are meant.
    pc: u64,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("pc", &format_args!("{:#x}", self.pc)).finish()
    }
}

impl<'a> Writer<'a> {
    /// A writer for the function that has the code at `pc`.
    pub fn new(names: &'a dyn Names, pc: u64) -> Self {
        Self { names, pc }
    }

    /// The term as C.
    ///
    /// # Errors
    /// In words, where the value came from a place that has no name.
    pub fn expression(&self, term: &Term) -> Result<String, String> {
        self.value(term).map(|typed| typed.text)
    }

    /// The memory at the address that the term computes, as an lvalue; `None` where its type is
    /// not known, since an offset says no more than the address.
    pub fn object(&self, address: &Term, size: u8) -> Option<String> {
        let typed = self.place(address, size).ok()?;
        typed.ty.is_some().then_some(typed.text)
    }

    /// The local variable or parameter that the debug information places in the register.
    pub fn local_in(&self, register: Register) -> Option<String> {
        self.typed_local_in(register).map(|(name, _)| name)
    }

    /// The same, with its type.
    fn typed_local_in(&self, register: Register) -> Option<(String, Option<Ty<'a>>)> {
        let number = dwarf_number(register)?;
        let image = self.names.image_at(self.pc)?;
        let locals = image.locals(self.pc).found()?;
        let here =
            |local: &&debuginfo::Local| local.location == debuginfo::Location::Register(number);
        let local = locals.iter().filter(here).max_by_key(|local| local.depth)?;
        Some((local.name.clone(), local.ty.map(|id| Ty::Known(image, id))))
    }

    /// An address inside the function whose names are used.
    pub fn pc(&self) -> u64 {
        self.pc
    }

    fn image(&self) -> Option<&'a Image<'a>> {
        self.names.image_at(self.pc)
    }

    /// The structure that a type is, looked for in the kernel where a module only declares it.
    fn complete(&self, image: &'a Image<'a>, id: TypeId) -> Option<(&'a Image<'a>, TypeId, Type)> {
        let (id, ty) = image.resolve(id).found()?;
        if let Type::Struct { declaration: true, name: Some(name), .. } = &ty {
            let kernel = self.names.kernel_image()?;
            let id = kernel.find_struct(name).found()?;
            return Some((kernel, id, kernel.type_of(id).found()?));
        }
        Some((image, id, ty))
    }
}

/// DWARF's number of a general register (System V ABI, AMD64 supplement, figure 3.36).
fn dwarf_number(register: Register) -> Option<u16> {
    const DWARF: [u16; 16] = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];
    DWARF.get(usize::from(crate::flow::number(register)?)).copied()
}
