// SPDX-License-Identifier: MIT OR Apache-2.0
//! The variables of a function, by where they are kept.

use debuginfo::{Image, Local, Location};
use iced_x86::Register;

use super::{Expression, Ty, Writer};
use crate::flow::{full, number};
use crate::kernel_header::is_kernel_header;

/// Where a variable is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In the register with the decoder's number.
    Register(u8),
    /// Nowhere: it is what that register holds, and so much.
    RegisterPlus(u8, i64),
    /// In memory, at this distance from where that register leads.
    AtRegister(u8, i64),
    /// In memory, at this distance from the canonical frame address.
    Frame(i64),
}

/// A variable that points to something of a known type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointerVariable {
    /// Its name.
    pub name: String,
    /// How deep its function is inlined: 0 is the function that has the code.
    pub depth: u32,
    /// Where it is.
    pub kept: Kept,
    /// Bytes of what it points to; 0 if that is not known.
    pub size: u64,
}

impl<'a> Writer<'a> {
    /// The local variable or parameter that the debug information places in the register.
    pub fn local_in(&self, register: Register) -> Option<String> {
        self.typed_local_in(register).map(|(name, _)| name)
    }

    /// The same, with its type.
    pub(super) fn typed_local_in(&self, register: Register) -> Option<(String, Option<Ty<'a>>)> {
        let number = dwarf_number(register)?;
        let image = self.names.image_at(self.pc)?;
        let locals = image.locals(self.pc).found()?;
        let here = |local: &&Local| local.location == Location::Register(number);
        let local = locals.iter().filter(here).max_by_key(|local| local.depth)?;
        Some((local.name.clone(), local.ty.map(|id| Ty::Known(image, id))))
    }

    /// The local variable that the debug information places in the register, where it is a pointer: its name, the
    /// bytes of what it points to and the tag of that structure.
    pub fn pointer_in(&self, register: Register) -> Option<(String, Option<u64>, Option<String>)> {
        let (name, ty) = self.typed_local_in(register)?;
        let target = self.target(&ty?)?;
        let tag = self.tagged(&target).map(|structure| structure.tag);
        Some((name, self.size(&target), tag))
    }

    /// The variables in scope that point to something of a known type, those of the innermost function
    /// first; without those of functions that a header of the kernel defines, to which each thing is `lock` or `n`.
    pub fn pointers(&self) -> Vec<PointerVariable> {
        let Some(image) = self.names.image_at(self.pc) else { return Vec::new() };
        let mut locals = image.locals(self.pc).found().unwrap_or_default();
        locals.sort_by_key(|local| std::cmp::Reverse(local.depth));
        let chain = image.source(self.pc).found().unwrap_or_default();
        let is_own = |local: &&Local| {
            let at = usize::try_from(local.depth)
                .ok()
                .and_then(|depth| chain.len().checked_sub(depth + 1));
            let file = at.and_then(|at| chain.get(at)?.file.as_deref());
            local.depth == 0 || !file.is_some_and(is_kernel_header)
        };
        let typed = locals.iter().filter(is_own).filter(|local| self.leads_somewhere(image, local));
        let pointer = |local: &Local| {
            let target = self.target(&Ty::Known(image, local.ty?))?;
            let size = self.size(&target).unwrap_or(0);
            let (name, depth) = (local.name.clone(), local.depth);
            Some(PointerVariable { name, depth, kept: kept(local)?, size })
        };
        typed.filter_map(pointer).collect()
    }

