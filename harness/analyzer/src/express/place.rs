// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places: the object in memory that an address belongs to.

use debuginfo::{Location, Step, Type, Way};

use super::tree::{Cast, Sign};
use super::wanted::Wanted;
use super::{Expression, Structure, Ty, Typed, Writer};
use crate::flow::{Operator, Term, TermKind};

/// An array, and the number of the element in it that is meant.
#[derive(Debug, Clone)]
pub struct Bound<'t> {
    /// The number of the element.
    pub index: &'t Term,
    /// How many elements the array has.
    pub count: u64,
    /// The array as C.
    pub array: Expression,
    /// Whether it is the last member of an object that is known by a pointer, and may have been allocated longer.
    pub is_last: bool,
}

impl<'a> Writer<'a> {
    /// The object at the address.
    pub(super) fn place(&self, address: &Term, wanted: Wanted<'_>) -> Result<Typed<'a>, String> {
        match &address.kind {
            TermKind::Constant(value) => Ok(self
                .global(*value, Some(wanted))
                .unwrap_or_else(|| Typed::untyped(self.nameless(*value, wanted)))),
            TermKind::StackAddress(slot) => self.local(*slot, wanted),
            TermKind::Sum { base, index: None, offset } => {
                // The variable's offset may be in the instruction that reads it.
                if self.is_own_cpu(base)
                    && let Some(variable) = self.own_variable(offset.cast_unsigned(), wanted)
                {
                    return Ok(variable);
                }
                let pointer = self.pointer(base)?;
                let (pointer, offset) =
                    self.same_place(&pointer, *offset, wanted).unwrap_or((pointer, *offset));
                Ok(self.behind(pointer, offset, wanted))
            }
            TermKind::Sum { base, index: Some((index, 1)), offset }
                if self.is_own_cpu(index) || self.is_own_cpu(base) =>
            {
                let pointer = if self.is_own_cpu(index) { base } else { index };
                self.of_own_cpu(pointer, *offset, wanted)
            }
            TermKind::Sum { base, index: Some((index, scale)), offset } => {
                let element = self.static_element(base, (index, *scale), *offset, wanted);
                if let Some(element) = element {
                    return Ok(element);
                }
                let (base, index) = (self.pointer(base)?, self.number(index)?);
                Ok(self.element(base, index.c, (*scale, *offset), wanted))
            }
            _ => Ok(self.behind(self.pointer(address)?, 0, wanted)),
        }
    }

    /// An object at an address in the code of which the debug information tells nothing.
    fn nameless(&self, address: u64, wanted: Wanted<'_>) -> Expression {
        match self.names.symbol_at(address) {
            Some((name, 0)) => Expression::name(name),
            Some((name, offset)) => {
                let start = Expression::name(name).address();
                word(start.at_distance(offset.cast_signed()), wanted)
            }
            None => Expression::Distance(address).cast(Cast::Pointer).target(),
        }
    }

    /// The variable with static storage at the address; without a wish, the whole one.
    pub(super) fn global(&self, address: u64, wanted: Option<Wanted<'_>>) -> Option<Typed<'a>> {
        let image = self.names.image_at(address)?;
        let variable = image.variable_at(address, Some(self.pc)).found()?;
        let offset = address.checked_sub(variable.address)?;
        let ty = Ty::Known(image, variable.ty);
        let whole = Typed::name(variable.name, Some(ty.clone()));
        let part = match wanted {
            None if offset == 0 => return Some(whole),
            None => self.part(&ty, offset, Wanted::Object),
            Some(Wanted::Object) if offset == 0 && !self.is_array(&ty) => return Some(whole),
            Some(wanted) => self.part(&ty, offset, wanted),
        };
        match part {
            Some(part) => Some(whole.part((&part.0, part.1))),
            None if offset == 0 => Some(whole),
            None => None,
        }
    }

    /// The part of a variable with static storage that so many bytes at the address are.
    pub fn variable_part(&self, address: u64, size: u8) -> Option<Expression> {
        self.global(address, Some(Wanted::Value(size, self.pointee))).map(|typed| typed.c)
    }

    /// The per-CPU variable at the offset.
    pub(super) fn per_cpu(&self, offset: u64, wanted: Wanted<'_>) -> Result<Typed<'a>, String> {
        let (name, inside, ty) =
            self.per_cpu_variable(offset).ok_or("per-CPU memory without a name")?;
        // Every kernel programmer knows this variable by the macro that reads it. It became the
        // first member of `pcpu_hot` in 6.2 and a variable again in 6.15.
        if name == "current_task" || (name == "pcpu_hot" && inside == 0) {
            let image = self.names.per_cpu_image(offset);
            let task =
                image.and_then(|image| Some((image, image.find_struct("task_struct").found()?)));
            let ty = task.map(|(image, id)| Ty::PointerTo(Box::new(Ty::Known(image, id))));
            return Ok(Typed::name("current", ty));
        }
        let part = ty.as_ref().and_then(|ty| self.part(ty, inside, wanted));
        let whole = Typed::name(name, ty);
        let variable = match part {
            Some((steps, ty)) => whole.part((&steps, ty)),
            None if inside == 0 => whole,
            None => return Err("a part of a per-CPU variable without a name".to_owned()),
        };
        Ok(Typed { c: variable.c.given_to("this_cpu_read"), ty: variable.ty })
    }

    /// The object at a distance behind a per-CPU pointer, as this CPU has it.
    fn of_own_cpu(
        &self,
        pointer: &Term,
        offset: i64,
        wanted: Wanted<'_>,
    ) -> Result<Typed<'a>, String> {
        let (pointer, offset) = match &pointer.kind {
            TermKind::Sum { base, index: None, offset: inner } => {
                (base.as_ref(), offset.wrapping_add(*inner))
            }
            _ => (pointer, offset),
        };
        if let TermKind::Constant(start) = pointer.kind
            && let Some(variable) = self.own_variable(start.wrapping_add_signed(offset), wanted)
        {
            return Ok(variable);
        }
        let pointer = self.pointer(pointer)?;
        let own = Typed { c: pointer.c.given_to("this_cpu_ptr"), ty: pointer.ty };
        Ok(self.behind(own, offset, wanted))
    }

    /// Name of the per-CPU variable at the offset, the distance from its start, its type.
    fn per_cpu_variable(&self, offset: u64) -> Option<(String, u64, Option<Ty<'a>>)> {
        let (name, inside) = self.names.per_cpu_symbol(offset)?;
        let image = self.names.per_cpu_image(offset);
        let variable = image.and_then(|image| Some((image, image.variable(&name).found()?)));
        let ty = variable.map(|(image, variable)| Ty::Known(image, variable.ty));
        Some((name, inside, ty))
    }

    /// The per-CPU variable at the offset as this CPU has it. Where only its address is wanted, it is the
    /// whole variable: `*this_cpu_ptr(&counters)`.
    fn own_variable(&self, offset: u64, wanted: Wanted<'_>) -> Option<Typed<'a>> {
        if matches!(wanted, Wanted::Value(..)) {
            return self.per_cpu(offset, wanted).ok();
        }
        let (name, inside, ty) = self.per_cpu_variable(offset)?;
        let whole = Typed::name(name, ty.clone());
        let variable = match inside {
            0 => whole,
            _ => {
                let (steps, ty) = self.part(&ty?, inside, wanted)?;
                whole.part((&steps, ty))
            }
        };
        let c = variable.c.address().given_to("this_cpu_ptr").target();
        Some(Typed { c, ty: variable.ty })
    }

    /// Whether the value is the distance of this CPU's per-CPU memory (`this_cpu_off`).
    pub fn is_own_cpu(&self, term: &Term) -> bool {
        let TermKind::PerCpu { offset, .. } = term.kind else { return false };
        self.names.per_cpu_symbol(offset).is_some_and(|(name, _)| name == "this_cpu_off")
    }

    /// What is meant of the local variable in the stack slot, by its distance from the return address'
    /// slot.
    pub(super) fn local(&self, slot: i64, wanted: Wanted<'_>) -> Result<Typed<'a>, String> {
        self.may_name()?;
        let image = self.image().ok_or("a word of the stack")?;
        // The canonical frame address is 8 above the slot of the return address.
        let place = slot.wrapping_sub(8);
        let locals = image.locals(self.pc).found().unwrap_or_default();
        let mut best: Option<(i64, Option<Typed<'a>>)> = None;
        for local in &locals {
            let Location::Cfa(start) = local.location else { continue };
            let Some(id) = local.ty else { continue };
            let inside = place.wrapping_sub(start);
            let size = image.type_size(id).found().unwrap_or(0);
            let Ok(offset) = u64::try_from(inside) else { continue };
            if offset >= size.max(1) || best.as_ref().is_some_and(|(nearer, _)| *nearer <= inside) {
                continue;
            }
            let ty = Ty::Known(image, id);
            let is_whole = offset == 0 && wanted == Wanted::Object;
            let part = self.part(&ty, offset, wanted).filter(|_| !is_whole);
            let has_parts = self.has_members(&ty) && matches!(wanted, Wanted::Value(..));
            let whole = Typed::name(local.name.clone(), Some(ty));
            let typed = match part {
                Some((steps, ty)) => Some(whole.part((&steps, ty))),
                None => (offset == 0 && !has_parts).then_some(whole),
            };
            best = Some((inside, typed));
        }
        best.and_then(|(_, typed)| typed).ok_or_else(|| "a word of the stack".to_owned())
    }

    /// The object in a static array, of which the compiler made the address a displacement:
    /// `accounts(,%rdi,8)`, which the kernel's code model allows for all of its image.
    pub(super) fn static_element(
        &self,
        base: &Term,
        (index, scale): (&Term, u32),
        offset: i64,
        wanted: Wanted<'_>,
    ) -> Option<Typed<'a>> {
        let TermKind::Constant(start) = base.kind else { return None };
        let address = start.wrapping_add_signed(offset);
        let image = self.names.image_at(address)?;
        let variable = image.variable_at(address, Some(self.pc)).found()?;
        let inside = address.checked_sub(variable.address)?;
        let ty = Ty::Known(image, variable.ty);
        let index = self.number(index).ok()?.c;
        self.in_array(Typed::name(variable.name, Some(ty)), inside, (scale, index), wanted)
    }

    /// The pointer variable that is kept as a distance from this one, where its type has an object
    /// at the place and this one's has none: private data behind a structure of the kernel, taken
    /// by a cast (`struct open_call *call = instance->data`). The debug information of the
    /// address at hand has both, one in a register and one as this register plus a distance.
    pub(super) fn same_place(
        &self,
        pointer: &Typed<'a>,
        offset: i64,
        wanted: Wanted<'_>,
    ) -> Option<(Typed<'a>, i64)> {
        let Expression::Name(name) = &pointer.c else { return None };
        let fits = |typed: &Typed<'a>, offset: i64| {
            let target = typed.ty.as_ref().and_then(|ty| self.target(ty));
            let inside = u64::try_from(offset).ok();
            target.zip(inside).is_some_and(|(ty, at)| self.part(&ty, at, wanted).is_some())
        };
        if fits(pointer, offset) {
            return None;
        }
        let image = self.image()?;
        let locals = image.locals(self.pc).found()?;
        let kept = locals.iter().find_map(|local| match local.location {
            Location::Register(register) if local.name == *name => Some(register),
            _ => None,
        })?;
        let mut nearest: Vec<_> = locals
            .iter()
            .filter_map(|local| match local.location {
                Location::RegisterPlus { register, offset: start } if register == kept => {
                    let ty = Some(Ty::Known(image, local.ty?));
                    Some((Typed::name(local.name.clone(), ty), offset.checked_sub(start)?))
                }
                _ => None,
            })
            .filter(|(local, inside)| fits(local, *inside))
            .collect();
        nearest.sort_by_key(|(_, inside)| *inside);
        nearest.into_iter().next()
    }

    /// The object at a distance behind a pointer.
    fn behind(&self, pointer: Typed<'a>, offset: i64, wanted: Wanted<'_>) -> Typed<'a> {
        let target = pointer.ty.as_ref().and_then(|ty| self.target(ty));
        let positive = u64::try_from(offset).ok();
        if let (Some(target), Some(offset)) = (&target, positive) {
            let whole = Typed { c: pointer.c.clone().target(), ty: Some(target.clone()) };
            if offset == 0 && wanted == Wanted::Object {
                return whole;
            }
            if let Some((steps, ty)) = self.part(target, offset, wanted) {
                return whole.part((&steps, ty));
            }
            if offset == 0 {
                return whole;
            }
        }
        match self.container(&pointer, offset) {
            Some((outer, inside)) => self.behind(outer, inside, wanted),
            None => Typed::untyped(word(pointer.c.at_distance(offset), wanted)),
        }
    }

    /// The object at `base[index]`, `offset` bytes into it.
    fn element(
        &self,
        base: Typed<'a>,
        index: Expression,
        (scale, offset): (u32, i64),
        wanted: Wanted<'_>,
    ) -> Typed<'a> {
        let target = base.ty.as_ref().and_then(|ty| self.target(ty));
        if let (Some(target), Ok(inside)) = (target, u64::try_from(offset)) {
            // An array inside of the structure that the pointer leads to.
            let whole = Typed { c: base.c.clone().target(), ty: Some(target.clone()) };
            let element = self.in_array(whole, inside, (scale, index.clone()), wanted);
            if let Some(element) = element {
                return element;
            }
            if self.size(&target) == Some(u64::from(scale)) && inside < u64::from(scale) {
                let element = Typed { c: base.c.clone().element(index.clone()), ty: Some(target) };
                let part = element.ty.as_ref().and_then(|ty| self.part(ty, inside, wanted));
                return match part {
                    Some((steps, ty)) if inside > 0 || wanted != Wanted::Object => {
                        element.part((&steps, ty))
                    }
                    _ if inside == 0 => element,
                    _ => Typed::untyped(word(element.c.address().at_distance(offset), wanted)),
                };
            }
        }
        let bytes = match scale {
            1 => index,
            _ => index.with(Sign::Of(Operator::Multiply), Expression::Number(scale.into())),
        };
        let element = base.c.at_distance(0).with(Sign::Add, bytes);
        let distance = Expression::Distance(offset.unsigned_abs());
        let at = match offset {
            0 => element,
            ..0 => element.with(Sign::Of(Operator::Subtract), distance),
            _ => element.with(Sign::Add, distance),
        };
        Typed::untyped(word(at, wanted))
    }

    /// The object in an array inside of another one: where one element further on, at a distance of
    /// `scale`, the path to it is the same but for a 1 in place of a 0, the index belongs there.
    fn in_array(
        &self,
        whole: Typed<'a>,
        offset: u64,
        (scale, index): (u32, Expression),
        wanted: Wanted<'_>,
    ) -> Option<Typed<'a>> {
        let (steps, at, found) = self.first_element(&whole, offset, scale, wanted)?;
        let (before, rest) = steps.split_at(at);
        let c = whole.c.part(before).element(index).part(rest.get(1..)?);
        Some(Typed { c, ty: Some(found) })
    }

