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
    /// Not followed further, with the reason in words.
    Unknown(String),
}

impl Term {
    /// A term nobody has observed yet.
    pub fn new(kind: TermKind, site: u64) -> Self {
        Self { kind, observed: None, site }
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
                let base = Box::new(Self { kind, observed: self.observed, site });
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
        if let (1, Some((inner, factor, more))) = (scale, index.product()) {
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
        use TermKind::{Choice, Load, Sum};
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
            (TermKind::Returned { .. }, TermKind::Returned { .. }) => {
                self.kind == other.kind && self.site == other.site
            }
            (a, b) => a == b,
        }
    }
}
