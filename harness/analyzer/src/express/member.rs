// SPDX-License-Identifier: MIT OR Apache-2.0
//! The member of a structure, or the variable, that a place belongs to: what code elsewhere can be searched for.

use debuginfo::{Local, Location, Member, Step, Type, Way};
use iced_x86::Register;

use super::locals::dwarf_number;
use super::wanted::Wanted;
use super::{Expression, Structure, Ty, Typed, Writer};
use crate::flow::{Term, TermKind};

/// A member of a structure, or a variable with static storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is a part of.
    pub whole: Whole,
    /// Its distance from the start of that, in bytes.
    pub start: u64,
    /// Its size, in bytes.
    pub size: u64,
    /// Tag of its own structure, or the name of its type: `wait_queue_head`, `atomic_t`.
    pub ty: String,
}

/// What something is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whole {
    /// An object of a structure.
    Structure(Structure),
    /// A variable.
    Variable {
        /// Its address.
        address: u64,
    },
}

/// A part, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPart {
    /// The part.
    pub part: Part,
    /// The part as C: `wb->inflight_ios_wq`.
    pub expression: Expression,
}

impl Part {
    /// Whether both are the same member of objects of one structure, or the same variable's.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.whole == other.whole && self.start == other.start
    }

    /// Tag of the structure that it is a member of.
    #[must_use]
    pub fn structure(&self) -> Option<&str> {
        match &self.whole {
            Whole::Structure(structure) => Some(&structure.tag),
            Whole::Variable { .. } => None,
        }
    }
}

impl<'a> Writer<'a> {
    /// The members of a structure of the writer's module whose type is one of those, each as a member of no
    /// object in particular.
    pub fn parts_of(&self, structure: &Structure, types: &[&str]) -> Vec<NamedPart> {
        let found = || {
            let image = self.image()?;
            let id = image.find_struct(&structure.tag).found()?;
            match image.type_of(id).found()? {
                Type::Struct { members, .. } => Some((image, members)),
                _ => None,
            }
        };
        let Some((image, members)) = found() else { return Vec::new() };
        let part = |member: &Member| {
            let name = member.name.clone()?;
            let ty = Ty::Known(image, member.ty);
            let word = self.type_word(&ty);
            let size = self.size(&ty).filter(|_| types.contains(&word.as_str()))?;
            let whole = Whole::Structure(structure.clone());
            let part = Part { whole, start: member.offset, size, ty: word };
            Some(NamedPart { part, expression: Expression::name(name) })
        };
        members.iter().filter_map(part).collect()
    }

    /// The variable with static storage that has the byte at `place`, if it has no such structure at `start`. One that
    /// is nothing but bytes may have anything.
    pub fn variable_without(
        &self,
        place: u64,
        (start, structure): (u64, &Structure),
    ) -> Option<Expression> {
        let image = self.names.image_at(place)?;
        let variable = image.variable_at(place, Some(self.pc)).found()?;
        let is_it =
            |ty| self.tagged(&Ty::Known(image, ty)).is_some_and(|it| it.tag == structure.tag);
        if let Type::Array { element, .. } = image.resolve(variable.ty).found()?.1
            && image.type_size(element).found() == Some(1)
        {
            return None;
        }
        let has = start.checked_sub(variable.address).is_some_and(|inside| {
            let paths = image.paths_at(variable.ty, inside);
            let mut steps = paths.iter().flat_map(|path| &path.steps);
            inside == 0 && is_it(variable.ty)
                || steps.any(|step| step.field.offset == inside && is_it(step.field.ty))
        });
        (!has).then(|| Expression::name(variable.name))
    }

    /// The variable with static storage that begins at the address and is a structure with that tag.
    pub fn variable_of(&self, address: u64, tag: &str) -> Option<Expression> {
        let image = self.names.image_at(address)?;
        let variable = image.variable_at(address, Some(self.pc)).found()?;
        let structure = self.tagged(&Ty::Known(image, variable.ty))?;
        let is_it = variable.address == address && structure.tag == tag;
        is_it.then(|| Expression::name(variable.name))
    }

    /// The member of a structure of the writer's module that begins at the distance from its start, in bytes: its
    /// name, and the tag of its own structure, if it is one.
    pub fn member_at(&self, structure: &Structure, start: u64) -> Option<(String, Option<String>)> {
        let image = self.image()?;
        let id = image.find_struct(&structure.tag).found()?;
        let Type::Struct { members, .. } = image.type_of(id).found()? else { return None };
        let is_there = |member: &&Member| member.offset == start && member.name.is_some();
        let member = members.iter().find(is_there)?;
        let tag = self.tagged(&Ty::Known(image, member.ty)).map(|structure| structure.tag);
        Some((member.name.clone()?, tag))
    }

