// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values: what a term computes.

use debuginfo::{Image, Local, Location, Type, TypeId};
use iced_x86::Register;

use super::tree::{Cast, Sign};
use super::wanted::Wanted;
use super::{Expression, Pointee, Ty, Typed, Writer};
use crate::flow::{ARGUMENTS, Operator, Place, Term, TermKind};
use crate::symbol_name::source_name;

/// Masks that leave out no more than these bits are written as what they leave out.
const SMALL_MASK: u64 = 1 << 16;

impl<'a> Writer<'a> {
    /// The value as C.
    pub(super) fn value(&self, term: &Term) -> Result<Typed<'a>, String> {
        match &term.kind {
            TermKind::Load { address, size, .. } => {
                self.place(address, Wanted::Value(*size, self.pointee))
            }
            TermKind::PerCpu { offset, size } => {
                self.per_cpu(*offset, Wanted::Value(*size, self.pointee))
            }
            TermKind::Entry(register) => self.parameter(*register),
            TermKind::EntryStack(slot) => self.stack_parameter(*slot),
            TermKind::Returned { target } => self.returned(*target),
            TermKind::Constant(value) => Ok(self.constant(*value)),
            TermKind::Sum { base, index: Some((index, scale)), offset }
                if base.kind == TermKind::Constant(0) =>
            {
                match self.static_element(base, (index, *scale), *offset, Wanted::Object) {
                    Some(element) => Ok(element.address()),
                    None => self.number(term),
                }
            }
            TermKind::Sum { base, index: None, .. } if self.is_number(base) => self.number(term),
            TermKind::Sum { .. } | TermKind::StackAddress(_) => {
                self.place(term, Wanted::Object).map(Typed::address)
            }
            TermKind::Caller { pc, term } => self.at(*pc).value(term),
            TermKind::Choice(terms) => self.choice(terms),
            TermKind::Local(slot) => self.local(*slot, Wanted::Value(8, self.pointee)),
            TermKind::Extend { term, .. } => self.value(term),
            TermKind::Binary { op, left, right, .. } => self.binary(*op, left, right),
            TermKind::Walk { first, next, place } => {
                let is_stepped = matches!(&next.kind, TermKind::Sum { base, index: None, .. }
                    if base.kind == TermKind::Again(*place));
                self.looped(*place, Some((first, is_stepped)))
            }
            TermKind::Again(place) => self.looped(*place, None),
            TermKind::Variable { name, pc, depth, .. } => {
                self.may_name()?;
                Ok(Typed::name(name.clone(), self.type_of_local(*pc, (name, *depth))))
            }
            TermKind::Argument { pc, register, term } => self.argument(*pc, *register, term),
            TermKind::Unknown(why) => Err(why.clone()),
        }
    }

    /// The value as C, of one that something is read or written through.
    pub(super) fn pointer(&self, term: &Term) -> Result<Typed<'a>, String> {
        self.used_as(Pointee::Data).value(term)
    }

    /// What a function out of sight was given, as its caller computed it. Where that has no type,
    /// `file->private_data`, the parameter's is put before it.
    fn argument(&self, pc: u64, register: Register, term: &Term) -> Result<Typed<'a>, String> {
        let callee = self.at(pc).unbounded();
        let passed = match self.value(term) {
            Ok(passed) if self.is_typed(&passed) => return Ok(passed),
            Ok(passed) => passed,
            // The callee's own name says more than nothing.
            Err(why) => {
                self.may_name().map_err(|_| why)?;
                return callee.parameter(register);
            }
        };
        let ty = callee.parameter(register).ok().and_then(|parameter| parameter.ty);
        let name = ty.as_ref().filter(|ty| !callee.is_void_pointer(ty)).and_then(|ty| match ty {
            Ty::Known(image, id) => {
                let is_pointer = matches!(image.resolve(*id).found()?.1, Type::Pointer { .. });
                is_pointer.then(|| image.type_name(Some(*id)))
            }
            Ty::PointerTo(_) => None,
        });
        Ok(match name {
            Some(name) => Typed { c: passed.c.cast(Cast::Type(name)), ty },
            None => passed,
        })
    }

    fn parameter(&self, register: Register) -> Result<Typed<'a>, String> {
        let index = ARGUMENTS.iter().position(|&argument| argument == register);
        let index =
            index.ok_or_else(|| format!("{register:?} as the caller left it").to_lowercase())?;
        self.nth_parameter(index)
    }

    fn stack_parameter(&self, slot: i64) -> Result<Typed<'a>, String> {
        let index = usize::try_from(slot).ok().filter(|slot| slot % 8 == 0).map(|slot| slot / 8);
        let index = index.and_then(|n| n.checked_sub(1)).ok_or("a word of the caller's frame")?;
        self.nth_parameter(ARGUMENTS.len() + index)
    }

    /// The parameter that is passed in the nth place.
    ///
    /// The place and the declaration disagree where a structure takes two registers, and where a
    /// `.constprop` or `.isra` clone has lost parameters: there the location of each parameter at the
    /// entry tells.
    fn nth_parameter(&self, index: usize) -> Result<Typed<'a>, String> {
        self.may_name()?;
        let unnamed = || format!("argument {} of a function without debug information", index + 1);
        let image = self.image().ok_or_else(unnamed)?;
        let function = image.function(self.pc).found().ok_or_else(unnamed)?;
        let register = ARGUMENTS.get(index).copied().and_then(super::locals::dwarf_number);
        let at = |index| image.parameter_location(function.low_pc, index).found();
        let is_here = |index: &usize| {
            register.is_some_and(|register| at(*index) == Some(Location::Register(register)))
        };
        let position = is_here(&index)
            .then_some(index)
            .or_else(|| (0..function.parameters.len()).find(is_here))
            .or_else(|| self.is_plainly_passed(image, &function, index).then_some(index))
            .ok_or("an argument of a function that the compiler cloned")?;
        let parameter = function.parameters.get(position).ok_or_else(unnamed)?;
        let name = parameter.name.clone().ok_or_else(unnamed)?;
        Ok(Typed::name(name, parameter.ty.map(|id| Ty::Known(image, id))))
    }

    /// Whether each of the function's parameters up to that one takes one register, and none was lost.
    fn is_plainly_passed(
        &self,
        image: &Image<'_>,
        function: &debuginfo::Function,
        index: usize,
    ) -> bool {
        let symbol = image.symbol_at(function.low_pc);
        let is_cloned = symbol.is_some_and(|symbol| symbol.name.contains('.'));
        let is_word = |parameter: &debuginfo::Parameter| {
            let size = parameter.ty.and_then(|ty| image.type_size(ty).found());
            size.is_none_or(|size| size <= 8)
        };
        !is_cloned && function.parameters.iter().take(index).all(is_word)
    }

    fn returned(&self, target: Option<u64>) -> Result<Typed<'a>, String> {
        let target = target.ok_or("what an indirect call returned")?;
        let (name, _) = self.names.symbol_at(target).ok_or("what a call returned")?;
        let image = self.names.image_at(target);
        let result = image
            .and_then(|image| Some((image, image.function(target).found()?.result?)))
            .map(|(image, id)| Ty::Known(image, id));
        Ok(Typed { c: Expression::Result(source_name(&name).to_owned()), ty: result })
    }

    fn constant(&self, value: u64) -> Typed<'a> {
        match self.global(value, None) {
            Some(variable) => variable.address(),
            None => Typed::untyped(match self.names.symbol_at(value) {
                Some((name, 0)) if self.is_code(value) => Expression::name(name),
                Some((name, 0)) => Expression::name(name).address(),
                Some((name, offset)) => {
                    let whole = Expression::name(name);
                    let start = if self.is_code(value) { whole } else { whole.address() };
                    start.at_distance(offset.cast_signed())
                }
                None => Expression::Number(value),
            }),
        }
    }

    /// Whether code is at the address, as far as is known.
    fn is_code(&self, address: u64) -> bool {
        self.names.image_at(address).is_none_or(|image| image.is_text(address))
    }

    fn binary(&self, op: Operator, left: &Term, right: &Term) -> Result<Typed<'a>, String> {
        let left = self.value(left)?;
        let (sign, right) = match right.kind {
            TermKind::Constant(mask) if op == Operator::And && !mask < SMALL_MASK => {
                (Sign::Without, Expression::Number(!mask))
            }
            _ => (Sign::Of(op), self.number(right)?.c),
        };
        // Distances are in bytes.
        let is_distance =
            op == Operator::Subtract && left.ty.as_ref().is_some_and(|ty| self.counts(ty));
        let c = if is_distance { left.c.cast(Cast::Bytes) } else { left.c };
        // Of a pointer whose flags are masked out a pointer is left.
        let ty = left.ty.filter(|_| matches!(op, Operator::And | Operator::Or));
        Ok(Typed { c: c.with(sign, right), ty })
    }

    fn type_of_local(&self, pc: u64, (name, depth): (&str, u32)) -> Option<Ty<'a>> {
        let image = self.names.image_at(pc)?;
        let locals = image.locals(pc).found()?;
        let is_it = |local: &&Local| local.name == name && local.depth == depth;
        Some(Ty::Known(image, locals.iter().rfind(is_it)?.ty?))
    }

    /// The types of the parameters of the function that the value points to, where its type tells.
    pub fn parameters(&self, term: &Term) -> Option<(&'a Image<'a>, Vec<Option<TypeId>>)> {
        let pointer = self.value(term).ok()?.ty?;
        let Ty::Known(image, id) = self.target(&pointer)? else { return None };
        match image.resolve(id).found()?.1 {
            Type::Function { parameters, .. } => Some((image, parameters)),
            _ => None,
        }
    }

    /// The number of the parameter that is passed in the register, from 0.
    pub fn number_of(register: Register) -> Option<usize> {
        ARGUMENTS.iter().position(|&argument| argument == register)
    }

    /// Whether what is added to a value of the type counts objects of more than one byte.
    fn counts(&self, ty: &Ty<'a>) -> bool {
        let target = self.target(ty);
        target.is_some_and(|target| self.size(&target).is_some_and(|size| size > 1))
    }

    /// Whether the debug information says that the value is a pointer.
    pub fn is_pointer(&self, term: &Term) -> bool {
        match self.value(term) {
            Ok(Typed { ty: Some(ty), .. }) => {
                matches!(ty, Ty::PointerTo(_))
                    || self.target(&ty).is_some()
                    || self.is_void_pointer(&ty)
            }
            _ => false,
        }
    }

    /// Whether the debug information says that the value is no pointer.
    fn is_number(&self, term: &Term) -> bool {
        let Ok(Typed { ty: Some(Ty::Known(image, id)), .. }) = self.value(term) else {
            return false;
        };
        let ty = image.resolve(id).found().map(|(_, ty)| ty);
        matches!(ty, Some(Type::Base { .. } | Type::Enum { .. }))
    }

    /// A number: what is added to one is no distance between addresses.
    pub(super) fn number(&self, term: &Term) -> Result<Typed<'a>, String> {
        match &term.kind {
            TermKind::Extend { term, .. } => self.number(term),
            TermKind::Sum { base, index, offset } => {
                let mut sum = match base.kind {
                    TermKind::Constant(0) => None,
                    _ => {
                        let base = self.number(base)?;
                        let counts = base.ty.as_ref().is_some_and(|ty| self.counts(ty));
                        Some(if counts { base.c.cast(Cast::Bytes) } else { base.c })
                    }
                };
                if let Some((index, scale)) = index {
                    let index = self.number(index)?.c;
                    let factor = Expression::Number((*scale).into());
                    let times = match scale {
                        1 => index,
                        _ => index.with(Sign::Of(Operator::Multiply), factor),
                    };
                    sum = Some(match sum {
                        Some(sum) => sum.with(Sign::Add, times),
                        None => times,
                    });
                }
                let number = Expression::Number(offset.unsigned_abs());
                let c = match (sum, *offset) {
                    (None, _) => Expression::Number(offset.cast_unsigned()),
                    (Some(sum), 0) => sum,
                    (Some(sum), ..0) => sum.with(Sign::Of(Operator::Subtract), number),
                    (Some(sum), _) => sum.with(Sign::Add, number),
                };
                Ok(Typed::untyped(c))
            }
            _ => self.value(term),
        }
    }

    /// The variable of a loop, by its name.
    fn looped(&self, place: Place, first: Option<(&Term, bool)>) -> Result<Typed<'a>, String> {
        self.may_name()?;
        let (pc, register) = place;
        let register = register.ok_or("a variable of a loop without a name")?;
        let Some((name, ty)) = self.at(pc).typed_local_in(register) else {
            // A parameter that the loop changes: the debug information has the value at the entry only.
            let function = self.image().and_then(|image| image.function(pc).found());
            let is_entry = function.is_some_and(|function| function.low_pc == pc);
            return match first.map(|(first, is_stepped)| (&first.kind, is_stepped)) {
                // A pointer that is moved on by a number is more likely one into the array that the parameter
                // leads to: the compiler has it instead of an index.
                Some((TermKind::Entry(it) | TermKind::Argument { register: it, .. }, false)) => {
                    self.parameter(*it)
                }
                None if is_entry => self.parameter(register),
                _ => Err("a variable of a loop without a name".to_owned()),
            };
        };
        let ty = ty.or_else(|| self.value(first?.0).ok()?.ty);
        Ok(Typed::name(name, ty))
    }

    fn choice(&self, terms: &[Term]) -> Result<Typed<'a>, String> {
        let mut values = terms.iter().map(|term| self.value(term));
        let first = values.next().unwrap_or_else(|| Err("no value".to_owned()))?;
        for value in values {
            if value?.c != first.c {
                return Err("one of several values, by the path taken".to_owned());
            }
        }
        Ok(first)
    }
}
