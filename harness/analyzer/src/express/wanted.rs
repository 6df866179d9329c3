// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of the objects at one address is meant: the structure, its first member, or another member
//! of a union.

use debuginfo::{Image, Path, Step, Type, TypeId, Way};

use super::{Ty, Writer};

/// Which of the objects at an address is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted<'w> {
    /// The one whose address was taken: the outermost that begins there, `&job->lock` rather than
    /// `&job->lock.owner.counter`.
    Object,
    /// The one that was read or written: the innermost, of so many bytes.
    Value(u8, Pointee),
    /// The structure of that tag, or of the type of that name, whose address a function was given.
    Structure(&'w str),
}

/// What a value is used for, which tells the members of a union apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pointee {
    /// Nothing is known of it.
    #[default]
    Any,
    /// A pointer to data.
    Data,
    /// A pointer to code.
    Code,
}

/// Structures of the kernel that are nothing but one of another name, which the functions take that
/// their users never see: `spin_lock(&job->lock)` hands on `&job->lock.rlock` (`include/linux/spinlock.h`).
const WRAPPERS: [(&str, &str); 1] = [("raw_spinlock", "spinlock")];

impl<'a> Writer<'a> {
    /// The part of an object of a type that is meant at an offset; `None` where the type has no
    /// members, or none of them begins there.
    pub(super) fn part(
        &self,
        ty: &Ty<'a>,
        offset: u64,
        wanted: Wanted<'_>,
    ) -> Option<(Vec<Step>, Ty<'a>)> {
        let Ty::Known(image, id) = ty else { return None };
        let (image, id, resolved) = self.complete(image, *id)?;
        if !matches!(resolved, Type::Struct { .. } | Type::Array { .. }) {
            return None;
        }
        let paths = image.paths_at(id, offset);
        let steps = match wanted {
            Wanted::Object => outermost(paths.into_iter().next()?, offset),
            Wanted::Value(size, pointee) => value(image, paths, (offset, size), pointee),
            // The whole may be it.
            Wanted::Structure(tag) if offset == 0 && is_or_wraps(&resolved, tag) => None,
            Wanted::Structure(tag) => structure(image, &paths, offset, tag).or_else(|| {
                let first = paths.into_iter().next().filter(|_| offset > 0)?;
                outermost(first, offset)
            }),
        }?;
        let ty = steps.last()?.field.ty;
        Some((steps, Ty::Known(image, ty)))
    }
}

/// The path to the outermost object that begins at the offset, inside of the whole.
fn outermost(path: Path, offset: u64) -> Option<Vec<Step>> {
    let mut steps = path.steps;
    if steps.last()?.field.offset != offset {
        return None;
    }
    let begins = |step: &Step| step.field.offset == offset;
    // An array is named by its first element, which has the type that its address is used as.
    let is_meant = |at: usize| {
        let is_array = steps.get(at + 1).is_some_and(|next| matches!(next.way, Way::Element(_)));
        steps.get(at).is_some_and(|step| step.way != Way::Member(None)) && !is_array
    };
    let end = (0..steps.len()).find(|&at| {
        let is_outer = steps.get(at..).is_some_and(|inner| inner.iter().all(begins));
        is_outer && is_meant(at)
    })?;
    steps.truncate(end + 1);
    Some(steps)
}

/// The path to the value of that size at the offset; of the members of a union, the one with the type
/// that it is used as, else the first.
fn value(
    image: &Image<'_>,
    paths: Vec<Path>,
    (offset, size): (u64, u8),
    pointee: Pointee,
) -> Option<Vec<Step>> {
    let size = u64::from(size);
    let fits = |path: &Path| {
        let field = path.field()?;
        let is_whole = field.bits.is_some() || field.size >= size;
        (field.offset == offset && is_whole).then(|| {
            let is_exact = field.bits.is_none() && field.size == size;
            is_exact && is_pointer(image, field.ty, pointee)
        })
    };
    let fitting: Vec<(bool, Path)> =
        paths.into_iter().filter_map(|path| Some((fits(&path)?, path))).collect();
    let best = fitting.iter().position(|(is_right, _)| *is_right).unwrap_or(0);
    let mut steps = fitting.into_iter().nth(best)?.1.steps;
    let is_counter =
        |step: &Step| COUNTERS.contains(&image.type_name(Some(step.field.ty)).as_str());
    if let Some(at) = steps.iter().position(is_counter) {
        steps.truncate(at + 1);
    }
    Some(steps)
}

/// Types that nobody looks into: `job->users`, and not `job->users.refs.counter` (`include/linux/types.h`).
const COUNTERS: [&str; 4] = ["atomic_t", "atomic64_t", "atomic_long_t", "refcount_t"];

/// Whether the type is one of the values that are used so.
fn is_pointer(image: &Image<'_>, ty: TypeId, pointee: Pointee) -> bool {
    let ty = image.resolve(ty).found().map(|(_, ty)| ty);
    let target = match (pointee, ty) {
        (Pointee::Any, _) => return true,
        (_, Some(Type::Pointer { target })) => target,
        _ => return false,
    };
    let target = target.and_then(|target| image.resolve(target).found()).map(|(_, ty)| ty);
    matches!(target, Some(Type::Function { .. })) == (pointee == Pointee::Code)
}

/// Whether the type is the structure of that tag, or nothing but that.
fn is_or_wraps(ty: &Type, tag: &str) -> bool {
    let wrapper = WRAPPERS.iter().find(|(inner, _)| *inner == tag).map(|(_, outer)| *outer);
    is_tagged(ty, tag) || wrapper.is_some_and(|wrapper| is_tagged(ty, wrapper))
}

fn is_tagged(ty: &Type, tag: &str) -> bool {
    matches!(ty, Type::Struct { name: Some(name), .. } if name == tag)
}

/// The path to the structure of that tag at the offset, or to the one that is nothing but that.
fn structure(image: &Image<'_>, paths: &[Path], offset: u64, tag: &str) -> Option<Vec<Step>> {
    let is_of = |step: &Step, tag: &str| {
        let is_named = || match image.resolve(step.field.ty).found() {
            // A structure without a tag goes by the name of its type.
            Some((_, Type::Struct { name: None, .. })) => {
                image.type_name(Some(step.field.ty)) == tag
            }
            Some((_, ty)) => is_tagged(&ty, tag),
            None => false,
        };
        step.field.offset == offset && is_named()
    };
    let wrapper = WRAPPERS.iter().find(|(inner, _)| *inner == tag).map(|(_, outer)| *outer);
    let tags = wrapper.into_iter().chain([tag]);
    let mut all = tags.flat_map(|tag| paths.iter().map(move |path| (tag, path)));
    all.find_map(|(tag, path)| {
        let at = path.steps.iter().position(|step| is_of(step, tag))?;
        path.steps.get(..=at).map(<[Step]>::to_vec)
    })
}
