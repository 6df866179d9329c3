// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names for values that the code computed without one.
//!
//! `container_of()` and pointers into arrays become sums of a parameter and an offset that its type
//! does not have, a loop's variable may have no name where the loop changes it, and what `kmalloc()`
//! returned or `private_data` holds has no type but the one of the variable that it was put into. If
//! a variable of the debug information holds the value at the fault, or where the function called the
//! next one, that is its name.

use std::cell::OnceCell;

use unwind::{Frame, Pc};

use crate::express::{Kept, PointerVariable, Writer};
use crate::flow::{Term, TermKind, evaluate, held};
use crate::identify::NULL_PAGE;
use crate::link::by_number;
use crate::scene::Scene;

use super::assigned::{Scoped, assigned};

/// Where the names are looked for.
#[derive(Clone, Copy)]
pub(super) struct Namer<'s> {
    /// The crashed machine.
    pub(super) scene: &'s dyn Scene,
    /// The stack.
    pub(super) frames: &'s [Frame],
    /// What the variable of a loop is worth.
    pub(super) variable: Option<u64>,
    /// Nothing ran there that has values: names are those of the code.
    pub(super) is_code: bool,
    /// What an inlined function returns may be named by the variable that its call is put into.
    pub(super) by_call: bool,
}

/// The term, of the function that has the code at `pc`, with names for parts that have none.
pub(crate) fn named(scene: &dyn Scene, frames: &[Frame], pc: u64, term: &Term) -> Term {
    let namer = Namer { scene, frames, variable: None, is_code: false, by_call: false };
    namer.renamed(pc, term)
}

/// The same of code that is not on the stack: by the variables that values are put into.
pub(crate) fn named_in_code(scene: &dyn Scene, pc: u64, term: &Term) -> Term {
    let namer = Namer { scene, frames: &[], variable: None, is_code: true, by_call: false };
    namer.renamed(pc, term)
}

/// A name for an address: a variable and a distance.
struct Named {
    variable: Scoped,
    distance: i64,
}

/// The variables of a function that hold values, once somebody asked for them.
type Holders = OnceCell<Vec<Holder>>;

/// A variable that holds a value.
struct Holder {
    value: u64,
    name: String,
    depth: u32,
    /// Bytes of what it points to.
    size: u64,
}

