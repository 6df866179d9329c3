// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups of crashes as one page that asks nobody for anything.

use maud::{Markup, html};

use super::{Group, Groups};
use crate::report::{confidence_badge, document, wide};
use guest::shown::visible;

/// The page.
pub(crate) fn page(groups: &Groups) -> Markup {
    let table = html! {
        table {
            thead { tr {
                th { "crashes" } th { "crash" } th { "kernels" } th { "first" } th { "last" }
            } }
            tbody { @for group in &groups.groups { (row(group)) } }
        }
    };
    let content = html! {
        (wide("Groups", &table))
        @if !groups.unread.is_empty() {
            details {
                summary { "not read" }
                ul { @for unread in &groups.unread {
                    li { (visible(&unread.file.display().to_string())) ": " (visible(&unread.why)) }
                } }
            }
        }
        @if groups.left_out > 0 { p.dim { (groups.left_out) " more files left out" } }
        p.dim { "repro " (env!("CARGO_PKG_VERSION")) }
    };
    document(&format!("repro: {}", groups.in_short()), &content)
}

fn row(group: &Group) -> Markup {
    html! {
        tr id=(group.signature) {
            td { (group.count) }
            td {
                b { (visible(&group.title)) } " " (confidence_badge(group.confidence))
                details {
                    summary { code { (group.signature) } }
                    ul { @for file in &group.files { li { code { (visible(&file.display().to_string())) } } } }
                }
            }
            td { @for kernel in &group.kernels { code { (visible(kernel)) } br; } }
            td { (group.first.as_deref().unwrap_or_default()) }
            td { (group.last.as_deref().unwrap_or_default()) }
        }
    }
}
