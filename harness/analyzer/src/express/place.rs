// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places: the object in memory that an address belongs to.

use debuginfo::{Location, Type};

use super::{Binding, Ty, Typed, Writer};
use crate::flow::{Term, TermKind};

impl<'a> Writer<'a> {
    /// The object of `size` bytes (0: of any size) at the address.
    pub(super) fn place(&self, address: &Term, size: u8) -> Result<Typed<'a>, String> {
        match &address.kind {
            TermKind::Constant(value) => Ok(self.global(*value, Some(size)).unwrap_or_else(|| {
                let text = self.names.symbol_at(*value).map(|(name, offset)| match offset {
                    0 => name,
                    _ => format!("*({name} + {offset:#x})"),
                });
                let text = text.unwrap_or_else(|| format!("*(void **){value:#x}"));
                Typed { text, binding: Binding::Unary, ty: None }
            })),
            TermKind::StackAddress(slot) => self.local(*slot),
            TermKind::Sum { base, index: None, offset } => {
                // The variable's offset may be in the instruction that reads it.
                if self.is_own_cpu(base)
                    && let Some(variable) = self.own_variable(offset.cast_unsigned(), size)
                {
                    return Ok(variable);
                }
                let pointer = self.value(base)?;
                let (pointer, offset) =
                    self.same_place(&pointer, *offset, size).unwrap_or((pointer, *offset));
                Ok(self.behind(pointer, offset, size))
            }
            TermKind::Sum { base, index: Some((index, 1)), offset }
                if self.is_own_cpu(index) || self.is_own_cpu(base) =>
            {
                let pointer = if self.is_own_cpu(index) { base } else { index };
                self.of_own_cpu(pointer, *offset, size)
            }
            TermKind::Sum { base, index: Some((index, scale)), offset } => {
                let element = self.static_element(base, (index, *scale), *offset, size);
                if let Some(element) = element {
                    return Ok(element);
                }
                let (base, index) = (self.value(base)?, self.value(index));
                Ok(self.element(base, index, *scale, *offset, size))
            }
            _ => Ok(self.behind(self.value(address)?, 0, size)),
        }
    }

    /// The variable with static storage at the address.
    pub(super) fn global(&self, address: u64, size: Option<u8>) -> Option<Typed<'a>> {
        let image = self.names.image_at(address)?;
        let variable = image.variable_at(address, Some(self.pc)).found()?;
        let offset = address.checked_sub(variable.address)?;
        let whole = Typed::postfix(variable.name, Some(Ty::Known(image, variable.ty)));
        if offset == 0 && size.is_none() {
            return Some(whole);
        }
        let path = self.part(&Ty::Known(image, variable.ty), offset, size.unwrap_or(0));
        match path {
            Some((path, ty)) => Some(Typed::postfix(format!("{}{path}", whole.text), Some(ty))),
            None if offset == 0 => Some(whole),
            None => None,
        }
    }

    /// The per-CPU variable at the offset.
    pub(super) fn per_cpu(&self, offset: u64) -> Result<Typed<'a>, String> {
        let (name, inside, ty) =
            self.per_cpu_variable(offset).ok_or("per-CPU memory without a name")?;
        // Every kernel programmer knows this variable by the macro that reads it. It became the
        // first member of `pcpu_hot` in 6.2 and a variable again in 6.15.
        if name == "current_task" || (name == "pcpu_hot" && inside == 0) {
            let image = self.names.per_cpu_image(offset);
            let task =
                image.and_then(|image| Some((image, image.find_struct("task_struct").found()?)));
            let ty = task.map(|(image, id)| Ty::PointerTo(Box::new(Ty::Known(image, id))));
            return Ok(Typed::postfix("current", ty));
        }
        let member = ty.as_ref().and_then(|ty| self.member(ty, inside, 0));
        Ok(match member {
            Some((path, ty)) => Typed::postfix(format!("this_cpu_read({name}{path})"), Some(ty)),
            None => Typed::postfix(format!("this_cpu_read({name})"), ty),
        })
    }

    /// The object at a distance behind a per-CPU pointer, as this CPU has it.
    fn of_own_cpu(&self, pointer: &Term, offset: i64, size: u8) -> Result<Typed<'a>, String> {
        let (pointer, offset) = match &pointer.kind {
            TermKind::Sum { base, index: None, offset: inner } => {
                (base.as_ref(), offset.wrapping_add(*inner))
            }
            _ => (pointer, offset),
        };
        if let TermKind::Constant(start) = pointer.kind
            && let Some(variable) = self.own_variable(start.wrapping_add_signed(offset), size)
        {
            return Ok(variable);
        }
        let pointer = self.value(pointer)?;
        let own = Typed::postfix(format!("this_cpu_ptr({})", pointer.text), pointer.ty);
        Ok(self.behind(own, offset, size))
    }

    /// Name of the per-CPU variable at the offset, the distance from its start, its type.
    fn per_cpu_variable(&self, offset: u64) -> Option<(String, u64, Option<Ty<'a>>)> {
        let (name, inside) = self.names.per_cpu_symbol(offset)?;
        let image = self.names.per_cpu_image(offset);
        let variable = image.and_then(|image| Some((image, image.variable(&name).found()?)));
        let ty = variable.map(|(image, variable)| Ty::Known(image, variable.ty));
        Some((name, inside, ty))
    }

    /// The per-CPU variable at the offset as this CPU has it. Where only its address is wanted (size
    /// 0), it is the whole variable: `*this_cpu_ptr(&counters)`.
    fn own_variable(&self, offset: u64, size: u8) -> Option<Typed<'a>> {
        if size > 0 {
            return self.per_cpu(offset).ok();
        }
        let (name, inside, ty) = self.per_cpu_variable(offset)?;
        let (path, ty) = match inside {
            0 => (String::new(), ty),
            _ => ty.and_then(|ty| self.part(&ty, inside, 0)).map(|(path, ty)| (path, Some(ty)))?,
        };
        let text = format!("*this_cpu_ptr(&{name}{path})");
        Some(Typed { text, binding: Binding::Unary, ty })
    }

    /// Whether the value is the distance of this CPU's per-CPU memory (`this_cpu_off`).
    fn is_own_cpu(&self, term: &Term) -> bool {
        let TermKind::PerCpu { offset, .. } = term.kind else { return false };
        self.names.per_cpu_symbol(offset).is_some_and(|(name, _)| name == "this_cpu_off")
    }

    /// The local variable in the stack slot, by its distance from the return address' slot.
    pub(super) fn local(&self, slot: i64) -> Result<Typed<'a>, String> {
        let image = self.image().ok_or("a word of the stack")?;
        // The canonical frame address is 8 above the slot of the return address.
        let wanted = slot.wrapping_sub(8);
        let locals = image.locals(self.pc).found().unwrap_or_default();
        let mut best: Option<(i64, Typed<'a>)> = None;
        for local in &locals {
            let Location::Cfa(start) = local.location else { continue };
            let Some(id) = local.ty else { continue };
            let inside = wanted.wrapping_sub(start);
            let size = image.type_size(id).found().unwrap_or(0);
            let Ok(offset) = u64::try_from(inside) else { continue };
            if offset >= size.max(1) || best.as_ref().is_some_and(|(nearer, _)| *nearer <= inside) {
                continue;
            }
            let ty = Ty::Known(image, id);
            let typed = match self.member(&ty, offset, 0) {
                Some((path, ty)) if offset > 0 => {
                    Typed::postfix(format!("{}{path}", local.name), Some(ty))
                }
                _ => Typed::postfix(local.name.clone(), Some(ty)),
            };
            best = Some((inside, typed));
        }
        best.map(|(_, typed)| typed).ok_or_else(|| "a word of the stack".to_owned())
    }

    /// The object in a static array, of which the compiler made the address a displacement:
    /// `accounts(,%rdi,8)`, which the kernel's code model allows for all of its image.
    pub(super) fn static_element(
        &self,
        base: &Term,
        (index, scale): (&Term, u32),
        offset: i64,
        size: u8,
    ) -> Option<Typed<'a>> {
        let TermKind::Constant(start) = base.kind else { return None };
        let address = start.wrapping_add_signed(offset);
        let image = self.names.image_at(address)?;
        let variable = image.variable_at(address, Some(self.pc)).found()?;
        let inside = address.checked_sub(variable.address)?;
        let ty = Ty::Known(image, variable.ty);
        let index = self.value(index).map_or_else(|_| "…".to_owned(), |index| index.text);
        let (path, ty) = self.in_array(&ty, inside, scale, size, &index)?;
        Some(Typed::postfix(format!("{}{path}", variable.name), Some(ty)))
    }

    /// The pointer variable that is kept as a distance from this one, where its type has an object
    /// at the place and this one's has none: private data behind a structure of the kernel, taken
    /// by a cast (`struct open_call *call = instance->data`). The debug information of the
    /// address at hand has both, one in a register and one as this register plus a distance.
    fn same_place(&self, pointer: &Typed<'a>, offset: i64, size: u8) -> Option<(Typed<'a>, i64)> {
        let fits = |typed: &Typed<'a>, offset: i64| {
            let target = typed.ty.as_ref().and_then(|ty| self.target(ty));
            let inside = u64::try_from(offset).ok();
            target.zip(inside).is_some_and(|(ty, at)| self.part(&ty, at, size).is_some())
        };
        if fits(pointer, offset) {
            return None;
        }
        let image = self.image()?;
        let locals = image.locals(self.pc).found()?;
        let kept = locals.iter().find_map(|local| match local.location {
            Location::Register(register) if local.name == pointer.text => Some(register),
            _ => None,
        })?;
        let mut nearest: Vec<_> = locals
            .iter()
            .filter_map(|local| match local.location {
                Location::RegisterPlus { register, offset: start } if register == kept => {
                    let ty = Some(Ty::Known(image, local.ty?));
                    Some((Typed::postfix(local.name.clone(), ty), offset.checked_sub(start)?))
                }
                _ => None,
            })
            .filter(|(local, inside)| fits(local, *inside))
            .collect();
        nearest.sort_by_key(|(_, inside)| *inside);
        nearest.into_iter().next()
    }

    /// The object at a distance behind a pointer.
    fn behind(&self, pointer: Typed<'a>, offset: i64, size: u8) -> Typed<'a> {
        let target = pointer.ty.as_ref().and_then(|ty| self.target(ty));
        let positive = u64::try_from(offset).ok();
        if let (Some(target), Some(offset)) = (&target, positive) {
            if let Some((path, ty)) = self.part(target, offset, size) {
                return dereference(&pointer, &path, Some(ty));
            }
            if offset == 0 {
                return dereference(&pointer, "", Some(target.clone()));
            }
        }
        match self.container(&pointer, offset) {
            Some((outer, inside)) => self.behind(outer, inside, size),
            None => untyped(&pointer, offset, size),
        }
    }

    /// The object at `base[index]`, `offset` bytes into it.
    fn element(
        &self,
        base: Typed<'a>,
        index: Result<Typed<'a>, String>,
        scale: u32,
        offset: i64,
        size: u8,
    ) -> Typed<'a> {
        let index = index.map_or_else(|_| "…".to_owned(), |index| index.text);
        let target = base.ty.as_ref().and_then(|ty| self.target(ty));
        if let (Some(target), Ok(offset)) = (target, u64::try_from(offset)) {
            // An array inside of the structure that the pointer leads to: `p->a[0].b` with the
            // index in place of the 0.
            if let Some((path, ty)) = self.in_array(&target, offset, scale, size, &index) {
                return dereference(&base, &path, Some(ty));
            }
            if self.size(&target) == Some(u64::from(scale)) && offset == 0 {
                let text = format!("{}[{index}]", base.inside(Binding::Postfix));
                return Typed::postfix(text, Some(target));
            }
        }
        let shift = if offset == 0 { String::new() } else { format!(" + {offset:#x}") };
        let text = format!("*({} + {index} * {scale}{shift})", base.inside(Binding::Sum));
        Typed { text, binding: Binding::Unary, ty: None }
    }

    /// Path to the same member of another element: where one element further on, at a distance of
    /// `scale`, the path has a 1 for the 0, the index belongs there.
    fn in_array(
        &self,
        target: &Ty<'a>,
        offset: u64,
        scale: u32,
        size: u8,
        index: &str,
    ) -> Option<(String, Ty<'a>)> {
        let (path, ty) = self.part(target, offset, size)?;
        let (next, _) = self.part(target, offset.checked_add(u64::from(scale))?, size)?;
        let at = path
            .match_indices("[0]")
            .map(|(at, _)| at)
            .find(|&at| format!("{}[1]{}", &path[..at], &path[at + 3..]) == next)?;
        Some((format!("{}[{index}]{}", &path[..at], &path[at + 3..]), ty))
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

    fn size(&self, ty: &Ty<'a>) -> Option<u64> {
        match ty {
            Ty::PointerTo(_) => Some(8),
            Ty::Known(image, id) => {
                let (image, id, _) = self.complete(image, *id)?;
                image.type_size(id).found()
            }
        }
    }

    /// The member at the offset as people mean it: what is read or written is innermost; an address
    /// alone (size 0) is that of the outermost structure that begins there, `&job->lock` rather than
    /// `&job->lock.owner.counter`.
    fn part(&self, ty: &Ty<'a>, offset: u64, size: u8) -> Option<(String, Ty<'a>)> {
        let (mut path, mut part) = self.member(ty, offset, size)?;
        let Ty::Known(image, id) = ty else { return Some((path, part)) };
        let (image, id, whole) = self.complete(image, *id)?;
        // Of an array, the members are those of the element.
        let (id, skipped, index) = match (whole, path.find(']')) {
            (Type::Array { element, .. }, Some(end)) => {
                let each = image.type_size(element).found()?.max(1);
                (element, offset - offset % each, end + 1)
            }
            _ => (id, 0, 0),
        };
        while size == 0
            && let Some((outer, _)) = path.rsplit_once('.')
            && let Some(members) = outer.get(index..).map(|outer| outer.trim_start_matches('.'))
            && let Some(field) = image.member_of(id, members).found()
            && skipped.checked_add(field.offset) == Some(offset)
        {
            part = Ty::Known(image, field.ty);
            path.truncate(outer.len());
        }
        Some((path, part))
    }

    /// Path (`.a.b[3]`) and type of the innermost member at the offset; `None` where the type has
    /// no members or none of them lies there with that size.
    fn member(&self, ty: &Ty<'a>, offset: u64, size: u8) -> Option<(String, Ty<'a>)> {
        let Ty::Known(image, id) = ty else { return None };
        let (image, id, resolved) = self.complete(image, *id)?;
        if !matches!(resolved, Type::Struct { .. } | Type::Array { .. }) {
            return None;
        }
        let (path, field) = image.member_at(id, offset).found()?;
        let exact = field.offset == offset;
        let fits = size == 0 || field.bits.is_some() || field.size == u64::from(size);
        if !exact || (!fits && size != 0 && field.size < u64::from(size)) {
            return None;
        }
        let dot = if path.starts_with('[') || path.is_empty() { "" } else { "." };
        Some((format!("{dot}{path}"), Ty::Known(image, field.ty)))
    }
}

