// SPDX-License-Identifier: MIT OR Apache-2.0
//! A piece of C with its type.

use debuginfo::{Image, Step, TypeId};

use super::tree::Expression;

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
    pub c: Expression,
    /// Its type.
    pub ty: Option<Ty<'a>>,
}

impl<'a> Typed<'a> {
    /// A variable, a parameter or a function.
    pub fn name(name: impl Into<String>, ty: Option<Ty<'a>>) -> Self {
        Self { c: Expression::name(name), ty }
    }

    /// Without a type.
    pub const fn untyped(c: Expression) -> Self {
        Self { c, ty: None }
    }

    /// The address of this object.
    #[must_use]
    pub fn address(self) -> Self {
        Self { c: self.c.address(), ty: self.ty.map(|ty| Ty::PointerTo(Box::new(ty))) }
    }

    /// The part of this object that the steps lead to.
    #[must_use]
    pub fn part(self, (steps, ty): (&[Step], Ty<'a>)) -> Self {
        Self { c: self.c.part(steps), ty: Some(ty) }
    }
}
