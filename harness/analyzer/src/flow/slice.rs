// SPDX-License-Identifier: MIT OR Apache-2.0
//! The backward walk from a point to where a value came from.
//!
//! While walking back, the registers written between the point reached and the start are
//! remembered: one that nobody wrote still holds at the start what it held there, so the
//! registers of the fault are observations of earlier values.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{ConditionCode, Mnemonic, OpKind, Register};

use super::build::{
    MAX_CHOICES, add, binary, extended, is_same_register_twice, looped, operator, per_cpu, returned,
};
use super::code::Code;
use super::effect::is_call;
use super::evaluate::{Words, evaluate};
use super::registers::{RegisterSet, full, held, number};
use super::replaced::replaced;
use super::since::{Since, between};
use super::stack::{Offsets, immediate, offsets};
use super::stored_back::stored_back;
use super::term::{Operator, Place, Term, TermKind};
use super::undo::distance;

/// Steps after which a walk gives up; real functions need some hundreds.
const MAX_STEPS: u32 = 50_000;
/// Nesting of definitions and joins after which a walk gives up.
const MAX_DEPTH: u32 = 120;
const RSP: u8 = 4;
const RBP: u8 = 5;

/// Where a walk starts and what is known there.
#[derive(Debug, Clone)]
pub struct Start {
    /// Position of the instruction before which the registers are as given.
    pub position: usize,
    /// The general registers there, by [`number`]; `None` where not known.
    pub registers: [Option<u64>; 16],
}

/// Follows values backwards through one function.
pub struct Slicer<'a> {
    code: &'a Code,
    words: &'a dyn Words,
    start: Start,
    offsets: Vec<Option<Offsets>>,
    /// What may be written between an instruction and the start.
    since: Since,
    steps: Cell<u32>,
    depth: Cell<u32>,
    /// What is being followed from where, outermost first: a loop's variable comes here again.
    active: RefCell<Vec<(usize, Tracked)>>,
    /// Stack slots, and whether others than what names them may store to them.
    shared: RefCell<BTreeMap<i64, bool>>,
    /// Stack slots, and the instructions that store to them.
    stores: RefCell<BTreeMap<i64, Vec<usize>>>,
    /// Slots of which the value is followed that they held before they were stored to once more.
    stale: RefCell<Vec<i64>>,
    /// What is observed of the register that the instruction defines which is being followed, by itself
    /// or by its copies.
    defined: Cell<Option<u64>>,
}

impl std::fmt::Debug for Slicer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slicer").field("start", &self.start).finish_non_exhaustive()
    }
}

/// What is tracked through the joins of one walk: a register or a stack slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tracked {
    Register(u8),
    Slot(i64),
}

type Seen = BTreeSet<(usize, Tracked)>;

impl<'a> Slicer<'a> {
    /// A slicer for one function. `keeps_registers` says of a call's target that it changes no
    /// register (`__fentry__` and what ftrace put in its place).
    pub fn new(
        code: &'a Code,
        words: &'a dyn Words,
        keeps_registers: &dyn Fn(u64) -> bool,
        start: Start,
    ) -> Self {
        let since = Since::new(code, keeps_registers, start.position);
        Self {
            code,
            words,
            start,
            offsets: offsets(code),
            since,
            steps: Cell::new(0),
            depth: Cell::new(0),
            active: RefCell::default(),
            shared: RefCell::default(),
            stores: RefCell::default(),
            stale: RefCell::default(),
            defined: Cell::default(),
        }
    }

    /// Where the value of the register before the starting instruction came from.
    pub fn register(&self, register: Register) -> Term {
        let Some(number) = number(register) else {
            return Term::unknown(format!("{register:?} is not followed"), 0);
        };
        self.fresh(self.start.position, Tracked::Register(number), RegisterSet::default())
    }

    /// Where the value of the starting instruction's memory operand came from.
    pub fn memory_operand(&self, size: u8) -> Term {
        let position = self.start.position;
        self.load(position, size, false, RegisterSet::default())
    }

    /// The address of the starting instruction's memory operand.
    pub fn operand_address(&self) -> Term {
        self.address(self.start.position, RegisterSet::default())
    }