    /// The member that `size` bytes at the address are of: of the innermost structure around them that is not
    /// the kernel's own, of the outermost one if each is.
    pub fn part_at(&self, address: &Term, size: u8) -> Option<NamedPart> {
        match &address.kind {
            TermKind::Caller { pc, term } => return self.at(*pc).part_at(term, size),
            TermKind::Argument { term, .. } => return self.part_at(term, size),
            _ => {}
        }
        let (base, offset) = match &address.kind {
            TermKind::Sum { base, index: None, offset } => (base.as_ref(), *offset),
            _ => (address, 0),
        };
        // `&wb->wq` that was handed on is a member of `wb`, and not of what it is a pointer to.
        if let Some((writer, address)) = self.handed(base, offset)
            && let Some(found) = writer.part_at(&address, size)
        {
            return Some(found);
        }
        if let TermKind::Constant(start) = base.kind {
            return self.part_of_variable(start.wrapping_add_signed(offset), size);
        }
        if let TermKind::StackAddress(slot) = base.kind
            && let Some(found) = self.part_of_local(slot.checked_add(offset)?, size)
        {
            return Some(found);
        }
        let wanted = Wanted::Value(size, self.pointee);
        let pointer = self.pointer(base).ok()?;
        let (pointer, offset) =
            self.same_place(&pointer, offset, wanted).unwrap_or((pointer, offset));
        self.part_behind(pointer, (offset, size))
    }

    /// The same of a local variable that is kept in the frame, by the slot's distance from that of the return address.
    fn part_of_local(&self, slot: i64, size: u8) -> Option<NamedPart> {
        self.may_name().ok()?;
        let image = self.image()?;
        let locals = image.locals(self.pc).found()?;
        let place = slot.checked_sub(8)?;
        let inside = |local: &Local| match local.location {
            Location::Cfa(start) => {
                let inside = u64::try_from(place.checked_sub(start)?).ok()?;
                (inside < image.type_size(local.ty?).found()?).then_some(inside)
            }
            _ => None,
        };
        let all = locals.iter().filter_map(|local| Some((local, inside(local)?)));
        let (local, inside) = all.min_by_key(|(_, inside)| *inside)?;
        let ty = Ty::Known(image, local.ty?);
        let (steps, _) = self.part(&ty, inside, Wanted::Value(size, self.pointee))?;
        self.member(Typed::name(local.name.clone(), Some(ty)), &steps)
    }

    /// The address at a distance from a pointer that a function was given, as the one computed it that gave it;
    /// `None` if that is where what it leads to begins.
    fn handed(&self, pointer: &Term, offset: i64) -> Option<(Self, Term)> {
        match &pointer.kind {
            TermKind::Caller { pc, term } => self.at(*pc).handed(term, offset),
            TermKind::Argument { term, .. } => self.handed(term, offset),
            TermKind::Sum { index: None, .. } => Some((*self, pointer.clone().plus(offset))),
            _ => None,
        }
    }

    /// The same of bytes at a distance from where a register leads to, by the variable that it holds at the
    /// writer's address.
    pub fn part_by(&self, register: Register, offset: i64, size: u8) -> Option<NamedPart> {
        let (name, ty) = self.typed_local_in(register)?;
        self.part_behind(Typed::name(name, ty), (offset, size))
    }

    /// The structure that the variable in a register leads to.
    pub fn pointee_in(&self, register: Register) -> Option<Structure> {
        self.structure(&self.typed_local_in(register)?.1?)
    }

    /// Whether the first member of the structure with that tag is one with the other tag.
    pub fn begins_with(&self, tag: &str, inner: Option<&str>) -> bool {
        let first = || {
            let image = self.image()?;
            let id = image.find_struct(tag).found()?;
            let Type::Struct { members, .. } = image.type_of(id).found()? else { return None };
            let first = members.into_iter().find(|member| member.offset == 0)?;
            self.tagged(&Ty::Known(image, first.ty)).map(|structure| structure.tag)
        };
        inner.is_some() && first().as_deref() == inner
    }

    /// The structures that the variables lead to which the register holds, those of the innermost function first.
    pub fn pointees_in(&self, register: Register) -> Vec<Structure> {
        let found = || {
            let number = dwarf_number(register)?;
            let image = self.names.image_at(self.pc)?;
            let mut locals = image.locals(self.pc).found()?;
            locals.retain(|local| local.location == Location::Register(number));
            locals.sort_by_key(|local| std::cmp::Reverse(local.depth));
            let structure = |local: &Local| self.structure(&Ty::Known(image, local.ty?));
            Some(locals.iter().filter_map(structure).collect())
        };
        found().unwrap_or_default()
    }

    /// Whether the part is one of a structure that the kernel itself has.
    pub fn is_of_the_kernel(&self, part: &NamedPart) -> bool {
        match &part.part.whole {
            Whole::Structure(structure) => self.is_of_kernel(structure),
            Whole::Variable { .. } => false,
        }
    }

