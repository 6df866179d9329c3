// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups of crashes as one page that asks nobody for anything.

use analyzer::report::Confidence;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Group, Groups};
use crate::report::PAGE_STYLE;
use guest::shown::visible;

/// The page runs nothing and asks nobody, whatever is on it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page.
pub(crate) fn page(groups: &Groups) -> Markup {
    let crashes: usize = groups.groups.iter().map(|group| group.count).sum();
    let title = format!("repro: {crashes} crashes in {} groups", groups.groups.len());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(PAGE_STYLE)) }
            }
            body {
                h1 { (title) }
                table {
                    thead { tr {
                        th { "files" } th { "crash" } th { "kernels" } th { "first" } th { "last" }
                    } }
                    tbody { @for group in &groups.groups { (row(group)) } }
                }
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
            }
        }
    }
}

fn row(group: &Group) -> Markup {
    let badge = match group.confidence {
        Confidence::Proven => ("good", "proven"),
        Confidence::Likely => ("doubt", "likely"),
        Confidence::Unknown => ("bad", "unknown"),
    };
    html! {
        tr id=(group.signature) {
            td { (group.count) }
            td {
                b { (visible(&group.title)) } " " span class={ "badge " (badge.0) } { (badge.1) }
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
