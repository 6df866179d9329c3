// SPDX-License-Identifier: MIT OR Apache-2.0
//! A value as the code computed it.

use iced_x86::Register;

/// A value, how the code came by it, and what it is known to be in the dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// How the value was computed.
    pub kind: TermKind,
    /// What a register or stack slot that still holds the value says in the dump.
    pub observed: Option<u64>,
    /// Address of the instruction that produced it; 0 for the function's entry.
    pub site: u64,
    /// Whether another instruction computes the same on another way to where it is used.
    pub has_twin: bool,
    /// What memory has of it by now, if it was loaded from there.
    pub kept: Kept,
}

/// What memory has of a value that was loaded from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kept {
    /// What was read, unless others have stored there.
    #[default]
    AsRead,
    /// That with a number added: the instruction at the address `by` has stored it there since.
    Moved {
        /// The number.
        added: i64,
        /// The instruction.
        by: u64,
    },
    /// Another value: the code has stored there since.
    Replaced,
}

/// How a value was computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermKind {
    /// A number in the instruction, or an address relative to it.
    Constant(u64),
    /// What the register held when the function was entered.
    Entry(Register),
    /// What the word at this offset from the return address' slot held when the function was
    /// entered (an argument passed on the stack).
    EntryStack(i64),
    /// A load of `size` bytes from memory at the address.
    Load {
        /// Address loaded from.
        address: Box<Term>,
        /// Bytes loaded: 1, 2, 4 or 8.
        size: u8,
        /// Whether the value was sign-extended.
        signed: bool,
    },
    /// A load from per-CPU memory, at `gs` plus the offset.
    PerCpu {
        /// Offset from the CPU's base, that is, the symbol's value.
        offset: u64,
        /// Bytes loaded.
        size: u8,
    },
    /// `base + index * scale + offset`.
    Sum {
        /// The part that is a pointer, as far as the code tells.
        base: Box<Term>,
        /// The part that is multiplied.
        index: Option<(Box<Term>, u32)>,
        /// The constant part.
        offset: i64,
    },
    /// Address of a slot of this function's stack frame, from the return address' slot.
    StackAddress(i64),
    /// What the call at `site` returned.
    Returned {
        /// Function called, where the instruction names it.
        target: Option<u64>,
    },
    /// The same value as a function further out computed it, before it called this one.
    Caller {
        /// An address inside that function, to find its names with.
        pc: u64,
        /// The value there.
        term: Box<Term>,
    },
    /// One of several, by the path taken.
    Choice(Vec<Term>),
    /// Two values joined by an operator.
    Binary {
        /// The operator.
        op: Operator,
        /// Its left side.
        left: Box<Term>,
        /// Its right side.
        right: Box<Term>,
        /// Bytes of the result; the rest of the register is 0.
        size: u8,
    },
    /// The low bytes of a value, extended to the whole register.
    Extend {
        /// The value.
        term: Box<Term>,
        /// Bytes of it.
        size: u8,
        /// Whether the sign is extended.
        signed: bool,
    },
    /// A variable of a loop: it starts as `first`, and each round makes `next` of it.
    Walk {
        /// Its value before the loop.
        first: Box<Term>,
        /// Its value after a round, in which [`TermKind::Again`] is its value before.
        next: Box<Term>,
        /// Where that holds, and what it is in.
        place: Place,
    },
    /// A value that the debug information has a name for at the end of the walk: a local variable
    /// in a register.
    Variable {
        /// Its name.
        name: String,
        /// An address in the scope of the name.
        pc: u64,
        /// How deep its function is inlined there: 0 is the function that has the code.
        depth: u32,
        /// How the value was computed.
        term: Box<Term>,
    },
    /// What the function that has the code at `pc` was given in the register, as others computed it.
    Argument {
        /// An address inside that function, to find the parameter's type with.
        pc: u64,
        /// Where it was passed.
        register: Register,
        /// How the value was computed.
        term: Box<Term>,
    },
    /// Within a [`TermKind::Walk`] of that place: the variable's value a round before.
    Again(Place),
    /// The word of this function's stack frame at this offset from the return address' slot, to
    /// which no instruction stored on the way.
    Local(i64),
    /// Not followed further, with the reason in words.
    Unknown(String),
}

/// Address of an instruction and the register that a loop's variable is in before it (`None` for a
/// word of the stack).
pub type Place = (u64, Option<Register>);

/// An operator of C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operator {
    Subtract,
    Multiply,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

