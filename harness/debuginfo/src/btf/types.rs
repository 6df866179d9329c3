// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kinds of BTF types and what follows each (kernel `include/uapi/linux/btf.h`).

use super::{Btf, u32_at};
use crate::dwarf::Wanted;
use crate::types::Store;
use crate::{Encoding, Enumerator, Member, Qualifier, Reason, Type, TypeId};

/// `BTF_KIND_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Pointer,
    Array,
    Struct,
    Union,
    Enum,
    Forward,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Function,
    Prototype,
    Variable,
    Section,
    Float,
    DeclarationTag,
    TypeTag,
    Enum64,
}

/// `struct btf_type`: what all kinds begin with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Offset of the name; 0 for none.
    pub(super) name: u32,
    /// Number of members, values or parameters that follow.
    count: usize,
    flag: bool,
    /// Size in bytes, or number of the type that is referred to, by kind.
    size_or_type: u32,
    /// Where the rest begins.
    rest: usize,
}

impl Kind {
    pub(super) fn from_info(info: u32) -> Option<Self> {
        Some(match (info >> 24) & 0x1f {
            1 => Self::Int,
            2 => Self::Pointer,
            3 => Self::Array,
            4 => Self::Struct,
            5 => Self::Union,
            6 => Self::Enum,
            7 => Self::Forward,
            8 => Self::Typedef,
            9 => Self::Volatile,
            10 => Self::Const,
            11 => Self::Restrict,
            12 => Self::Function,
            13 => Self::Prototype,
            14 => Self::Variable,
            15 => Self::Section,
            16 => Self::Float,
            17 => Self::DeclarationTag,
            18 => Self::TypeTag,
            19 => Self::Enum64,
            _ => return None,
        })
    }

    /// Bytes after the common part.
    pub(super) fn extra(self, info: u32) -> Option<usize> {
        let count = count(info);
        Some(match self {
            Self::Int | Self::Variable | Self::DeclarationTag => 4,
            Self::Array => 12,
            Self::Struct | Self::Union | Self::Section | Self::Enum64 => count.checked_mul(12)?,
            Self::Enum | Self::Prototype => count.checked_mul(8)?,
            _ => 0,
        })
    }

    /// Whether types of this kind are looked for by name.
    pub(super) fn has_name(self) -> bool {
        self.answers(Wanted::Type) || self.answers(Wanted::Variable)
    }

    pub(super) fn answers(self, wanted: Wanted) -> bool {
        let structure = matches!(self, Self::Struct | Self::Union);
        match wanted {
            Wanted::Struct => structure,
            Wanted::Type => {
                structure
                    || matches!(
                        self,
                        Self::Int | Self::Enum | Self::Enum64 | Self::Typedef | Self::Float
                    )
            }
            Wanted::Variable => self == Self::Variable,
        }
    }
}

fn count(info: u32) -> usize {
    usize::try_from(info & 0xffff).unwrap_or(0)
}