    /// The value of the starting instruction's operand: a register, or memory.
    pub fn operand(&self, index: u32) -> Option<Term> {
        let instruction = self.code.instruction(self.start.position);
        match instruction.op_kind(index) {
            OpKind::Register => Some(self.register(instruction.op_register(index))),
            OpKind::Memory => {
                let size = u8::try_from(instruction.memory_size().size()).ok()?;
                Some(self.memory_operand(size))
            }
            _ => {
                let value = instruction.try_immediate(index).ok()?;
                Some(Term::new(TermKind::Constant(value), instruction.ip()))
            }
        }
    }

    /// Whether any instruction of the function stores to the slot, or makes an address from which
    /// others could.
    pub fn may_be_set(&self, slot: i64) -> bool {
        let stores = |position| self.store(position, slot, RegisterSet::default()).is_some();
        self.is_shared(slot) || (0..self.code.instructions().len()).any(stores)
    }

    /// Whether the slot may be stored to by more than the instructions that name it: by others that
    /// are handed its address, or as an element of an array.
    fn is_shared(&self, slot: i64) -> bool {
        if let Some(known) = self.shared.borrow().get(&slot) {
            return *known;
        }
        let shares =
            |position| self.makes_address(position, slot) || self.stores_element(position, slot);
        let is_shared = (0..self.code.instructions().len()).any(shares);
        self.shared.borrow_mut().insert(slot, is_shared);
        is_shared
    }

    /// Whether an instruction that stores to the slot may run between that position and the start.
    fn is_stored_since(&self, position: usize, slot: i64) -> bool {
        let mut stores = self.stores.borrow_mut();
        let stores = stores.entry(slot).or_insert_with(|| {
            let is_store = |position: &usize| self.stores_to(*position, slot);
            (0..self.code.instructions().len()).filter(is_store).collect()
        });
        !stores.is_empty() && {
            let ran = between(self.code, position, self.start.position);
            stores.iter().any(|store| ran.contains(store))
        }
    }

    /// Whether the instruction stores to the slot.
    fn stores_to(&self, position: usize, slot: i64) -> bool {
        let instruction = self.code.instruction(position);
        if instruction.mnemonic() == Mnemonic::Push {
            let known = self.offsets.get(position).copied().flatten();
            return known
                .and_then(|known| known.rsp)
                .is_some_and(|rsp| rsp.wrapping_sub(8) == slot);
        }
        self.stored(position).is_some_and(|(start, size)| {
            start < slot.wrapping_add(8) && slot < start.wrapping_add(size)
        })
    }

    /// Whether the instruction stores to an element of an array that begins at the slot or before it.
    fn stores_element(&self, position: usize, slot: i64) -> bool {
        let instruction = self.code.instruction(position);
        instruction.memory_index() != Register::None
            && self.stored(position).is_some_and(|(start, _)| start <= slot)
    }

    /// Whether the instruction makes the address of the slot or of something that begins before it.
    fn makes_address(&self, position: usize, slot: i64) -> bool {
        let instruction = self.code.instruction(position);
        let Some(known) = self.offsets.get(position).copied().flatten() else { return false };
        let base = match instruction.mnemonic() {
            Mnemonic::Mov if instruction.op1_kind() == OpKind::Register => {
                match (instruction.op1_register(), instruction.op0_register()) {
                    (Register::RSP, to) if to != Register::RBP => known.rsp,
                    (Register::RBP, to) if to != Register::RSP => known.rbp,
                    _ => None,
                }
            }
            // As a pointer that moves, not as the frame's.
            Mnemonic::Add | Mnemonic::Sub | Mnemonic::Inc | Mnemonic::Dec
                if instruction.op0_register() == Register::RBP =>
            {
                known.rbp
            }
            Mnemonic::Lea if instruction.op0_register() != Register::RSP => {
                let base = match instruction.memory_base() {
                    Register::RSP => known.rsp,
                    Register::RBP => known.rbp,
                    _ => None,
                };
                let displacement = instruction.memory_displacement64().cast_signed();
                base.map(|base| base.wrapping_add(displacement))
            }
            _ => None,
        };
        base.is_some_and(|base| base <= slot)
    }

