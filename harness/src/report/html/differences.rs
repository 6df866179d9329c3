// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is not as the case expects: expected and got side by side.

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

use super::with_code;
use crate::run::outcome::{Difference, RunResult};
use guest::shown::visible;

/// Texts that have less than this in common are not compared word by word.
const ALIKE: f32 = 0.5;

/// The table, each difference with its key above.
pub(super) fn differences(run: &RunResult) -> Option<Markup> {
    (!run.differences.is_empty()).then(|| {
        html! {
            table.compare {
                thead { tr { th { "expected" } th { "got" } } }
                tbody { @for it in &run.differences { (rows(it)) } }
            }
        }
    })
}

fn rows(difference: &Difference) -> Markup {
    let Difference { key, expected, got } = difference;
    let words = TextDiff::from_words(expected.as_str(), got.as_str());
    let is_alike = words.ratio() >= ALIKE;
    let side = |own: ChangeTag, text: &str| match is_alike {
        true => marked(&words, own),
        false => with_code(text),
    };
    html! {
        tr.key { th colspan="2" scope="rowgroup" { (visible(key)) } }
        tr {
            td.expected { (side(ChangeTag::Delete, expected)) }
            td.got { (side(ChangeTag::Insert, got)) }
        }
    }
}

/// One side, with the words marked that the other has not.
fn marked<'t>(words: &TextDiff<'t, 't, 't, str>, own: ChangeTag) -> Markup {
    html! {
        @for change in words.iter_all_changes() {
            @if change.tag() == own { mark { (visible(change.value())) } }
            @else if change.tag() == ChangeTag::Equal { (visible(change.value())) }
        }
    }
}