impl<'d> Btf<'d> {
    /// The common part of a type; `None` if there is no type of that number.
    pub(super) fn header(&self, number: u32) -> Option<Header> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let at = usize::try_from(*self.index.offsets.get(index)?).ok()?;
        let info = u32_at(self.types, at.checked_add(4)?)?;
        Some(Header {
            kind: Kind::from_info(info)?,
            name: u32_at(self.types, at)?,
            count: count(info),
            flag: info >> 31 == 1,
            size_or_type: u32_at(self.types, at.checked_add(8)?)?,
            rest: at.checked_add(12)?,
        })
    }

    /// Reads a type.
    pub(crate) fn type_of(&self, number: u32) -> Result<Type, Reason> {
        let bad = || Reason::Malformed { what: ".BTF type", offset: number.into() };
        let header = self.header(number).ok_or_else(bad)?;
        let name = self.text(header.name).filter(|name| !name.is_empty()).map(ToOwned::to_owned);
        let size = u64::from(header.size_or_type);
        let target = id(header.size_or_type);
        let qualified = |qualifier| Ok(Type::Qualified { qualifier, target });
        match header.kind {
            Kind::Int => Ok(Type::Base {
                name: name.unwrap_or_default(),
                size,
                encoding: self.int(header).map_or(Encoding::Other, |int| int.encoding(size)),
            }),
            Kind::Float => {
                Ok(Type::Base { name: name.unwrap_or_default(), size, encoding: Encoding::Other })
            }
            Kind::Pointer => Ok(Type::Pointer { target }),
            Kind::Array => {
                // struct btf_array: type, index_type, nelems. Zero elements: `x[]` or `x[0]`.
                let element = id(self.word(header.rest).ok_or_else(bad)?).ok_or_else(bad)?;
                let count = self.word(header.rest.saturating_add(8)).ok_or_else(bad)?;
                Ok(Type::Array { element, count: (count != 0).then_some(count.into()) })
            }
            Kind::Struct | Kind::Union => Ok(Type::Struct {
                name,
                size,
                members: self.members(header).ok_or_else(bad)?,
                union: header.kind == Kind::Union,
                declaration: false,
            }),
            Kind::Forward => Ok(Type::Struct {
                name,
                size: 0,
                members: Vec::new(),
                union: header.flag,
                declaration: true,
            }),
            Kind::Enum | Kind::Enum64 => Ok(Type::Enum {
                name,
                size,
                enumerators: self.enumerators(header).ok_or_else(bad)?,
            }),
            Kind::Typedef => Ok(Type::Typedef { name: name.unwrap_or_default(), target }),
            Kind::Volatile => qualified(Qualifier::Volatile),
            Kind::Const => qualified(Qualifier::Const),
            Kind::Restrict => qualified(Qualifier::Restrict),
            Kind::TypeTag => qualified(Qualifier::Tag),
            Kind::Prototype => self.signature(header).ok_or_else(bad),
            Kind::Function | Kind::Variable | Kind::Section | Kind::DeclarationTag => {
                Err(Reason::Unsupported("this kind of BTF entry as a type"))
            }
        }
    }

    /// Type of a `BTF_KIND_VAR`: the kernel's BTF has them for per-CPU variables.
    pub(crate) fn variable_type(&self, variable: TypeId) -> Option<TypeId> {
        let Store::Btf(number) = variable.0 else { return None };
        let header = self.header(number).filter(|header| header.kind == Kind::Variable)?;
        id(header.size_or_type)
    }

    /// Value of an enumerator of any enumeration.
    pub(crate) fn enumerator(&self, name: &str) -> Result<i64, Reason> {
        let headers = self.numbers().filter_map(|number| self.header(number));
        headers
            .filter(|header| matches!(header.kind, Kind::Enum | Kind::Enum64))
            .find_map(|header| self.enumerator_of(header, name))
            .ok_or_else(|| Reason::NotFound(name.to_owned()))
    }

    fn enumerator_of(&self, header: Header, name: &str) -> Option<i64> {
        (0..header.count).find_map(|index| {
            let (offset, value) = self.enumerator_at(header, index)?;
            let tail = self.strings.get(usize::try_from(offset).ok()?..)?;
            let rest = tail.strip_prefix(name.as_bytes())?;
            (rest.first() == Some(&0)).then_some(value)
        })
    }

    fn enumerators(&self, header: Header) -> Option<Vec<Enumerator>> {
        let one = |index| {
            let (name, value) = self.enumerator_at(header, index)?;
            Some(Enumerator { name: self.text(name)?.to_owned(), value })
        };
        (0..header.count).map(one).collect()
    }

    /// Name and value; `struct btf_enum` has 32 bits, `struct btf_enum64` has two halves.
    fn enumerator_at(&self, header: Header, index: usize) -> Option<(u32, i64)> {
        let wide = header.kind == Kind::Enum64;
        let at = header.rest.checked_add(index.checked_mul(if wide { 12 } else { 8 })?)?;
        let (name, low) = (self.word(at)?, self.word(at.checked_add(4)?)?);
        let value = if wide {
            let high = self.word(at.checked_add(8)?)?;
            (u64::from(high) << 32 | u64::from(low)).cast_signed()
        } else if header.flag || (low.cast_signed() < 0 && !self.tells_signs()) {
            low.cast_signed().into()
        } else {
            low.into()
        };
        Some((name, value))
    }

    /// Whether the flag of an enumeration tells that its values are signed, as it does since 6.0.
    /// Writers before that (pahole 1.23, gcc 12) never set it, and their values are all signed; a
    /// writer that knows the flag sets it somewhere, since a kernel has negative enumerators.
    fn tells_signs(&self) -> bool {
        *self.index.tells_signs.get_or_init(|| {
            self.numbers().filter_map(|number| self.header(number)).any(|header| {
                header.kind == Kind::Enum64 || (header.kind == Kind::Enum && header.flag)
            })
        })
    }

    fn members(&self, header: Header) -> Option<Vec<Member>> {
        (0..header.count).map(|index| self.member(header, index)).collect()
    }

    /// `struct btf_member`: name, type, offset in bits. With the flag, the offset has the size of
    /// a bit-field in its highest 8 bits; without, the size is that of an odd `BTF_KIND_INT`
    /// (before 5.0).
    fn member(&self, header: Header, index: usize) -> Option<Member> {
        let at = header.rest.checked_add(index.checked_mul(12)?)?;
        let name = self.text(self.word(at)?).filter(|name| !name.is_empty());
        let ty = self.word(at.checked_add(4)?)?;
        let raw = self.word(at.checked_add(8)?)?;
        let (first, size) = if header.flag {
            (raw & 0x00ff_ffff, u8::try_from(raw >> 24).ok()?)
        } else {
            self.odd_int(ty).map_or((raw, 0), |(skip, size)| (raw.wrapping_add(skip), size))
        };
        let low = u8::try_from(first % 8).ok()?;
        Some(Member {
            name: name.map(ToOwned::to_owned),
            offset: u64::from(first / 8),
            bits: (size != 0).then_some((low, size)),
            ty: id(ty)?,
        })
    }

    /// Offset and size in bits of an integer that does not fill its bytes.
    fn odd_int(&self, number: u32) -> Option<(u32, u8)> {
        let header = self.header(number).filter(|header| header.kind == Kind::Int)?;
        let int = self.int(header)?;
        let bits = u64::from(header.size_or_type).saturating_mul(8);
        let whole = int.offset() == 0 && u64::from(int.bits()) == bits;
        (!whole).then(|| (int.offset(), int.bits()))
    }

    fn int(&self, header: Header) -> Option<Int> {
        self.word(header.rest).map(Int)
    }

    fn signature(&self, header: Header) -> Option<Type> {
        let mut parameters = Vec::with_capacity(header.count);
        let mut variadic = false;
        for index in 0..header.count {
            // struct btf_param: name, type; the last one without either is `...`.
            let at = header.rest.checked_add(index.checked_mul(8)?)?;
            let (name, ty) = (self.word(at)?, self.word(at.checked_add(4)?)?);
            if name == 0 && ty == 0 {
                variadic = true;
            } else {
                parameters.push(id(ty));
            }
        }
        Some(Type::Function { result: id(header.size_or_type), parameters, variadic })
    }

    fn word(&self, at: usize) -> Option<u32> {
        u32_at(self.types, at)
    }
}

/// The word after a `BTF_KIND_INT`: encoding, offset in bits, size in bits.
#[derive(Debug, Clone, Copy)]
struct Int(u32);

impl Int {
    fn encoding(self, size: u64) -> Encoding {
        match ((self.0 >> 24) & 0xf, size) {
            (encoding, _) if encoding & 4 != 0 => Encoding::Bool,
            (encoding, 1) if encoding & 1 != 0 => Encoding::SignedChar,
            (encoding, _) if encoding & 1 != 0 => Encoding::Signed,
            (_, 1) => Encoding::UnsignedChar,
            _ => Encoding::Unsigned,
        }
    }

    fn offset(self) -> u32 {
        (self.0 >> 16) & 0xff
    }

    fn bits(self) -> u8 {
        self.0.to_le_bytes()[0]
    }
}

/// Id of the type with that number; 0 is `void`.
fn id(number: u32) -> Option<TypeId> {
    (number != 0).then_some(TypeId(Store::Btf(number)))
}