/// `p->a`, `p[0].a`, `x.a` for `&x`, or `*p` for an empty path.
fn dereference<'a>(pointer: &Typed<'a>, path: &str, ty: Option<Ty<'a>>) -> Typed<'a> {
    let text = pointer.text.as_str();
    if pointer.binding == Binding::Unary
        && let Some(object) = text.strip_prefix('&')
    {
        return Typed::postfix(format!("{object}{path}"), ty);
    }
    let inner = pointer.inside(Binding::Postfix);
    match path.strip_prefix('.') {
        Some(member) => Typed::postfix(format!("{inner}->{member}"), ty),
        None if path.is_empty() => Typed {
            text: format!("*{}", pointer.inside(Binding::Unary)),
            binding: Binding::Unary,
            ty,
        },
        None => Typed::postfix(format!("(*{inner}){path}"), ty),
    }
}

/// The word at a distance from a pointer of which no type is known.
fn untyped<'a>(pointer: &Typed<'a>, offset: i64, size: u8) -> Typed<'a> {
    let word = match size {
        1 => "u8",
        2 => "u16",
        4 => "u32",
        _ => "u64",
    };
    let inner = pointer.inside(Binding::Unary);
    let at = match offset {
        0 => format!("(void *){inner}"),
        _ if offset < 0 => format!("((void *){inner} - {:#x})", offset.unsigned_abs()),
        _ => format!("((void *){inner} + {offset:#x})"),
    };
    Typed { text: format!("*({word} *){at}"), binding: Binding::Unary, ty: None }
}