    /// The path to what is in the first element of an array inside of another object, the position of
    /// the step to the element, and the type of what is there.
    fn first_element(
        &self,
        whole: &Typed<'a>,
        offset: u64,
        scale: u32,
        wanted: Wanted<'_>,
    ) -> Option<(Vec<Step>, usize, Ty<'a>)> {
        let ty = whole.ty.as_ref()?;
        let (steps, found) = self.part(ty, offset, wanted)?;
        let (next, _) = self.part(ty, offset.checked_add(u64::from(scale))?, wanted)?;
        let differs = |(a, b): (&Step, &Step)| a.way != b.way;
        let mut different = steps.iter().zip(&next).enumerate().filter(|(_, pair)| differs(*pair));
        let (at, (first, second)) = different.next()?;
        let is_next = first.way == Way::Element(0) && second.way == Way::Element(1);
        let is_only = different.next().is_none() && steps.len() == next.len();
        (is_next && is_only).then_some((steps, at, found))
    }

    /// The pointer that the place at the address is written from, and how many bytes behind it the place is.
    fn written_from(&self, address: &Term, wanted: Wanted<'_>) -> Option<(Typed<'a>, i64)> {
        let (base, offset) = match &address.kind {
            TermKind::Sum { base, index: None, offset } => (base.as_ref(), *offset),
            _ => (address, 0),
        };
        let pointer = self.pointer(base).ok()?;
        Some(self.same_place(&pointer, offset, wanted).unwrap_or((pointer, offset)))
    }