    /// Address of the return address' slot of the frame, where rsp is known at the start.
    fn return_slot(&self) -> Option<u64> {
        let offset = self.offsets.get(self.start.position).copied().flatten()?.rsp?;
        Some(held(&self.start.registers, RSP)?.wrapping_sub(offset.cast_unsigned()))
    }

    fn fresh(&self, position: usize, tracked: Tracked, dirty: RegisterSet) -> Term {
        if self.depth.get() >= MAX_DEPTH {
            return Term::unknown("too deeply nested to follow", 0);
        }
        let place = self.place(position, tracked);
        if self.active.borrow().contains(&(position, tracked)) {
            return Term::new(TermKind::Again(place), 0);
        }
        self.active.borrow_mut().push((position, tracked));
        self.depth.set(self.depth.get() + 1);
        let term = self.before(position, tracked, dirty, &mut Seen::new());
        self.depth.set(self.depth.get() - 1);
        self.active.borrow_mut().pop();
        let term = term
            .map(|term| looped(term, place))
            .unwrap_or_else(|| Term::unknown("a value that only the rounds of a loop change", 0));
        // Other terms may lack what a round makes of them.
        let is_walk = matches!(term.kind, TermKind::Walk { .. });
        let undone = is_walk.then(|| self.undone(position, tracked)).flatten();
        term.observed(undone)
    }

    /// What the register held before the instruction, by what it holds now and the steps that it made since.
    fn undone(&self, position: usize, tracked: Tracked) -> Option<u64> {
        let Tracked::Register(number) = tracked else { return None };
        let held = held(&self.start.registers, number)?;
        let distance = distance(self.code, &self.since, (position, self.start.position), number)?;
        Some(held.wrapping_add_signed(distance))
    }

    fn place(&self, position: usize, tracked: Tracked) -> Place {
        let register = match tracked {
            Tracked::Register(number) => Some(full(number)),
            Tracked::Slot(_) => None,
        };
        (self.code.instruction(position).ip(), register)
    }

    /// The tracked value before the instruction; `None` if every path only leads back here.
    fn before(
        &self,
        mut position: usize,
        tracked: Tracked,
        mut dirty: RegisterSet,
        seen: &mut Seen,
    ) -> Option<Term> {
        loop {
            // From where ways meet, another one than that walked here may lead to the start.
            if self.code.predecessors(position).len() > 1 {
                dirty.insert_all(self.since.last(self.code, position));
            }
            if let Some(term) = self.stack_pointer(position, tracked) {
                return Some(term);
            }
            self.steps.set(self.steps.get() + 1);
            if self.steps.get() > MAX_STEPS {
                return Some(Term::unknown("too many paths to follow", 0));
            }
            if !seen.insert((position, tracked)) {
                return None;
            }
            let predecessors = self.code.predecessors(position);
            let is_entry = self.code.at(self.code.entry()) == Some(position);
            if let (false, &[only]) = (is_entry, predecessors) {
                match self.across(only, tracked, &mut dirty) {
                    Some(term) => return Some(term),
                    None => position = only,
                }
                continue;
            }
            return self.meeting(position, is_entry, tracked, dirty, seen);
        }
    }

    /// The tracked value where several paths meet; coming here again in a loop, its value a round before.
    fn meeting(
        &self,
        position: usize,
        is_entry: bool,
        tracked: Tracked,
        dirty: RegisterSet,
        seen: &mut Seen,
    ) -> Option<Term> {
        let (key, place) = ((position, tracked), self.place(position, tracked));
        let is_asked = self.active.borrow().last() == Some(&key);
        if is_asked {
            return self.join(position, is_entry, tracked, dirty, seen);
        }
        if self.active.borrow().contains(&key) {
            return Some(Term::new(TermKind::Again(place), 0));
        }
        self.active.borrow_mut().push(key);
        let term = self.join(position, is_entry, tracked, dirty, seen);
        self.active.borrow_mut().pop();
        term.map(|term| looped(term, place))
    }

