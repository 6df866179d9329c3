// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the parser makes of an expression.

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A number or character.
    Number {
        /// Its bits.
        value: u64,
        /// Bytes of its type, 4 or 8.
        size: u64,
        /// Whether its type has a sign.
        signed: bool,
    },
    /// A variable, function or enumerator; with the CPU whose copy is meant.
    Name(String, Option<u32>),
    /// An operator before its operand.
    Unary(Unary, Box<Self>),
    /// An operator between its operands.
    Binary(Binary, Box<Self>, Box<Self>),
    /// `a.b`, or `a->b`: either works on structures and on pointers to them.
    Member(Box<Self>, String),
    /// `a[b]`
    Index(Box<Self>, Box<Self>),
    /// `a@n`: as many elements from `a` on (gdb's notation).
    Repeat(Box<Self>, Box<Self>),
    /// `(type) a`
    Cast(TypeName, Box<Self>),
    /// `sizeof(type)`
    SizeOfType(TypeName),
    /// `sizeof a`
    SizeOf(Box<Self>),
}

/// A type as a cast names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeName {
    /// `struct`, `union` or `enum`, if it was written.
    pub keyword: Option<String>,
    /// Tag, typedef or base type; several words (`unsigned long`) with one space between them.
    pub name: String,
    /// Stars behind it.
    pub pointers: u32,
    /// Number of elements, outer dimension first: `int [2][3]`.
    pub dimensions: Vec<u64>,
}

impl std::fmt::Display for TypeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.keyword {
            Some(keyword) => write!(f, "{keyword} {}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Operators before their operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    /// `*`
    Dereference,
    /// `&`
    AddressOf,
    /// `-`
    Negate,
    /// `+`
    Plus,
    /// `~`
    Complement,
    /// `!`
    Not,
}

/// Operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `&&`
    BothTrue,
    /// `||`
    EitherTrue,
}