    /// The structure that the place at the address is written as a member of: the pointer to it, the
    /// structure, and how far into it the place is.
    pub fn structure_at(&self, address: &Term, size: u8) -> Option<(Expression, Structure, i64)> {
        let (pointer, offset) = self.written_from(address, Wanted::Value(size, self.pointee))?;
        let structure = self.structure(pointer.ty.as_ref()?)?;
        Some((pointer.c, structure, offset))
    }

    /// The innermost structure that has the `size` bytes at the address as a member, and how far into it they are.
    pub fn around(&self, address: &Term, size: u8) -> Option<(Structure, u64)> {
        let wanted = Wanted::Value(size, self.pointee);
        let (pointer, offset) = self.written_from(address, wanted)?;
        let whole = self.target(pointer.ty.as_ref()?)?;
        let (steps, _) = self.part(&whole, u64::try_from(offset).ok()?, wanted)?;
        let (last, before) = steps.split_last()?;
        let (around, start) = match before.last() {
            Some(step) => (Ty::Known(self.image_of(&whole)?, step.field.ty), step.field.offset),
            None => (whole, 0),
        };
        Some((self.tagged(&around)?, last.field.offset.checked_sub(start)?))
    }

    /// The structure that the object with that tag at the address is a member of, the innermost of those that
    /// lie inside of each other and are not the kernel's own, and how far into it that begins.
    pub fn holder(&self, address: &Term, tag: Option<&str>) -> Option<(Structure, u64)> {
        let wanted = tag.map_or(Wanted::Object, Wanted::Structure);
        let (base, index, offset) = match &address.kind {
            TermKind::Sum { base, index, offset } => (base.as_ref(), index.as_ref(), *offset),
            _ => (address, None, 0),
        };
        let (ty, offset) = match base.kind {
            TermKind::Constant(start) => {
                let address = start.wrapping_add_signed(offset);
                let image = self.names.image_at(address)?;
                let variable = image.variable_at(address, Some(self.pc)).found()?;
                let inside = address.checked_sub(variable.address)?;
                (Ty::Known(image, variable.ty), inside)
            }
            _ => {
                let pointer = self.pointer(base).ok()?;
                let (pointer, offset) =
                    self.same_place(&pointer, offset, wanted).unwrap_or((pointer, offset));
                (self.target(pointer.ty.as_ref()?)?, u64::try_from(offset).ok()?)
            }
        };
        let steps = match index {
            None => self.part(&ty, offset, wanted)?.0,
            Some((_, scale)) => {
                // Behind a pointer to one of several, the index is that of the whole.
                let whole = Typed { c: Expression::Number(0), ty: Some(ty.clone()) };
                match self.first_element(&whole, offset, *scale, wanted) {
                    Some((steps, ..)) => steps,
                    None if self.size(&ty) == Some(u64::from(*scale)) => {
                        self.part(&ty, offset, wanted)?.0
                    }
                    None => return None,
                }
            }
        };
        self.innermost(&ty, &steps)
    }