impl Term {
    /// The terms that this one is directly made of.
    pub fn parts(&self) -> Vec<&Self> {
        use TermKind as K;
        match &self.kind {
            K::Load { address: term, .. }
            | K::Caller { term, .. }
            | K::Extend { term, .. }
            | K::Argument { term, .. }
            | K::Variable { term, .. } => {
                vec![term]
            }
            K::Sum { base, index, .. } => {
                let index = index.iter().map(|(index, _)| index.as_ref());
                std::iter::once(base.as_ref()).chain(index).collect()
            }
            K::Binary { left, right, .. } => vec![left, right],
            K::Walk { first, next, .. } => vec![first, next],
            K::Choice(terms) => terms.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the value is what it was when it was computed: a register still holds it, or no memory leads
    /// there.
    pub fn is_fixed(&self) -> bool {
        let is_loaded = matches!(
            self.kind,
            TermKind::Load { .. } | TermKind::PerCpu { .. } | TermKind::Returned { .. }
        );
        self.observed.is_some() || !is_loaded && self.parts().into_iter().all(Self::is_fixed)
    }

    /// The term without the names of variables around it, and without whose function computed it.
    pub fn bare(&self) -> &Self {
        match &self.kind {
            TermKind::Variable { term, .. }
            | TermKind::Argument { term, .. }
            | TermKind::Caller { term, .. } => term.bare(),
            _ => self,
        }
    }

    /// The same, to change them.
    pub fn parts_mut(&mut self) -> Vec<&mut Self> {
        use TermKind as K;
        match &mut self.kind {
            K::Load { address: term, .. }
            | K::Caller { term, .. }
            | K::Extend { term, .. }
            | K::Argument { term, .. }
            | K::Variable { term, .. } => {
                vec![term]
            }
            K::Sum { base, index, .. } => {
                let index = index.iter_mut().map(|(index, _)| index.as_mut());
                std::iter::once(base.as_mut()).chain(index).collect()
            }
            K::Binary { left, right, .. } => vec![left, right],
            K::Walk { first, next, .. } => vec![first, next],
            K::Choice(terms) => terms.iter_mut().collect(),
            _ => Vec::new(),
        }
    }

    /// Notes that the same was computed on another way, by other instructions perhaps.
    pub fn join(&mut self, twin: &Self) {
        self.has_twin |= self.site != twin.site;
        for (part, other) in self.parts_mut().into_iter().zip(twin.parts()) {
            part.join(other);
        }
    }

    /// Whether the pointers that led to it begin with what the function that has the code at `pc`
    /// computed and passed on. The number of an element leads nowhere by itself.
    pub fn leads_from(&self, pc: u64) -> bool {
        match &self.kind {
            TermKind::Caller { pc: caller, .. } if *caller == pc => true,
            // Of two registers that are added, either may be the pointer.
            TermKind::Sum { base, index: Some((_, scale)), .. } if *scale != 1 => {
                base.leads_from(pc)
            }
            TermKind::Choice(ways) => ways.iter().all(|way| way.leads_from(pc)),
            _ => self.parts().into_iter().any(|part| part.leads_from(pc)),
        }
    }

    /// The parameter that the pointers which led to it begin with, and an address in its function;
    /// `pc` is one in this term's own. `None` if they begin with something else.
    pub fn parameter(&self, pc: u64) -> Option<(u64, Register)> {
        match &self.kind {
            TermKind::Entry(register) => Some((pc, *register)),
            TermKind::Caller { pc, term } => term.parameter(*pc),
            TermKind::Argument { term, .. }
            | TermKind::Variable { term, .. }
            | TermKind::Extend { term, .. } => term.parameter(pc),
            TermKind::Load { address, .. } => address.parameter(pc),
            TermKind::Sum { base, .. } => base.parameter(pc),
            TermKind::Walk { first, .. } => first.parameter(pc),
            _ => None,
        }
    }

    /// What the function that has the code at `pc` passed on, where the value was computed from it by
    /// other means than following pointers and counting elements; `None` if it was not.
    pub fn computed_from(&self, pc: u64) -> Option<&Self> {
        self.passed_by(pc, false)
    }

    fn passed_by(&self, pc: u64, is_computed: bool) -> Option<&Self> {
        if let TermKind::Caller { pc: caller, term } = &self.kind
            && *caller == pc
        {
            return is_computed.then_some(term);
        }
        let is_plain = !matches!(self.kind, TermKind::Binary { .. });
        let mut parts = self.parts().into_iter();
        parts.find_map(|part| part.passed_by(pc, is_computed || !is_plain))
    }

    /// Whether the loop's variable of that place is a part of it.
    pub fn has_again(&self, place: Place) -> bool {
        self.kind == TermKind::Again(place)
            || self.parts().into_iter().any(|part| part.has_again(place))
    }

    /// A term nobody has observed yet.
    pub fn new(kind: TermKind, site: u64) -> Self {
        Self { kind, observed: None, site, has_twin: false, kept: Kept::AsRead }
    }

    /// A term that cannot be followed, with the reason.
    pub fn unknown(why: impl Into<String>, site: u64) -> Self {
        Self::new(TermKind::Unknown(why.into()), site)
    }

    /// The same term with what was observed of it; an earlier observation stays.
    #[must_use]
    pub fn observed(mut self, value: Option<u64>) -> Self {
        self.observed = self.observed.or(value);
        self
    }

    /// `self + offset`, folded where that is plain.
    #[must_use]
    pub fn plus(self, offset: i64) -> Self {
        if offset == 0 {
            return self;
        }
        let site = self.site;
        match self.kind {
            TermKind::Constant(value) => {
                Self::new(TermKind::Constant(value.wrapping_add_signed(offset)), site)
            }
            TermKind::StackAddress(slot) => {
                Self::new(TermKind::StackAddress(slot.wrapping_add(offset)), site)
            }
            TermKind::Sum { base, index, offset: before } => {
                Self::new(TermKind::Sum { base, index, offset: before.wrapping_add(offset) }, site)
            }
            kind => {
                let base = Box::new(Self { kind, ..self });
                Self::new(TermKind::Sum { base, index: None, offset }, site)
            }
        }
    }

    /// `self + index * scale + offset`.
    ///
    /// Compilers reach the element of an array in steps (`shl $4, %rsi; add %rdi, %rsi`); here the
    /// steps become one sum again, with the part that is not multiplied as its base.
    #[must_use]
    pub fn indexed(self, index: Self, scale: u32, offset: i64, site: u64) -> Self {
        if let Some((inner, factor, more)) = index.product()
            && let Some(factor) = factor.checked_mul(scale)
        {
            let more = more.wrapping_mul(i64::from(scale));
            return self.indexed(inner.clone(), factor, offset.wrapping_add(more), site);
        }
        if let (1, Some((inner, factor, more))) = (scale, self.product()) {
            return index.clone().indexed(inner.clone(), factor, offset.wrapping_add(more), site);
        }
        let twice = self.same_computation(&index).then(|| scale.checked_add(1)).flatten();
        let (base, scale) = match twice {
            Some(scale) => (Self::new(TermKind::Constant(0), site), scale),
            None => (self, scale),
        };
        let index = Some((Box::new(index), scale));
        Self::new(TermKind::Sum { base: Box::new(base), index, offset }, site)
    }

    /// `self * factor`, for numbers of elements; `None` if it is no small multiple.
    #[must_use]
    pub fn times(self, factor: u32, site: u64) -> Option<Self> {
        let (index, scale, offset) = match self.product() {
            Some((inner, scale, offset)) => {
                (inner.clone(), scale.checked_mul(factor)?, offset.checked_mul(i64::from(factor))?)
            }
            None => (self, factor, 0),
        };
        let base = Box::new(Self::new(TermKind::Constant(0), site));
        let index = Some((Box::new(index), scale));
        Some(Self::new(TermKind::Sum { base, index, offset }, site))
    }

    /// `self - other` where `self` is a multiple of `other`.
    pub fn less(&self, other: &Self) -> Option<Self> {
        let (inner, scale, offset) = self.product()?;
        (offset == 0 && scale > 1 && inner.same_computation(other)).then_some(())?;
        inner.clone().times(scale - 1, self.site)
    }

    /// Index, scale and offset of a sum without a base.
    fn product(&self) -> Option<(&Self, u32, i64)> {
        match &self.kind {
            TermKind::Sum { base, index: Some((index, scale)), offset }
                if base.kind == TermKind::Constant(0) =>
            {
                Some((index, *scale, *offset))
            }
            _ => None,
        }
    }

    /// Whether both were computed in the same way, whatever was observed of them and where.
    pub fn same_computation(&self, other: &Self) -> bool {
        use TermKind::{Binary, Choice, Extend, Load, Sum, Walk};
        match (&self.kind, &other.kind) {
            (Load { address: a, size: s, signed: x }, Load { address: b, size: t, signed: y }) => {
                s == t && x == y && a.same_computation(b)
            }
            (Sum { base: a, index: i, offset: o }, Sum { base: b, index: j, offset: p }) => {
                let same_index = match (i, j) {
                    (None, None) => true,
                    (Some((i, s)), Some((j, t))) => s == t && i.same_computation(j),
                    _ => false,
                };
                o == p && a.same_computation(b) && same_index
            }
            (Choice(a), Choice(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_computation(b))
            }
            (Binary { op, size, .. }, Binary { op: other_op, size: other_size, .. }) => {
                op == other_op && size == other_size && self.same_parts(other)
            }
            (Extend { size, signed, .. }, Extend { size: s, signed: x, .. }) => {
                size == s && signed == x && self.same_parts(other)
            }
            (Walk { .. }, Walk { .. }) => self.same_parts(other),
            (TermKind::Returned { .. }, TermKind::Returned { .. }) => {
                self.kind == other.kind && self.site == other.site
            }
            (a, b) => a == b,
        }
    }

    fn same_parts(&self, other: &Self) -> bool {
        let (own, theirs) = (self.parts(), other.parts());
        own.len() == theirs.len() && own.iter().zip(theirs).all(|(a, b)| a.same_computation(b))
    }
}
