// SPDX-License-Identifier: MIT OR Apache-2.0
//! A piece of C with its type.

use debuginfo::{Image, TypeId};

/// How tightly the outermost operator of an expression binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// `a + b`
    Sum,
    /// `*p`, `&x`, a cast
    Unary,
    /// A name, `a->b`, `a[i]`, `f()`
    Postfix,
}

/// Type of an expression.
#[derive(Clone)]
pub enum Ty<'a> {
    /// A type of the debug information.
    Known(&'a Image<'a>, TypeId),
    /// A pointer to it.
    PointerTo(Box<Self>),
}

impl std::fmt::Debug for Ty<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(image, id) => f.write_str(&image.type_name(Some(*id))),
            Self::PointerTo(target) => write!(f, "pointer to {target:?}"),
        }
    }
}

/// A piece of C with its type, where the type is known.
#[derive(Debug, Clone)]
pub struct Typed<'a> {
    /// The C.
    pub text: String,
    /// Its outermost operator.
    pub binding: Binding,
    /// Its type.
    pub ty: Option<Ty<'a>>,
}

impl<'a> Typed<'a> {
    /// A name or another postfix expression.
    pub fn postfix(text: impl Into<String>, ty: Option<Ty<'a>>) -> Self {
        Self { text: text.into(), binding: Binding::Postfix, ty }
    }

    /// The text, in parentheses where an operator that binds as `outer` would tear it apart.
    pub fn inside(&self, outer: Binding) -> String {
        if self.binding < outer { format!("({})", self.text) } else { self.text.clone() }
    }

    /// The address of this lvalue.
    #[must_use]
    pub fn address(self) -> Self {
        // `&*p` is `p`.
        if self.binding == Binding::Unary
            && let Some(pointer) = self.text.strip_prefix('*')
        {
            let text = pointer.to_owned();
            return Self {
                text,
                binding: Binding::Postfix,
                ty: self.ty.map(|ty| Ty::PointerTo(Box::new(ty))),
            };
        }
        Self {
            text: format!("&{}", self.inside(Binding::Unary)),
            binding: Binding::Unary,
            ty: self.ty.map(|ty| Ty::PointerTo(Box::new(ty))),
        }
    }
}