    /// The tracked value where several paths meet, or at the entry.
    fn join(
        &self,
        position: usize,
        is_entry: bool,
        tracked: Tracked,
        dirty: RegisterSet,
        seen: &mut Seen,
    ) -> Option<Term> {
        let mut found: Vec<Term> = Vec::new();
        let mut is_looped = false;
        let mut add =
            |term: Term| match found.iter_mut().find(|known| known.same_computation(&term)) {
                Some(known) => known.join(&term),
                None => found.push(term),
            };
        if is_entry {
            let mut dirty = dirty;
            dirty.insert_all(self.since.rounds(self.code, position, None));
            add(self.at_entry(tracked, dirty));
        }
        for &predecessor in self.code.predecessors(position) {
            let mut dirty = dirty;
            // Of what was there before a loop, a register tells only if no round writes it.
            dirty.insert_all(self.since.rounds(self.code, position, Some(predecessor)));
            let term = match self.across(predecessor, tracked, &mut dirty) {
                Some(term) => Some(term),
                None if seen.contains(&(predecessor, tracked)) => None,
                None if self.depth.get() >= MAX_DEPTH => {
                    Some(Term::unknown("too deeply nested to follow", 0))
                }
                None => {
                    self.depth.set(self.depth.get() + 1);
                    let term = self.before(predecessor, tracked, dirty, seen);
                    self.depth.set(self.depth.get() - 1);
                    term
                }
            };
            match term.map(|term| (term.kind.clone(), term)) {
                Some((TermKind::Choice(terms), _)) => terms.into_iter().for_each(&mut add),
                Some((_, term)) => add(term),
                None => is_looped = true,
            }
        }
        // What was observed may be of a later round of a loop.
        let observed = self.observe(tracked, dirty);
        let observed = observed.filter(|it| !is_looped || !self.is_none_of(&found, *it));
        // A variable that is another one by now is still what the loop began with.
        let place = self.place(position, tracked);
        if found.iter().any(|term| term.has_again(place)) {
            return self.choose(found, None).map(|term| term.observed(observed));
        }
        self.choose(found, observed)
    }

    /// Whether all alternatives are known to have another value.
    fn is_none_of(&self, alternatives: &[Term], observed: u64) -> bool {
        let differs =
            |term: &Term| evaluate(term, self.words).is_some_and(|value| value != observed);
        !alternatives.is_empty() && alternatives.iter().all(differs)
    }

    /// One term out of the alternatives: those that contradict the observation are dropped.
    fn choose(&self, mut found: Vec<Term>, observed: Option<u64>) -> Option<Term> {
        if let Some(observed) = observed {
            let fits =
                |term: &Term| evaluate(term, self.words).is_none_or(|value| value == observed);
            if found.iter().any(fits) {
                found.retain(fits);
            }
        }
        match found.len() {
            0 => None,
            1 => found.pop().map(|term| term.observed(observed)),
            2..=MAX_CHOICES => Some(Term::new(TermKind::Choice(found), 0).observed(observed)),
            _ => Some(Term::unknown("set in more than eight places", 0).observed(observed)),
        }
    }

    /// What the start's registers or the stack say of a tracked value that nobody wrote since.
    fn observe(&self, tracked: Tracked, dirty: RegisterSet) -> Option<u64> {
        match tracked {
            Tracked::Register(number) if dirty.contains(number) => None,
            Tracked::Register(number) => held(&self.start.registers, number),
            Tracked::Slot(slot) if self.is_shared(slot) || self.stale.borrow().contains(&slot) => {
                None
            }
            Tracked::Slot(slot) => self.held(slot),
        }
    }

    /// What is in the slot by now.
    fn held(&self, slot: i64) -> Option<u64> {
        self.words.word(self.return_slot()?.wrapping_add_signed(slot), 8)
    }

