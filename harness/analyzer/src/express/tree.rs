// SPDX-License-Identifier: MIT OR Apache-2.0
//! C expressions as trees, printed once.

use std::fmt;

use debuginfo::{Step, Way};

use crate::flow::Operator;

/// A C expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A variable, a parameter or a function.
    Name(String),
    /// A number, as people write it.
    Number(u64),
    /// A distance or an address, in hexadecimal.
    Distance(u64),
    /// What a function returned: `f()`.
    Result(String),
    /// A macro of the kernel with an argument: `this_cpu_ptr(p)`.
    Macro(&'static str, Box<Self>),
    /// A member of an object.
    Member(Box<Self>, String),
    /// The bytes that a member of some bits lies in: the member, its lowest bit in the first of them, and how many.
    Bits(Box<Self>, u8, u8),
    /// An element of an array, or behind a pointer.
    Element(Box<Self>, Box<Self>),
    /// What a pointer leads to.
    Target(Box<Self>),
    /// The address of an object.
    Address(Box<Self>),
    /// A value taken for one of another type.
    Cast(Cast, Box<Self>),
    /// Two values joined by an operator.
    Binary(Sign, Box<Self>, Box<Self>),
    /// The structure around a member: pointer, tag and path of the member.
    Container(Box<Self>, String, String),
}

/// What a pointer is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cast {
    /// A pointer without a type: distances from it are in bytes.
    Bytes,
    /// A pointer to a word of so many bytes, of which no more is known.
    Word(u8),
    /// A pointer to such a pointer.
    Pointer,
    /// A pointer of a type, which has that name.
    Type(String),
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Add,
    /// One of those that values are computed with.
    Of(Operator),
    /// `& ~`: bits that are left out.
    Without,
}

/// How tightly the outermost operator of an expression binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    /// Operators on bits.
    Bits,
    /// `a + b`
    Sum,
    /// `a * b`
    Product,
    /// `*p`, `&x`, a cast
    Unary,
    /// A name, `a->b`, `a[i]`, `f()`
    Postfix,
}

impl Expression {
    /// A name.
    pub fn name(name: impl Into<String>) -> Self {
        Self::Name(name.into())
    }

    /// Whether the variable of that name is a part.
    pub(super) fn has_name(&self, wanted: &str) -> bool {
        match self {
            Self::Name(name) => name == wanted,
            Self::Number(_) | Self::Distance(_) | Self::Result(_) => false,
            Self::Macro(_, inner)
            | Self::Member(inner, _)
            | Self::Bits(inner, ..)
            | Self::Target(inner)
            | Self::Address(inner)
            | Self::Cast(_, inner)
            | Self::Container(inner, ..) => inner.has_name(wanted),
            Self::Element(one, other) | Self::Binary(_, one, other) => {
                one.has_name(wanted) || other.has_name(wanted)
            }
        }
    }

    /// What the pointer leads to.
    #[must_use]
    pub fn target(self) -> Self {
        match self {
            Self::Address(object) => *object,
            pointer => Self::Target(Box::new(pointer)),
        }
    }

    /// The address of this object.
    #[must_use]
    pub fn address(self) -> Self {
        match self {
            Self::Target(pointer) => *pointer,
            object => Self::Address(Box::new(object)),
        }
    }

    /// The part of this object that the steps lead to.
    #[must_use]
    pub fn part(self, steps: &[Step]) -> Self {
        let part = steps.iter().fold(self, |whole, step| match &step.way {
            Way::Member(Some(name)) => Self::Member(Box::new(whole), name.clone()),
            Way::Member(None) => whole,
            Way::Element(index) => whole.element(Self::Number(*index)),
        });
        match steps.last().and_then(|step| step.field.bits) {
            Some((low, bits)) => Self::Bits(Box::new(part), low, bits),
            None => part,
        }
    }

    /// The element of this array.
    #[must_use]
    pub fn element(self, index: Self) -> Self {
        Self::Element(Box::new(self), Box::new(index))
    }

