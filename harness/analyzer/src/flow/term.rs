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
        index: Option<(Box<Term>, u8)>,
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