    /// Bytes of what a pointer leads to; `None` if the value is no pointer to something of a known size.
    pub fn reach(&self, pointer: &Term) -> Option<u64> {
        match &pointer.kind {
            TermKind::Caller { pc, term } => self.at(*pc).reach(term),
            TermKind::Argument { term, .. } => self.reach(term),
            _ => self.size(&self.target(self.value(pointer).ok()?.ty.as_ref()?)?),
        }
    }

    /// The structure that a pointer leads to.
    pub fn pointee(&self, pointer: &Term) -> Option<Structure> {
        match &pointer.kind {
            TermKind::Caller { pc, term } => self.at(*pc).pointee(term),
            TermKind::Argument { term, .. } => self.pointee(term),
            _ => self.structure(self.pointer(pointer).ok()?.ty.as_ref()?),
        }
    }

    fn part_behind(&self, pointer: Typed<'a>, (offset, size): (i64, u8)) -> Option<NamedPart> {
        let target = self.target(pointer.ty.as_ref()?)?;
        let wanted = Wanted::Value(size, self.pointee);
        let inside = u64::try_from(offset).ok();
        let steps = inside.and_then(|inside| Some(self.part(&target, inside, wanted)?.0));
        match steps {
            Some(steps) => {
                let whole = Typed { c: pointer.c.target(), ty: Some(target) };
                self.member(whole, &steps)
            }
            None => {
                let (outer, inside) = self.container(&pointer, offset)?;
                let is_other = inside != offset || outer.c != pointer.c;
                is_other.then(|| self.part_behind(outer, (inside, size))).flatten()
            }
        }
    }

    fn part_of_variable(&self, address: u64, size: u8) -> Option<NamedPart> {
        let image = self.names.image_at(address)?;
        let variable = image.variable_at(address, Some(self.pc)).found()?;
        let inside = address.checked_sub(variable.address)?;
        let ty = Ty::Known(image, variable.ty);
        let whole = Typed::name(variable.name, Some(ty.clone()));
        let steps = self.part(&ty, inside, Wanted::Value(size, self.pointee));
        let is_own = |ty: &Ty<'a>| self.tagged(ty).is_some_and(|it| !self.is_of_kernel(&it));
        if let Some((steps, _)) = steps.filter(|_| is_own(&ty)) {
            return self.member(whole, &steps);
        }
        let size = self.size(&ty)?;
        let whole_part = Whole::Variable { address: variable.address };
        let part = Part { whole: whole_part, start: 0, size, ty: self.type_word(&ty) };
        Some(NamedPart { part, expression: whole.c })
    }

    /// The pointer to a function at the address, which is in a variable with static storage.
    pub fn function_pointer_at(&self, address: u64) -> Option<NamedPart> {
        let image = self.names.image_at(address)?;
        let variable = image.variable_at(address, Some(self.pc)).found()?;
        let typed = self.global(address, Some(Wanted::Value(8, self.pointee)))?;
        let Ty::Known(image, target) = self.target(typed.ty.as_ref()?)? else { return None };
        if !matches!(image.resolve(target).found()?.1, Type::Function { .. }) {
            return None;
        }
        let whole = Whole::Variable { address: variable.address };
        let start = address.checked_sub(variable.address)?;
        let part = Part { whole, start, size: 8, ty: String::new() };
        Some(NamedPart { part, expression: typed.c })
    }

    /// The member that the way leads through which is told apart.
    fn member(&self, whole: Typed<'a>, steps: &[Step]) -> Option<NamedPart> {
        let ty = whole.ty.clone()?;
        let image = self.image_of(&ty)?;
        let around = |at: usize| match at.checked_sub(1).and_then(|at| steps.get(at)) {
            Some(step) => (Ty::Known(image, step.field.ty), step.field.offset),
            None => (ty.clone(), 0),
        };
        let tagged = |at: usize| {
            let (ty, start) = around(at);
            Some((at, self.tagged(&ty)?, start))
        };
        let own = (0..steps.len()).rev().filter_map(tagged);
        let mut own = own.filter(|(_, structure, _)| !self.is_of_kernel(structure));
        let (from, structure, start) = own.next().or_else(|| tagged(0))?;
        let is_named = |step: &Step| matches!(step.way, Way::Member(Some(_)));
        let at = from + steps.get(from..)?.iter().position(is_named)?;
        let field = &steps.get(at)?.field;
        let member = Ty::Known(image, field.ty);
        let part = Part {
            whole: Whole::Structure(structure),
            start: field.offset.checked_sub(start)?,
            size: field.size,
            ty: self.type_word(&member),
        };
        Some(NamedPart { part, expression: whole.c.part(steps.get(..=at)?) })
    }

    /// Tag of a type's structure, or the name of the type.
    fn type_word(&self, ty: &Ty<'a>) -> String {
        let tagged = self.tagged(ty).map(|structure| structure.tag);
        tagged.unwrap_or_else(|| match ty {
            Ty::Known(image, id) => image.type_name(Some(*id)),
            Ty::PointerTo(_) => String::new(),
        })
    }
}