    /// Both, joined by an operator.
    #[must_use]
    pub fn with(self, sign: Sign, other: Self) -> Self {
        if let (Sign::Of(Operator::And), Self::Number(mask) | Self::Distance(mask)) = (sign, &other)
            && let Some(member) = self.masked(*mask)
        {
            return member.clone();
        }
        Self::Binary(sign, Box::new(self), Box::new(other))
    }

    /// The member of which these are the bytes, shifted to its lowest bit, if the mask leaves just its bits.
    fn masked(&self, mask: u64) -> Option<&Self> {
        let (member, shift, low, bits) = match self {
            Self::Bits(member, low, bits) => (member, 0, low, bits),
            Self::Binary(Sign::Of(Operator::ShiftRight), whole, by) => match (&**whole, &**by) {
                (Self::Bits(member, low, bits), Self::Number(by)) => (member, *by, low, bits),
                _ => return None,
            },
            _ => return None,
        };
        let is_all = 1_u64.checked_shl(u32::from(*bits)).is_some_and(|end| mask == end - 1);
        (is_all && shift == u64::from(*low)).then_some(member)
    }

    /// The place so many bytes further on than this pointer leads to.
    #[must_use]
    pub fn at_distance(self, bytes: i64) -> Self {
        let pointer = self.cast(Cast::Bytes);
        let distance = Self::Distance(bytes.unsigned_abs());
        match bytes {
            0 => pointer,
            ..0 => pointer.with(Sign::Of(Operator::Subtract), distance),
            _ => pointer.with(Sign::Add, distance),
        }
    }

    /// This pointer, taken for one of that type; what it was taken for before makes no difference.
    #[must_use]
    pub fn cast(self, ty: Cast) -> Self {
        match self {
            Self::Cast(Cast::Word(_) | Cast::Pointer | Cast::Type(_), inner) => {
                Self::Cast(ty, inner)
            }
            pointer => Self::Cast(ty, Box::new(pointer)),
        }
    }

    /// The result of the function of the kernel's or the compiler's with this as its argument.
    #[must_use]
    pub fn given_to(self, name: &'static str) -> Self {
        Self::Macro(name, Box::new(self))
    }

    /// Whether it is a number of the code.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Distance(_))
    }

    /// Whether it is made of more than numbers of the code.
    #[must_use]
    pub fn is_variable(&self) -> bool {
        match self {
            Self::Number(_) | Self::Distance(_) => false,
            Self::Binary(_, one, other) => one.is_variable() || other.is_variable(),
            Self::Cast(_, inner) => inner.is_variable(),
            _ => true,
        }
    }

    /// Whether it is, or is a part of, an element of the array or behind the pointer.
    #[must_use]
    pub fn is_element_of(&self, array: &Self) -> bool {
        match self {
            Self::Element(of, _) => of.as_ref() == array || of.is_element_of(array),
            Self::Member(of, _) | Self::Bits(of, ..) => of.is_element_of(array),
            _ => false,
        }
    }

    /// Whether it is what a function returned.
    #[must_use]
    pub const fn is_result(&self) -> bool {
        matches!(self, Self::Result(_))
    }

    /// Whether a part of it is at a distance that no type explains.
    #[must_use]
    pub fn has_distance(&self) -> bool {
        match self {
            Self::Name(_) | Self::Number(_) | Self::Distance(_) | Self::Result(_) => false,
            Self::Cast(Cast::Type(_), inner) => inner.has_distance(),
            Self::Cast(..) => true,
            Self::Element(a, b) | Self::Binary(_, a, b) => a.has_distance() || b.has_distance(),
            Self::Macro(_, inner)
            | Self::Member(inner, _)
            | Self::Bits(inner, ..)
            | Self::Target(inner)
            | Self::Address(inner)
            | Self::Container(inner, ..) => inner.has_distance(),
        }
    }

    /// Whether it has a distance, or goes by `container_of()`: the name of a variable says more.
    pub(super) fn is_roundabout(&self) -> bool {
        match self {
            Self::Name(_) | Self::Number(_) | Self::Distance(_) | Self::Result(_) => false,
            Self::Cast(Cast::Type(_), inner) => inner.is_roundabout(),
            Self::Cast(..) | Self::Container(..) => true,
            Self::Element(a, b) | Self::Binary(_, a, b) => a.is_roundabout() || b.is_roundabout(),
            Self::Macro(_, inner)
            | Self::Member(inner, _)
            | Self::Bits(inner, ..)
            | Self::Target(inner)
            | Self::Address(inner) => inner.is_roundabout(),
        }
    }

    const fn binding(&self) -> Binding {
        match self {
            Self::Target(_) | Self::Address(_) | Self::Cast(..) => Binding::Unary,
            Self::Binary(sign, ..) => sign.binding(),
            _ => Binding::Postfix,
        }
    }

    /// In parentheses where an operator that binds as `outer` would tear it apart.
    const fn inside(&self, outer: Binding) -> Inside<'_> {
        Inside { expression: self, outer }
    }
}

