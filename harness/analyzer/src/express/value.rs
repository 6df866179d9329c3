// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values: what a term computes.

use debuginfo::{Local, Location};
use iced_x86::Register;

use super::{Binding, Ty, Typed, Writer};
use crate::flow::{Term, TermKind};

/// Registers of the first six arguments (System V AMD64 psABI, section 3.2.3).
const ARGUMENTS: [Register; 6] =
    [Register::RDI, Register::RSI, Register::RDX, Register::RCX, Register::R8, Register::R9];

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
            TermKind::Sum { .. } | TermKind::StackAddress(_) => self.address_of(term),
            TermKind::Caller { pc, term } => Writer::new(self.names, *pc).value(term),
            TermKind::Choice(terms) => self.choice(terms),
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
