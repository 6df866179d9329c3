// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions about types that have the same answer whichever store describes them: sizes, spelling
//! in C, and paths to members.

use crate::{Field, Image, Lookup, Member, Path, Qualifier, Reason, Step, Type, TypeId, Way};

/// Typedefs and qualifiers around one type, structures inside of structures: kernels stay below
/// ten. Guards against a circle.
pub(crate) const MAX_INDIRECTIONS: usize = 32;

/// Members of unions at one offset; those of `struct page` and `struct sk_buff` have up to six.
const MAX_PATHS: usize = 16;

/// Types that are looked at for one question: what branches and leads back to itself ends there.
const MAX_VISITS: usize = 1 << 12;

/// What is left of them.
struct Visits(usize);

impl Visits {
    const fn new() -> Self {
        Self(MAX_VISITS)
    }

    /// Whether one more may be looked at.
    const fn more(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }
}

impl Image<'_> {
    /// A type without its typedefs and qualifiers.
    pub fn resolve(&self, id: TypeId) -> Lookup<(TypeId, Type)> {
        self.plain(id).into()
    }

    /// Size of a type, in bytes.
    pub fn type_size(&self, id: TypeId) -> Lookup<u64> {
        self.size(id).into()
    }

    /// Size of the structure or union of that tag, in bytes.
    pub fn size_of(&self, name: &str) -> Lookup<u64> {
        self.find_struct(name).ok().and_then(|id| self.size(id)).into()
    }

    /// The member of a structure that a path such as `thread.sp` or `mem[0].base` leads to,
    /// through anonymous members.
    pub fn member(&self, structure: &str, path: &str) -> Lookup<Field> {
        let field = self.find_struct(structure).ok().and_then(|id| self.descend(id, path));
        field
            .map_err(|reason| match reason {
                Reason::NotFound(what) if what == path => {
                    Reason::NotFound(format!("{structure}.{path}"))
                }
                other => other,
            })
            .into()
    }

    /// As [`member`](Self::member), from a type.
    pub fn member_of(&self, ty: TypeId, path: &str) -> Lookup<Field> {
        self.descend(ty, path).into()
    }

    /// The other way round: paths to the innermost members (of no structure type) that cover a byte
    /// offset, sixteen at most. Where unions have several, each is one, in the order of their
    /// declaration. The offset may lie inside of the member: [`Field::offset`] says where that starts.
    /// Empty if nothing of the type is known to be there.
    pub fn paths_at(&self, ty: TypeId, offset: u64) -> Vec<Path> {
        let mut found = Vec::new();
        let size = self.size(ty).unwrap_or(0);
        let whole = Field { offset: 0, size, bits: None, ty };
        self.paths(offset, whole, &mut Vec::new(), (&mut found, &mut Visits::new()));
        found
    }

    /// Spelling of a type in C, such as `struct file *`; `None` is `void`.
    pub fn type_name(&self, id: Option<TypeId>) -> String {
        self.spell(id, String::new(), (MAX_INDIRECTIONS, &mut Visits::new()))
    }

    /// Declaration in C of something of that type, such as `int (*init)(void)` for `init`.
    pub fn declare(&self, id: Option<TypeId>, name: &str) -> String {
        self.spell(id, name.to_owned(), (MAX_INDIRECTIONS, &mut Visits::new()))
    }

    fn plain(&self, id: TypeId) -> Result<(TypeId, Type), Reason> {
        let mut id = id;
        for _ in 0..MAX_INDIRECTIONS {
            match self.type_of(id).ok()? {
                Type::Typedef { target, .. } | Type::Qualified { target, .. } => {
                    id = target.ok_or(Reason::Unsupported("void as an object"))?;
                }
                other => return Ok((id, other)),
            }
        }
        Err(Reason::Limit("typedefs of typedefs"))
    }

    fn size(&self, id: TypeId) -> Result<u64, Reason> {
        let mut id = id;
        let mut factor = 1_u64;
        for _ in 0..MAX_INDIRECTIONS {
            let size = match self.plain(id)?.1 {
                Type::Array { element, count } => {
                    factor = factor.saturating_mul(count.unwrap_or(0));
                    id = element;
                    continue;
                }
                Type::Struct { name, declaration: true, .. } => {
                    return Err(Reason::NotFound(name.unwrap_or_default()));
                }
                Type::Base { size, .. } | Type::Struct { size, .. } | Type::Enum { size, .. } => {
                    size
                }
                Type::Pointer { .. } => 8,
                _ => return Err(Reason::Unsupported("size of a function")),
            };
            return Ok(factor.saturating_mul(size));
        }
        Err(Reason::Limit("arrays of arrays"))
    }

    /// Follows a path of names and indices, separated by dots.
    fn descend(&self, id: TypeId, path: &str) -> Result<Field, Reason> {
        let lost = || Reason::NotFound(path.to_owned());
        let mut field = Field { offset: 0, size: 0, bits: None, ty: id };
        for step in path.split('.') {
            let (name, indices) = step.split_at(step.find('[').unwrap_or(step.len()));
            let member = self
                .find_member(field.ty, name, (MAX_INDIRECTIONS, &mut Visits::new()))?
                .ok_or_else(lost)?;
            field.offset = field.offset.wrapping_add(member.offset);
            field.bits = member.bits;
            field.ty = member.ty;
            for index in indices.split_terminator(']') {
                let index = index.strip_prefix('[').and_then(|index| index.parse().ok());
                let index: u64 = index.ok_or_else(lost)?;
                let Type::Array { element, .. } = self.plain(field.ty)?.1 else {
                    return Err(lost());
                };
                field.ty = element;
                let skip = self.size(element)?.saturating_mul(index);
                field.offset = field.offset.wrapping_add(skip);
            }
        }
        field.size = self.size(field.ty)?;
        Ok(field)
    }

    /// A member by name, its offset counted from the start of `id`.
    fn find_member(
        &self,
        id: TypeId,
        name: &str,
        (depth, visits): (usize, &mut Visits),
    ) -> Result<Option<Member>, Reason> {
        let Type::Struct { members, .. } = self.plain(id)?.1 else { return Ok(None) };
        let depth = depth.checked_sub(1).filter(|_| visits.more());
        let depth = depth.ok_or(Reason::Limit("anonymous members"))?;
        for member in members {
            if member.name.as_deref() == Some(name) {
                return Ok(Some(member));
            }
            if member.name.is_none()
                && member.bits.is_none()
                && let Some(mut inner) = self.find_member(member.ty, name, (depth, visits))?
            {
                inner.offset = inner.offset.wrapping_add(member.offset);
                return Ok(Some(inner));
            }
        }
        Ok(None)
    }

    /// Adds the paths from the field that `steps` lead to.
    fn paths(
        &self,
        offset: u64,
        field: Field,
        steps: &mut Vec<Step>,
        (found, visits): (&mut Vec<Path>, &mut Visits),
    ) {
        if steps.len() >= MAX_INDIRECTIONS || found.len() >= MAX_PATHS || !visits.more() {
            return;
        }
        let Some(inside) = offset.checked_sub(field.offset) else { return };
        let Ok((_, ty)) = self.plain(field.ty) else { return };
        let next: Vec<Step> = match ty {
            Type::Struct { members, declaration: false, .. } => self.covering(members, inside),
            Type::Array { element, .. } => self.element(element, inside).into_iter().collect(),
            Type::Struct { .. } => return,
            _ if steps.is_empty() => return,
            _ => return found.push(Path { steps: steps.clone() }),
        };
        for mut step in next {
            step.field.offset = step.field.offset.wrapping_add(field.offset);
            let inner = step.field.clone();
            steps.push(step);
            self.paths(offset, inner, steps, (found, visits));
            steps.pop();
        }
    }

    /// The element of an array at an offset.
    fn element(&self, element: TypeId, offset: u64) -> Option<Step> {
        let size = self.size(element).ok()?;
        let index = offset.checked_div(size)?;
        let offset = index.saturating_mul(size);
        Some(Step {
            way: Way::Element(index),
            field: Field { offset, size, bits: None, ty: element },
        })
    }

    /// The members that cover an offset; a flexible array covers all that follows it.
    fn covering(&self, members: Vec<Member>, offset: u64) -> Vec<Step> {
        let step = |member: Member| {
            let inside = offset.checked_sub(member.offset)?;
            let size = match member.bits {
                Some((low, bits)) => u64::from(low).wrapping_add(bits.into()).div_ceil(8),
                None => self.size(member.ty).ok()?,
            };
            let flexible = size == 0
                && matches!(self.plain(member.ty), Ok((_, Type::Array { count: None, .. })));
            let field = Field { offset: member.offset, size, bits: member.bits, ty: member.ty };
            (inside < size || flexible).then_some(Step { way: Way::Member(member.name), field })
        };
        members.into_iter().filter_map(step).collect()
    }

    /// Spells a type around a declarator, as C does: inside out.
    fn spell(
        &self,
        id: Option<TypeId>,
        inner: String,
        (depth, visits): (usize, &mut Visits),
    ) -> String {
        let pad = |base: &str, inner: &str| {
            if inner.is_empty() { base.to_owned() } else { format!("{base} {inner}") }
        };
        let Some(id) = id else { return pad("void", &inner) };
        let depth = depth.checked_sub(1).filter(|_| visits.more());
        let Some(depth) = depth else { return pad("…", &inner) };
        match self.type_of(id).found() {
            None => pad("?", &inner),
            Some(Type::Base { name, .. } | Type::Typedef { name, .. }) => pad(&name, &inner),
            Some(Type::Struct { name, union, .. }) => {
                let keyword = if union { "union" } else { "struct" };
                pad(&format!("{keyword} {}", name.as_deref().unwrap_or("{…}")), &inner)
            }
            Some(Type::Enum { name, .. }) => {
                pad(&format!("enum {}", name.as_deref().unwrap_or("{…}")), &inner)
            }
            Some(Type::Pointer { target }) => {
                self.spell(target, format!("*{inner}"), (depth, visits))
            }
            Some(Type::Qualified { qualifier, target }) => {
                let word = match qualifier {
                    Qualifier::Const => "const",
                    Qualifier::Volatile => "volatile",
                    Qualifier::Restrict => "restrict",
                    Qualifier::Atomic => "_Atomic",
                    Qualifier::Tag => return self.spell(target, inner, (depth, visits)),
                };
                self.spell_qualified(target, word, &inner, (depth, visits))
            }
            Some(Type::Array { element, count }) => {
                let count = count.map(|count| count.to_string()).unwrap_or_default();
                self.spell(Some(element), format!("{}[{count}]", group(inner)), (depth, visits))
            }
            Some(Type::Function { result, parameters, variadic }) => {
                let mut list: Vec<String> = parameters
                    .into_iter()
                    .map(|parameter| self.spell(parameter, String::new(), (depth, &mut *visits)))
                    .collect();
                if variadic {
                    list.push("...".to_owned());
                } else if list.is_empty() {
                    list.push("void".to_owned());
                }
                self.spell(
                    result,
                    format!("{}({})", group(inner), list.join(", ")),
                    (depth, visits),
                )
            }
        }
    }

    /// A qualifier stands before the name of a type, but behind the star of a pointer.
    fn spell_qualified(
        &self,
        target: Option<TypeId>,
        word: &str,
        inner: &str,
        (depth, visits): (usize, &mut Visits),
    ) -> String {
        match target.and_then(|target| self.type_of(target).found()) {
            Some(Type::Pointer { .. }) => {
                let space = if inner.is_empty() { "" } else { " " };
                self.spell(target, format!("{word}{space}{inner}"), (depth, visits))
            }
            // gcc qualifies both a constant array and its elements; C says it once.
            Some(Type::Array { .. }) => self.spell(target, inner.to_owned(), (depth, visits)),
            _ => format!("{word} {}", self.spell(target, inner.to_owned(), (depth, visits))),
        }
    }
}

/// Brackets around the declarator of a pointer to an array or a function.
fn group(inner: String) -> String {
    if inner.starts_with('*') { format!("({inner})") } else { inner }
}