impl Namer<'_> {
    /// The term, of the function that has the code at `pc`, with names for itself and for parts that have none.
    fn renamed(self, pc: u64, term: &Term) -> Term {
        let writer = Writer::new(self.scene, pc);
        let mut named = term.clone();
        self.rename(writer, &OnceCell::new(), &mut named);
        // The variables that have a place name what they hold better.
        if self.by_call || writer.is_plain(&named) {
            return named;
        }
        Self { by_call: true, ..self }.renamed(pc, term)
    }

    /// The term, of the function that has the code at `pc`, with names for parts that have none.
    pub(super) fn named(self, pc: u64, term: &Term) -> Term {
        let named = self.named_once(pc, term);
        if self.by_call || Writer::new(self.scene, pc).is_plain(&named) {
            return named;
        }
        Self { by_call: true, ..self }.named_once(pc, term)
    }

    fn named_once(self, pc: u64, term: &Term) -> Term {
        let mut named = term.clone();
        // Its own name would say nothing of where the value came from.
        self.parts(pc, &mut named);
        let own = match named.kind {
            TermKind::Caller { pc, .. } => pc,
            _ => pc,
        };
        for part in named.parts_mut() {
            self.elements(own, part);
        }
        self.moved(pc, &named).unwrap_or(named)
    }

    /// What a loop of a function of the kernel moves on without a name, by what it began with and how far that went.
    ///
    /// Example: of `memcpy(to, from, n)` the address that faults, which is `to` in the first round.
    fn moved(self, pc: u64, term: &Term) -> Option<Term> {
        let TermKind::Walk { first, next, place } = &term.kind else { return None };
        let TermKind::Sum { base, index: None, .. } = &next.kind else { return None };
        let is_plain = base.kind == TermKind::Again(*place);
        let writer = Writer::new(self.scene, pc);
        if !is_plain || self.scene.is_outside(pc) || writer.expression(term).is_ok() {
            return None;
        }
        let value = term.observed?;
        let distance = value.checked_sub(evaluate(first, self.scene)?)?;
        let distance = i64::try_from(distance).ok()?;
        Some(first.as_ref().clone().plus(distance).observed(Some(value)))
    }

    fn parts(self, pc: u64, term: &mut Term) {
        let pc = match term.kind {
            TermKind::Caller { pc, .. } => pc,
            _ => pc,
        };
        let writer = Writer::new(self.scene, pc);
        let holders = OnceCell::new();
        for part in term.parts_mut() {
            self.rename(writer, &holders, part);
        }
    }

    fn rename(self, writer: Writer<'_>, holders: &Holders, term: &mut Term) {
        if let TermKind::Caller { .. } = term.kind {
            self.parts(writer.pc(), term);
            return;
        }
        for part in term.parts_mut() {
            self.rename(writer, holders, part);
        }
        if let Some(Named { variable, distance }) = self.name(writer, holders, term) {
            let (site, observed) = (term.site, term.observed);
            let whole = std::mem::replace(term, Term::unknown("", 0));
            let inner = Box::new(whole.plus(distance.wrapping_neg()));
            let Scoped { name, depth, pc } = variable;
            let variable = Term::new(TermKind::Variable { name, pc, depth, term: inner }, site);
            let held = observed.map(|value| value.wrapping_add_signed(distance.wrapping_neg()));
            *term = variable.observed(held).plus(distance).observed(observed);
        }
    }

    /// Names the elements of arrays that loops have only pointers to, where nothing around them has a name.
    fn elements(self, pc: u64, term: &mut Term) {
        let pc = match term.kind {
            TermKind::Variable { .. } => return,
            TermKind::Caller { pc, .. } => pc,
            _ => pc,
        };
        if let Some(element) = self.element(Writer::new(self.scene, pc), term) {
            *term = element;
            return;
        }
        for part in term.parts_mut() {
            self.elements(pc, part);
        }
    }

    /// A loop's pointer without a name, as the element of the array that the loop began with.
    ///
    /// Example: of `for (i = 0; i < n; i++) kfree(args[i].data);` a compiler keeps the pointer only.
    fn element(self, writer: Writer<'_>, term: &Term) -> Option<Term> {
        let TermKind::Walk { first, next, place } = &term.kind else { return None };
        let TermKind::Sum { base, index: None, offset: step } = &next.kind else { return None };
        let size = u32::try_from(*step).ok().filter(|size| *size > 0)?;
        if base.kind != TermKind::Again(*place) || writer.expression(term).is_ok() {
            return None;
        }
        // Of several rounds that would fit, a register tells which it was.
        let variable = term.observed?;
        let distance = variable.checked_sub(evaluate(first, self.scene)?)?;
        let is_whole = distance.is_multiple_of(size.into());
        let number = is_whole.then_some(distance / u64::from(size))?;
        let index = Some((Box::new(Term::new(TermKind::Constant(number), term.site)), size));
        let (base, offset) = match &first.kind {
            TermKind::Sum { base, index: None, offset } => (base.clone(), *offset),
            _ => (first.clone(), 0),
        };
        let element = Term::new(TermKind::Sum { base, index, offset }, term.site);
        let is_named = writer.expression(&element).is_ok_and(|c| !c.has_distance());
        is_named.then(|| element.observed(Some(variable)))
    }

    /// The variable that holds the value of a term that says little by itself, or leads to the object
    /// that it is an address in.
    fn name(self, writer: Writer<'_>, holders: &Holders, term: &Term) -> Option<Named> {
        // Where the memory of the CPU is is added to a variable, and is none.
        if writer.is_own_cpu(term) {
            return None;
        }
        let value = match term.kind {
            TermKind::Walk { .. } => self.variable,
            TermKind::Sum { .. }
            | TermKind::Choice(_)
            | TermKind::Entry(_)
            | TermKind::Load { .. }
            | TermKind::PerCpu { .. }
            | TermKind::Returned { .. } => term.observed.or_else(|| evaluate(term, self.scene)),
            _ => None,
        };
        let is_named = matches!(term.kind, TermKind::Variable { .. });
        let may_be_loaded = matches!(
            term.kind,
            TermKind::Load { .. } | TermKind::Returned { .. } | TermKind::PerCpu { .. }
        );
        if value.is_none() && (!self.is_code && !may_be_loaded || is_named) || writer.is_plain(term)
        {
            return None;
        }
        let assigned = || {
            let variable = assigned(self.scene, writer, term, self.by_call)?;
            Some(Named { variable, distance: 0 })
        };
        // Any of several variables may be NULL.
        let Some(value) = value.filter(|value| *value >= NULL_PAGE) else { return assigned() };
        let named = |holder: &Holder| {
            let distance = value.wrapping_sub(holder.value).cast_signed();
            let (name, depth) = (holder.name.clone(), holder.depth);
            Named { variable: Scoped { name, depth, pc: writer.pc() }, distance }
        };
        let holders = holders.get_or_init(|| self.holders(writer));
        if let Some(holder) = holders.iter().find(|holder| holder.value == value) {
            return Some(named(holder));
        }
        if let Some(named) = assigned() {
            return Some(named);
        }
        // `&wb->lock` of a `wb` that is `container_of(work, …)` is computed from `work` at once.
        let is_sum = matches!(term.kind, TermKind::Sum { .. });
        let has = |holder: &&Holder| value.wrapping_sub(holder.value) < holder.size;
        holders.iter().find(has).filter(|_| is_sum).map(named)
    }

    /// The variables of the function that hold pointers to something of a known type, innermost
    /// functions first.
    fn holders(self, writer: Writer<'_>) -> Vec<Holder> {
        let at = self.frames.iter().position(|frame| frame.pc.for_lookup() == writer.pc());
        let Some((at, frame)) = at.and_then(|at| Some((at, self.frames.get(at)?))) else {
            return Vec::new();
        };
        let registers = self.registers(at, frame);
        let value = |kept: &Kept| match *kept {
            Kept::Register(number) => held(&registers, number),
            Kept::RegisterPlus(number, offset) => {
                Some(held(&registers, number)?.wrapping_add_signed(offset))
            }
            Kept::AtRegister(number, offset) => {
                self.scene.word(held(&registers, number)?.wrapping_add_signed(offset), 8)
            }
            Kept::Frame(offset) => self.scene.word(frame.cfa?.checked_add_signed(offset)?, 8),
        };
        let pointers = writer.pointers().into_iter();
        let holder = |variable: PointerVariable| {
            let value = value(&variable.kept)?;
            let PointerVariable { name, depth, size, .. } = variable;
            Some(Holder { value, name, depth, size })
        };
        pointers.filter_map(holder).collect()
    }

    /// The registers where the function of `frames[at]` went on. Of one that called a place where no
    /// code is, all are known: nothing ran since.
    fn registers(self, at: usize, frame: &Frame) -> [Option<u64>; 16] {
        let inner = at.checked_sub(1).and_then(|at| self.frames.get(at));
        let is_at_once = |inner: &&Frame| {
            matches!(frame.pc, Pc::Return(_)) && !self.scene.is_text(inner.pc.for_lookup())
        };
        by_number(&inner.filter(is_at_once).unwrap_or(frame).registers)
    }
}