    fn at_entry(&self, tracked: Tracked, dirty: RegisterSet) -> Term {
        let term = match tracked {
            Tracked::Register(number) => Term::new(TermKind::Entry(full(number)), 0),
            Tracked::Slot(slot) if slot > 0 => Term::new(TermKind::EntryStack(slot), 0),
            Tracked::Slot(slot) => Term::new(TermKind::Local(slot), 0),
        };
        let copied = || match tracked {
            Tracked::Register(number) => self.since.copy(self.code, number),
            Tracked::Slot(_) => None,
        };
        let copied = copied().and_then(|copy| held(&self.start.registers, copy));
        term.observed(self.observe(tracked, dirty)).observed(copied)
    }

    /// rsp, and rbp where it is a frame pointer, are addresses of the stack.
    fn stack_pointer(&self, position: usize, tracked: Tracked) -> Option<Term> {
        let known = self.offsets.get(position).copied().flatten()?;
        let slot = match tracked {
            Tracked::Register(RSP) => known.rsp,
            Tracked::Register(RBP) => known.rbp,
            _ => None,
        }?;
        let observed = self.return_slot().map(|base| base.wrapping_add_signed(slot));
        Some(Term::new(TermKind::StackAddress(slot), 0).observed(observed))
    }

    /// The tracked value after the instruction if the instruction defines it; otherwise `None`,
    /// with what the instruction writes added to `dirty`.
    fn across(&self, position: usize, tracked: Tracked, dirty: &mut RegisterSet) -> Option<Term> {
        let changed = self.since.own(position);
        // Control may have gone another way from here than the one that is walked back.
        if self.code.successors(position).len() > 1 {
            dirty.insert_all(self.since.last(self.code, position));
        }
        let observed = self.observe(tracked, *dirty);
        let term = match tracked {
            Tracked::Register(number) if changed.contains(number) => {
                dirty.insert_all(changed);
                self.defined.set(observed.or_else(|| self.defined.get()));
                Some(self.define(position, number, *dirty))
            }
            Tracked::Slot(slot) => self.store(position, slot, *dirty),
            Tracked::Register(_) => None,
        };
        dirty.insert_all(changed);
        term.map(|term| term.observed(observed))
    }

    /// The value that the instruction gives to the register. `dirty` includes what it writes.
    fn define(&self, position: usize, number: u8, dirty: RegisterSet) -> Term {
        let instruction = self.code.instruction(position);
        let site = instruction.ip();
        if is_call(instruction) {
            return returned(instruction, number);
        }
        if instruction.mnemonic() == Mnemonic::Cdqe {
            let half = Box::new(self.fresh(position, Tracked::Register(number), dirty));
            return Term::new(TermKind::Extend { term: half, size: 4, signed: true }, site);
        }
        let direct = instruction.op_count() > 0
            && instruction.op0_kind() == OpKind::Register
            && super::registers::number(instruction.op0_register()) == Some(number);
        if !direct {
            let mnemonic = format!("{:?}", instruction.mnemonic()).to_lowercase();
            return Term::unknown(format!("a result of `{mnemonic}`"), site);
        }
        if instruction.op0_register().size() < 4 {
            return Term::unknown("only a part of the register is set", site);
        }
        let size = u8::try_from(instruction.op0_register().size()).unwrap_or(8);
        let stored = stored_back(self.code, position, self.start.position);
        // A local variable is followed by what is stored to it.
        if let Some(store) = stored.filter(|store| self.stored(*store).is_none()) {
            return self.load(store, size, false, dirty);
        }
        let mut term = self.computed(position, number, dirty);
        // Half a register wraps, and the upper half is zero.
        if matches!(term.kind, TermKind::Sum { .. }) {
            term = extended(term, instruction.op0_register(), false, site);
        }
        if term.site == 0 {
            term.site = site;
        }
        term
    }

