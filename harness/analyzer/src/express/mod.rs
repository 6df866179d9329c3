// SPDX-License-Identifier: MIT OR Apache-2.0
//! Terms as C expressions, with the types and names of the debug information.
//!
//! `[[__akfs_ops] + 0x70]` becomes `__akfs_ops->get_fhash`. Where a name or a type is not known,
//! the expression says so with a cast and an offset instead of guessing.

mod container;
mod locals;
mod member;
mod place;
mod tree;
mod typed;
mod value;
mod wanted;

use debuginfo::{Image, Type, TypeId};
pub use locals::{Kept, PointerVariable};
pub use member::{NamedPart, Part, Whole};
pub use place::Bound;
pub use tree::{Expression, Sign};
pub use typed::{Ty, Typed};
pub use wanted::Pointee;

use wanted::Wanted;

use crate::flow::{Term, TermKind};

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

/// A structure of the debug information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// Its tag.
    pub tag: String,
    /// Its size, in bytes.
    pub size: u64,
}

/// Writes the terms of one function as C.
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    names: &'a dyn Names,
    /// An address inside the function whose parameters and locals are meant.
    pc: u64,
    /// What the value is used as.
    pointee: Pointee,
    /// An address inside the innermost function whose variables may be named, where that is one further
    /// out: of a fault in the kernel, the module's names are the ones that its reader knows.
    from: Option<u64>,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("pc", &format_args!("{:#x}", self.pc)).finish()
    }
}

impl<'a> Writer<'a> {
    /// A writer for the function that has the code at `pc`.
    pub fn new(names: &'a dyn Names, pc: u64) -> Self {
        Self { names, pc, pointee: Pointee::Any, from: None }
    }

    /// The same, for values that are used as pointers of that sort.
    #[must_use]
    pub fn used_as(&self, pointee: Pointee) -> Self {
        Self { pointee, ..*self }
    }

    /// The same, naming only the variables of the function that has the code at `pc`, and of those
    /// further out.
    #[must_use]
    pub fn from(&self, pc: u64) -> Self {
        Self { from: Some(pc).filter(|pc| *pc != self.pc), ..*self }
    }

    /// The same, naming the variables of all functions.
    #[must_use]
    pub fn unbounded(&self) -> Self {
        Self { from: None, ..*self }
    }

    /// The same, with the names of the function that has the code at `pc`.
    #[must_use]
    pub fn at(&self, pc: u64) -> Self {
        Self { pc, from: self.from.filter(|from| *from != pc), ..*self }
    }

    /// Whether the variables of the function may be named.
    fn may_name(&self) -> Result<(), String> {
        match self.from {
            Some(_) => Err("a variable of a function of the kernel".to_owned()),
            None => Ok(()),
        }
    }

    /// The term as C.
    ///
    /// # Errors
    /// In words, where the value came from a place that has no name.
    pub fn expression(&self, term: &Term) -> Result<Expression, String> {
        match &term.kind {
            TermKind::Caller { pc, term } => self.at(*pc).expression(term),
            // What was passed is the same with and without the type that it is used as.
            TermKind::Argument { term, .. } => self.expression(term),
            // A variable's name says less than what was put into it, where that has a name.
            TermKind::Variable { term: inner, .. } => match self.expression(inner) {
                Ok(c) if !c.is_number() && !c.is_roundabout() => Ok(c),
                _ => self.value(term).map(|typed| typed.c),
            },
            _ => self.value(term).map(|typed| typed.c),
        }
    }

    /// The variable that the term's value was put into, whatever it was computed from.
    pub fn variable(&self, term: &Term) -> Option<Expression> {
        match &term.kind {
            TermKind::Caller { pc, term } => self.at(*pc).variable(term),
            TermKind::Argument { term, .. } => self.variable(term),
            TermKind::Variable { .. } => self.value(term).ok().map(|typed| typed.c),
            _ => None,
        }
    }

    /// The memory at the address that the term computes, as an lvalue; `None` where its type is
    /// not known, since an offset says no more than the address.
    pub fn object(&self, address: &Term, size: u8) -> Option<Expression> {
        let typed = self.place(address, Wanted::Value(size, Pointee::Any)).ok()?;
        typed.ty.is_some().then_some(typed.c)
    }

    /// The object that a pointer leads to, of the structure with that tag where it is known: a mutex
    /// at the start of a job is `job->lock`, and not the job.
    pub fn referent(&self, pointer: &Term, tag: Option<&str>) -> Option<Expression> {
        match &pointer.kind {
            TermKind::Caller { pc, term } => self.at(*pc).referent(term, tag),
            TermKind::Argument { term, .. } => self.referent(term, tag),
            _ => {
                let wanted = tag.map_or(Wanted::Object, Wanted::Structure);
                self.place(pointer, wanted).ok().map(|typed| typed.c)
            }
        }
    }

    /// The tag of the structure that the parameter in a place of the function's list points to, or the name of
    /// its type where it has none: `rwlock_t`.
    pub fn pointee_of_parameter(&self, index: usize) -> Option<String> {
        let image = self.image()?;
        let function = image.function(self.pc).found()?;
        let ty = function.parameters.get(index)?.ty?;
        let Ty::Known(image, id) = self.target(&Ty::Known(image, ty))? else { return None };
        match self.complete(image, id)?.2 {
            Type::Struct { name: None, .. } => Some(image.type_name(Some(id))),
            Type::Struct { name, .. } => name,
            _ => None,
        }
    }

    /// Whether the term's C says all that is known of it: no offset without a name, no pointer to
    /// `void`.
    pub fn is_plain(&self, term: &Term) -> bool {
        self.value(term).is_ok_and(|typed| self.is_typed(&typed) && !typed.c.is_roundabout())
    }

    fn is_typed(&self, typed: &Typed<'a>) -> bool {
        let is_typed = typed.ty.as_ref().is_some_and(|ty| !self.is_void_pointer(ty));
        is_typed && !typed.c.has_distance()
    }

    fn is_void_pointer(&self, ty: &Ty<'a>) -> bool {
        let Ty::Known(image, id) = ty else { return false };
        match image.resolve(*id).found() {
            Some((_, Type::Pointer { target: None })) => true,
            Some((_, Type::Pointer { target: Some(target) })) => {
                image.resolve(target).found().is_none()
            }
            _ => false,
        }
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