    /// The last structure with a tag on the way to the last step's object that is not the kernel's own.
    fn innermost(&self, whole: &Ty<'a>, steps: &[Step]) -> Option<(Structure, u64)> {
        let image = self.image_of(whole)?;
        let end = steps.last()?.field.offset;
        let outer = steps.iter().rev().skip(1).map(|step| (Ty::Known(image, step.field.ty), step));
        let inside = outer.map(|(ty, step)| (ty, step.field.offset));
        let all = inside.chain([(whole.clone(), 0)]);
        let mut all = all.filter_map(|(ty, start)| Some((self.tagged(&ty)?, start)));
        let (structure, start) = all.find(|(structure, _)| !self.is_of_kernel(structure))?;
        Some((structure, end.checked_sub(start)?))
    }

    /// The structure that the type is, if it has a tag.
    pub(super) fn tagged(&self, ty: &Ty<'a>) -> Option<Structure> {
        let Ty::Known(image, id) = ty else { return None };
        match self.complete(image, *id)?.2 {
            Type::Struct { name: Some(tag), size, .. } => Some(Structure { tag, size }),
            _ => None,
        }
    }

    /// Whether the kernel itself has that structure. One of a module may have the same tag.
    pub(super) fn is_of_kernel(&self, structure: &Structure) -> bool {
        let kernel = self.names.kernel_image();
        kernel.is_some_and(|kernel| {
            let own = kernel.find_struct(&structure.tag).found();
            own.is_some_and(|own| kernel.type_size(own).found() == Some(structure.size))
        })
    }

