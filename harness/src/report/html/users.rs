// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who allocated and who freed the object.

use maud::{Markup, html};

use super::{legend, wide};
use crate::run::object_users::{CodePlace, ObjectUser};
use crate::run::outcome::RunResult;
use guest::shown::visible;

/// Both stacks, as far as the allocator noted them.
pub(super) fn users(run: &RunResult) -> Option<Markup> {
    let users = run.users.as_ref()?;
    Some(html! {
        p { "object at " code { (visible(&users.address)) } " of " code { (visible(&users.cache)) } }
        div.sides {
            @if let Some(user) = &users.allocated { (side("allocated", user)) }
            @if let Some(user) = &users.freed { (side("freed", user)) }
        }
    })
}

fn side(what: &str, user: &ObjectUser) -> Markup {
    let stack = html! {
        ol.plain.mono { @for place in &user.stack { (row(place)) } }
    };
    html! {
        div {
            p.dim { (what) " by pid " (user.pid) " on CPU " (user.cpu) }
            (wide(what, &stack))
        }
    }
}

fn row(place: &CodePlace) -> Markup {
    let module = place.module.as_deref();
    html! {
        li class=[module.map(|_| "module")] {
            @if place.inlined { span.dim title=(legend::INLINED) { "inlined " } }
            (visible(&place.function))
            @if let Some(module) = module { " [" (visible(module)) "]" }
            @if let (Some(file), Some(line)) = (&place.file, place.line) {
                " " span.dim { (visible(file)) ":" (line) }
            }
        }
    }
}