impl Sign {
    const fn binding(self) -> Binding {
        match self {
            Self::Add | Self::Of(Operator::Subtract) => Binding::Sum,
            Self::Of(Operator::Multiply) => Binding::Product,
            Self::Of(_) | Self::Without => Binding::Bits,
        }
    }

    /// How tightly its left side has to bind: people put parentheses around all but sums and products.
    const fn left(self) -> Binding {
        match self.binding() {
            Binding::Sum => Binding::Sum,
            Binding::Product => Binding::Product,
            _ => Binding::Unary,
        }
    }

    const fn right(self) -> Binding {
        match self {
            Self::Add => Binding::Product,
            _ => Binding::Unary,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Without => "& ~",
            Self::Of(Operator::Subtract) => "-",
            Self::Of(Operator::Multiply) => "*",
            Self::Of(Operator::And) => "&",
            Self::Of(Operator::Or) => "|",
            Self::Of(Operator::Xor) => "^",
            Self::Of(Operator::ShiftLeft) => "<<",
            Self::Of(Operator::ShiftRight) => ">>",
        }
    }
}

impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "void *",
            Self::Word(1) => "u8 *",
            Self::Word(2) => "u16 *",
            Self::Word(4) => "u32 *",
            Self::Word(_) => "u64 *",
            Self::Pointer => "void **",
            Self::Type(name) => name,
        })
    }
}

/// An expression as a part of another one.
struct Inside<'e> {
    expression: &'e Expression,
    outer: Binding,
}

