// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values: what a term computes.

use debuginfo::{Local, Location, Type};
use iced_x86::Register;

use super::{Binding, Ty, Typed, Writer};
use crate::flow::{Operator, Place, Term, TermKind};

/// Registers of the first six arguments (System V AMD64 psABI, section 3.2.3).
const ARGUMENTS: [Register; 6] =
    [Register::RDI, Register::RSI, Register::RDX, Register::RCX, Register::R8, Register::R9];

/// Masks that leave out no more than these bits are written as what they leave out.
const SMALL_MASK: u64 = 1 << 16;

impl<'a> Writer<'a> {
    /// The value as C.
    pub(super) fn value(&self, term: &Term) -> Result<Typed<'a>, String> {
        match &term.kind {
            TermKind::Load { address, size, .. } => self.place(address, *size),
            TermKind::PerCpu { offset, .. } => self.per_cpu(*offset),
            TermKind::Entry(register) => self.parameter(*register),
            TermKind::EntryStack(slot) => self.stack_parameter(*slot),
            TermKind::Returned { target } => self.returned(*target),
            TermKind::Constant(value) => Ok(self.constant(*value)),
            TermKind::Sum { base, index: Some((index, scale)), offset }
                if base.kind == TermKind::Constant(0) =>
            {
                match self.static_element(base, (index, *scale), *offset, 0) {
                    Some(element) => Ok(element.address()),
                    None => self.product(index, *scale, *offset),
                }
            }
            TermKind::Sum { .. } | TermKind::StackAddress(_) => self.address_of(term),
            TermKind::Caller { pc, term } => Writer::new(self.names, *pc).value(term),
            TermKind::Choice(terms) => self.choice(terms),
            TermKind::Local(slot) => self.local(*slot),
            TermKind::Extend { term, .. } => self.value(term),
            TermKind::Binary { op, left, right, .. } => self.binary(*op, left, right),
            TermKind::Walk { first, place, .. } => self.looped(*place, Some(first)),
            TermKind::Again(place) => self.looped(*place, None),
            TermKind::Variable { name, pc, .. } => {
                Ok(Typed::postfix(name.clone(), self.type_of_local(*pc, name)))
            }
            TermKind::Unknown(why) => Err(why.clone()),
        }
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
    /// A `.constprop` or `.isra` clone has lost parameters, so that the place and the declaration
    /// disagree; there the location of each parameter at the entry tells.
    fn nth_parameter(&self, index: usize) -> Result<Typed<'a>, String> {
        let unnamed = || format!("argument {} of a function without debug information", index + 1);
        let image = self.image().ok_or_else(unnamed)?;
        let function = image.function(self.pc).found().ok_or_else(unnamed)?;
        let symbol = image.symbol_at(function.low_pc);
        let cloned = symbol.is_some_and(|symbol| symbol.name.contains('.'));
        if cloned {
            let locals = image.locals(function.low_pc).found().unwrap_or_default();
            let register = ARGUMENTS.get(index).copied().and_then(super::dwarf_number);
            let here = |local: &&Local| {
                local.parameter
                    && local.depth == 0
                    && register.is_some_and(|r| local.location == Location::Register(r))
            };
            let local = locals.iter().find(here);
            let local = local.ok_or("an argument of a function that the compiler cloned")?;
            let ty = local.ty.map(|id| Ty::Known(image, id));
            return Ok(Typed::postfix(local.name.clone(), ty));
        }
        let parameter = function.parameters.get(index).ok_or_else(unnamed)?;
        let name = parameter.name.clone().ok_or_else(unnamed)?;
        Ok(Typed::postfix(name, parameter.ty.map(|id| Ty::Known(image, id))))
    }

    fn returned(&self, target: Option<u64>) -> Result<Typed<'a>, String> {
        let target = target.ok_or("what an indirect call returned")?;
        let (name, _) = self.names.symbol_at(target).ok_or("what a call returned")?;
        let image = self.names.image_at(target);
        let result = image
            .and_then(|image| Some((image, image.function(target).found()?.result?)))
            .map(|(image, id)| Ty::Known(image, id));
        let name = name.split('.').next().unwrap_or(&name);
        Ok(Typed::postfix(format!("{name}()"), result))
    }

    fn constant(&self, value: u64) -> Typed<'a> {
        match self.global(value, None) {
            Some(variable) => variable.address(),
            None => match self.names.symbol_at(value) {
                Some((name, 0)) => Typed::postfix(name, None),
                Some((name, offset)) => {
                    Typed { text: format!("{name} + {offset:#x}"), binding: Binding::Sum, ty: None }
                }
                None => Typed::postfix(number(value), None),
            },
        }
    }

    fn binary(&self, op: Operator, left: &Term, right: &Term) -> Result<Typed<'a>, String> {
        let sign = match op {
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::And => "&",
            Operator::Or => "|",
            Operator::Xor => "^",
            Operator::ShiftLeft => "<<",
            Operator::ShiftRight => ">>",
        };
        let right_term = right;
        let (left, right) = (self.value(left)?, self.value(right)?);
        let mask = |term: &Term| match term.kind {
            TermKind::Constant(mask) if op == Operator::And && !mask < SMALL_MASK => {
                Some(format!("~{}", number(!mask)))
            }
            _ => None,
        };
        let b = mask(right_term).unwrap_or_else(|| right.inside(Binding::Unary));
        let a = left.inside(Binding::Unary);
        // Of a pointer whose flags are masked out a pointer is left.
        let ty = left.ty.filter(|_| matches!(op, Operator::And | Operator::Or));
        Ok(Typed { text: format!("{a} {sign} {b}"), binding: Binding::Sum, ty })
    }

    fn type_of_local(&self, pc: u64, name: &str) -> Option<Ty<'a>> {
        let image = self.names.image_at(pc)?;
        let locals = image.locals(pc).found()?;
        let named = locals.iter().filter(|local| local.name == name);
        Some(Ty::Known(image, named.max_by_key(|local| local.depth)?.ty?))
    }

    /// What a variable of a loop starts as, or is set to in each round, as C: of numbers the sum,
    /// `i + 1`, where everything else takes a distance for one between addresses.
    pub fn step(&self, term: &Term) -> Option<String> {
        match &term.kind {
            TermKind::Extend { term, .. } => self.step(term),
            TermKind::Sum { base, index: None, offset } if self.is_number(base) => {
                let sign = if *offset < 0 { '-' } else { '+' };
                let base = self.value(base).ok()?.text;
                Some(format!("{base} {sign} {}", number(offset.unsigned_abs())))
            }
            _ => self.value(term).ok().map(|typed| typed.text),
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

    /// A multiple of a number that is no address.
    fn product(&self, index: &Term, scale: u32, offset: i64) -> Result<Typed<'a>, String> {
        let index = self.value(index)?;
        let times = match scale {
            1 => index.text,
            _ => format!("{} * {scale}", index.inside(Binding::Unary)),
        };
        let text = match offset {
            0 => times,
            _ if offset < 0 => format!("{times} - {}", number(offset.unsigned_abs())),
            _ => format!("{times} + {}", number(offset.unsigned_abs())),
        };
        Ok(Typed { text, binding: Binding::Sum, ty: None })
    }

    /// The variable of a loop, by its name.
    fn looped(&self, place: Place, first: Option<&Term>) -> Result<Typed<'a>, String> {
        let (pc, register) = place;
        let register = register.ok_or("a variable of a loop without a name")?;
        let local = Self::new(self.names, pc).typed_local_in(register);
        let (name, ty) = local.ok_or("a variable of a loop without a name")?;
        let ty = ty.or_else(|| self.value(first?).ok()?.ty);
        Ok(Typed::postfix(name, ty))
    }

    fn address_of(&self, term: &Term) -> Result<Typed<'a>, String> {
        self.place(term, 0).map(Typed::address)
    }

    fn choice(&self, terms: &[Term]) -> Result<Typed<'a>, String> {
        let mut texts = terms.iter().map(|term| self.value(term));
        let first = texts.next().unwrap_or_else(|| Err("no value".to_owned()))?;
        for text in texts {
            if text?.text != first.text {
                return Err("one of several values, by the path taken".to_owned());
            }
        }
        Ok(first)
    }
}

/// A number as people write it.
fn number(value: u64) -> String {
    if value < 10 { value.to_string() } else { format!("{value:#x}") }
}
