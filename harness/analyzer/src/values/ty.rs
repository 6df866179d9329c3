// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types of values: those of the debug information, and those that operators make.

use debuginfo::{Encoding, Enumerator, Image, Member, Type, TypeId};

use super::{Error, World};

/// Typedefs around one type; guards against a circle.
const MAX_TYPEDEFS: usize = 32;

/// A type without pointers and dimensions around it.
#[derive(Clone, Copy)]
pub enum Base<'w> {
    /// Of the debug information.
    Known(&'w Image<'w>, TypeId),
    /// A number, as C spells its type.
    Number(&'static str, u64, Encoding),
    /// `void`, or a type that is not known.
    Void,
}

impl std::fmt::Debug for Base<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&Ty::Base(*self).spell(""))
    }
}

/// A type with the pointers and dimensions that operators put around it.
#[derive(Clone)]
pub enum Ty<'w> {
    /// The type itself.
    Base(Base<'w>),
    /// A pointer to it.
    Pointer(Box<Self>),
    /// That many of it.
    Array(Box<Self>, u64),
}

impl std::fmt::Debug for Ty<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.spell(""))
    }
}

/// A type without typedefs and qualifiers, as far as its values need it.
#[derive(Debug, Clone)]
pub enum Shape<'w> {
    /// Nothing that has a value.
    Void,
    /// A number of that many bytes.
    Number(u64, Encoding),
    /// An enumeration.
    Enum(u64, Vec<Enumerator>),
    /// A pointer.
    Pointer(Ty<'w>),
    /// A number of elements, if it is known.
    Array(Ty<'w>, Option<u64>),
    /// A structure or union.
    Struct(Structure<'w>),
    /// A function.
    Function,
}

/// A structure or union.
#[derive(Clone)]
pub struct Structure<'w> {
    /// The image that has its members' types.
    pub image: &'w Image<'w>,
    /// Tag.
    pub name: Option<String>,
    /// Bytes.
    pub size: u64,
    /// Members in their order.
    pub members: Vec<Member>,
    /// `union` rather than `struct`.
    pub union: bool,
}

impl std::fmt::Debug for Structure<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Structure").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'w> Ty<'w> {
    /// `int`.
    pub const INT: Self = Self::Base(Base::Number("int", 4, Encoding::Signed));
    /// `unsigned int`.
    pub const UNSIGNED: Self = Self::Base(Base::Number("unsigned int", 4, Encoding::Unsigned));
    /// `long`.
    pub const LONG: Self = Self::Base(Base::Number("long", 8, Encoding::Signed));
    /// `unsigned long`.
    pub const UNSIGNED_LONG: Self =
        Self::Base(Base::Number("unsigned long", 8, Encoding::Unsigned));
    /// `void`.
    pub const VOID: Self = Self::Base(Base::Void);

    /// A type of the debug information.
    #[must_use]
    pub fn known(image: &'w Image<'w>, id: TypeId) -> Self {
        Self::Base(Base::Known(image, id))
    }

    fn of(image: &'w Image<'w>, id: Option<TypeId>) -> Self {
        id.map_or(Self::VOID, |id| Self::known(image, id))
    }

    /// Whether it is `char`. Costs less than its shape if it is a structure.
    #[must_use]
    pub fn is_character(&self) -> bool {
        match self {
            Self::Base(Base::Known(image, id)) => image.is_character(*id),
            Self::Base(Base::Number(_, 1, encoding)) => *encoding == Encoding::SignedChar,
            _ => false,
        }
    }

    /// A pointer to this.
    #[must_use]
    pub fn pointer(self) -> Self {
        Self::Pointer(Box::new(self))
    }

    /// An integer's type.
    pub(super) const fn integer(size: u64, signed: bool) -> Self {
        match (size > 4, signed) {
            (false, true) => Self::INT,
            (false, false) => Self::UNSIGNED,
            (true, true) => Self::LONG,
            (true, false) => Self::UNSIGNED_LONG,
        }
    }

    /// Spelling in C, of a declaration if there is a name.
    #[must_use]
    pub fn spell(&self, name: &str) -> String {
        let named = |word: &str| match name {
            "" => word.to_owned(),
            _ => format!("{word} {name}"),
        };
        match self {
            Self::Base(Base::Known(image, id)) => image.declare(Some(*id), name),
            Self::Base(Base::Number(word, ..)) => named(word),
            Self::Base(Base::Void) => named("void"),
            Self::Pointer(target) => match **target {
                Self::Array(..) => target.spell(&format!("(*{name})")),
                _ => target.spell(&format!("*{name}")),
            },
            Self::Array(element, count) => element.spell(&format!("{name}[{count}]")),
        }
    }

    /// The type behind typedefs and qualifiers. A structure that its image only declares is looked
    /// for in the others.
    ///
    /// # Errors
    /// If the debug information does not describe it.
    pub fn shape(&self, world: &'w dyn World) -> Result<Shape<'w>, Error> {
        match self {
            Self::Pointer(target) => Ok(Shape::Pointer((**target).clone())),
            Self::Array(element, count) => Ok(Shape::Array((**element).clone(), Some(*count))),
            Self::Base(Base::Void) => Ok(Shape::Void),
            Self::Base(Base::Number(_, size, encoding)) => Ok(Shape::Number(*size, *encoding)),
            Self::Base(Base::Known(image, id)) => known_shape(world, image, *id),
        }
    }

    /// Size in bytes.
    ///
    /// # Errors
    /// If the debug information does not tell, or it is a function or `void`.
    pub fn size(&self, world: &'w dyn World) -> Result<u64, Error> {
        let mut ty = self.clone();
        let mut factor = 1_u64;
        for _ in 0..MAX_TYPEDEFS {
            return match ty.shape(world)? {
                Shape::Void | Shape::Function => {
                    Err(Error::types(format!("`{}` has no size", self.spell(""))))
                }
                Shape::Number(size, _) | Shape::Enum(size, _) => Ok(factor.saturating_mul(size)),
                Shape::Pointer(_) => Ok(factor.saturating_mul(8)),
                Shape::Struct(structure) => Ok(factor.saturating_mul(structure.size)),
                Shape::Array(element, count) => {
                    factor = factor.saturating_mul(count.unwrap_or(0));
                    ty = element;
                    continue;
                }
            };
        }
        Err(Error::TooMuch("deep"))
    }
}

fn known_shape<'w>(
    world: &'w dyn World,
    image: &'w Image<'w>,
    id: TypeId,
) -> Result<Shape<'w>, Error> {
    let mut id = id;
    for _ in 0..MAX_TYPEDEFS {
        let ty = image.type_of(id).ok().map_err(|why| Error::types(why.to_string()))?;
        return Ok(match ty {
            Type::Typedef { target, .. } | Type::Qualified { target, .. } => match target {
                Some(target) => {
                    id = target;
                    continue;
                }
                None => Shape::Void,
            },
            Type::Base { size, encoding, .. } => Shape::Number(size, encoding),
            Type::Pointer { target } => Shape::Pointer(Ty::of(image, target)),
            Type::Array { element, count } => Shape::Array(Ty::known(image, element), count),
            Type::Enum { size, enumerators, .. } => Shape::Enum(size, enumerators),
            Type::Function { .. } => Shape::Function,
            Type::Struct { name: Some(name), declaration: true, .. } => {
                return declared_elsewhere(world, &name);
            }
            Type::Struct { name, size, members, union, .. } => {
                Shape::Struct(Structure { image, name, size, members, union })
            }
        });
    }
    Err(Error::TooMuch("deep"))
}

fn declared_elsewhere<'w>(world: &'w dyn World, name: &str) -> Result<Shape<'w>, Error> {
    for image in world.images() {
        let found = image.find_struct(name).found().and_then(|id| image.type_of(id).found());
        if let Some(Type::Struct { name, size, members, union, declaration: false }) = found {
            return Ok(Shape::Struct(Structure { image, name, size, members, union }));
        }
    }
    Err(Error::NoType(format!("struct {name}")))
}
