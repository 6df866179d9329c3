// SPDX-License-Identifier: MIT OR Apache-2.0
//! Structures around the one that a pointer is to: `container_of()`.
//!
//! A work function gets the `struct work_struct` inside of its job, an RCU callback the
//! `struct rcu_head`. What lies outside of that is at an offset that the pointer's type does not
//! have. Which structure is around it, the function's own variables tell: `container_of()` made one. What
//! the function was given is no such variable, and the one that the pointer was read from tells as much of
//! what it leads to as a list's head of its entries: nothing.

use debuginfo::{Image, Local, Member, Type, TypeId};

use super::{Expression, Ty, Typed, Writer};

/// Structures inside of structures are looked into so deep.
const MAX_DEPTH: usize = 4;
/// Members of one structure and of those in it that are looked at; `task_struct` has two thousand.
const MAX_MEMBERS: usize = 1 << 13;

/// The way to a member.
#[derive(Default)]
struct Path {
    text: String,
    start: u64,
    depth: usize,
}

/// A structure, and where in it another one lies.
struct Around<'a> {
    image: &'a Image<'a>,
    id: TypeId,
    name: String,
    path: String,
    offset: u64,
}

impl<'a> Writer<'a> {
    /// The structure around the one that the pointer is to, and where in it a distance from the
    /// pointer leads; `None` if the function has no variable of such a structure, or of several.
    pub(super) fn container(&self, pointer: &Typed<'a>, offset: i64) -> Option<(Typed<'a>, i64)> {
        let Ty::Known(image, id) = self.target(pointer.ty.as_ref()?)? else { return None };
        let (_, _, Type::Struct { name: Some(inner), size, .. }) = self.complete(image, id)? else {
            return None;
        };
        if u64::try_from(offset).is_ok_and(|offset| offset < size) {
            return None;
        }
        let mut around = self.candidates(pointer, &inner, offset);
        let found = around.pop().filter(|found| around.iter().all(|it| it.name == found.name))?;
        let inner = Box::new(pointer.c.clone());
        let c = Expression::Container(inner, found.name, found.path);
        let ty = Ty::PointerTo(Box::new(Ty::Known(found.image, found.id)));
        Some((Typed { c, ty: Some(ty) }, offset.checked_add_unsigned(found.offset)?))
    }

    /// Structures that variables of the function point to, with one of that name in them such that the
    /// distance leads into the outer one; none if one of them has several.
    fn candidates(&self, pointer: &Typed<'a>, inner: &str, offset: i64) -> Vec<Around<'a>> {
        let locals = self.image().and_then(|image| Some((image, image.locals(self.pc).found()?)));
        let Some((image, locals)) = locals else { return Vec::new() };
        let mut found = Vec::new();
        let own = |local: &&Local| {
            let is_given = local.parameter && local.depth == 0;
            !is_given && !pointer.c.has_name(&local.name)
        };
        for id in locals.iter().filter(own).filter_map(|local| local.ty) {
            let Some((_, Type::Pointer { target: Some(target) })) = image.resolve(id).found()
            else {
                continue;
            };
            let Some((image, id, Type::Struct { name: Some(name), size, members, .. })) =
                self.complete(image, target)
            else {
                continue;
            };
            let mut places = Vec::new();
            let mut left = MAX_MEMBERS;
            self.places((image, &members), inner, Path::default(), (&mut places, &mut left));
            let fits = |at: u64| {
                let to = offset.checked_add_unsigned(at);
                to.is_some_and(|to| u64::try_from(to).is_ok_and(|to| to < size))
            };
            match places.as_slice() {
                [] => {}
                [(path, at)] if fits(*at) => {
                    found.push(Around { image, id, name, path: path.clone(), offset: *at });
                }
                [_] => {}
                // By which of them it was come here, nothing tells.
                _ => return Vec::new(),
            }
        }
        found
    }

    /// Paths and offsets of the structures of that name among the members.
    fn places(
        &self,
        (image, members): (&'a Image<'a>, &[Member]),
        inner: &str,
        way: Path,
        (found, left): (&mut Vec<(String, u64)>, &mut usize),
    ) {
        if way.depth > MAX_DEPTH || found.len() > 1 {
            return;
        }
        for member in members {
            let Some(next) = left.checked_sub(1) else { return };
            *left = next;
            let Some((image, _, Type::Struct { name, members, .. })) =
                self.complete(image, member.ty)
            else {
                continue;
            };
            let dot = if way.text.is_empty() || member.name.is_none() { "" } else { "." };
            let text = format!("{}{dot}{}", way.text, member.name.as_deref().unwrap_or(""));
            let start = way.start.saturating_add(member.offset);
            if name.as_deref() == Some(inner) {
                found.push((text, start));
            } else {
                let way = Path { text, start, depth: way.depth + 1 };
                self.places((image, &members), inner, way, (found, left));
            }
        }
    }
}