impl fmt::Display for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.expression.binding() < self.outer {
            write!(f, "({})", self.expression)
        } else {
            self.expression.fmt(f)
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(value @ ..10) => write!(f, "{value}"),
            Self::Number(value) | Self::Distance(value) => write!(f, "{value:#x}"),
            Self::Result(function) => write!(f, "{function}()"),
            Self::Macro(name, argument) => write!(f, "{name}({argument})"),
            Self::Member(of, member) => match of.as_ref() {
                Self::Target(pointer) => {
                    write!(f, "{}->{member}", pointer.inside(Binding::Postfix))
                }
                object => write!(f, "{}.{member}", object.inside(Binding::Postfix)),
            },
            Self::Bits(member, ..) => member.fmt(f),
            Self::Element(of, index) => write!(f, "{}[{index}]", of.inside(Binding::Postfix)),
            Self::Target(pointer) => write!(f, "*{}", pointer.inside(Binding::Unary)),
            Self::Address(object) => write!(f, "&{}", object.inside(Binding::Unary)),
            Self::Cast(ty, value) => write!(f, "({ty}){}", value.inside(Binding::Unary)),
            Self::Binary(Sign::Without, left, right) => {
                write!(f, "{} & ~{}", left.inside(Binding::Unary), right.inside(Binding::Unary))
            }
            Self::Binary(sign, left, right) => {
                let (left, right) = (left.inside(sign.left()), right.inside(sign.right()));
                write!(f, "{left} {} {right}", sign.words())
            }
            Self::Container(pointer, structure, member) => {
                write!(f, "container_of({pointer}, struct {structure}, {member})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Expression {
        Expression::name(name)
    }

    fn member(of: Expression, member: &str) -> Expression {
        Expression::Member(Box::new(of), member.to_owned())
    }

    #[test]
    fn members_are_written_by_what_they_are_of() {
        assert_eq!(member(name("p").target(), "a").to_string(), "p->a");
        assert_eq!(member(name("s"), "a").to_string(), "s.a");
        assert_eq!(member(name("s").address().target(), "a").to_string(), "s.a");
        assert_eq!(member(name("p").target().target(), "a").to_string(), "(*p)->a");
    }

    #[test]
    fn the_address_of_a_target_is_the_pointer() {
        assert_eq!(name("p").target().address(), name("p"));
        assert_eq!(member(name("p").target(), "a").address().to_string(), "&p->a");
    }

    #[test]
    fn a_pointer_to_an_array_is_not_an_array() {
        let first = Expression::Number(1);
        assert_eq!(name("p").target().element(first.clone()).to_string(), "(*p)[1]");
        assert_eq!(name("a").element(first).to_string(), "a[1]");
    }

    /// `a & 0x3f + n` is `a & (0x3f + n)` in C.
    #[test]
    fn parentheses_stand_where_c_wants_them() {
        let and = name("a").with(Sign::Of(Operator::And), Expression::Number(0x3f));
        assert_eq!(and.clone().with(Sign::Add, name("n")).to_string(), "(a & 0x3f) + n");
        let shifted = and.with(Sign::Of(Operator::ShiftLeft), Expression::Number(3));
        assert_eq!(shifted.to_string(), "(a & 0x3f) << 3");
        let twice = name("a").with(Sign::Of(Operator::Multiply), Expression::Number(2));
        assert_eq!(twice.clone().with(Sign::Add, name("n")).to_string(), "a * 2 + n");
        let sum = name("a").with(Sign::Add, name("b"));
        let product = sum.clone().with(Sign::Of(Operator::Multiply), Expression::Number(8));
        assert_eq!(product.to_string(), "(a + b) * 8");
        assert_eq!(name("c").with(Sign::Of(Operator::Subtract), sum).to_string(), "c - (a + b)");
    }

    /// `*(a + 8)` of a typed pointer would be another address.
    #[test]
    fn distances_are_in_bytes() {
        let word = name("p").at_distance(8).cast(Cast::Word(8)).target();
        assert_eq!(word.to_string(), "*(u64 *)((void *)p + 0x8)");
        assert!(word.has_distance());
        assert_eq!(name("p").at_distance(-16).to_string(), "(void *)p - 0x10");
        assert_eq!(
            name("p").at_distance(0).cast(Cast::Word(1)).target().to_string(),
            "*(u8 *)(void *)p"
        );
    }

    #[test]
    fn the_bits_of_a_member_are_the_member() {
        let and = Sign::Of(Operator::And);
        let bytes = |low| Expression::Bits(Box::new(member(name("s"), "kind")), low, 3);
        assert_eq!(bytes(0).with(and, Expression::Number(7)), member(name("s"), "kind"));
        assert_eq!(bytes(0).with(and, Expression::Number(4)).to_string(), "s.kind & 4");
        let shifted = |by| bytes(2).with(Sign::Of(Operator::ShiftRight), Expression::Number(by));
        assert_eq!(shifted(2).with(and, Expression::Number(7)), member(name("s"), "kind"));
        assert_ne!(shifted(1).with(and, Expression::Number(7)), member(name("s"), "kind"));
    }

    #[test]
    fn flags_that_are_masked_out_are_named() {
        let owner = name("owner").with(Sign::Without, Expression::Number(7));
        assert_eq!(owner.to_string(), "owner & ~7");
    }
}