    /// The only variable in scope that points to so many bytes, of functions that are inlined less deep than that.
    pub fn only_pointer_to(&self, bytes: u64, depth: u32) -> Option<Expression> {
        let image = self.names.image_at(self.pc)?;
        let locals = image.locals(self.pc).found()?;
        let is_it = |local: &&Local| {
            let target = local.ty.and_then(|id| self.target(&Ty::Known(image, id)));
            let target = target.filter(|target| self.has_members(target));
            local.depth < depth && target.and_then(|target| self.size(&target)) == Some(bytes)
        };
        let mut names: Vec<&str> = locals.iter().filter(is_it).map(|it| it.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let &[only] = names.as_slice() else { return None };
        Some(Expression::name(only))
    }

    /// Where the parameter of that name is kept of the innermost function that is inlined at the writer's address.
    pub fn inlined_parameter(&self, name: &str) -> Option<Kept> {
        let local = self.innermost_local(name).filter(|local| local.parameter)?;
        kept(&local)
    }

    /// The variable of that name of the innermost function that is inlined there, where the compiler knew its value.
    pub fn inlined_constant(&self, name: &str) -> Option<u64> {
        match self.innermost_local(name)?.location {
            Location::Constant(number) => Some(number),
            _ => None,
        }
    }

    fn innermost_local(&self, name: &str) -> Option<Local> {
        let locals = self.names.image_at(self.pc)?.locals(self.pc).found()?;
        let deepest = locals.iter().map(|local| local.depth).max().filter(|depth| *depth > 0)?;
        locals.into_iter().find(|local| local.depth == deepest && local.name == name)
    }

    /// The variable that the debug information has nowhere, declared on that line of that function, which is one at the
    /// writer's address: `struct job *job = file->private_data;` names what is loaded there. With its depth, and the
    /// bytes of what it points to. `None` if there are several.
    pub fn declared_on(&self, (function, line): (&str, u32)) -> Option<(String, u32, u64)> {
        let image = self.names.image_at(self.pc)?;
        let locals = image.locals(self.pc).found()?;
        let is_it = |local: &&Local| {
            !local.parameter
                && local.location == Location::OptimisedOut
                && local.function == function
                && local.declared == Some(line)
        };
        let mut found = locals.iter().filter(is_it);
        let one = found.next().filter(|local| self.leads_somewhere(image, local))?;
        let size = self.target(&Ty::Known(image, one.ty?)).and_then(|it| self.size(&it));
        found.next().is_none().then(|| (one.name.clone(), one.depth, size.unwrap_or(0)))
    }

    /// The lines that may declare what the instruction at the writer's address reads: that of the innermost function
    /// there, and with `by_call`, if that returns what is read, the line that calls it.
    pub fn lines(&self, by_call: bool) -> Vec<(String, u32)> {
        /// Bytes of the longest instruction that reads at a distance from a register.
        const LONGEST: u64 = 8;
        let Some(image) = self.names.image_at(self.pc) else { return Vec::new() };
        let chain = image.source(self.pc).found().unwrap_or_default().into_iter();
        let instance = by_call.then(|| image.instance(self.pc).found()).flatten();
        let is_last = instance
            .is_some_and(|it| it.end.checked_sub(self.pc).is_some_and(|left| left <= LONGEST));
        let lines = chain.take(if is_last { 2 } else { 1 });
        lines.map_while(|source| Some((source.function?, source.line?))).collect()
    }

    /// Whether the code at the writer's address is of that line of that function, or of what was inlined
    /// there.
    pub fn is_on(&self, (function, line): &(String, u32)) -> bool {
        let image = self.names.image_at(self.pc);
        let chain = image.and_then(|image| image.source(self.pc).found()).unwrap_or_default();
        chain.iter().any(|it| it.function.as_ref() == Some(function) && it.line == Some(*line))
    }

    /// Whether the variable is a pointer to something of a known type.
    fn leads_somewhere(&self, image: &'a Image<'a>, local: &Local) -> bool {
        let target = local.ty.and_then(|id| self.target(&Ty::Known(image, id)));
        target.is_some_and(|target| self.has_members(&target))
    }
}

fn kept(local: &Local) -> Option<Kept> {
    let known = |number| (0..16).find(|it| dwarf_number(full(*it)) == Some(number));
    match local.location {
        Location::Register(number) => known(number).map(Kept::Register),
        Location::RegisterPlus { register, offset } => {
            known(register).map(|register| Kept::RegisterPlus(register, offset))
        }
        Location::AtRegister { register, offset } => {
            known(register).map(|register| Kept::AtRegister(register, offset))
        }
        Location::Cfa(offset) => Some(Kept::Frame(offset)),
        _ => None,
    }
}

/// DWARF's number of a general register (System V ABI, AMD64 supplement, figure 3.36).
pub(super) fn dwarf_number(register: Register) -> Option<u16> {
    const DWARF: [u16; 16] = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];
    DWARF.get(usize::from(number(register)?)).copied()
}
