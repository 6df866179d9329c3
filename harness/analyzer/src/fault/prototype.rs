// SPDX-License-Identifier: MIT OR Apache-2.0
//! Callbacks that are called with other arguments than their parameters say.
//!
//! A probe of a tracepoint gets what the kernel's tracepoint passes, whatever the module declared: of
//! one that forgot the kernel's new `bool preempt`, `prev` is 0 or 1. The parameter is not what is
//! wrong then.

use debuginfo::{Image, Type, TypeId};
use unwind::Frame;

use crate::express::Writer;
use crate::link::{Link, link, waits_in};
use crate::scene::Scene;

/// Beginning of the names of the functions that call a tracepoint's probes (5.10 and later): their
/// parameters are those that each probe gets.
const TRACEPOINT: &str = "__traceiter_";
/// Beginning of the names of the inlined functions that a tracepoint is in the source. Of one with a
/// single probe, the kernel patches the call there to go to the probe at once.
const TRACE: &str = "trace_";

/// The types of a function's parameters, where they are known.
struct Parameters<'a> {
    image: &'a Image<'a>,
    types: Vec<Option<TypeId>>,
}

/// Whether the function of `frames[at]` is called with other arguments than its parameters up to
/// that of the number `index` say; `false` where that is not known.
pub(super) fn differs(scene: &dyn Scene, frames: &[Frame], at: usize, index: usize) -> bool {
    let Some((frame, caller)) = frames.get(at).zip(frames.get(at + 1)) else { return false };
    // What another function was given, that one may have passed on in any order.
    if matches!(link(scene, frame, caller), Link::Broken | Link::Jumped(_)) {
        return false;
    }
    let own = function(scene, frame.pc.for_lookup());
    let Some((own, passed)) = own.zip(passed(scene, caller)) else { return false };
    (0..=index).any(|number| {
        let parameter = own.types.get(number).copied().flatten();
        match (parameter, passed.types.get(number).copied()) {
            (Some(_), None) => true,
            (Some(own_type), Some(Some(given))) => {
                !is_same((own.image, own_type), (passed.image, given))
            }
            _ => false,
        }
    })
}

/// Whether the function that begins at the address is known to take as many arguments as the call in the frame passes, of
/// the same types.
pub(super) fn takes(scene: &dyn Scene, entry: u64, caller: &Frame) -> bool {
    let Some((own, passed)) = function(scene, entry).zip(passed(scene, caller)) else {
        return false;
    };
    let is_taken = |(own_type, given): (&Option<TypeId>, &Option<TypeId>)| match (own_type, given) {
        (Some(own_type), Some(given)) => is_same((own.image, *own_type), (passed.image, *given)),
        _ => true,
    };
    own.types.len() == passed.types.len() && own.types.iter().zip(&passed.types).all(is_taken)
}

/// The parameters of the function that has the code at the address.
fn function(scene: &dyn Scene, pc: u64) -> Option<Parameters<'_>> {
    let image = scene.image_at(pc)?;
    let function = image.function(pc).found()?;
    Some(Parameters { image, types: function.parameters.iter().map(|it| it.ty).collect() })
}

/// What the caller passes: the parameters of the pointer that it calls through.
fn passed<'a>(scene: &'a dyn Scene, caller: &Frame) -> Option<Parameters<'a>> {
    let pc = caller.pc.for_lookup();
    let (name, _) = scene.symbol_at(pc)?;
    if name.starts_with(TRACEPOINT) {
        return function(scene, pc);
    }
    if let Some(iterator) = patched(scene, pc) {
        return function(scene, iterator);
    }
    let pointer = waits_in(scene, caller)?.pointer(scene)?;
    let (image, types) = Writer::new(scene, pc).parameters(&pointer)?;
    Some(Parameters { image, types })
}

/// The function that would call the probes of the tracepoint that the kernel's code at `pc` is of.
fn patched(scene: &dyn Scene, pc: u64) -> Option<u64> {
    if scene.is_outside(pc) {
        return None;
    }
    let image = scene.kernel_image()?;
    let chain = image.source(pc).found()?;
    let name = chain.iter().find_map(|source| source.function.as_deref()?.strip_prefix(TRACE))?;
    Some(image.symbol(&format!("{TRACEPOINT}{name}"))?.address)
}

/// Whether a value of one type may be passed where the other one is declared.
fn is_same(a: (&Image<'_>, TypeId), b: (&Image<'_>, TypeId)) -> bool {
    let resolved = |(image, id): (&Image<'_>, TypeId)| image.resolve(id).found().map(|it| it.1);
    match (resolved(a), resolved(b)) {
        (
            Some(Type::Pointer { target: Some(one) }),
            Some(Type::Pointer { target: Some(other) }),
        ) => {
            let tag = |image: &Image<'_>, id| match image.resolve(id).found()?.1 {
                Type::Struct { name, .. } => name,
                _ => None,
            };
            let (one, other) = (tag(a.0, one), tag(b.0, other));
            one.is_none() || other.is_none() || one == other
        }
        (Some(Type::Pointer { .. }), Some(Type::Pointer { .. })) => true,
        (Some(Type::Pointer { .. }), Some(Type::Base { .. } | Type::Enum { .. }))
        | (Some(Type::Base { .. } | Type::Enum { .. }), Some(Type::Pointer { .. })) => false,
        _ => true,
    }
}
