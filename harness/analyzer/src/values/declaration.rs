// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types as C declares them, with the offsets of their members.

use debuginfo::{Enumerator, Type};
use serde::Serialize;

use super::ty::{Base, Structure};
use super::{Error, Shape, Ty, World};

/// Structures inside of structures that are written out.
const MAX_DEPTH: usize = 16;
/// Members that are listed.
const MAX_MEMBERS: usize = 20_000;

/// A structure, union or enumeration as C declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// First line: `struct list_head {`, `typedef struct {`.
    pub head: String,
    /// Last line: `}`, `} akfs_operation_t;`.
    pub tail: String,
    /// Its members.
    pub members: Vec<MemberLine>,
    /// Size in bytes.
    pub size: u64,
    /// Whether it is a union.
    #[serde(skip)]
    pub union: bool,
}

/// A line between the brackets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberLine {
    /// Levels of brackets around it, from 1.
    pub level: usize,
    /// Name of the member; none for brackets and anonymous members.
    pub name: Option<String>,
    /// The C.
    pub text: String,
    /// Offset from the start of the outermost structure in bytes; none for opening brackets.
    pub offset: Option<u64>,
}

impl Layout {
    /// The layout of a type; none if it has no members and no enumerators.
    ///
    /// # Errors
    /// If the debug information does not describe it.
    pub fn of<'w>(world: &'w dyn World, ty: &Ty<'w>) -> Result<Option<Self>, Error> {
        let typedef = match ty {
            Ty::Base(Base::Known(image, id)) => match image.type_of(*id).found() {
                Some(Type::Typedef { name, .. }) => Some(name),
                _ => None,
            },
            _ => None,
        };
        let size = ty.size(world);
        let mut layout = match ty.shape(world)? {
            Shape::Struct(structure) => {
                let mut lines = Lines { world, members: Vec::new() };
                lines.structure(&structure, 0, 1);
                let head = keyword(&structure);
                let (members, union) = (lines.members, structure.union);
                Self { head, tail: String::new(), members, size: size?, union }
            }
            Shape::Enum(size, enumerators) => {
                let members = enumerators.iter().map(enumerator).collect();
                let tag = ty.spell("");
                let head = if tag.starts_with("enum ") && !tag.contains('{') {
                    tag
                } else {
                    "enum".to_owned()
                };
                Self { head, tail: String::new(), members, size, union: false }
            }
            _ => return Ok(None),
        };
        layout.head.push_str(" {");
        layout.tail.push('}');
        if let Some(name) = typedef {
            layout.head.insert_str(0, "typedef ");
            layout.tail.push_str(&format!(" {name};"));
        }
        Ok(Some(layout))
    }
}

fn keyword(structure: &Structure<'_>) -> String {
    let keyword = if structure.union { "union" } else { "struct" };
    match &structure.name {
        Some(name) => format!("{keyword} {name}"),
        None => keyword.to_owned(),
    }
}

fn enumerator(each: &Enumerator) -> MemberLine {
    let text = format!("{} = {},", each.name, each.value);
    MemberLine { level: 1, name: Some(each.name.clone()), text, offset: None }
}

struct Lines<'w> {
    world: &'w dyn World,
    members: Vec<MemberLine>,
}

impl<'w> Lines<'w> {
    fn push(&mut self, level: usize, name: Option<&str>, text: String, offset: Option<u64>) {
        if self.members.len() < MAX_MEMBERS {
            let name = name.map(ToOwned::to_owned);
            self.members.push(MemberLine { level, name, text, offset });
        }
    }

    fn structure(&mut self, structure: &Structure<'w>, start: u64, level: usize) {
        for member in &structure.members {
            let ty = Ty::known(structure.image, member.ty);
            let offset = start.wrapping_add(member.offset);
            let name = member.name.as_deref();
            let bits = member.bits.map(|(_, size)| format!(" : {size}")).unwrap_or_default();
            match self.nameless(&ty) {
                // A structure without a tag can only be written out.
                Some((inner, declarator)) if level < MAX_DEPTH => {
                    self.push(level, None, format!("{} {{", keyword(&inner)), None);
                    self.structure(&inner, offset, level.saturating_add(1));
                    let declared = declarator.replacen('@', name.unwrap_or_default(), 1);
                    let space = if declared.is_empty() { "" } else { " " };
                    self.push(level, name, format!("}}{space}{declared};"), Some(offset));
                }
                _ => {
                    let text = format!("{}{bits};", ty.spell(name.unwrap_or_default()));
                    self.push(level, name, text, Some(offset));
                }
            }
        }
    }

    /// The structure without a tag that a type is, is an array of or points to; with what stands
    /// around the name then, which is `@`.
    fn nameless(&self, ty: &Ty<'w>) -> Option<(Structure<'w>, String)> {
        let mut ty = ty.clone();
        let mut declarator = "@".to_owned();
        for _ in 0..MAX_DEPTH {
            let Ty::Base(Base::Known(image, id)) = ty else { return None };
            ty = match image.type_of(id).found()? {
                Type::Struct { name: None, .. } => {
                    let Shape::Struct(inner) = ty.shape(self.world).ok()? else { return None };
                    return Some((inner, declarator));
                }
                Type::Array { element, count } => {
                    let count = count.map(|count| count.to_string()).unwrap_or_default();
                    declarator.push_str(&format!("[{count}]"));
                    Ty::known(image, element)
                }
                Type::Pointer { target: Some(target) } => {
                    let array = declarator.ends_with(']');
                    declarator =
                        if array { format!("(*{declarator})") } else { format!("*{declarator}") };
                    Ty::known(image, target)
                }
                Type::Qualified { target: Some(target), .. } => Ty::known(image, target),
                _ => return None,
            };
        }
        None
    }
}