    /// The structure that a pointer of the type leads to.
    pub(super) fn structure(&self, pointer: &Ty<'a>) -> Option<Structure> {
        self.tagged(&self.target(pointer)?)
    }

    /// The array that the address is one of an element of, where its type says how many it has.
    pub fn bound<'t>(&self, address: &'t Term, size: u8) -> Option<Bound<'t>> {
        let TermKind::Sum { base, index: Some((index, scale)), offset } = &address.kind else {
            return None;
        };
        let (whole, inside) = match base.kind {
            TermKind::Constant(start) => {
                let address = start.wrapping_add_signed(*offset);
                let image = self.names.image_at(address)?;
                let variable = image.variable_at(address, Some(self.pc)).found()?;
                let ty = Some(Ty::Known(image, variable.ty));
                (Typed::name(variable.name, ty), address.checked_sub(variable.address)?)
            }
            _ => {
                let base = self.pointer(base).ok()?;
                let target = base.ty.as_ref().and_then(|ty| self.target(ty))?;
                let whole = Typed { c: base.c.target(), ty: Some(target) };
                (whole, u64::try_from(*offset).ok()?)
            }
        };
        let (steps, at, _) =
            self.first_element(&whole, inside, *scale, Wanted::Value(size, self.pointee))?;
        let (before, _) = steps.split_at(at);
        let ty = match before.last() {
            Some(step) => Ty::Known(self.image_of(whole.ty.as_ref()?)?, step.field.ty),
            None => whole.ty.clone()?,
        };
        let of = ty.clone();
        let Ty::Known(image, id) = ty else { return None };
        let Type::Array { count: Some(count), .. } = image.resolve(id).found()?.1 else {
            return None;
        };
        // Of `cell[row][column]` the code has one number, `row * 4 + column`, which is none of a row's.
        let around = match before.split_last().map(|(_, outer)| outer.last()) {
            None => None,
            Some(None) => whole.ty.clone(),
            Some(Some(step)) => Some(Ty::Known(self.image_of(whole.ty.as_ref()?)?, step.field.ty)),
        };
        if let Some(Ty::Known(image, id)) = around
            && matches!(image.resolve(id).found()?.1, Type::Array { .. })
        {
            return None;
        }
        let is_last =
            self.is_last(&whole, before, &of) && !matches!(base.kind, TermKind::Constant(_));
        // An array of no or one element at the end of a structure is often used as a longer one.
        (count > 1).then(|| Bound { index, count, array: whole.c.part(before), is_last })
    }

    /// Whether the member that the steps lead to ends where the whole does, but for padding.
    fn is_last(&self, whole: &Typed<'a>, steps: &[Step], member: &Ty<'a>) -> bool {
        /// No structure is padded by more.
        const PADDING: u64 = 7;
        let ends = || {
            let start = steps.last()?.field.offset;
            let end = start.checked_add(self.size(member)?)?;
            Some((end, self.size(whole.ty.as_ref()?)?))
        };
        ends().is_some_and(|(end, size)| size <= end.saturating_add(PADDING))
    }

    pub(super) fn image_of(&self, ty: &Ty<'a>) -> Option<&'a debuginfo::Image<'a>> {
        let Ty::Known(image, id) = ty else { return None };
        Some(self.complete(image, *id)?.0)
    }

    /// What a pointer points to; an array counts as a pointer to its elements.
    pub(super) fn target(&self, ty: &Ty<'a>) -> Option<Ty<'a>> {
        match ty {
            Ty::PointerTo(target) => Some((**target).clone()),
            Ty::Known(image, id) => match image.resolve(*id).found()?.1 {
                Type::Pointer { target } => Some(Ty::Known(image, target?)),
                Type::Array { element, .. } => Some(Ty::Known(image, element)),
                _ => None,
            },
        }
    }

    /// Whether the type is a structure, a union or an array.
    pub(super) fn has_members(&self, ty: &Ty<'a>) -> bool {
        let Ty::Known(image, id) = ty else { return false };
        let complete = self.complete(image, *id).map(|(_, _, ty)| ty);
        matches!(complete, Some(Type::Struct { .. } | Type::Array { .. }))
    }

    pub(super) fn size(&self, ty: &Ty<'a>) -> Option<u64> {
        match ty {
            Ty::PointerTo(_) => Some(8),
            Ty::Known(image, id) => {
                let (image, id, _) = self.complete(image, *id)?;
                image.type_size(id).found()
            }
        }
    }

    fn is_array(&self, ty: &Ty<'a>) -> bool {
        let Ty::Known(image, id) = ty else { return false };
        matches!(image.resolve(*id).found(), Some((_, Type::Array { .. })))
    }
}

/// The word at an address of which no type is known.
fn word(at: Expression, wanted: Wanted<'_>) -> Expression {
    let size = match wanted {
        Wanted::Value(size, _) => size,
        Wanted::Object | Wanted::Structure(_) => 8,
    };
    at.cast(Cast::Word(size)).target()
}
