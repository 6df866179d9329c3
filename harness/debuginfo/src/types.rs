// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types as C sees them, whichever store (DWARF or BTF) they were read from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names one type of one [`Image`](crate::Image). Meaningless in any other image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TypeId(pub(crate) Store);

/// Where a type is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Store {
    /// An entry of `.debug_info`.
    Dwarf {
        /// Offset of the unit's header in the section.
        unit: u64,
        /// Offset of the entry in the section.
        entry: u64,
        /// For an array of several dimensions: how many of them are left out.
        dimension: u32,
    },
    /// A type of `.BTF`, by its number.
    Btf(u32),
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dwarf { unit, entry, dimension: 0 } => write!(f, "{unit:#x}:{entry:#x}"),
            Self::Dwarf { unit, entry, dimension } => {
                write!(f, "{unit:#x}:{entry:#x}[{dimension}]")
            }
            Self::Btf(number) => write!(f, "{number}"),
        }
    }
}

/// A type. Offsets and sizes are in bytes unless they say bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Type {
    /// `int`, `char`, `_Bool`, …
    Base {
        /// Spelling in C.
        name: String,
        /// Size.
        size: u64,
        /// How to read it.
        encoding: Encoding,
    },
    /// A pointer, 8 bytes.
    Pointer {
        /// What it points to; `None` for `void`.
        target: Option<TypeId>,
    },
    /// A structure or union.
    Struct {
        /// Tag, if it has one.
        name: Option<String>,
        /// Size; 0 for a declaration.
        size: u64,
        /// Members in their order.
        members: Vec<Member>,
        /// `union` rather than `struct`.
        union: bool,
        /// Only declared in all that this image knows: no size, no members.
        declaration: bool,
    },
    /// An array of one dimension; more dimensions are arrays of arrays.
    Array {
        /// Type of an element.
        element: TypeId,
        /// Number of elements; `None` for a flexible array (`x[]`).
        count: Option<u64>,
    },
    /// A `typedef`.
    Typedef {
        /// Its name.
        name: String,
        /// What it stands for; `None` for `void`.
        target: Option<TypeId>,
    },
    /// An enumeration.
    Enum {
        /// Tag, if it has one.
        name: Option<String>,
        /// Size.
        size: u64,
        /// Its values in their order.
        enumerators: Vec<Enumerator>,
    },
    /// A function.
    Function {
        /// What it returns; `None` for `void`.
        result: Option<TypeId>,
        /// Its parameters.
        parameters: Vec<Option<TypeId>>,
        /// Whether it takes further arguments (`...`).
        variadic: bool,
    },
    /// A type with a qualifier.
    Qualified {
        /// The qualifier.
        qualifier: Qualifier,
        /// The type without it; `None` for `void`.
        target: Option<TypeId>,
    },
}

/// How the bytes of a base type are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// Two's complement.
    Signed,
    /// Unsigned.
    Unsigned,
    /// A character, signed.
    SignedChar,
    /// A character, unsigned.
    UnsignedChar,
    /// `_Bool`.
    Bool,
    /// Anything else (floating point, complex).
    Other,
}

/// A qualifier of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Qualifier {
    /// `const`
    Const,
    /// `volatile`
    Volatile,
    /// `restrict`
    Restrict,
    /// `_Atomic`
    Atomic,
    /// A BTF type tag such as `__user`; nothing in C.
    Tag,
}

/// A value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enumerator {
    /// Its name.
    pub name: String,
    /// Its value; unsigned 64-bit ones wrap.
    pub value: i64,
}

/// A member of a structure or union.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Name; `None` for an anonymous structure or union, whose members belong to the outer one.
    pub name: Option<String>,
    /// Offset in bytes; for a bit-field that of the byte that holds its lowest bit.
    pub offset: u64,
    /// For a bit-field: number of its lowest bit in that byte (0–7), and its size in bits.
    pub bits: Option<(u8, u8)>,
    /// Its type.
    pub ty: TypeId,
}

/// What a path such as `thread.sp` inside a structure leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Offset from the start of the outermost structure, in bytes.
    pub offset: u64,
    /// Size in bytes of its type (for a bit-field that of the type it is declared with).
    pub size: u64,
    /// As in [`Member`].
    pub bits: Option<(u8, u8)>,
    /// Its type.
    pub ty: TypeId,
}