    fn computed(&self, position: usize, number: u8, dirty: RegisterSet) -> Term {
        let instruction = self.code.instruction(position);
        let site = instruction.ip();
        let size = u8::try_from(instruction.op0_register().size()).unwrap_or(8);
        let own = || self.fresh(position, Tracked::Register(number), dirty);
        let source = || self.source(position, size, false, dirty);
        // What is computed with something is not that.
        if instruction.mnemonic() != Mnemonic::Mov {
            self.defined.set(None);
        }
        match instruction.mnemonic() {
            Mnemonic::Mov | Mnemonic::Movzx => source(),
            Mnemonic::Movsx | Mnemonic::Movsxd => self.source(position, size, true, dirty),
            Mnemonic::Lea => self.address(position, dirty),
            Mnemonic::Xor | Mnemonic::Sub if is_same_register_twice(instruction) => {
                Term::new(TermKind::Constant(0), site)
            }
            Mnemonic::Inc => own().plus(1),
            Mnemonic::Dec => own().plus(-1),
            Mnemonic::Add | Mnemonic::Sub => match immediate(instruction) {
                Some(n) if instruction.mnemonic() == Mnemonic::Add => own().plus(n),
                Some(n) => own().plus(n.wrapping_neg()),
                None if instruction.mnemonic() == Mnemonic::Add => {
                    own().indexed(source(), 1, 0, site)
                }
                None => binary(Operator::Subtract, own(), source(), size, site),
            },
            Mnemonic::Shl => immediate(instruction)
                .and_then(|bits| 1_u32.checked_shl(u32::try_from(bits).ok()?))
                .and_then(|factor| own().times(factor, site))
                .unwrap_or_else(|| binary(Operator::ShiftLeft, own(), source(), size, site)),
            Mnemonic::Imul if instruction.op_count() == 3 => {
                let factor = instruction.try_immediate(2).ok();
                factor
                    .and_then(|factor| u32::try_from(factor).ok())
                    .and_then(|factor| source().times(factor, site))
                    .unwrap_or_else(|| Term::unknown("computed by a multiplication", site))
            }
            Mnemonic::Pop => match self.offsets.get(position).copied().flatten() {
                Some(Offsets { rsp: Some(slot), .. }) => {
                    self.fresh(position, Tracked::Slot(slot), dirty)
                }
                _ => Term::unknown("popped from a place that is not known", site),
            },
            mnemonic => match operator(mnemonic).filter(|_| instruction.op_count() == 2) {
                Some(op) => binary(op, own(), source(), size, site),
                // Of what sets a whole register by a condition there is only cmovcc.
                None if instruction.condition_code() != ConditionCode::None => self
                    .choose(vec![own(), source()], None)
                    .unwrap_or_else(|| Term::unknown("a conditional move", site)),
                None => Term::unknown(format!("computed by `{mnemonic:?}`").to_lowercase(), site),
            },
        }
    }

    /// The value of the second operand.
    fn source(&self, position: usize, size: u8, signed: bool, dirty: RegisterSet) -> Term {
        let instruction = self.code.instruction(position);
        let site = instruction.ip();
        match instruction.op1_kind() {
            OpKind::Register => match number(instruction.op1_register()) {
                Some(source) => {
                    let term = self.fresh(position, Tracked::Register(source), dirty);
                    extended(term, instruction.op1_register(), signed, site)
                }
                None => Term::unknown("copied from a register that is not followed", site),
            },
            OpKind::Memory => {
                let read = u8::try_from(instruction.memory_size().size()).unwrap_or(size);
                self.load(position, read, signed, dirty)
            }
            _ => match immediate(instruction) {
                Some(value) => Term::new(TermKind::Constant(value.cast_unsigned()), site),
                None => Term::unknown("a source that is not followed", site),
            },
        }
    }

    /// The value of the memory operand.
    fn load(&self, position: usize, size: u8, signed: bool, dirty: RegisterSet) -> Term {
        let instruction = self.code.instruction(position);
        let site = instruction.ip();
        let defined = self.defined.take();
        if instruction.segment_prefix() == Register::GS {
            return per_cpu(instruction, size);
        }
        let address = self.address(position, dirty);
        if let (TermKind::StackAddress(slot), 8) = (&address.kind, size) {
            // Unless it is what was read, still or again.
            let is_stale = defined.is_none_or(|value| self.held(*slot) != Some(value))
                && self.is_stored_since(position, *slot);
            if is_stale {
                self.stale.borrow_mut().push(*slot);
            }
            let term = self.fresh(position, Tracked::Slot(*slot), dirty);
            if is_stale {
                self.stale.borrow_mut().pop();
            }
            return self.unless_set_by_others(*slot, term);
        }
        let term = Term::new(TermKind::Load { address: Box::new(address), size, signed }, site);
        self.as_kept(position, term)
    }

