// SPDX-License-Identifier: MIT OR Apache-2.0
//! The runs of a case that was run several times, by what became of them.

use std::path::Path;

use maud::{Markup, html};

use super::badge_with;
use crate::run::alike::{groups, title};
use crate::run::matrix::{Cell, Status};
use crate::run::outcome::RunResult;
use guest::shown::visible;

/// Runs of a group that are linked to.
const LINKED: usize = 20;

/// How often each came, most often first; nothing for a single run.
pub(super) fn repeats(cell: &Cell<'_>, folder: &Path) -> Option<Markup> {
    (cell.runs.len() > 1).then(|| {
        html! { ul.plain { @for group in groups(&cell.runs) { li { (line(&group, folder)) } } } }
    })
}

fn line(group: &[&RunResult], folder: &Path) -> Markup {
    let first = group[0];
    let signature = first.report.as_ref().and_then(|report| report.signature.as_deref());
    let more = group.len().saturating_sub(LINKED);
    html! {
        b { (group.len()) " × " } (badge_with(Status::As(first.outcome), &first.word())) " "
        (visible(&title(first)))
        @if let Some(signature) = signature { " " code.dim { (visible(signature)) } }
        @for (number, run) in (1..).zip(group.iter().take(LINKED)) {
            @let name = run.folder_name();
            @let file = ["crash.txt", "console.log"].into_iter()
                .find(|file| folder.join(&name).join(file).is_file());
            @if let Some(file) = file { " " a href={ (name) "/" (file) } { (number) } }
        }
        @if more > 0 { " and " (more) " more" }
    }
}
