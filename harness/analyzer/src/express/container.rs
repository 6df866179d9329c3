// SPDX-License-Identifier: MIT OR Apache-2.0
//! Structures around the one that a pointer is to: `container_of()`.
//!
//! A work function gets the `struct work_struct` inside of its job, an RCU callback the
//! `struct rcu_head`. What lies outside of that is at an offset that the pointer's type does not
//! have. Which structure is around it, the function's own variables tell: `container_of()` made one.

use debuginfo::{Image, Member, Type, TypeId};

use super::{Expression, Ty, Typed, Writer};

/// Structures inside of structures are looked into so deep.
const MAX_DEPTH: usize = 4;

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
        let mut around = self.candidates(&inner, offset);
        let found = around.pop().filter(|found| around.iter().all(|it| it.name == found.name))?;
        let inner = Box::new(pointer.c.clone());
        let c = Expression::Container(inner, found.name, found.path);
        let ty = Ty::PointerTo(Box::new(Ty::Known(found.image, found.id)));
        Some((Typed { c, ty: Some(ty) }, offset.checked_add_unsigned(found.offset)?))
    }

    /// Structures that variables in scope point to, with one of that name in them such that the
    /// distance leads into the outer one.
    fn candidates(&self, inner: &str, offset: i64) -> Vec<Around<'a>> {
        let locals = self.image().and_then(|image| Some((image, image.locals(self.pc).found()?)));
        let Some((image, locals)) = locals else { return Vec::new() };
        let mut found = Vec::new();
        for id in locals.iter().filter_map(|local| local.ty) {
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
            self.places(image, &members, inner, (String::new(), 0), &mut places);
            let [(path, at)] = places.as_slice() else { continue };
            if offset
                .checked_add_unsigned(*at)
                .is_some_and(|to| u64::try_from(to).is_ok_and(|to| to < size))
            {
                found.push(Around { image, id, name, path: path.clone(), offset: *at });
            }
        }
        found
    }

    /// Paths and offsets of the structures of that name among the members.
    fn places(
        &self,
        image: &'a Image<'a>,
        members: &[Member],
        inner: &str,
        (path, start): (String, u64),
        found: &mut Vec<(String, u64)>,
    ) {
        if path.matches('.').count() > MAX_DEPTH {
            return;
        }
        for member in members {
            let Some((image, _, Type::Struct { name, members, .. })) =
                self.complete(image, member.ty)
            else {
                continue;
            };
            let dot = if path.is_empty() || member.name.is_none() { "" } else { "." };
            let path = format!("{path}{dot}{}", member.name.as_deref().unwrap_or(""));
            let at = start.saturating_add(member.offset);
            if name.as_deref() == Some(inner) {
                found.push((path, at));
            } else {
                self.places(image, &members, inner, (path, at), found);
            }
        }
    }
}