    /// The value of a load, by what was stored since where it was loaded from.
    fn as_kept(&self, position: usize, term: Term) -> Term {
        let kept = replaced(self.code, &self.since, position, self.start.position);
        Term { kept: kept.unwrap_or_default(), ..term }
    }

    /// What the function itself stored to the slot, if the slot holds it; the slot itself otherwise, since
    /// others have set it, or may have.
    fn unless_set_by_others(&self, slot: i64, stored: Term) -> Term {
        if !self.is_shared(slot) {
            return stored;
        }
        let held = self.held(slot);
        // A number that it was set to at first has no name; the variable has one.
        let is_number = matches!(stored.kind, TermKind::Constant(_));
        if held.is_some() && !is_number && evaluate(&stored, self.words) == held {
            return stored.observed(held);
        }
        Term::new(TermKind::Local(slot), stored.site).observed(held)
    }

    /// The address of the memory operand.
    fn address(&self, position: usize, dirty: RegisterSet) -> Term {
        let instruction = self.code.instruction(position);
        let site = instruction.ip();
        if instruction.is_ip_rel_memory_operand() {
            return Term::new(TermKind::Constant(instruction.ip_rel_memory_address()), site);
        }
        let displacement = instruction.memory_displacement64();
        let register = |register| {
            number(register).map(|number| self.fresh(position, Tracked::Register(number), dirty))
        };
        let scale = instruction.memory_index_scale();
        let index = register(instruction.memory_index()).map(|index| (index, scale));
        match register(instruction.memory_base()) {
            Some(base) => add(base, index, displacement.cast_signed(), site),
            None => add(Term::new(TermKind::Constant(displacement), site), index, 0, site),
        }
    }

    /// The value that the instruction stores to the slot, if it stores there.
    fn store(&self, position: usize, slot: i64, dirty: RegisterSet) -> Option<Term> {
        let instruction = self.code.instruction(position);
        let known = self.offsets.get(position).copied().flatten()?;
        let site = instruction.ip();
        if instruction.mnemonic() == Mnemonic::Push {
            let pushed = number(instruction.op0_register());
            return (known.rsp?.wrapping_sub(8) == slot).then(|| match pushed {
                Some(number) if instruction.op0_kind() == OpKind::Register => {
                    self.fresh(position, Tracked::Register(number), dirty)
                }
                _ => Term::unknown("pushed from a place that is not followed", site),
            });
        }
        let (start, size) = self.stored(position)?;
        if start >= slot.wrapping_add(8) || slot >= start.wrapping_add(size) {
            return None;
        }
        let whole = start == slot && size == 8 && instruction.mnemonic() == Mnemonic::Mov;
        Some(if whole && instruction.memory_index() == Register::None {
            self.source(position, 8, false, dirty)
        } else {
            Term::unknown("a stack slot that is written in parts", site)
        })
    }

    /// Where on the stack the instruction stores, and how many bytes; of an array, its first element.
    fn stored(&self, position: usize) -> Option<(i64, i64)> {
        let instruction = self.code.instruction(position);
        let known = self.offsets.get(position).copied().flatten()?;
        let reads = match instruction.op_count() {
            1 => {
                !matches!(
                    instruction.mnemonic(),
                    Mnemonic::Inc | Mnemonic::Dec | Mnemonic::Neg | Mnemonic::Not | Mnemonic::Pop
                ) && instruction.condition_code() == ConditionCode::None
            }
            _ => matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Bt),
        };
        if instruction.op0_kind() != OpKind::Memory || reads {
            return None;
        }
        let base = match instruction.memory_base() {
            Register::RSP => known.rsp,
            Register::RBP => known.rbp,
            _ => None,
        }?;
        let start = base.wrapping_add(instruction.memory_displacement64().cast_signed());
        Some((start, i64::try_from(instruction.memory_size().size()).ok()?))
    }
}
